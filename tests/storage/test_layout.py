"""The frame of an archive: header and trailer."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from elastictm.errors import ArchiveDamaged, ArchiveTooNew, NotAnArchive
from elastictm.storage import layout


@dataclass(frozen=True)
class Case:
    """A header of a file of ``size`` bytes, and what must be said of it."""

    header: bytes
    size: int
    error: type[Exception]
    words: str


GOOD = layout.pack_header()
BAD_HEADERS = {
    "nothing": Case(b"", 0, NotAnArchive, r"work\.tm is not an elastictm archive: it has 0 bytes, .* over 72"),
    "short text": Case(b"hello", 5, NotAnArchive, r"it has 5 bytes"),
    "one byte of an archive": Case(GOOD[:1], 1, ArchiveDamaged, r"work\.tm is cut short: it has 1 bytes"),
    "half a header": Case(GOOD[:9], 9, ArchiveDamaged, r"cut short"),
    "no room for a trailer": Case(GOOD, 71, ArchiveDamaged, r"it has 71 bytes, an archive has over 72"),
    "a PNG": Case(b"\x89PNG\r\n\x1a\n" + bytes(8), 999, NotAnArchive, r"starts with b'.x89PNG.* expected b'.x89ETM"),
    "newline translated": Case(GOOD.replace(b"\r\n", b"\n") + b"\0", 999, NotAnArchive, r"not an elastictm archive"),
    "next format": Case(
        b"\x89ETM\r\n\x1a\n\x02" + bytes(7), 999, ArchiveTooNew, r"format 2, .* up to 1.*newer elastictm"
    ),
    "newer with new fields": Case(b"\x89ETM\r\n\x1a\n\xff" + b"x" * 7, 999, ArchiveTooNew, r"format 255"),
    "format zero": Case(b"\x89ETM\r\n\x1a\n\x00" + bytes(7), 999, ArchiveDamaged, r"version is 0, expected 1 to 1"),
    "reserved bytes": Case(GOOD[:15] + b"\x01", 999, ArchiveDamaged, r"bytes 9 to 15 .*expected zeros"),
}


def test_sizes_of_the_frame_are_those_of_the_format():
    """Header and trailer have the sizes that the format's description states."""
    assert (layout.HEADER.size, layout.TRAILER.size) == (16, 56)
    assert bytes.fromhex("8945544d0d0a1a0a 01 00000000000000") == GOOD


@pytest.mark.parametrize("case", BAD_HEADERS.values(), ids=BAD_HEADERS.keys())
def test_bad_header_is_named_with_what_was_found_and_expected(case):
    """Every bad header gives its own error, which names the file, what was found and what was expected."""
    with pytest.raises(case.error, match=case.words):
        layout.check_header("work.tm", case.header, case.size)


def test_good_header_passes():
    """The header that is written is accepted."""
    layout.check_header("work.tm", GOOD, 72)


def test_trailer_says_where_the_footer_lies():
    """A packed trailer gives back offset and length, and a digest that its footer passes."""
    data = layout.pack_trailer(b"{}", 100)
    trailer = layout.parse_trailer("work.tm", data, 100 + 2 + 56)
    assert (trailer.offset, trailer.length) == (100, 2)
    layout.check_footer("work.tm", GOOD, trailer, b"{}")


@pytest.mark.parametrize(
    ("offset", "length", "size", "words"),
    [
        (100, 2, 159, "claims bytes 100 to 102"),
        (100, 2, 157, "claims bytes 100 to 102"),
        (15, 2, 73, "between bytes 16 and 17"),
        (2**64 - 1, 2, 158, "claims bytes 18446744073709551615"),
        (16, 2**64 - 1, 158, "its footer claims 18446744073709551615 bytes"),
        (16, 2**28 + 1, 2**28 + 73, "at most 268435456"),
    ],
)
def test_footer_must_fill_the_space_before_the_trailer(offset, length, size, words):
    """Footer sizes that do not add up to the file's size are refused before anything is read."""
    data = layout.TRAILER.pack(offset, length, bytes(32), layout.END_MAGIC)
    with pytest.raises(ArchiveDamaged, match=words):
        layout.parse_trailer("work.tm", data, size)


def test_missing_end_is_damage():
    """A file that does not end as archives do was cut short or changed."""
    with pytest.raises(ArchiveDamaged, match=r"work\.tm is cut short or damaged: it ends with"):
        layout.parse_trailer("work.tm", bytes(56), 200)


@pytest.mark.parametrize("what", ["header", "offset", "footer"])
def test_digest_covers_all_of_the_frame(what):
    """A change in header, footer offset or footer gives another digest."""
    trailer = layout.parse_trailer("work.tm", layout.pack_trailer(b"{}", 100), 158)
    header, footer = GOOD, b"{}"
    if what == "header":
        header = GOOD[:8] + b"\x02" + GOOD[9:]
    elif what == "offset":
        trailer = layout.Trailer(101, trailer.length, trailer.digest)
    else:
        footer = b"[]"
    with pytest.raises(ArchiveDamaged, match=r"digest [0-9a-f]{64}, expected [0-9a-f]{64}"):
        layout.check_footer("work.tm", header, trailer, footer)
