"""What differs between two states is told from their histories, and never more than they prove."""

from __future__ import annotations

import pytest

from elastictm.model.difference import MOST_ROWS, difference_report
from elastictm.model.divergence import Knowledge, differences_of_lines
from elastictm.model.history import History
from elastictm.model.records import CellRun, SettingsVersion, VersionRecord
from elastictm.model.texts import definition_in, unified


def record(name, n, digest=None, size=100, **more):
    """A version's record; its digest is that of a text."""
    return VersionRecord(name, n, more.pop("kind", "list"), size, 0.1, digest, **more)


def run(n, *writes, source=None, started=None, **more):
    """A cell run that writes records."""
    return CellRun(n, f"cell {n}" if source is None else source, started or 100.0 + n, 0.5, writes=writes, **more)


def history(*runs):
    """A history of cell runs."""
    made = History()
    for each in runs:
        made.append(each)
    return made


START = (run(1, record("a", 1, "A")), run(2, record("b", 2, "B"), record("c", 2, "C"), record("dead", 2, "D")))


def names(records):
    """The names of records, or of pairs of them."""
    return sorted(each[1].name if isinstance(each, tuple) else each.name for each in records)


def test_lines_of_one_tree_part_after_what_they_have_in_common():
    """What was undone and what ran is told, and unwritten variables are certainly the same."""
    before = history(*START, run(3, record("a", 3, "A2")))
    after = history(*START, run(4, record("b", 4, "B2"), record("new", 4, "N"), deletes=("dead",)))
    found = differences_of_lines(before, after)
    assert ([r.n for r in found.undone], [r.n for r in found.run], found.common) == ([3], [4], 2)
    assert found.same == {"c"}
    assert names(found.changed) == ["a", "b"]
    assert (names(found.created), names(found.deleted), names(found.suspects)) == (["new"], ["dead"], [])


def test_a_state_and_itself_do_not_differ():
    """The same line twice has nothing between its ends."""
    found = differences_of_lines(history(*START), history(*START))
    assert found.same == {"a", "b", "c", "dead"}
    assert (found.undone, found.run, found.pairs, found.created, found.deleted, found.sharing) == ((),) * 6


def test_a_value_that_was_made_again_is_the_same_by_its_digest():
    """Another cell run that led to the same frozen form changed nothing."""
    found = differences_of_lines(history(*START), history(*START, run(3, record("a", 3, "A"))))
    assert "a" in found.same


@pytest.mark.parametrize(("old", "new"), [(None, "X"), ("X", None), (None, None)])
def test_what_could_not_be_frozen_is_suspect(old, new):
    """Without digests another version proves nothing, neither way."""
    found = differences_of_lines(
        history(run(1, record("x", 1, old))), history(run(1, record("x", 1, old)), run(2, record("x", 2, new)))
    )
    assert (names(found.suspects), names(found.changed), found.same) == (["x"], [], frozenset())


def test_the_same_version_is_the_same_without_a_digest():
    """What no cell has written since both lines were one is the same, though nobody could freeze it."""
    start = run(1, record("x", 1, None))
    assert differences_of_lines(history(start), history(start, run(2))).same == {"x"}


def test_the_same_number_in_another_session_proves_nothing():
    """Cell 1 of one session is not cell 1 of another."""
    found = differences_of_lines(
        history(run(1, record("x", 1, None))), history(run(1, record("x", 1, None), started=7.0))
    )
    assert (names(found.suspects), found.common) == (["x"], 0)


def test_a_cell_that_was_still_running_proves_nothing():
    """A save in the middle of a cell knows less of what the cell wrote."""
    half, whole = run(1, record("x", 1, None)), run(1, record("x", 1, None), record("y", 1, "Y"))
    found = differences_of_lines(history(half), history(whole))
    assert (names(found.suspects), names(found.created), found.common) == (["x"], ["y"], 1)


def test_cells_of_two_sessions_are_compared_by_their_code():
    """Where no cell run is in common, those with the same code are left out."""
    before = history(run(1, source="import os"), run(2, source="x = 1"), run(3, source="y = 2"))
    after = history(run(1, source="import os", started=1.0), run(5, source="x = 3"), run(6, source="y = 2"))
    found = differences_of_lines(before, after)
    assert ([r.source for r in found.undone], [r.source for r in found.run]) == (["x = 1"], ["x = 3"])


def test_digests_of_values_that_refer_to_functions_hold_in_one_session_alone():
    """A digest has the number of a function in it, which is another function in another session."""
    start = run(1, record("f", 1, "F", definitions=(1,), defines=1), created=(1,))
    later = run(2, record("f", 2, "F", definitions=(1,), defines=1))
    assert differences_of_lines(history(start), history(start, later)).same == {"f"}
    other = run(1, record("f", 1, "F", definitions=(1,), defines=1), created=(1,), started=9.0)
    assert names(differences_of_lines(history(start), history(other)).suspects) == ["f"]


def shared(n, *records):
    """A cell run that writes records which share data."""
    return run(n, *records, groups=(tuple(r.version for r in records),))


def test_digests_of_values_that_share_data_count_together():
    """A digest of a member of a group tells only what earlier members do not hold already."""
    before = history(shared(1, record("a", 1, "A"), record("b", 1, "B")))
    moved = history(*before.runs, shared(2, record("a", 2, "A2"), record("b", 2, "B")))
    found = differences_of_lines(before, moved)
    assert (names(found.suspects), found.same, names(found.changed)) == (["a", "b"], frozenset(), [])
    again = history(*before.runs, shared(2, record("a", 2, "A"), record("b", 2, "B")))
    assert differences_of_lines(before, again).same == {"a", "b"}


def test_what_shares_data_at_one_end_only_is_told():
    """Two names for one list are not two equal lists."""
    before = history(shared(1, record("a", 1, "A"), record("b", 1, "ref")))
    after = history(*before.runs, run(2, record("b", 2, "A")))
    found = differences_of_lines(before, after)
    assert found.sharing == ((frozenset({"a", "b"}), True),)
    assert names(found.suspects) == ["b"]
    report = difference_report("A", "B", before, after, found)
    assert report.notes == ("a, b share data in A only",)


def test_what_went_astray_is_known_by_its_digest_alone():
    """A variable that something outside of cells changed is not the version that its cell made."""
    before = history(*START)
    for digest, same in (("A", True), ("Z", False), (None, False)):
        found = differences_of_lines(before, before, there=Knowledge({"a": digest}))
        assert ("a" in found.same) is same
    assert names(found.suspects) == ["a"]


def test_a_new_name_for_the_same_value_is_a_new_name():
    """Where one variable went and one came that hold the same, and the value is no everyday one, it was renamed."""
    gone = run(3, record("fresh", 3, "D"), deletes=("dead",))
    found = differences_of_lines(history(*START), history(*START, gone))
    assert [(old.name, new.name) for old, new in found.renamed] == [("dead", "fresh")]
    assert (found.created, found.deleted) == ((), ())
    small = run(2, record("k", 2, "0", size=5))
    found = differences_of_lines(history(small), history(small, run(3, record("l", 3, "0", size=5), deletes=("k",))))
    assert (found.renamed, names(found.created), names(found.deleted)) == ((), ["l"], ["k"])


def test_displayed_results_are_no_variables():
    """Each cell that shows something has one, and nobody asks for them."""
    found = differences_of_lines(history(*START), history(*START, run(3, record("Out[3]", 3, "O"))))
    assert not found.created


def test_some_variables_can_be_left_out():
    """What one of the archives says nothing of is not taken to be gone."""
    found = differences_of_lines(history(*START), history(*START, run(3, record("a", 3, "A2"), record("n", 3, "N"))))
    assert not found.without({"a", "n"}).pairs
    assert not found.without({"a", "n"}).created
    assert found.without({"b"}).same == {"c", "dead"}


@pytest.fixture
def report():
    """A change that was looked at, one that nobody could look at, and one of each other kind."""
    shown = {"display.max_rows": "10"}
    before = history(*START, run(3, record("a", 3, "A2"), record("u", 3, None, kind="generator")))
    settings = (SettingsVersion("pandas", b"s", shown=shown),)
    after = history(
        *START,
        run(4, record("a", 4, "A3", size=2000, kind="numpy.ndarray"), record("n", 4, "N", size=5), settings=settings),
        run(5, record("u", 5, None, kind="generator"), record("e", 5, "D"), deletes=("dead",), source="\n  x = 'é'\ny", status="error"),
    )  # fmt: skip
    found = differences_of_lines(before, after)
    details = {"a": ("shape (2,) → (3,)",)}
    return difference_report("state 3", "state 5", before, after, found, details=details, notes=["<odd>"])


def test_the_report_as_text(report):
    """What changed comes first, what is in it below, and the cells last."""
    assert (
        str(report)
        == """\
state 3 → state 5: 1 changed, 1 perhaps changed, 1 renamed, 1 created, 2 the same; 1 cell undone, 2 cells run
  settings of pandas: display.max_rows: as in a fresh process → 10
  variable  change           kind                  bytes           by cell
  a         changed          list → numpy.ndarray  100 B → 2.0 kB  3 → 4
  u         perhaps changed  generator             100 B           3 → 5
  dead → e  renamed          list                  100 B           2 → 5
  n         created          list                  5 B             4
  note: <odd>

a: changed
  shape (2,) → (3,)

Cells between
  cell          ended    took  code
     3  undone  ok     500 ms  cell 3
     4  run     ok     500 ms  cell 4
     5  run     error  500 ms  x = 'é'"""
    )


def test_the_report_as_html_is_escaped(report):
    """Names and notes are text, whatever they hold."""
    assert "&lt;odd&gt;" in report._repr_html_()
    assert "<odd>" not in report._repr_html_()


def test_the_report_as_json(report):
    """Programs get every field as a plain value."""
    told = report.to_json()
    assert told["variables"][0] == {
        "name": "a", "change": "changed", "former": "", "kind_before": "list", "kind_after": "numpy.ndarray",
        "bytes_before": 100, "bytes_after": 2000, "cell_before": 3, "cell_after": 4, "lines": ["shape (2,) → (3,)"],
    }  # fmt: skip
    assert told["variables"][2]["former"] == "dead"
    assert told["variables"][3]["bytes_before"] is None
    assert told["cells"][0] == {"n": 3, "code": "cell 3", "direction": "undone", "status": "ok", "seconds": 0.5}
    assert {key: told[key] for key in ("from", "to", "same", "notes")} == {
        "from": "state 3", "to": "state 5", "same": 2, "notes": ["<odd>"],
    }  # fmt: skip


def test_a_look_decides_what_digests_left_open():
    """A suspect in which nothing differs is the same; what is stored otherwise is said to be."""
    before = history(run(1, record("s", 1, None), record("d", 1, "1")))
    after = history(*before.runs, run(2, record("s", 2, None), record("d", 2, "2")))
    found = differences_of_lines(before, after)
    report = difference_report("A", "B", before, after, found, details={"s": (), "d": ()})
    (only,) = report.variables
    assert (only.name, report.same) == ("d", 1)
    assert only.lines == ("no difference can be seen; it is stored otherwise, or shares other data",)


def test_a_report_on_thousands_of_variables_stays_short():
    """The text says how many more there are; the JSON has all."""
    after = history(run(1, *(record(f"v{i}", 1, str(i)) for i in range(5000))))
    report = difference_report("A", "B", history(), after, differences_of_lines(history(), after))
    assert len(str(report).splitlines()) < MOST_ROWS + 10
    assert f"and {5000 - MOST_ROWS} more variables" in str(report)
    assert len(report.to_json()["variables"]) == 5000


def test_equal_states_say_so():
    """No table where there is nothing to tell."""
    found = differences_of_lines(history(*START), history(*START))
    report = difference_report("A", "B", history(*START), history(*START), found)
    assert str(report) == "A → B: no variable differs, 4 the same; no cells between"


@pytest.mark.parametrize(("source", "text"), [
    ("x = 1\n@deco\ndef f():\n    return 1\n\ny = 2", "@deco\ndef f():\n    return 1\n"),
    ("def f(): pass\ndef f():\n    return 2", "def f():\n    return 2"),
    ("class f:\n    n = 1\n", "class f:\n    n = 1\n"),
    ("f = 1", None), ("%%time\ndef f(): pass", None), ("def f(\0", None),
])  # fmt: skip
def test_a_definition_is_found_in_the_cell_that_made_it(source, text):
    """The last one counts, with its decorators; a cell that is no plain Python has none."""
    assert definition_in(source, "f") == text


def test_texts_of_any_size_are_compared_at_once():
    """Many lines that differ are counted, not matched."""
    old, new = (("\n".join(f"{word} {i % 7}" for i in range(20_000))) for word in ("a", "b"))
    assert unified(old, new) == ("20,000 lines from line 1 on → 20,000 lines",)
