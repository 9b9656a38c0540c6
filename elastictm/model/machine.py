"""Which uses of names ask about the machine: its environment, its files, where things lie, who and what it is.

On the same machine they repeat, on another one they may not, and a cell that runs again in a restore stands in a folder
of its own.
"""

# ruff: noqa: SIM905 - a list of words reads better without quotes

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elastictm.model.repeatability import Use

_DEPENDS = "depends on the machine"

SETTING = frozenset({"update", "setdefault", "pop", "clear"})
"""Methods of ``os.environ`` that set rather than ask."""

_BY_NAME = frozenset(
    """
    getcwd getcwdb listdir scandir getenv getenvb isfile isdir islink ismount lexists getmtime getctime getatime getsize
    abspath realpath expanduser expandvars is_file is_dir is_symlink iterdir rglob iglob gethostname getfqdn getuser
    getlogin cpu_count process_cpu_count sched_getaffinity
    """.split()
)
_BY_NAME_CALLED = frozenset({"exists", "glob"})
_OF_MODULE = {
    "os": frozenset({"walk", "fwalk", "stat", "lstat", "access", "uname", "getuid", "getgid", "environ", "environb"}),
    "path": frozenset({"exists"}),
    "glob": frozenset({"glob"}),
    "Path": frozenset({"cwd", "home"}),
    "platform": frozenset(
        """
        architecture machine node platform processor python_build python_compiler python_implementation python_version
        python_version_tuple release system version uname libc_ver mac_ver win32_ver freedesktop_os_release
        """.split()
    ),
    "sys": frozenset({"argv", "executable", "version", "version_info", "platform"}),
}
_OF_PATHS = frozenset({"stat", "lstat", "resolve", "absolute"})
"""Methods of paths without an argument, as some other objects have them too."""

_NO_CALLS = frozenset({"environ", "environb"}) | _OF_MODULE["sys"]

WORDS = _BY_NAME.union(_BY_NAME_CALLED, *_OF_MODULE.values(), _OF_PATHS)
"""The last parts of all dotted names that can ask about the machine."""


def machine_reason(parts: tuple[str, ...], shown: str, use: Use) -> str | None:
    """Why a use of the dotted name may give another value on another machine, None where it does not."""
    last = parts[-1]
    owner = parts[-2] if len(parts) > 1 else ""
    if not _asks(last, owner, use):
        return None
    return f"{shown if last in _NO_CALLS else f'{shown}()'} {_DEPENDS}"


def is_of_machine(reason: str) -> bool:
    """Whether a reason not to repeat says no more than that a value depends on the machine."""
    return _DEPENDS in reason


def _asks(last: str, owner: str, use: Use) -> bool:
    if last in _BY_NAME or last in _OF_MODULE.get(owner, ()):
        return True
    if last in _BY_NAME_CALLED:
        return use.called
    if last == "environ":
        return not owner
    return last in _OF_PATHS and bool(owner) and use.called and use.args == 0
