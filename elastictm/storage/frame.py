"""Reading what frames the chunks of a file, and telling archives from packs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from elastictm.errors import ArchiveTooNew, NotAnArchive
from elastictm.storage.layout import COPY_AGAIN, HEADER, TRAILER, check_footer, check_header, parse_trailer

if TYPE_CHECKING:
    from elastictm.storage.source import Source


class _Kind(Struct):
    type: str = "archive"
    schema: int = 1


def read_footer(source: Source, advice: str = COPY_AGAIN) -> tuple[bytes, int]:
    """The footer of a file and the end of its chunk area, after all that frames the chunks was checked.

    ``advice`` says what to do where the file is not whole.
    """
    header = source.read(0, min(source.size, HEADER.size))
    check_header(source.name, header, source.size, advice)
    end = source.read(source.size - TRAILER.size, TRAILER.size)
    trailer = parse_trailer(source.name, end, source.size, advice)
    footer = source.read(trailer.offset, trailer.length)
    check_footer(source.name, header, trailer, footer)
    return footer, trailer.offset


def check_archive(name: str, footer: bytes) -> None:
    """Raise NotAnArchive where the footer is that of a pack."""
    if _kind(footer).type == "pack":
        raise NotAnArchive(
            f"{name} is a pack of a session's past, not an archive. "
            "elastictm past SESSION N --save ARCHIVE makes an archive of a state."
        )


def check_pack(name: str, footer: bytes, newest: int) -> None:
    """Check that the footer is that of a pack with a schema up to the newest; NotAnArchive or ArchiveTooNew if not."""
    kind = _kind(footer)
    if kind.type != "pack":
        raise NotAnArchive(
            f"{name} is an {kind.type}, not a pack of a session's past. Move it out of the session's folder."
        )
    if kind.schema > newest:
        raise ArchiveTooNew(
            f"{name} is a pack with schema {kind.schema}, this program reads schemas up to {newest}. "
            "Install a newer elastictm to open it."
        )


def _kind(footer: bytes) -> _Kind:
    try:
        return msgspec.json.decode(footer, type=_Kind)
    except (msgspec.MsgspecError, RecursionError):
        return _Kind()
