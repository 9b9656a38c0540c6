"""Compressed files that are being read: they are gone through again up to their position; temporary files."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from elastictm.values.reducers import FreezingPass

LIBRARY: Final = "io"

_READERS: Final = (("gzip", "GzipFile"), ("bz2", "BZ2File"), ("lzma", "LZMAFile"))
_TEMPORARY: Final = ("_TemporaryFileWrapper", "TemporaryDirectory")


def reducers(_: ModuleType) -> dict[type, Any]:
    """Nothing: what is loaded changes, so kinds are looked for one by one."""
    return {}


def kindred(kind: type, _: ModuleType) -> Any:
    """The reducer of a compressed or temporary file whose module is loaded."""
    for module, name in _READERS:
        if module in sys.modules and kind is getattr(sys.modules[module], name):
            return reduce_gzip if module == "gzip" else reduce_other
    tempfile = sys.modules.get("tempfile")
    if tempfile is not None and any(issubclass(kind, getattr(tempfile, name)) for name in _TEMPORARY):
        return refuse_temporary
    return None


def refuse_temporary(value: Any, _view: FreezingPass) -> Any:
    """What is deleted with its object cannot go to another process."""
    raise TypeError(f"cannot store the temporary {value.name}: it is deleted with this session")


def _refuse_writing(value: Any) -> None:
    if value.closed or not value.readable():
        raise TypeError("cannot store a compressed file that is being written, or is closed")


def reduce_gzip(value: Any, _view: FreezingPass) -> Any:
    """A gzip file as the file under it and the position."""
    _refuse_writing(value)
    return gzip_file, (value.fileobj, value.name, value.tell(), value.myfileobj is not None)


def gzip_file(under: Any, name: Any, position: int, owns: bool) -> Any:  # noqa: FBT001 - stored so
    """A gzip file at a position."""
    import gzip  # noqa: PLC0415 - a rare kind of value

    under.seek(0)
    made = gzip.GzipFile(name, "rb", fileobj=under)
    if owns:
        made.myfileobj = under
    made.seek(position)
    return made


def reduce_other(value: Any, _view: FreezingPass) -> Any:
    """A file of another compression as the file under it and the position."""
    _refuse_writing(value)
    settings = dict(value._buffer.raw._decomp_args)  # noqa: SLF001 - public nowhere
    settings.pop("memlimit", None)
    module = type(value).__module__.lstrip("_")
    return compressed_file, (module, value._fp, settings, value.tell(), bool(value._closefp))  # noqa: SLF001 - likewise


def compressed_file(module: str, under: Any, settings: dict[str, Any], position: int, owns: bool) -> Any:  # noqa: FBT001
    """A compressed file at a position."""
    under.seek(0)
    if module == "bz2":
        import bz2  # noqa: PLC0415 - a rare kind of value

        made: Any = bz2.BZ2File(under)
    else:
        import lzma  # noqa: PLC0415 - a rare kind of value

        made = lzma.LZMAFile(under, **settings)  # noqa: SIM115 - it stays open
    made._closefp = owns  # noqa: SLF001 - public nowhere
    made.seek(position)
    return made
