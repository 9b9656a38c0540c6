"""Completion (placeholder)."""

def install(shell): pass
def uninstall(shell): pass
