"""Other CPythons on this machine, and environments of their own for them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

MINORS: Final = (10, 11, 12, 13)
"""The minor versions of Python 3 that elastictm runs under."""

_PROBE: Final = "import sys, ensurepip; print(sys.implementation.name, *sys.version_info[:2])"


class NoEnvironment(Exception):
    """An environment could not be made: no such Python here, or no package registry."""


def interpreter(minor: int) -> str | None:
    """A working CPython of a minor version, from pyenv or the PATH; None if there is none."""
    name = f"python3.{minor}"
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [*map(str, sorted(root.glob(f"versions/3.{minor}.*/bin/{name}"))), shutil.which(name)]
    for candidate in filter(None, found):
        done = subprocess.run([candidate, "-c", _PROBE], capture_output=True, text=True, check=False)  # noqa: S603 - a Python
        if done.stdout.split() == ["cpython", "3", str(minor)]:
            return candidate
    return None


def environment(folder: Path, minor: int, wanted: Sequence[str]) -> Path:
    """The Python of an environment with the wanted distributions, made in a folder unless it is there already.

    Raises:
        NoEnvironment: it could not be made.
    """
    ready, python = folder / ".ready", folder / "bin" / "python"
    if ready.is_file() and json.loads(ready.read_text()) == list(wanted):
        return python
    base = interpreter(minor)
    if base is None:
        raise NoEnvironment(f"there is no Python 3.{minor} on the PATH or under pyenv")
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in ([base, "-m", "venv", "--clear", str(folder)], [*install, *wanted]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed but for names
        if done.returncode:
            reason = "; ".join(done.stderr.strip().splitlines()[-1:])
            raise NoEnvironment(f"no environment for Python 3.{minor}: {reason}")
    ready.write_text(json.dumps(list(wanted)))
    return python
