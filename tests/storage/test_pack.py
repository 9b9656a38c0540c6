"""Packs: records that come back, references that hold, and files that are not taken for what they are not."""

from __future__ import annotations

import msgspec
import pytest

from elastictm.errors import ArchiveDamaged, ArchiveError, ArchiveTooNew, NotAnArchive
from elastictm.storage.manifest import (
    AlteredModule,
    Blob,
    Definition,
    Environment,
    OwnModule,
    Placement,
    ShippedFile,
    Unit,
)
from elastictm.storage.pack import (
    Kept,
    Learned,
    Moved,
    Pack,
    PackChunk,
    StateRecord,
    Stored,
    Unfit,
    check,
    decode,
    encode,
)
from elastictm.storage.reader import ArchiveReader
from elastictm.storage.shelf import PackName, Shelf
from elastictm.testing.stores import add_state, create

HEX = "ab" * 32
CHUNKS = (PackChunk(HEX, 10, Stored(16, 10, "raw")), PackChunk("cd" * 32, 2**20))
BLOB = Blob((0, 1), 5, 100)


def full_pack() -> Pack:
    """A pack in which every field is given."""
    unit = Unit(BLOB, (BLOB,), (Placement(0, 0, 4),), ("x", "y"), (77,), ("numpy",), ("numpy",))
    return Pack(
        states=(
            StateRecord(
                5,
                None,
                BLOB,
                ("lapse",),
                (Definition(3, unit),),
                {"z": ("z.lock", "a lock")},
                {"random": BLOB},
                (("x", "y"),),
                (OwnModule("mine", "/home/ada", (ShippedFile("mine.py", BLOB),)),),
                ("xml.dom",),
                (AlteredModule("mine", ("total",), (5,), ("mine",)),),
            ),
        ),
        kept=(Kept(5, unit, (4, 5), (8, 9), (0.5, 0.25), (None, "f"), {"x": "no cache"}),),
        sources=BLOB,
        marks={"good": 5, "bad": None},
        forgotten=(1, 2),
        unfit=(Unfit("x", 4, "differs"),),
        environment=Environment("3.12.1", "CPython", "Linux-x86_64", "0.1.0", {}, "/home/ada"),
        remarks=(Learned(4, "another value"),),
        at=5,
        moved={"ef" * 32: (Moved(3, 4, 0, 2),)},
        chunks=CHUNKS,
    )


def test_every_field_comes_back():
    """A pack is what was written."""
    assert decode(encode(full_pack(), 26), 26) == full_pack()


def test_unsaid_fields_have_defaults():
    """An empty pack takes a few bytes."""
    assert encode(Pack(), 16) == b'{"type":"pack"}'
    assert decode(b'{"type":"pack"}', 16) == Pack()


def test_definitions_may_be_in_other_packs():
    """A unit may refer to definitions that its pack does not have."""
    assert full_pack().kept[0].unit.definitions == (77,)
    check(full_pack(), 26)


FAR = Blob((2,), 0, 1)
UNIT = Unit(FAR, names=("x",))
OUTSIDE = (OwnModule("m", "/", (ShippedFile("../m.py", BLOB),)),)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sources": FAR}, "the sources refers to chunk 2, there are 2"),
        ({"states": (StateRecord(1, None, FAR),)}, "the run of cell 1 refers to chunk 2"),
        ({"states": (StateRecord(1, None, BLOB, generators={"random": FAR}),)}, "the state of random after cell 1"),
        ({"states": (StateRecord(1, None, BLOB, definitions=(Definition(3, UNIT),)),)}, "definition 3, stream"),
        ({"kept": (Kept(1, UNIT, (1,), (1,), (1.0,), (None,)),)}, "unit 0, stream"),
        ({"kept": (Kept(1, Unit(BLOB, names=("x",)), (), (1,), (1.0,), (None,)),)}, "the same number of things"),
        ({"states": (StateRecord(1, None, BLOB, modules=OUTSIDE),)}, "outside of its folder"),
        ({"moved": {HEX: (Moved(0, 6, 0, 5),)}}, "claims bytes 5 to 11"),
        ({"chunks": (PackChunk(HEX, 10, Stored(20, 10, "raw")),)}, "claims bytes 20 to 30"),
        ({"chunks": (PackChunk(HEX, 10, Stored(16, 9, "raw")),)}, "raw chunk 0 stores 9 bytes for 10"),
    ],
)
def test_references_are_checked(changes, message):
    """What refers to nothing, or to too much, is neither written nor read."""
    changed = msgspec.structs.replace(msgspec.structs.replace(Pack(), chunks=CHUNKS), **changes)
    with pytest.raises(ValueError, match=message):
        encode(changed, 26)
    with pytest.raises(ValueError, match=message):
        decode(msgspec.json.encode(changed), 26)


@pytest.mark.parametrize(
    "footer", [b"", b"[]", b'{"type":"pack","states":[1]}', b'{"type":"pack","chunks":[{"size":0}]}']
)
def test_other_footers_are_refused(footer):
    """A footer that is no pack raises ValueError and nothing else."""
    with pytest.raises(ValueError, match="not valid"):
        decode(footer, 16)


def test_pack_is_no_archive(tmp_path):
    """A pack that is opened as an archive says what it is and what to do."""
    with create(tmp_path / "s") as store:
        add_state(store, 0, {"x": b"abc"})
    with pytest.raises(
        NotAnArchive, match=r"00000001.tm is a pack of a session's past, not an archive. .* --save ARCHIVE"
    ):
        ArchiveReader(tmp_path / "s" / "00000001.tm")


def test_archive_is_no_pack(tmp_path, write_archive):
    """An archive among packs says that it is none."""
    write_archive(tmp_path / "00000001.tm", [b"abc"])
    with pytest.raises(NotAnArchive, match=r"00000001.tm is an archive, not a pack"):
        Shelf(tmp_path).load(PackName.single(1))


def test_newer_packs_are_told_apart_from_damage(tmp_path, forge):
    """A pack of a newer program asks for that program."""
    forge(tmp_path / "00000001.tm", {"type": "pack", "schema": 2, "states": 7})
    with pytest.raises(ArchiveTooNew, match="schema 2, this program reads schemas up to 1"):
        Shelf(tmp_path).load(PackName.single(1))


def test_unsound_pack_is_damaged(tmp_path, forge):
    """A pack whose references do not hold is damaged."""
    forge(tmp_path / "00000001.tm", {"type": "pack", "sources": {"chunks": [3], "start": 0, "size": 1}})
    with pytest.raises(ArchiveDamaged, match="the sources refers to chunk 3"):
        Shelf(tmp_path).load(PackName.single(1))


def test_no_byte_of_a_pack_is_unwatched(tmp_path):
    """Whichever byte of a pack is flipped, opening it or reading from it raises an ArchiveError."""
    from elastictm.storage.store import Store
    from elastictm.testing.faults import flip_byte
    from elastictm.testing.stores import read_states

    with create(tmp_path / "s") as store:
        add_state(store, 0, {"x": b"abc", "y": bytes(9000)})
    path = tmp_path / "s" / "00000001.tm"
    for offset in range(0, path.stat().st_size, 7):
        flip_byte(path, offset)
        store = Store.open(tmp_path / "s")
        try:
            found = read_states(store)
        except ArchiveError:
            pass
        else:
            assert found == {}
            assert len(store.damaged) == 1
        flip_byte(path, offset)
    assert read_states(Store.open(tmp_path / "s")) == {0: {"run": b'{"n": 0}', "x": b"abc", "y": bytes(9000)}}
