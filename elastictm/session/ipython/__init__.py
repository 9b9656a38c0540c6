"""The only part that knows IPython: a shell seen as a host, the hooks around its cells, and shells to be had."""
