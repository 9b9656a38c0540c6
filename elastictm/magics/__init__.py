"""The magics that users type in a notebook or IPython."""
