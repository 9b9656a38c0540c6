"""Where recording can be enabled: IPython's profiles and Jupyter's kernels.

All that is written is a file, or a folder, of its own, so that taking it out leaves everything else as it was.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from elastictm.errors import UsageError
from elastictm.storage.destination import refused
from elastictm.storage.textfile import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME: Final = "elastictm"
"""The name of the kernel."""

_FILE: Final = "00-elastictm.py"
_HEAD: Final = '"""Has every session recorded: `elastictm enable` wrote this file, `elastictm disable` removes it."""\n'
_MADE: Final = "# Folders that were made for this file: "
_LAUNCH: Final = ("-m", "ipykernel_launcher", "-f", "{connection_file}")
_BEGIN: Final = """\
try:
    __import__("elastictm.enabled").enabled.begin(get_ipython())
except Exception as error:
    print(f"elastictm: this session is not recorded: {type(error).__name__}: {error}")
"""


def enable_profile(name: str) -> tuple[Path, bool]:
    """Have every session of a profile recorded; returns the file that does it, and whether that is new.

    Raises:
        UsageError: there is no such profile, or its file of that name is another's.
        DestinationError: the file cannot be written.
    """
    profile = _ipython() / f"profile_{name}"
    if name != "default" and not profile.is_dir():
        raise UsageError(
            f"there is no profile {name!r} in {_ipython()}; there are: {', '.join(_profiles()) or 'none'}. "
            f"ipython profile create {name} makes it"
        )
    file = profile / "startup" / _FILE
    before = file.read_text("utf-8") if file.is_file() else None
    if before is not None and not before.startswith(_HEAD):
        raise UsageError(f"{file} is there, but elastictm enable did not write it: move it away first")
    try:
        made = _folders_made(before) if before is not None else _make(file.parent)
        text = f"{_HEAD}{_MADE}{made}\n{_BEGIN}"
        if before != text:
            write_text(str(file), text, force=True)
    except OSError as error:
        raise refused(str(file), error) from error
    return file, before is None


def disable_profiles(name: str | None) -> Iterator[Path]:
    """Take that out of a profile again, or out of all; gives the files that are gone.

    Raises:
        DestinationError: a file cannot be removed.
    """
    for each in [name] if name is not None else _profiles():
        file = _ipython() / f"profile_{each}" / "startup" / _FILE
        text = file.read_text("utf-8") if file.is_file() else ""
        if text.startswith(_HEAD):
            try:
                file.unlink()
            except OSError as error:
                raise refused(str(file), error) from error
            _unmake(file.parent, _folders_made(text))
            yield file


def enable_kernel(*, user: bool) -> tuple[Path, bool]:
    """Install the kernel, for this Python, for the user or in the environment; returns its folder, and if that is new.

    Raises:
        UsageError: there is another's kernel of that name.
        DestinationError: it cannot be written.
    """
    folder = _kernels(user=user)
    made = _own_kernel(folder)
    if folder.is_dir() and made is None:
        raise UsageError(f"{folder} holds a kernel of that name that elastictm enable did not install")
    new = made is None
    try:
        made = _make(folder.parent) if made is None else made
        spec = {
            "argv": [sys.executable, *_LAUNCH, f"--IPKernelApp.exec_lines={_BEGIN}"],
            "display_name": "Python 3 (elastictm)",
            "language": "python",
            "metadata": {"debugger": True, _NAME: {"folders_made": made}},
        }
        if not new:
            shutil.rmtree(folder)
        # Not by Jupyter's own manager of kernels, which would make a folder for IPython, too.
        shutil.copytree(_logos(), folder)
        write_text(str(folder / "kernel.json"), json.dumps(spec, indent=1), force=True)
    except OSError as error:
        raise refused(str(folder), error) from error
    return folder, new


def disable_kernels() -> Iterator[Path]:
    """Remove the kernel wherever it is; gives the folders that are gone.

    Raises:
        DestinationError: a folder cannot be removed.
    """
    for folder in dict.fromkeys((_kernels(user=True), _kernels(user=False))):
        made = _own_kernel(folder)
        if made is not None:
            try:
                shutil.rmtree(folder)
            except OSError as error:
                raise refused(str(folder), error) from error
            _unmake(folder.parent, made)
            yield folder


def in_environment() -> bool:
    """Whether this Python is that of a virtual or conda environment, which may have kernels of its own."""
    return sys.prefix != sys.base_prefix or Path(sys.prefix, "conda-meta").is_dir()


def _ipython() -> Path:
    # As IPython finds it, which would make it, too.
    return Path(os.environ.get("IPYTHONDIR") or "~/.ipython").expanduser()


def _profiles() -> list[str]:
    folder = _ipython()
    found = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    return [name.removeprefix("profile_") for name in found if name.startswith("profile_")]


def _kernels(*, user: bool) -> Path:
    from jupyter_core.paths import jupyter_data_dir  # noqa: PLC0415 - not for --help

    return Path(jupyter_data_dir() if user else Path(sys.prefix, "share", "jupyter"), "kernels", _NAME)


def _logos() -> Path:
    """Where ipykernel has its pictures; importing it would make folders."""
    package = find_spec("ipykernel")
    assert package is not None and package.origin is not None  # noqa: S101, PT018 - it is required
    return Path(package.origin).parent / "resources"


def _own_kernel(folder: Path) -> int | None:
    """How many folders were made for the kernel there; None where there is none that ``enable_kernel`` installed."""
    try:
        made = json.loads((folder / "kernel.json").read_text("utf-8"))["metadata"][_NAME]["folders_made"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return made if isinstance(made, int) else None


def _folders_made(text: str) -> int:
    found = next((line.removeprefix(_MADE) for line in text.splitlines() if line.startswith(_MADE)), "0")
    return int(found) if found.isdecimal() else 0


def _make(folder: Path) -> int:
    """Make a folder and those above it; returns how many there were not."""
    missing = sum(not each.exists() for each in (folder, *folder.parents))
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _unmake(folder: Path, count: int) -> None:
    """Remove so many folders, from this one upwards, as far as nobody has put anything in."""
    with suppress(OSError):
        for each in (folder, *folder.parents)[:count]:
            os.rmdir(each)  # noqa: PTH106 - as it says: nothing else is removed
