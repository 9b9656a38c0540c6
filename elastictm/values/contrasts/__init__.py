"""How values of each kind are compared for people: one kind, or one library, a module."""
