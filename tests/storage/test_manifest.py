"""The manifest: what is written is read back, and what does not hold together is refused."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elastictm.storage.manifest import (
    MOST,
    Blob,
    Chunk,
    Definition,
    Entry,
    Environment,
    Manifest,
    Placement,
    ShippedFile,
    Unit,
    decode,
    encode,
)

AREA_END = 10_000
DIGEST = "0123456789abcdef" * 4
EMPTY = Blob((), 0, 0)
CHUNKS = (
    Chunk(16, 100, 100, "raw", DIGEST),
    Chunk(4096, 1000, 1000, "raw", DIGEST),
    Chunk(5096, 10, 3000, "zstd", DIGEST, DIGEST),
)

text = st.text(max_size=10)
counts = st.integers(0, MOST)
seconds = st.floats(0, 1e12)
blobs = st.one_of(
    st.just(EMPTY),
    st.builds(lambda start, size: Blob((0,), start, size), st.integers(0, 99), st.just(1)),
    st.builds(lambda start: Blob((0, 1, 2), start, 1200), st.integers(0, 99)),
)
units = st.builds(
    lambda stream, segment, names: Unit(stream, (segment,), (Placement(0, 0, segment.size),), tuple(names), (4,)),
    blobs,
    blobs,
    st.lists(text, max_size=2),
)
entries = st.builds(
    Entry,
    text,
    counts,
    text,
    st.sampled_from(["rerun", "lost"]),
    text,
    text,
    counts,
    seconds,
    st.none(),
    st.none() | text,
)
environments = st.builds(
    Environment,
    text,
    text,
    text,
    text,
    st.dictionaries(text, text, max_size=2),
    text,
    st.lists(text, max_size=2).map(tuple),
    st.none() | st.from_regex(r"\A[0-9]{1,10}\Z"),
    st.none() | st.dictionaries(text, text, max_size=2),
)


manifests = st.builds(
    lambda environment, history, others, unit, taken, settings: Manifest(
        taken,
        environment,
        history,
        3,
        (*others, Entry("x", 1, "int", "stored", unit=0)),
        (unit,),
        (Definition(4, unit),),
        cells_rerun=(1, 2),
        seconds=taken,
        settings=settings,
        chunks=CHUNKS,
        files=(ShippedFile("data/a.csv", history),),
        generators={"random": history},
        groups=(("a", "b"),),
    ),
    environments,
    blobs,
    st.lists(entries, max_size=3),
    units,
    seconds,
    st.dictionaries(text, st.none() | st.booleans() | text | st.lists(st.integers(0, 9)), max_size=3),
)


@given(manifests)
def test_manifest_survives_json(manifest):
    """A manifest that was encoded is decoded to an equal one."""
    assert decode(encode(manifest, AREA_END), AREA_END) == manifest


def test_manifest_cannot_be_changed(manifest_of):
    """Records are frozen."""
    with pytest.raises(AttributeError):
        manifest_of().saved_at = 0.0


def stored(**fields):
    """Fields of a manifest with the chunks above."""
    return {"chunks": CHUNKS, **fields}


BAD = {
    "chunk before the area": (stored(chunks=(Chunk(15, 1, 1, "raw", DIGEST),)), "bytes 15 to 16, expected .* 16 and"),
    "chunk after the area": (stored(chunks=(Chunk(9999, 2, 2, "raw", DIGEST),)), "9999 to 10001, .* and 10000"),
    "absurd offset": (stored(chunks=(Chunk(MOST, 1, 1, "raw", DIGEST),)), "chunk 0 claims"),
    "overlap": (stored(chunks=(*CHUNKS, Chunk(115, 9, 9, "raw", DIGEST))), "chunk 3 claims bytes 115"),
    "same place twice": (stored(chunks=(*CHUNKS, CHUNKS[0])), "chunk 3 claims bytes 16"),
    "raw of other size": (stored(chunks=(Chunk(16, 5, 6, "raw", DIGEST),)), "raw chunk 0 stores 5 bytes for 6"),
    "raw with seal": (stored(chunks=(Chunk(16, 5, 5, "raw", DIGEST, DIGEST),)), "has a seal"),
    "compressed without seal": (stored(chunks=(Chunk(16, 5, 6, "zstd", DIGEST),)), "has no seal"),
    "compressed to more": (stored(chunks=(Chunk(16, 6, 6, "zstd", DIGEST, DIGEST),)), "stores 6 bytes for 6"),
    "empty chunk": (stored(chunks=(Chunk(16, 0, 0, "raw", DIGEST),)), r"\$\.chunks\[0\]\.stored"),
    "huge chunk": (stored(chunks=(Chunk(16, 9, 2**25, "zstd", DIGEST, DIGEST),)), r"<= 16777216"),
    "negative offset": (stored(chunks=(Chunk(-1, 1, 1, "raw", DIGEST),)), r">= 0"),
    "unknown codec": (stored(chunks=(Chunk(16, 1, 1, "lzma", DIGEST),)), "Invalid enum value 'lzma'"),
    "short digest": (stored(chunks=(Chunk(16, 1, 1, "raw", DIGEST[1:]),)), "matching regex"),
    "digest and newline": (stored(chunks=(Chunk(16, 1, 1, "raw", DIGEST + "\n"),)), "matching regex"),
    "unknown chunk": (stored(history=Blob((3,), 0, 1)), "history refers to chunk 3, there are 3"),
    "bytes of no chunk": (stored(history=Blob((), 0, 1)), "1 bytes from 0 without any chunk"),
    "more than the chunks": (stored(history=Blob((0,), 0, 101)), "bytes 0 to 101 of 1 chunks with 100 bytes"),
    "start past first chunk": (stored(history=Blob((0, 1), 100, 10)), "bytes 100 to 110"),
    "idle last chunk": (stored(history=Blob((0, 1), 0, 100)), "bytes 0 to 100"),
    "no bytes of a chunk": (stored(history=Blob((0,), 5, 0)), "bytes 5 to 5"),
    "absurd size": (stored(history=Blob((0,), 0, MOST)), "history claims"),
    "number too large": (stored(history=Blob((0,), 0, 2**64)), r"\$\.history\.size"),
    "unit's stream": (stored(units=(Unit(Blob((9,), 0, 1)),)), "unit 0, stream refers to chunk 9"),
    "unit's segment": (stored(units=(Unit(EMPTY, (EMPTY, Blob((9,), 0, 1))),)), "unit 0, segment 1 refers to chunk 9"),
    "no such segment": (stored(units=(Unit(EMPTY, (), (Placement(0, 0, 1),)),)), "in segment 0, there are 0"),
    "outside the segment": (
        stored(units=(Unit(EMPTY, (Blob((0,), 0, 100),), (Placement(0, 90, 11),)),)),
        "bytes 90 to 101 of a segment with 100",
    ),
    "unknown definition": (stored(units=(Unit(EMPTY, definitions=(5,)),)), r"refers to definitions \[5\]"),
    "definition's unit": (
        stored(definitions=(Definition(1, Unit(Blob((7,), 0, 1))),)),
        "definition 1, stream refers to chunk 7",
    ),
    "file above its folder": (stored(files=(ShippedFile("../a", EMPTY),)), "unpacked outside"),
    "file elsewhere": (stored(files=(ShippedFile("/etc/a", EMPTY),)), "unpacked outside"),
    "file without bytes": (stored(files=(ShippedFile("a", Blob((7,), 0, 1)),)), "the file a refers to chunk 7"),
    "sources": (stored(sources=Blob((7,), 0, 1)), "the sources refers to chunk 7"),
    "generator": (stored(generators={"random": Blob((7,), 0, 1)}), "state of random refers to chunk 7"),
    "same key twice": (stored(definitions=(Definition(1, Unit(EMPTY)),) * 2), "same key"),
    "no such unit": (stored(entries=(Entry("x", 1, "int", "rerun", unit=0),)), "x is in unit 0, there are 0"),
    "stored nowhere": (stored(entries=(Entry("x", 1, "int", "stored"),)), "x is stored, but in no unit"),
    "infinite seconds": (stored(seconds=math.inf), r"\$\.seconds"),
    "no number": (stored(saved_at=math.nan), r"\$\.saved_at"),
    "negative seconds": (stored(seconds=-1.0), ">= 0"),
    "settings that are no JSON": (stored(settings={"a": object()}), "cannot be written as JSON"),
}


@pytest.mark.parametrize(("fields", "words"), BAD.values(), ids=BAD.keys())
def test_unsound_manifest_is_refused_on_writing(manifest_of, fields, words):
    """A manifest that a reader would refuse is not written, and the message names item and bounds."""
    with pytest.raises(ValueError, match=words):
        encode(manifest_of(**fields), AREA_END)


@pytest.mark.parametrize("name", [name for name in BAD if name != "settings that are no JSON"])
def test_unsound_manifest_is_refused_on_reading(manifest_of, name):
    """A footer that claims the impossible is refused, whoever wrote it."""
    fields, words = BAD[name]
    with pytest.raises(ValueError, match=words):
        decode(msgspec.json.encode(manifest_of(**fields)), AREA_END)


@pytest.mark.parametrize(
    "footer",
    [b"", b"{", b"{}", b"null", b"[]", b"\xff\xfe", b'{"saved_at": 1e999}', b'"' + b"\xc3" * 9 + b'"', b"\0" * 99],
)
def test_text_that_is_no_manifest_is_refused(footer):
    """Text that is not JSON, or not JSON of a manifest, gives a ValueError."""
    with pytest.raises(ValueError, match="the manifest is not valid"):
        decode(footer, AREA_END)


def test_deep_json_is_refused(manifest_of):
    """JSON nested too deeply for the decoder gives a ValueError, not a RecursionError."""
    deep = b"[" * 100_000 + b"]" * 100_000
    footer = encode(manifest_of(settings={"a": 1}), AREA_END).replace(b'{"a":1}', b'{"a":' + deep + b"}")
    assert deep in footer
    with pytest.raises(ValueError, match="recursion"):
        decode(footer, AREA_END)


def test_unknown_fields_are_ignored(manifest_of):
    """Fields that later versions of the same format add do not stop this one."""
    manifest = manifest_of()
    footer = encode(manifest, AREA_END)
    assert decode(b'{"later":[1],' + footer[1:], AREA_END) == manifest


def test_names_that_are_not_unicode_are_escaped(manifest_of):
    """A folder whose name is not UTF-8 does not stop a save; its odd bytes are shown escaped."""
    odd = Environment("3", "c", "l", "0", {}, "/home/\udcff")
    back = decode(encode(manifest_of(environment=odd), AREA_END), AREA_END)
    assert back.environment.directory == "/home/\\udcff"


def test_defaults_take_no_space(manifest_of):
    """Fields that hold their defaults are not written."""
    footer = encode(manifest_of([EMPTY]), AREA_END)
    assert b'"reason"' not in footer
    assert b'"segments"' not in footer
