"""Files open for writing: looking at one writes nothing; only a save has what waits in memory written to the file.

What a save finds in the file by then is stored and is no part of the digest, which a look could not know.
"""

from __future__ import annotations

import gc
import io
import marshal
import os
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from elastictm.values.reducers import files

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "io"


def reducers(_: ModuleType) -> dict[type, Any]:
    """Reducers for the layers of a file that may be open for writing."""
    return {
        io.FileIO: reduce_raw,
        io.BufferedWriter: reduce_buffered,
        io.BufferedRandom: reduce_buffered,
        io.TextIOWrapper: reduce_text,
    }


def reduce_raw(value: io.FileIO, view: FreezingPass) -> Any:
    """A file under a buffer that writes, by its path; any other as one that is read."""
    if not view.seen(value) or value.closed:
        return files.reduce_raw(value, view)
    path = files.path_of(value)
    found: tuple[Any, ...] = ()
    if view.keeps:
        mark = (path, path, -1, "") if path == os.devnull else files.seal(path, os.fsdecode(value.name))
        found = (mark, value.tell() if value.seekable() else 0)
    return raw_writer, (path, value.mode, view.aside(marshal.dumps(found, 2)), vars(value))


def raw_writer(_path: str, mode: str, found: Any, attributes: dict[str, Any]) -> io.FileIO:
    """A file opened again, neither made nor cut short, if it is what the save left."""
    mark, position = marshal.loads(bytes(found))  # noqa: S302 - trust was given before anything is loaded
    return files.raw_file(mark, mode, position, attributes)


def reduce_buffered(value: Any, view: FreezingPass) -> Any:
    """A buffer that writes, by the position that it will have written up to, which a text file over it knows better."""
    if value.closed or files.standard_name(value) is not None:
        return files.reduce_buffered(value, view)
    if view.keeps:
        value.flush()
    view.seen(value.raw)
    position = None if view.seen(value) or not value.seekable() else value.tell()
    return files.buffered_file, (type(value).__name__, value.raw, position)


def reduce_text(value: io.TextIOWrapper, view: FreezingPass) -> Any:
    """A text file that writes, likewise; any other as one that is read."""
    written = type(value.buffer) in {io.BufferedWriter, io.BufferedRandom}
    if not written or value.closed or files.standard_name(value) is not None:
        return files.reduce_text(value, view)
    if view.keeps:
        value.flush()
    view.seen(value.buffer)
    position = _position_of(value) if value.seekable() else None
    newline = files.newline_of(value, None) if view.keeps else None
    settings = (value.encoding, value.errors, value.line_buffering, value.write_through)
    return text_writer, (value.buffer, settings, view.aside(marshal.dumps(newline, 2)), position, vars(value))


def text_writer(
    buffer: Any, settings: tuple[Any, ...], newline: Any, position: int | None, attributes: dict[str, Any]
) -> Any:
    """A text file over a buffer that writes."""
    found = marshal.loads(bytes(newline))  # noqa: S302 - trust was given before anything is loaded
    return files.text_file(buffer, (*settings[:2], found, *settings[2:]), position, attributes)


def _position_of(value: io.TextIOWrapper) -> int:
    """Where the file stands once all is written."""
    buffer: Any = value.buffer
    waiting = _waiting(value)
    if waiting or not value.readable() or buffer.tell() > buffer.raw.tell():
        return int(buffer.tell()) + waiting
    return files.position_of(value)


def _waiting(value: io.TextIOWrapper) -> int:
    """How many bytes were written and did not get to the buffer yet, which is told to the garbage collector alone."""
    held = gc.get_referents(value)
    for item in held:
        if type(item) is list:
            return sum(map(len, item))
        if type(item) is bytes:
            return len(item)
    texts = [item for item in held if type(item) is str][1:-1]
    # The first of two is ``newline``, and so is one that could be.
    if not texts or value.readable() or (len(texts) == 1 and texts[0] in files.NEWLINES):
        return 0
    return len(texts[-1].encode(value.encoding, value.errors or "strict"))
