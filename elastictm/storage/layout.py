"""The archive's frame: header, trailer, and the checks that a file must pass before its content is believed.

A file is: header, chunk area, footer (the manifest as JSON), trailer. `docs/format.md` gives every byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from elastictm.errors import ArchiveDamaged, ArchiveTooNew, NotAnArchive
from elastictm.storage.digest import digest_of

MAGIC = b"\x89ETM\r\n\x1a\n"
"""First bytes of every archive; the high bit and the line ends show a transfer that was not binary, as in PNG."""

END_MAGIC = b"\x89ETMend\n"
"""Last bytes of every archive; a file that is cut short does not have them."""

VERSION = 1
"""Format that is written, and the newest that is read. Increment on every change that older readers would misread."""

HEADER = Struct("<8sB7s")
"""Magic, format version, seven zero bytes."""

TRAILER = Struct("<QQ32s8s")
"""Footer offset, footer length, digest of all that frames the chunks, end magic."""

PAGE = 4096
"""Raw chunks of large blobs start at a multiple of this many bytes, so that they can be mapped; gaps are shorter."""

MOST_FOOTER = 256 * 2**20
"""Largest footer in bytes that is read or written: about two million chunks, that is some eight terabytes."""

COPY_AGAIN = "Copy it again from its source."
"""What to do about an archive that is not whole."""

_RESERVED = bytes(7)


@dataclass(frozen=True, slots=True)
class Trailer:
    """Where the footer lies, in bytes from the start of the file, and the digest that it must have."""

    offset: int
    length: int
    digest: bytes


def pack_header() -> bytes:
    """The header of a file in the current format."""
    return HEADER.pack(MAGIC, VERSION, _RESERVED)


def pack_trailer(footer: bytes, offset: int) -> bytes:
    """The trailer of a file in the current format whose footer lies at ``offset``."""
    digest = frame_digest(pack_header(), offset, footer)
    return TRAILER.pack(offset, len(footer), digest, END_MAGIC)


def frame_digest(header: bytes, offset: int, footer: bytes) -> bytes:
    """The digest over header, footer offset, footer length and footer."""
    return digest_of(header + offset.to_bytes(8, "little") + len(footer).to_bytes(8, "little") + footer)


def check_header(file: str, header: bytes, size: int, advice: str = COPY_AGAIN) -> None:
    """Check the first bytes of a file of ``size`` bytes: length, magic, version, reserved bytes."""
    smallest = HEADER.size + TRAILER.size
    if size < smallest and not (header and MAGIC.startswith(header[: len(MAGIC)])):
        raise NotAnArchive(f"{file} is not an elastictm archive: it has {size} bytes, an archive has over {smallest}.")
    if size < smallest:
        raise ArchiveDamaged(f"{file} is cut short: it has {size} bytes, an archive has over {smallest}. {advice}")
    magic, version, reserved = HEADER.unpack(header)
    if magic != MAGIC:
        raise NotAnArchive(f"{file} is not an elastictm archive: it starts with {magic!r}, expected {MAGIC!r}.")
    if version > VERSION:
        raise ArchiveTooNew(
            f"{file} is in archive format {version}, this program reads formats up to {VERSION}. "
            "Install a newer elastictm to open it."
        )
    if version == 0:
        raise ArchiveDamaged(f"{file} is damaged: its format version is 0, expected 1 to {VERSION}.")
    if reserved != _RESERVED:
        raise ArchiveDamaged(f"{file} is damaged: bytes 9 to 15 are {reserved!r}, expected zeros.")


def parse_trailer(file: str, data: bytes, size: int, advice: str = COPY_AGAIN) -> Trailer:
    """Check and take apart the last bytes of a file of ``size`` bytes: magic, then sizes that must add up."""
    offset, length, digest, magic = TRAILER.unpack(data)
    if magic != END_MAGIC:
        raise ArchiveDamaged(
            f"{file} is cut short or damaged: it ends with {magic!r}, expected {END_MAGIC!r}. {advice}"
        )
    if length > MOST_FOOTER:
        raise ArchiveDamaged(f"{file} is damaged: its footer claims {length} bytes, at most {MOST_FOOTER} are allowed.")
    if offset < HEADER.size or offset + length + TRAILER.size != size:
        raise ArchiveDamaged(
            f"{file} is damaged: its footer claims bytes {offset} to {offset + length}, "
            f"expected it to lie between bytes {HEADER.size} and {size - TRAILER.size} and to end there."
        )
    return Trailer(offset, length, digest)


def check_footer(file: str, header: bytes, trailer: Trailer, footer: bytes) -> None:
    """Check the digest over header, trailer and footer."""
    found = frame_digest(header, trailer.offset, footer)
    if found != trailer.digest:
        raise ArchiveDamaged(
            f"{file} is damaged: its footer has the digest {found.hex()}, expected {trailer.digest.hex()}."
        )
