"""Open files: they are opened again by path, mode and position, if the file is what it was."""

from __future__ import annotations

import fcntl
import functools
import gc
import hashlib
import io
import os
import stat
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "io"

Seal = tuple[str, str, int, str]
"""A file as it was: the absolute path, the path as it was given, the size, the digest."""

_WHOLE: Final = 1 << 20
"""Bytes; of larger files the beginning and the end are digested."""
_STREAMS: Final = ("stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__")
LAYERS: Final = {
    kind.__name__: kind for kind in (io.TextIOWrapper, io.BufferedReader, io.BufferedWriter, io.BufferedRandom)
}
NEWLINES: Final = ("", "\n", "\r", "\r\n")


def reducers(_: ModuleType) -> dict[type, Any]:
    """Reducers for the layers of an open file."""
    return {
        io.FileIO: reduce_raw,
        io.BufferedReader: reduce_buffered,
        io.TextIOWrapper: reduce_text,
    }


def kindred(kind: type, _: ModuleType) -> Any:
    """The reducer of what a kernel has in the place of a standard stream."""
    return reduce_standard if any(type(getattr(sys, name, None)) is kind for name in _STREAMS) else None


def reduce_standard(value: Any, _view: FreezingPass) -> Any:
    """A standard stream of whatever kind by its name."""
    name = standard_name(value)
    return NotImplemented if name is None else (standard, (name,))


def standard_name(value: Any) -> str | None:
    """The name of a stream that every process has."""
    return next((name for name in _STREAMS if getattr(sys, name, None) is value), None)


def standard(name: str) -> Any:
    """A stream that every process has."""
    return getattr(sys, name)


def reduce_raw(value: io.FileIO, _view: FreezingPass) -> Any:
    """A file without a buffer, by its path and position."""
    if value.closed:
        return closed_file, ("FileIO", value.name, value.mode, None)
    path = path_of(value)
    mark = (path, path, -1, "") if path == os.devnull else seal(path, os.fsdecode(value.name))
    return raw_file, (mark, value.mode, value.tell() if value.seekable() else 0, vars(value))


def raw_file(mark: Seal, mode: str, position: int, attributes: dict[str, Any]) -> io.FileIO:
    """A file opened again, neither made nor cut short, if it is what it was."""
    path = sealed(mark)
    made = io.FileIO(path, mode.replace("b", ""), opener=opened_as_it_is)
    vars(made).update(attributes)
    if made.seekable():
        made.seek(position)
    return made


def opened_as_it_is(path: str, flags: int) -> int:
    """Open a file that is neither made nor cut short."""
    return os.open(path, flags & ~(os.O_CREAT | os.O_EXCL | os.O_TRUNC))


def path_of(value: io.FileIO) -> str:
    """The path of a regular file that is still there; TypeError for any other."""
    name: Any = value.name
    if not isinstance(name, (str, bytes, os.PathLike)):
        raise TypeError("cannot store an open file that has no path, such as a pipe or a temporary file")
    here = os.fstat(value.fileno())
    # A relative path was one from the working directory at that time.
    for path in filter(None, (str(Path(os.fsdecode(name)).absolute()), _path_of_handle(value.fileno()))):
        there = _status(path)
        if there is not None and os.path.samestat(here, there):
            break
    else:
        raise TypeError(f"cannot store an open file that is no longer at its path {os.fsdecode(name)}")
    if not stat.S_ISREG(here.st_mode) and path != os.devnull:
        raise TypeError(f"cannot store {path}, which is open and no regular file")
    return path


def _path_of_handle(handle: int) -> str | None:
    """Where the system has the file of a handle; None where it does not tell."""
    try:
        if sys.platform == "darwin":
            return os.fsdecode(fcntl.fcntl(handle, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0"))
        return os.readlink(f"/proc/self/fd/{handle}")  # noqa: PTH115 - text is wanted
    except OSError:
        return None


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - a path from a handle
    except OSError:
        return None


def reduce_buffered(value: Any, _view: FreezingPass) -> Any:
    """A buffered file as the file under it and the position."""
    name = standard_name(value)
    if name is not None:
        return standard, (name,)
    kind = type(value).__name__
    if value.closed:
        return closed_file, (kind, getattr(value, "name", ""), getattr(value, "mode", "rb"), None)
    return buffered_file, (kind, value.raw, value.tell() if value.seekable() else None)


def buffered_file(kind: str, raw: Any, position: int | None) -> Any:
    """A buffer over a file."""
    made = LAYERS[kind](raw)
    if position is not None:
        made.seek(position)
    return made


def reduce_text(value: io.TextIOWrapper, _view: FreezingPass) -> Any:
    """A text file as the buffered file under it, its encoding and its position."""
    name = standard_name(value)
    if name is not None:
        return standard, (name,)
    if value.closed:
        return closed_file, (
            "TextIOWrapper",
            getattr(value, "name", ""),
            getattr(value, "mode", "r"),
            (value.encoding, value.errors),
        )
    position = position_of(value) if value.seekable() else None
    newline = newline_of(value, position)
    settings = (value.encoding, value.errors, newline, value.line_buffering, value.write_through)
    return text_file, (value.buffer, settings, position, vars(value))


def text_file(buffer: Any, settings: tuple[Any, ...], position: int | None, attributes: dict[str, Any]) -> Any:
    """A text file over a buffered one."""
    made = io.TextIOWrapper(buffer, *settings)
    if position is not None:
        made.seek(position)
    vars(made).update(attributes)
    return made


def newline_of(value: io.TextIOWrapper, position: int | None) -> str | None:
    """What the file was opened with as ``newline``, which is told to the garbage collector alone.

    Of the texts that a file holds, the first is its encoding and the last says what to do with errors; between them are
    ``newline`` unless it is None, and what was read ahead if anything was.
    """
    between = _texts(value)
    if len(between) == 1 and between[0] in NEWLINES and value.readable() and position is not None:
        # It could be either, until the file forgets what it read ahead.
        value.seek(position)
        between = _texts(value)
    return between[0] if between and between[0] in NEWLINES else None


def _texts(value: io.TextIOWrapper) -> list[str]:
    return [text for text in gc.get_referents(value) if type(text) is str][1:-1]


def position_of(value: io.TextIOWrapper) -> int:
    """Where a text file stands, whether or not it is being gone through."""
    try:
        return value.tell()
    except OSError:
        pass
    # Going through a file line by line hides the position: it is found by what is left, and the file put back there.
    raw = getattr(value.buffer, "raw", None)
    if not isinstance(raw, io.FileIO) or os.fstat(raw.fileno()).st_size > _WHOLE:
        raise TypeError("cannot store a large text file that is being gone through line by line")
    with io.TextIOWrapper(
        io.BufferedReader(io.FileIO(path_of(raw))), value.encoding, value.errors, newline_of(value, None)
    ) as other:
        whole = len(other.read())
        left = len(value.read())
        other.seek(0)
        other.read(whole - left)
        position = other.tell()
    value.seek(position)
    return position


def closed_file(kind: str, name: Any, mode: str, coding: tuple[str, str] | None) -> Any:
    """A closed file that still tells its name."""
    binary = mode.replace("b", "").replace("t", "").replace("U", "") or "r"
    made: Any = io.FileIO(os.devnull, binary.replace("x", "w"))
    made.name = name
    if kind != "FileIO":
        layer = {"r": "BufferedReader"}.get(binary, "BufferedRandom" if "+" in binary else "BufferedWriter")
        made = LAYERS[layer if kind == "TextIOWrapper" else kind](made)
    if kind == "TextIOWrapper":
        made = io.TextIOWrapper(made, *(coding or ()))
        made.mode = mode
    made.close()
    return made


def seal(path: str, given: str = "") -> Seal:
    """What a file must be found as to be opened again, there or at the path that it was ``given`` as."""
    size = os.stat(path).st_size  # noqa: PTH116 - a path from a handle
    relative = os.path.basename(path) if not given or os.path.isabs(given) else given  # noqa: PTH117, PTH119
    return path, relative, size, _digest(path, size)


def sealed(mark: Seal) -> str:
    """The path of a file, if it is what it was.

    Raises:
        OSError: it is gone, shorter, or another.
    """
    path, relative, size, digest = mark
    if path == os.devnull:
        return path
    for candidate in (path, str(Path(relative).absolute())):
        found = _status(candidate)
        if found is None:
            continue
        if found.st_size < size:
            raise OSError(f"{candidate} was truncated: it has {found.st_size} bytes and had {size}")
        if _digest(candidate, size) != digest:
            raise OSError(f"{candidate} has changed since it was saved")
        if found.st_size > size:
            raise OSError(f"{candidate} has grown since it was saved: it has {found.st_size} bytes and had {size}")
        return candidate
    raise OSError(f"{path} is gone: it was moved or deleted, or was never on this machine")


def _digest(path: str, size: int) -> str:
    """The digest of the first so many bytes of a file: of all of them, or of both ends."""
    digest = hashlib.blake2b(digest_size=16)
    with io.FileIO(path) as file:
        if size <= _WHOLE:
            digest.update(_read(file, size))
        else:
            digest.update(_read(file, _WHOLE // 2))
            file.seek(size - _WHOLE // 2)
            digest.update(_read(file, _WHOLE // 2))
    return digest.hexdigest()


def _read(file: io.FileIO, size: int) -> bytes:
    return b"".join(iter(functools.partial(_some, file, [size]), b""))


def _some(file: io.FileIO, left: list[int]) -> bytes:
    data = file.read(left[0]) or b""
    left[0] -= len(data)
    return data
