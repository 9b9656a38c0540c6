"""What cells do outside the namespace, seen through the interpreter's audit events while a cell runs."""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from elastictm.model.records import Effect, EffectKind, FileRead
from elastictm.storage.digest import file_digest

_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_EFFECTS: Final[dict[str, EffectKind]] = {
    "os.remove": "remove",
    "os.rmdir": "remove",
    "shutil.rmtree": "remove",
    "os.rename": "rename",
    "os.truncate": "write",
    "os.mkdir": "write",
    "os.link": "write",
    "os.symlink": "write",
    "shutil.copyfile": "write",
    "shutil.move": "rename",
    "socket.connect": "network",
    "socket.bind": "network",
    "socket.sendto": "network",
    "subprocess.Popen": "process",
    "os.system": "process",
    "os.fork": "process",
    "os.forkpty": "process",
    "os.exec": "process",
    "os.posix_spawn": "process",
    "os.spawn": "process",
    "os.kill": "process",
    "os.chdir": "directory",
    "os.putenv": "environment",
    "os.unsetenv": "environment",
}
_OUTSIDE: Final = ("/dev/", "/proc/", "/sys/")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen while one cell ran: files opened for reading, by absolute path with the path as given, and effects."""

    opened: Mapping[str, str]
    effects: tuple[Effect, ...]


class EffectWatch:
    """Listens to audit events while a cell runs.

    Python has no way to take an audit hook out again, so there is one for each watch, and once the watch is closed
    it returns at its first line.
    """

    def __init__(self, ignored: Iterable[str] = ()) -> None:
        paths = {sysconfig.get_path(key) for key in ("stdlib", "platstdlib", "purelib", "platlib", "data")}
        self._library = tuple(str(path) + os.sep for path in paths if path and path not in {sys.prefix, "/usr"})
        self._ignored = tuple(ignored)
        self._running = False
        self._hooked = False
        self._strangers: frozenset[int] = frozenset()
        self._opened: dict[str, str] = {}
        self._effects: dict[Effect, None] = {}

    def start(self) -> None:
        """Begin to note what happens."""
        if not self._hooked:
            self._hooked = True
            sys.addaudithook(self._hear)
        self._opened.clear()
        self._effects.clear()
        # Threads that were there before belong to the shell or to an earlier cell.
        mine = threading.get_ident()
        self._strangers = frozenset(t.ident for t in threading.enumerate() if t.ident and t.ident != mine)
        self._running = True

    def stop(self) -> Seen:
        """Note no more, and tell what was seen."""
        self._running = False
        return Seen(dict(self._opened), tuple(self._effects))

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._running or (event != "open" and event not in _EFFECTS):
            return
        if threading.get_ident() in self._strangers:
            return
        if event == "open":
            self._file(*arguments)
        else:
            self._effect(_EFFECTS[event], arguments)

    def _effect(self, kind: EffectKind, arguments: tuple[Any, ...]) -> None:
        detail = arguments[0] if arguments else ""
        if kind == "network":
            address = arguments[-1]
            # Sockets inside the machine carry the kernel's own messages.
            if isinstance(address, (str, bytes)) or (isinstance(address, tuple) and not address):
                return
            detail = address
        if kind in {"write", "remove", "rename"} and self._is_library(_text(detail)):
            return
        self._effects[Effect(kind, _text(detail)[:300])] = None

    def _file(self, path: Any, mode: Any, flags: Any) -> None:
        if isinstance(path, int) or path is None:
            return
        name = os.path.abspath(_text(path))  # noqa: PTH100 - os.path is quick, and the path need not exist
        if name.startswith(_OUTSIDE) or self._is_library(name):
            return
        writing = any(c in mode for c in "wax+") if isinstance(mode, str) else bool((flags or 0) & _WRITING)
        if writing:
            self._effects[Effect("write", name)] = None
        else:
            self._opened.setdefault(name, _text(path))

    def _is_library(self, name: str) -> bool:
        return name.startswith((*self._library, *self._ignored)) or name.endswith((".pyc", ".pth"))


def describe_files(paths: Mapping[str, str], digest_limit: int) -> tuple[FileRead, ...]:
    """Size and time of change of files that were read, with a digest for those of at most ``digest_limit`` bytes.

    What is no ordinary file any more is left out.
    """
    found: list[FileRead] = []
    for path, given in paths.items():
        try:
            status = Path(path).stat()
            if not os.path.isfile(path):  # noqa: PTH113 - as above
                continue
            digest = file_digest(path) if status.st_size <= digest_limit else None
        except OSError:
            continue
        relative = None if os.path.isabs(given) else given  # noqa: PTH117 - as above
        found.append(FileRead(path, status.st_size, status.st_mtime_ns, digest, relative))
    return tuple(found)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return os.fsdecode(value)
    return value if isinstance(value, str) else os.fspath(value) if isinstance(value, os.PathLike) else str(value)
