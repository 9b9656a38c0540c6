"""Which uses of names give another result each time, so that re-running a cell would not bring its values back.

Only what the code shows is judged: a dotted name, as imported where the code shows the import, and how it is called.
A name that is met without its import, such as ``uuid4()``, is judged by the name alone.
Questions about the machine are told as such: see ``machine``.
Draws from a generator whose state is recorded before a cell, such as ``random.random()``, repeat.
"""

# ruff: noqa: SIM905 - a list of words reads better without quotes

from __future__ import annotations

from dataclasses import dataclass

from elastictm.model import machine

UNKNOWN = -1
"""Stands for a number of arguments that cannot be seen."""


@dataclass(frozen=True, slots=True)
class Use:
    """How a dotted name is used.

    ``args`` counts all arguments of the call.
    ``nothing`` tells that the first argument, or the seed, is None.
    ``text`` is the first argument where that is a string constant.
    ``kept`` tells that the name itself is bound to another one or returned.
    """

    called: bool = False
    args: int = UNKNOWN
    nothing: bool = False
    text: str | None = None
    kept: bool = False


MENTIONED = Use()
KEPT = Use(kept=True)

_ALWAYS = frozenset(
    """
    perf_counter perf_counter_ns time_ns monotonic_ns process_time process_time_ns thread_time thread_time_ns
    clock_gettime clock_gettime_ns default_timer uuid1 uuid4 uuid6 uuid7 urandom getrandom token_bytes token_hex
    token_urlsafe randbelow randbits SystemRandom getpid getppid get_ident get_native_id mkdtemp mkstemp mktemp
    NamedTemporaryFile TemporaryDirectory getrusage
    """.split()
)
_OF_MODULE = {
    "time": frozenset({"time", "monotonic"}),
    "timeit": frozenset({"timeit", "repeat"}),
    "secrets": frozenset({"choice"}),
    "os": frozenset({"times", "getloadavg"}),
    "psutil": frozenset({"cpu_percent", "cpu_times", "virtual_memory", "swap_memory", "disk_usage", "pids"}),
}
_GENERATORS = frozenset("default_rng RandomState Random PCG64 PCG64DXSM MT19937 Philox SFC64 SeedSequence seed".split())
_DATES = frozenset({"datetime", "date", "Timestamp", "dt"})
_NOWS = frozenset({"now", "utcnow", "today"})
_OF_TEXT = frozenset({"Timestamp", "to_datetime", "datetime64", "DatetimeIndex"})
_CLOCK_FACES = {"localtime": 0, "gmtime": 0, "ctime": 0, "asctime": 0, "strftime": 1}
_BARE = frozenset({"input", "raw_input", "id"})

WORDS = (
    _ALWAYS.union(*_OF_MODULE.values(), _GENERATORS, _NOWS, _OF_TEXT, _CLOCK_FACES, _BARE)
    | machine.WORDS
    | {"getpass"}
)  # fmt: skip
"""The last parts of all dotted names that can be unrepeatable."""


def unrepeatable_reason(parts: tuple[str, ...], shown: str, use: Use) -> str | None:
    """Why a use of the dotted name does not repeat, None where it does; ``shown`` is the name as it was typed."""
    last = parts[-1]
    owner = parts[-2] if len(parts) > 1 else ""
    if last in _GENERATORS:
        return f"{shown}() without a seed" if use.called and (use.args == 0 or use.nothing) else None
    if last in _OF_TEXT:
        return f'{shown}("{use.text}")' if use.text in {"now", "today"} else None
    if _varies(last, owner, use):
        return f"{shown}()"
    return machine.machine_reason(parts, shown, use)


def _varies(last: str, owner: str, use: Use) -> bool:
    if last in _ALWAYS or last in _OF_MODULE.get(owner, ()):
        return True
    if last in _NOWS:
        # row.today may be a column, and today() with an argument a function of the user's.
        return owner in _DATES or (use.called and (last != "today" or use.args == 0))
    if last in {"time", "monotonic"}:
        # A datetime has a method time() too, which repeats.
        return use.called and use.args == 0 and owner in {"", "t", "_time"}
    if last in _CLOCK_FACES:
        # So have strftime(format) and ctime() of a datetime.
        return use.called and use.args == _CLOCK_FACES[last] and owner in {"", "time"}
    if last in _BARE:
        return use.called and owner in {"", "builtins"} and (last != "id" or use.args == 1)
    return last == "getpass" and use.called
