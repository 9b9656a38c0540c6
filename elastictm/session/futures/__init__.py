"""Cells that run aside: what is sent to another process, what runs there, and how its results come in."""
