"""What cells do outside the namespace, seen through the interpreter's audit events while a cell runs."""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from elastictm.model.records import Effect, EffectKind, FileRead
from elastictm.session.lingering import OWN_THREADS
from elastictm.session.new_modules import NewModules
from elastictm.storage.digest import file_digest
from elastictm.values.modules import is_own

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_EFFECTS: Final[dict[str, EffectKind]] = {
    "os.remove": "remove",
    "os.rmdir": "remove",
    "shutil.rmtree": "remove",
    "os.rename": "rename",
    "shutil.move": "rename",
    "os.truncate": "write",
    "os.mkdir": "write",
    "os.link": "write",
    "os.symlink": "write",
    "shutil.copyfile": "write",
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
_HEARD: Final = frozenset({"open", "sqlite3.connect", *_EFFECTS})
_ON_FILES: Final = frozenset({"write", "remove", "rename", "directory"})
_INTO_SECOND: Final = frozenset({"os.link", "os.symlink", "shutil.copyfile"})
_SYSTEM: Final = ("/dev/", "/proc/", "/sys/", "/etc/", "/usr/share/", "/usr/lib/", "/lib/")
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen while one cell ran.

    ``opened`` are files opened for reading, by absolute path with the path as given; ``changed`` are the absolute paths
    of files that were made, written, moved or removed.
    """

    opened: Mapping[str, str]
    effects: tuple[Effect, ...]
    changed: frozenset[str] = frozenset()


class _Ears:
    """The audit hook of the process.

    Python has no way to take an audit hook out again, so there is one for the life of the process, and while no watch
    listens it returns at its first line.
    """

    def __init__(self) -> None:
        self.watch: EffectWatch | None = None
        self._hooked = False

    def listen(self, watch: EffectWatch) -> None:
        """Tell this watch, and no other, what happens."""
        if not self._hooked:
            self._hooked = True
            sys.addaudithook(self._hear)
        self.watch = watch

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        watch = self.watch
        if watch is None or event not in _HEARD:
            return
        try:
            watch.hear(event, arguments)
        except Exception as error:  # noqa: BLE001 - what a hook raises would fail the user's call; it is kept in the watch
            watch.failed(event, error)


_EARS: Final = _Ears()


class EffectWatch:
    """Listens to audit events while a cell runs.

    Responsibilities:
    - note files read, and what is done to files, processes, the network and the environment;
    - leave out what libraries do for themselves, such as keeping caches and setting themselves up.

    ``of_imports`` are the environment variables that libraries set for themselves while they were imported.
    """

    def __init__(self, ignored: Iterable[str] = ()) -> None:
        paths = {sysconfig.get_path(key) for key in ("stdlib", "platstdlib", "purelib", "platlib", "data")}
        self._library = tuple(str(path) + os.sep for path in paths if path and path not in {sys.prefix, "/usr"})
        self._ignored = tuple(ignored)
        # Threads that were there before recording belong to the shell.
        self._strangers = frozenset(thread.ident for thread in threading.enumerate()) - {threading.get_ident()}
        self._opened: dict[str, str] = {}
        self._effects: dict[Effect, None] = {}
        self._databases: dict[str, tuple[str, tuple[int, int] | None]] = {}
        self._changed: set[str] = set()
        self._modules = NewModules()
        self._path: list[str] = []
        self.of_imports: set[str] = set()

    def start(self) -> None:
        """Begin to note what happens."""
        self._opened.clear()
        self._effects.clear()
        self._databases.clear()
        self._changed.clear()
        self._modules.names()  # those that are there
        self._path = list(sys.path)
        _EARS.listen(self)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Hear nothing of what this program does itself while a cell runs."""
        listening = _EARS.watch
        _EARS.watch = None
        try:
            yield
        finally:
            _EARS.watch = listening

    def stop(self) -> Seen:
        """Note no more, and tell what was seen."""
        if _EARS.watch is not self:
            return Seen({}, ())
        _EARS.watch = None
        for path, (given, before) in self._databases.items():
            if _stamp(path) == before:
                self._opened.setdefault(path, given)
            else:
                self._changed.add(path)
                self._effects[Effect("write", path)] = None
        for entry in sys.path:
            if entry not in self._path:
                self._effects[Effect("path", str(entry))] = None
        opened = {path: given for path, given in (self._opened | self._imported()).items() if path not in self._changed}
        return Seen(opened, tuple(self._effects), frozenset(self._changed))

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take note of an audit event."""
        if threading.get_ident() in self._strangers or threading.current_thread().name.startswith(OWN_THREADS):
            return
        if event == "open":
            self._file(*arguments)
        elif event == "sqlite3.connect":
            self._database(_text(arguments[0]))
        else:
            self._effect(event, arguments)

    def failed(self, event: str, error: Exception) -> None:
        """Take note of an event that could not be understood: it may have been anything."""
        kind = _EFFECTS.get(event, "write")
        self._effects[Effect(kind, f"{event} ({type(error).__name__})")] = None

    def _effect(self, event: str, arguments: tuple[Any, ...]) -> None:
        kind = _EFFECTS[event]
        detail = _text(arguments[0]) if arguments else ""
        if kind == "network":
            address = arguments[-1]
            # Sockets inside the machine carry the kernel's own messages.
            if isinstance(address, (str, bytes)) or (isinstance(address, tuple) and not address):
                return
            detail = _place(address)
        elif event == "subprocess.Popen":
            words = arguments[1]
            detail = " ".join(map(_text, words)) if isinstance(words, (list, tuple)) else _text(words)
        elif kind in _ON_FILES and not isinstance(arguments[0], int):
            detail = os.path.abspath(_text(arguments[1 if event in _INTO_SECOND else 0]))  # noqa: PTH100 - see below
            if self._is_ignored(detail):
                return
            self._changed.add(detail)
            if kind == "rename":
                target = os.path.abspath(_text(arguments[1]))  # noqa: PTH100
                self._changed.add(target)
                detail += f" -> {target}"
        if self._for_import():
            self.of_imports |= {detail} if kind == "environment" else set()
            return
        self.of_imports.discard(detail)
        self._effects[Effect(kind, detail[:_LONGEST])] = None

    def _file(self, path: Any, mode: Any, flags: Any) -> None:
        if isinstance(path, int) or path is None:
            return
        name = os.path.abspath(_text(path))  # noqa: PTH100 - os.path is quick, and the path need not exist
        if not self.concerns(name):
            return
        writing = any(c in mode for c in "wax+") if isinstance(mode, str) else bool((flags or 0) & _WRITING)
        if self._for_import():
            return
        if writing:
            self._changed.add(name)
            self._effects[Effect("write", name[:_LONGEST])] = None
        else:
            self._opened.setdefault(name, _text(path))

    def _database(self, name: str) -> None:
        name = name.removeprefix("file:").partition("?")[0]
        if name and not name.startswith(":"):
            path = os.path.abspath(name)  # noqa: PTH100
            self._databases.setdefault(path, (name, _stamp(path)))

    def concerns(self, name: str) -> bool:
        """Whether a file, given by its absolute path, is neither the system's nor a library's."""
        return not (name.startswith(_SYSTEM) or self._is_ignored(name))

    def _is_ignored(self, name: str) -> bool:
        return (
            name.startswith((*self._library, *self._ignored))
            or name.endswith((".pyc", ".pth", "__pycache__"))
            or f"{os.sep}__pycache__{os.sep}" in name
        )

    def _for_import(self) -> bool:
        """Whether a library is being imported, and this is part of its setting itself up."""
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the public functions build much more
        while frame is not None:
            code = frame.f_code
            if code.co_name == "<module>":
                return code.co_filename.startswith(self._library)
            frame = frame.f_back
        return False

    def _imported(self) -> dict[str, str]:
        """The files of the user's own modules that were imported meanwhile; compiled copies may have been read."""
        new = [sys.modules[name] for name in self._modules.names() if name in sys.modules]
        files = [str(module.__file__) for module in new if isinstance(module, ModuleType) and is_own(module)]
        here = os.getcwd() + os.sep  # noqa: PTH109
        return {os.path.abspath(file): file.removeprefix(here) for file in files}  # noqa: PTH100


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


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - as above
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _place(address: Any) -> str:
    """A socket's address, as people write it."""
    if isinstance(address, tuple) and len(address) > 1 and isinstance(address[0], str):
        return f"{address[0]}:{address[1]}"
    return str(address)


def _text(value: Any) -> str:
    return os.fsdecode(value) if isinstance(value, (str, bytes, os.PathLike)) else str(value)
