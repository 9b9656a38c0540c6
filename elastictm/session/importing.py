"""The process that imports own modules once more and tells what they hold then; see `first_imports` for who asks.

What an import would do outside this process it does not do here: it ends in an error, which is told.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from elastictm.ids import Name
from elastictm.values.freeze import Freezer, Frozen, Surroundings
from elastictm.values.modules import data, settled, shape

ORDER: Final = "order.json"
ANSWER: Final = "answer.json"
_ACTING: Final = (
    *("os.remove", "os.rmdir", "os.rename", "os.truncate", "os.mkdir", "os.link", "os.symlink", "os.exec"),
    *("os.system", "os.posix_spawn", "os.spawn", "os.kill", "subprocess.Popen"),
    *("shutil.rmtree", "shutil.move", "shutil.copyfile", "socket.connect", "socket.bind", "socket.sendto"),
)
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class _Guard:
    """An audit hook that allows nothing outside one folder, and knows whether it had to."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder.resolve()) + os.sep
        self.on = True
        self.forbade = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on or (event != "open" and event not in _ACTING):
            return
        path = arguments[0] if arguments else None
        if event == "open":
            mode, flags = arguments[1:]
            writes = any(c in mode for c in "wax+") if isinstance(mode, str) else bool((flags or 0) & _WRITING)
            if not writes or isinstance(path, int):
                return
        if isinstance(path, (str, bytes, os.PathLike)):
            whole = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - this runs for every file
            if whole.startswith((self._folder, "/dev/")) and not event.startswith("s"):
                return
        self.forbade = True
        raise PermissionError(f"{event} {path}: not while trying out an import")


def main(folder: str) -> None:
    """Import as an order says, and answer with what the modules hold."""
    here = Path(folder)
    order = json.loads((here / ORDER).read_text(encoding="utf-8"))
    os.chdir(order["directory"])
    tempfile.tempdir = str(here)
    if order["shell"]:
        # Modules may ask whether they are in a shell.
        from elastictm.session.ipython.shells import fresh_shell  # noqa: PLC0415 - it takes long

        fresh_shell()
    guard = _Guard(here)
    sys.addaudithook(guard)
    for statement in order["imports"]:
        _tried(lambda text=statement: exec(text, {"__name__": "__main__"}))  # noqa: S102 - the user's own code
    pictures: dict[str, Any] = {}
    for name in order["modules"]:
        if _tried(lambda text=name: importlib.import_module(text)):
            pictures[name] = _picture(sys.modules[name])
    guard.on = False
    answer = {"modules": pictures, "forbade": guard.forbade}
    (here / ANSWER).write_text(json.dumps(answer), encoding="utf-8")


def _tried(what: Any) -> bool:
    try:
        what()
    except Exception:  # noqa: BLE001 - modules of the user's may raise anything; those that do are left out of the answer
        return False
    return True


def _picture(module: ModuleType) -> dict[str, Any]:
    freezer = Freezer(Surroundings({}), time.perf_counter)
    found: dict[str, str | None] = {}
    for key, value in data(module).items():
        outcome = freezer.start().add(Name("module"), settled(value))
        # The numbers of functions and classes without a name are those of one process.
        found[key] = outcome.digest if isinstance(outcome, Frozen) and not outcome.definitions else None
    return {"digests": found, "bound": told(shape(module))}


def told(bound: Mapping[str, Any]) -> dict[str, str]:
    """What names are bound to, as far as a text can tell it; empty texts for the rest."""
    return {
        key: f"{value[0].__name__} {value[1].hex()}" if isinstance(value, tuple) and isinstance(value[1], bytes) else ""
        for key, value in bound.items()
    }
