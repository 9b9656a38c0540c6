"""Bytes in archives: written whole or not at all, read with suspicion, and never unpickled."""
