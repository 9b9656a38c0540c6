"""Merging: what is wanted stays, what nobody refers to goes, and readers find all of it wherever it went."""

from __future__ import annotations

import json
import threading

import pytest

from elastictm.errors import ArchiveError, UsageError
from elastictm.storage.manifest import NOTHING, Environment, OwnModule, ShippedFile
from elastictm.storage.merging import ROW, due
from elastictm.storage.pack import Learned, Pack, StateRecord, Unfit
from elastictm.storage.shelf import PackName, outermost
from elastictm.storage.store import Store
from elastictm.testing.faults import flip_byte
from elastictm.testing.stores import add_state, create, kept_of, pack_files, read_folder, read_states

MIB = 2**20


def everything(kept):
    """All units are wanted."""
    return True


@pytest.fixture
def store(tmp_path):
    """A new store."""
    with create(tmp_path / "s") as store:
        yield store


def test_names_tell_what_they_replace():
    """Names of packs come back, and those that a merged pack replaces are told by them."""
    one, many, more = PackName.single(3), PackName(1, 8, 9), PackName(1, 8, 12)
    assert [PackName.parse(name.file) for name in (one, many, more)] == [one, many, more]
    assert [name.file for name in (one, many)] == ["00000003.tm", "00000001-00000008.00000009.tm"]
    assert outermost([more, one, PackName.single(11), many, PackName(10, 11, 13)]) == [more, PackName(10, 11, 13)]
    for other in (
        "3.tm",
        "00000003.tm.x",
        "00000009-00000001.00000010.tm",
        "00000001-00000008.00000005.tm",
        "000000003.tm",
    ):
        assert PackName.parse(other) is None


def test_all_comes_back_from_one_pack(store, noise):
    """Packs that are merged become one, in which everything is that was in them."""
    for n in range(5):
        add_state(store, n, {"x": noise(100, n), "y": noise(100_000, n)})
    before = read_states(store)
    merged = store.merge([1, 2, 3, 4, 5], everything)
    assert pack_files(store.folder) == ["00000001-00000005.00000006.tm"]
    assert merged.sequence == 6
    assert read_folder(store.folder) == before
    assert [number for number, _ in store.packs()] == [6]


def test_only_what_is_wanted_stays(store, noise):
    """Units that are not wanted go, with the bytes that only they had."""
    for n in range(4):
        add_state(store, n, {"x": noise(100_000, n), "y": noise(100_000, 9)})
    store.merge([1, 2, 3, 4], lambda kept: kept.at in (1, 3))
    found = read_folder(store.folder)
    assert [set(state) for state in found.values()] == [{"run"}, {"run", "x", "y"}, {"run"}, {"run", "x", "y"}]
    assert (found[1]["x"], found[3]["y"]) == (noise(100_000, 1), noise(100_000, 9))
    assert store.size < 310_000


def test_chunks_that_other_packs_refer_to_stay(store, noise):
    """What a pack outside refers to is kept, although the unit that it was stored for is not wanted."""
    add_state(store, 0, {"x": noise(3 * MIB)})
    add_state(store, 1, {"x": b"other"})
    add_state(store, 2, {"x": noise(3 * MIB)})
    store.merge([1, 2], lambda kept: False)
    assert read_folder(store.folder)[2]["x"] == noise(3 * MIB)
    store.merge([number for number, _ in store.packs()], lambda kept: False)
    assert store.size < 10_000


def test_what_was_dropped_is_stored_anew(store, noise):
    """Data whose chunks were dropped is stored again when it comes again."""
    add_state(store, 0, {"x": noise(2 * MIB), "y": noise(50)})
    store.merge([1], lambda kept: False)
    assert store.size < MIB
    add_state(store, 1, {"x": noise(2 * MIB), "y": noise(50)})
    found = read_folder(store.folder)[1]
    assert (found["x"], found["y"]) == (noise(2 * MIB), noise(50))


def test_open_writers_keep_what_they_refer_to(store, noise):
    """What a writer that is not done refers to is not dropped, whenever it began."""
    add_state(store, 0, {"x": noise(2 * MIB)})
    with store.writer() as writer:
        blob = writer.put(noise(2 * MIB))
        store.merge([1], lambda kept: False)
        writer.commit(Pack(kept=(kept_of(1, blob, "x"),), states=(StateRecord(1, 0, blob),)))
    assert read_folder(store.folder)[1]["x"] == noise(2 * MIB)


def test_large_packs_stay_in_place_for_their_chunks(store, noise):
    """A large pack is not copied: its states go into the merged one, its file stays as long as it is mostly wanted."""
    add_state(store, 0, {"x": noise(6 * MIB)})
    inode = (store.folder / "00000001.tm").stat().st_ino
    add_state(store, 1, {"y": b"small"})
    first = store.merge([1, 2], everything)
    assert first.bytes < 10_000
    assert pack_files(store.folder) == ["00000001-00000002.00000003.tm", "00000001.tm"]
    assert (store.folder / "00000001.tm").stat().st_ino == inode
    add_state(store, 2, {"y": b"more"})
    second = store.merge([3, 4], everything)
    assert pack_files(store.folder) == ["00000001-00000004.00000005.tm", "00000001.tm"]
    assert read_folder(store.folder)[0]["x"] == noise(6 * MIB)
    store.close()
    with Store.take_over(store.folder) as later:
        assert add_state(later, 3, {"x": noise(6 * MIB)}).bytes < 5000
        assert "00000001.tm" in pack_files(store.folder)
        assert read_states(later)[3]["x"] == noise(6 * MIB)
        later.merge([number for number, _ in later.packs()], lambda kept: False)
    assert len(pack_files(store.folder)) == 1
    assert second.bytes < 10_000


def test_small_blobs_of_many_states_share_chunks(store, noise):
    """Hundreds of small states merge into a few chunks and take less space than before."""
    for n in range(200):
        add_state(store, n, {"x": b"the value is %d" % n})
    before, size = read_states(store), store.size
    store.merge(list(range(1, 201)), everything)
    assert read_folder(store.folder) == before
    assert store.size < size * 0.8
    (pack,) = (pack for _, pack in store.packs())
    assert len(pack.chunks) <= 3


def test_open_readers_find_what_was_merged(store, noise):
    """A reader that listed the packs before they were merged reads from them afterwards, in another process too."""
    for n in range(3):
        add_state(store, n, {"x": noise(2 * MIB, n), "y": noise(9, n)})
    other = Store.open(store.folder)
    with store.reader() as mine, other.reader() as theirs:
        listed = [(reader, number, pack) for reader in (mine, theirs) for number, pack in reader.packs()]
        mine.close()
        store.merge([1, 2], everything)
        store.merge([4, 3], everything)
        for reader, number, pack in listed:
            for kept in pack.kept:
                expected = noise(2 * MIB if kept.unit.names == ("x",) else 9, kept.at)
                assert reader.read(number, kept.unit.stream) == expected
    assert other.damaged == []


def test_open_readers_find_what_is_left_of_a_chunk(store):
    """Where merging after merging drops a part of a small chunk, who listed it before still finds the rest."""
    for n in range(6):
        add_state(store, n, {"x": b"x %d" % n, "y": b"y %d" % n})
    other = Store.open(store.folder)
    with other.reader() as first, other.reader() as second:
        listed = [(first, number, kept) for number, pack in first.packs() for kept in pack.kept]
        store.merge([1, 2, 3], lambda kept: (kept.at, kept.unit.names) != (1, ("x",)))
        listed += [(second, number, kept) for number, pack in second.packs() for kept in pack.kept]
        store.merge([number for number, _ in store.packs()], lambda kept: kept.at != 2)
        add_state(store, 6, {})
        store.merge([number for number, _ in store.packs()], everything)
        first.close()
        second.close()
        for reader, number, kept in listed:
            (name,) = kept.unit.names
            if kept.at != 2 and (kept.at, name) != (1, "x"):
                assert reader.read(number, kept.unit.stream) == b"%s %d" % (name.encode(), kept.at)
            else:
                with pytest.raises(ArchiveError, match="do not hold the chunk"):
                    reader.read(number, kept.unit.stream)


def test_packs_that_are_known_are_left_out(store):
    """A reader lists what is new, in the order of the states; a merged pack is, whatever its number."""
    for n in range(4):
        add_state(store, n, {})
    with store.reader() as reader:
        known = {number for number, _ in reader.packs()}
        store.merge([1, 2], everything)
        add_state(store, 4, {})
        assert [number for number, _ in reader.packs()] == [5, 3, 4, 6]
        assert [(number, [state.n for state in pack.states]) for number, pack in reader.packs(known)] == [
            (5, [0, 1]),
            (6, [4]),
        ]


def test_records_are_put_together(store):
    """Marks, sources, remarks and the like of several packs become those of one, the later ones last."""
    environments = [Environment(f"3.12.{i}", "CPython", "Linux", "0.1", {}, "/") for i in range(3)]
    for i, (marks, forgotten) in enumerate([({"a": 0, "b": 0}, ()), ({"a": None}, (0,)), ({"c": 2}, (0, 1))]):
        with store.writer() as writer:
            text = writer.put(json.dumps({f"cell {i}": f"text {i}", "same": f"text {i}"}).encode())
            module = OwnModule("mine", "/", (ShippedFile("mine.py", writer.put(b"%d" % (i % 2))),))
            generators = {"random": writer.put(b"r%d" % i)}
            states = (StateRecord(i, None, writer.put(b'{"n": %d}' % i), generators=generators, modules=(module,)),)
            unfit = (Unfit("x", i, "differs"),)
            writer.commit(
                Pack(
                    states=states,
                    sources=text,
                    marks=marks,
                    forgotten=forgotten,
                    unfit=unfit,
                    environment=environments[i],
                    remarks=(Learned(i // 2, "another value"),),
                )
            )
    number = store.merge([1, 2, 3], everything).sequence
    with store.reader() as reader:
        pack = reader.pack(number)
        assert pack.marks == {"a": None, "b": 0, "c": 2}
        assert pack.forgotten == (0, 0, 1)
        assert pack.remarks == (Learned(0, "another value"), Learned(1, "another value"))
        assert [unfit.n for unfit in pack.unfit] == [0, 1, 2]
        assert pack.environment == environments[2]
        modules = [module for state in pack.states for module in state.modules]
        assert [bytes(reader.read(number, module.files[0].blob)) for module in modules] == [b"0", b"1", b"0"]
        assert [bytes(reader.read(number, state.generators["random"])) for state in pack.states] == [
            b"r0",
            b"r1",
            b"r2",
        ]
        texts = json.loads(bytes(reader.read(number, pack.sources)))
        assert texts == {"cell 0": "text 0", "cell 1": "text 1", "cell 2": "text 2", "same": "text 2"}


@pytest.mark.parametrize(
    ("moves", "at"),
    [
        ([None, None], None),
        ([None, 0], 0),
        ([0, None], None),
        ([0, 1], 1),
        ([0, "alone"], 0),
        (["alone", "alone"], None),
    ],
)
def test_where_a_session_stands_outlasts_a_merge(store, moves, at):
    """The last pack that says where the session stands has its say; one with states says so, even if by them alone."""
    for i, move in enumerate(moves):
        if move == "alone":
            with store.writer() as writer:
                writer.commit(Pack(marks={"a": i}))
        else:
            add_state(store, i, {}, at=move)
    number = store.merge([1, 2], everything).sequence
    with store.reader() as reader:
        assert reader.pack(number).at == at


def test_sources_of_one_pack_stay_as_they_are(store):
    """Where one pack alone has sources, they are not written anew."""
    with store.writer() as writer:
        writer.commit(Pack(sources=writer.put(b'{"cell 0": "text"}')))
    add_state(store, 0, {})
    number = store.merge([1, 2], everything).sequence
    with store.reader() as reader:
        assert bytes(reader.read(number, reader.pack(number).sources)) == b'{"cell 0": "text"}'


def test_no_sources_stay_none(store):
    """Packs without sources merge into one without."""
    add_state(store, 0, {})
    add_state(store, 1, {})
    store.merge([1, 2], everything)
    assert [pack.sources for _, pack in store.packs()] == [NOTHING]


@pytest.mark.parametrize("numbers", [[], [1, 3], [7], [1, 2, 9]])
def test_packs_that_are_not_neighbours_are_not_merged(store, numbers):
    """Merging takes packs that follow each other, and no others."""
    for n in range(3):
        add_state(store, n, {})
    with pytest.raises(UsageError, match="are not neighbours"):
        store.merge(numbers, everything)
    assert len(pack_files(store.folder)) == 3


def test_packs_around_one_that_is_being_written_are_not_merged(store):
    """A pack that is not done would come to lie inside of the merged one."""
    add_state(store, 0, {})
    with store.writer() as writer:
        add_state(store, 2, {})
        with pytest.raises(UsageError, match="one is being written"):
            store.merge([1, 3], everything)
        writer.commit(Pack())
    store.merge([1, 2, 3], everything)
    assert list(read_folder(store.folder)) == [0, 2]


def test_damaged_pack_is_not_merged_away(store, noise):
    """A merge with a damaged pack raises and leaves everything; it is not proposed again, others are."""
    for n in range(ROW):
        add_state(store, n, {"x": noise(9000, n)})
    assert store.merge_due() == list(range(1, ROW + 1))
    path = store.folder / "00000003.tm"
    flip_byte(path, path.stat().st_size - 70)
    with pytest.raises(ArchiveError, match=r"00000003.tm is damaged"):
        store.merge(store.merge_due(), everything)
    assert len(pack_files(store.folder)) == ROW
    assert store.merge_due() == []
    for n in range(ROW, ROW + 3):
        add_state(store, n, {})
    assert store.merge_due() == [n for n in range(4, ROW + 5) if n != ROW + 1]
    store.merge(store.merge_due(), everything)
    assert "00000003.tm" in pack_files(store.folder)
    assert sorted(read_states(store)) == [n for n in range(ROW + 3) if n != 2]


def test_damaged_merged_pack_falls_back_on_what_it_replaced(store):
    """Where a merged pack is damaged and the files that it replaced are still there, these count."""
    for n in range(3):
        add_state(store, n, {"x": b"%d" % n})
    copies = {path.name: path.read_bytes() for path in store.folder.glob("*.tm")}
    store.merge([1, 2, 3], everything)
    (merged,) = store.folder.glob("*.tm")
    for name, content in copies.items():
        (store.folder / name).write_bytes(content)
    assert list(read_folder(store.folder)) == [0, 1, 2]
    flip_byte(merged, merged.stat().st_size - 70)
    opened = Store.open(store.folder)
    assert [state["x"] for state in read_states(opened).values()] == [b"0", b"1", b"2"]
    assert len(opened.damaged) == 1
    store.close()
    with Store.take_over(store.folder) as later:
        add_state(later, 3, {"x": b"3"})
        assert len(read_states(later)) == 4
        assert len(pack_files(store.folder)) == 5


def test_rows_of_packs_are_due():
    """Rows of 64 packs are due, without such as are being written, damaged, or merged already."""
    singles = [PackName.single(n) for n in range(1, 200)]
    assert due(singles[:63], set()) == []
    assert due(singles, set()) == singles[:64]
    assert due(singles, {10}) == singles[10:74]
    assert due([*singles[:10], *singles[11:]], {11}) == singles[11:75]
    assert due([*singles[:10], *singles[11:]], {210}) == [*singles[:10], *singles[11:65]]
    merged = [PackName(i * 65 + 1, i * 65 + 64, i * 65 + 65) for i in range(70)]
    assert due(merged, set()) == []
    assert due([*merged[:1], *singles[65:100], *merged[2:3], *singles[195:]], set()) == []


def test_many_states_are_few_files(store):
    """Merging what is due after each state keeps the files few, and every state is there."""
    for n in range(300):
        add_state(store, n, {"x": b"%d" % n})
        if numbers := store.merge_due():
            store.merge(numbers, everything)
    assert len(pack_files(store.folder)) == 4 + 300 - 4 * ROW
    assert [state["x"] for state in read_folder(store.folder).values()] == [b"%d" % n for n in range(300)]


def test_merging_beside_writing_and_reading(store, noise):
    """One thread merges what is due, drops some and merges again, while others write and read: nothing is lost."""
    stop = threading.Event()
    failures = []

    def merge():
        merges = 0
        while not stop.is_set() or (merges < 3 and store.merge_due()):
            try:
                if due := store.merge_due():
                    merges += 1
                    store.merge(due, lambda kept: kept.at % 5 != 1)
                    (first, *_) = (number for number, _ in store.packs())
                    store.merge([first], everything)
            except BaseException as error:
                failures.append(error)
                return

    def read():
        other = Store.open(store.folder)
        while not stop.is_set():
            try:
                with other.reader() as reader:
                    listed = list(reader.packs())
                    states = [state.n for _, pack in listed for state in pack.states]
                    assert states == list(range(len(states)))
                    for number, pack in listed:
                        for kept in [each for each in pack.kept if each.at % 5 != 1][:3]:
                            expected = noise(9000, kept.at % 7) if kept.unit.names == ("x",) else b"%d" % kept.at
                            assert reader.read(number, kept.unit.stream) == expected
                assert other.damaged == []
            except BaseException as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=merge), threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    for n in range(ROW * 3 + 10):
        add_state(store, n, {"x": noise(9000, n % 7), "y": b"%d" % n})
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    found = read_folder(store.folder)
    assert list(found) == list(range(ROW * 3 + 10))
    assert all(state["y"] == b"%d" % n for n, state in found.items() if n % 5 != 1)
    assert all(state["x"] == noise(9000, n % 7) for n, state in found.items() if n % 5 != 1)
    assert len(pack_files(store.folder)) < 80
