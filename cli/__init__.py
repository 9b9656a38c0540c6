"""The command line of elastictm: one command a module, each importing what it needs when it runs.

Results go to standard output, messages to standard error; `main` alone shows errors.
"""
