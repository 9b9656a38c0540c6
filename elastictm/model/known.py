"""What well-known decorators, context managers, methods and functions of libraries do, as far as names go."""

# ruff: noqa: SIM905 - a list of words reads better without quotes

from __future__ import annotations

PASSIVE_DECORATORS = frozenset(
    """
    property setter getter deleter staticmethod classmethod abstractmethod cached_property cache lru_cache wraps
    dataclass contextmanager asynccontextmanager overload override final total_ordering no_grad inference_mode njit jit
    """.split()
)
"""Decorators that do not call what they decorate."""

LETS_THROUGH = frozenset(
    """
    open File ZipFile TarFile TemporaryDirectory NamedTemporaryFile urlopen connect
    no_grad enable_grad inference_mode set_grad_enabled autocast errstate catch_warnings option_context
    redirect_stdout redirect_stderr chdir closing nullcontext localcontext Lock RLock lock
    ThreadPoolExecutor ProcessPoolExecutor Pool Parallel parallel_backend tqdm rc_context axes_style
    plotting_context GradientTape ExcelWriter
    """.split()
)
"""Context managers that let an exception through, so that what follows them runs only if their body ended."""

ASKING = frozenset({"type", "str", "repr", "bool", "isinstance", "hasattr", "len", "sorted", "list", "set"})

PLAIN_SHELL = frozenset(
    """
    __class__ __module__ __doc__ config display_formatter display_pub events execution_count enable_gui
    enable_matplotlib set_next_input set_custom_exc showtraceback showsyntaxerror show_usage ast_transformers
    input_transformers_cleanup input_transformers_post register_magics register_magic_function colors
    """.split()
)
"""What ``get_ipython()`` offers that leaves the namespace alone."""

COMMANDS = frozenset({"system", "getoutput", "getoutput_pexpect", "system_raw", "system_piped"})
EVALUATORS = frozenset({"pd", "pandas", "ne", "numexpr"})
STATEMENT_BUILDERS = frozenset({"select", "insert", "update", "delete", "text"})
"""Functions of SQLAlchemy that make a statement, which is sent as it is."""

TABLE_ACCESS = frozenset({"get", "pop", "setdefault", "keys"})
"""The methods of ``sys.modules`` that, given a constant, reach no module but the one named."""

TEXT_METHODS = frozenset({"sql", "query", "execute", "eval", "evaluate"})
"""Methods that look names up in their caller's namespace when their text has them (duckdb, pandas, numexpr)."""
