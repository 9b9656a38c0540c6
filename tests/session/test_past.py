"""Going through the states of a session: there and back is identity, and every state is what it was."""

from __future__ import annotations

import copy
import decimal
import json
import re
import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elastictm.errors import StateNotKept, UsageError
from elastictm.ids import is_variable

from .conftest import wrote


def past(notebook):
    """The states of a notebook's session."""
    return notebook.session.past


def go(notebook, word):
    """Go to a state."""
    return notebook.session.go(str(word))


def live(notebook):
    """The user's variables."""
    return {n: v for n, v in notebook.ns.items() if is_variable(n) and not notebook.session.host.is_own(n)}


def test_names_born_later_go_and_deleted_ones_come_back(notebook):
    """Undo takes away what the last cell made, brings back what it deleted, and redo is its inverse."""
    notebook.run("a = [1]", "b = a", "del a", "c = 3")
    go(notebook, "undo")
    assert set(live(notebook)) == {"b"}
    go(notebook, "undo")
    assert set(live(notebook)) == {"a", "b"}
    assert notebook.ns["a"] is notebook.ns["b"]
    go(notebook, "redo")
    go(notebook, "redo")
    assert set(live(notebook)) == {"b", "c"}
    assert notebook.ns["c"] == 3


def test_what_did_not_change_is_the_same_object(notebook):
    """Only what differs between two states is loaded; identities of all else hold."""
    notebook.run("big = list(range(1000)); other = {'big': big}; x = [0]", "x.append(1)", "y = x")
    big, other = notebook.ns["big"], notebook.ns["other"]
    report = go(notebook, 2)
    assert notebook.ns["x"] == [0]
    assert notebook.ns["big"] is big
    assert notebook.ns["other"] is other
    assert {v.name for v in report.variables if v.outcome == "kept"} == {"big", "other"}


SHARING = {
    "lists": ("a = [1, [2]]; b = {'a': a, 'inner': a[1], 'n': 0}", "b['n'] = 1", "b['a'] is a and b['inner'] is a[1]"),
    "deleted": ("a = [1, [2]]; b = {'a': a}", "del b", "b['a'] is a"),
    "an object": (
        "class C: pass\na = C(); a.x = [1]; b = C(); b.other, b.x = a, a.x",
        "b.n = 1",
        "b.other is a and b.x is a.x",
    ),
    "frames": (
        "import pandas as pd; a = pd.DataFrame({'x': [1, 2]}); b = {'frame': a, 'n': 0}",
        "b['n'] = 1",
        "b['frame'] is a",
    ),
    "arrays": ("import numpy as np; a = np.arange(9); b = {'a': a, 'v': a[2:5], 'n': 0}", "b['n'] = 1", "b['a'] is a"),
    "functions": (
        "def make():\n    held = []\n    return held, lambda: held\na, f = make(); b = [a, f]",
        "b.append(1)",
        "b[0] is a and b[1]() is a",
    ),
}


@pytest.mark.parametrize("case", SHARING.values(), ids=SHARING)
def test_what_shares_with_what_changed_is_the_same_object(notebook, case):
    """Of a group that changed in part, the rest stays the very objects, and what comes back refers to these."""
    setup, change, holds = case
    notebook.run(setup, change)
    a, before = notebook.ns["a"], notebook.ns.get("b")
    go(notebook, "undo")
    assert notebook.ns["a"] is a
    assert notebook.ns["b"] is not before
    assert eval(holds, notebook.ns)
    go(notebook, "redo")
    assert notebook.ns["a"] is a


def test_classes_come_back_as_they_were(notebook):
    """What a class was given later goes and comes with its states, and its objects are of that very class."""
    notebook.run("class A: pass\nb = A(); other = A()", "A.k = [1]", "A.k.append(2)", "c = A()")
    for n, expected in ((2, None), (3, [1]), (4, [1, 2]), (3, [1]), (5, [1, 2]), (2, None)):
        go(notebook, n)
        kinds = {type(notebook.ns[name]) for name in ("b", "other", "c") if name in notebook.ns}
        assert kinds == {notebook.ns["A"]}, n
        assert getattr(notebook.ns["A"], "k", None) == getattr(notebook.ns["b"], "k", None) == expected


def test_a_class_that_keeps_its_last_object_lets_go_of_it(notebook):
    """What a class notes of its objects is as it was."""
    notebook.run("class A:\n    last = None\n    def __init__(self): A.last = self", "b = A()", "c = A()")
    go(notebook, 3)
    assert notebook.ns["A"].last is notebook.ns["b"]
    go(notebook, 2)
    assert notebook.ns["A"].last is None


def test_a_class_whose_name_went_on_is_as_it_was(notebook):
    """An object keeps the class that it had, with the functions that were put into it by then."""
    notebook.run("class A:\n    def m(self): return 'old'\na = A()", "def m2(self): return 'patched'\nA.m = m2")
    notebook.run("q = a.m()", "class A:\n    def m(self): return 'new'", "z = 1")
    for n, expected in ((2, "old"), (3, "patched"), (5, "patched"), (2, "old"), (6, "patched")):
        go(notebook, n)
        assert notebook.ns["a"].m() == expected, n


def test_a_cell_that_only_seeds_has_a_state(notebook):
    """Draws after going back are those that came after that state, whatever cell set the generator."""
    notebook.run("import random; random.seed(1)", "import numpy as np", "np.random.seed(2)", "y = 1")
    notebook.run("x = random.random(), np.random.rand()")
    for word in ("5", "undo", "4"):
        go(notebook, word)
        notebook.run("again = random.random(), np.random.rand()")
        assert notebook.ns["again"] == notebook.ns.get("x", notebook.ns["again"])
    go(notebook, 6)
    x = notebook.ns["x"]
    go(notebook, 4)
    notebook.run("again = random.random(), np.random.rand()")
    assert notebook.ns["again"] == x
    go(notebook, 3)
    notebook.run("np.random.seed(2); again = random.random(), np.random.rand()")
    assert notebook.ns["again"] == x


def test_what_was_set_aside_never_stands_in_for_what_was_made_anew(notebook):
    """A generator and the list that it works on stay together, however often one goes to and fro."""
    notebook.run(
        "b = [1]", "def gen(x):\n    while True:\n        yield x\ng = gen(b)\nnext(g)", "y = 1", "b.append(2)"
    )
    for n in (3, 2, 3, 4):
        go(notebook, n)
    notebook.run("b.append(100)")
    assert next(notebook.ns["g"]) is notebook.ns["b"]
    assert notebook.ns["b"] == [1, 100]


def test_memory_that_is_shared_with_what_changed_is_shared_again(notebook):
    """A view that is bound anew comes back as a view of the array, whether or not that is the very object."""
    notebook.run("import numpy as np; a = np.arange(9); b = a[2:5]", "b = a[1:3]")
    go(notebook, "undo")
    notebook.ns["b"][0] = 77
    assert notebook.ns["a"][2] == 77


def test_what_runs_again_gets_no_object_that_is_here(notebook):
    """A cell that runs again works with what was loaded, and what it makes shares with that."""
    notebook.run("a = [1]; b = [a]", "g = (x for x in b)", "b.append(2)")
    a = notebook.ns["a"]
    go(notebook, "undo")
    assert notebook.ns["a"] is not a
    assert next(notebook.ns["g"]) is notebook.ns["a"] is notebook.ns["b"][0]


def test_what_shares_with_something_else_now_is_loaded(notebook):
    """Two that are equal and were two objects stay two, though they are one now."""
    notebook.run("a = [1]; b = [a]; c = [1]", "a = c; b.append(2)")
    c = notebook.ns["c"]
    go(notebook, "undo")
    assert notebook.ns["c"] is c
    assert notebook.ns["a"] is notebook.ns["b"][0]
    assert notebook.ns["a"] is not c


def test_a_cell_that_failed_half_way_is_undone(notebook):
    """What a failed cell had changed before it raised goes as well."""
    notebook.run("a = [1]", "a.append(2); b = 1; 1 / 0")
    go(notebook, "undo")
    assert live(notebook) == {"a": [1]}


def test_displayed_results_agree(notebook):
    """``Out`` and the underscores hold what they held in that state."""
    notebook.run("[1]", "[2]", "x = 1")
    first = notebook.runs[1].n
    go(notebook, first)
    assert dict(notebook.session.host.outputs) == {first: [1]}
    assert notebook.ns["_"] == [1]
    assert f"_{first + 1}" not in notebook.ns


def test_results_that_are_displayed_after_going_are_in_the_underscores(notebook):
    """The shell binds ``_``, ``__`` and ``___`` to what the next cells display, as if nothing had happened."""
    notebook.run("1 + 1", "2 + 2", "a = 1")
    go(notebook, notebook.runs[1].n)
    notebook.run("'fresh'", "'more'")
    assert [notebook.ns[name] for name in ("_", "__", "___")] == ["more", "fresh", 2]


def test_what_a_class_shares_is_seen_after_going(notebook):
    """A class that came back shares its data with the variables that stayed, and that is seen when the data changes."""
    notebook.run("L = [0]; D = {'L': L}", "class C: shared = []\nC.shared.append(L)", "D = dict(D)")
    go(notebook, "undo")
    assert wrote(notebook.run("C.shared[0].append(1)")) == {"C", "D", "L"}
    notebook.run("T = (L, D)")
    go(notebook, "undo")
    assert notebook.ns["L"] is notebook.ns["C"].shared[0] is notebook.ns["D"]["L"]
    assert notebook.ns["L"] == [0, 1]


def test_branches(notebook):
    """A cell that runs in an earlier state opens a branch; each branch can be gone to from the other."""
    notebook.run("x = [1]", "x.append(2)", "x.append(3)")
    n = notebook.runs[-1].n
    go(notebook, "undo")
    notebook.run("x.append('other')")
    other = notebook.runs[-1].n
    assert other > n
    assert notebook.ns["x"] == [1, 2, "other"]
    go(notebook, n)
    assert notebook.ns["x"] == [1, 2, 3]
    go(notebook, other)
    assert notebook.ns["x"] == [1, 2, "other"]
    assert past(notebook).tree[other].parent == n - 1


def test_classes_and_their_instances(notebook):
    """Instances in a state belong to the class of that state, those that were kept included."""
    notebook.run("class P: kind = 1\nold = P()", "P.kind = 2", "class P: kind = 3\nnew = P()")
    first = notebook.runs[1].n
    go(notebook, first)
    ns = notebook.ns
    assert (ns["P"].kind, type(ns["old"]) is ns["P"]) == (1, True)
    go(notebook, first + 2)
    assert (ns["P"].kind, ns["old"].kind, type(ns["new"]) is ns["P"], type(ns["old"]) is ns["P"]) == (3, 2, True, False)


def test_functions_see_the_session(notebook):
    """A function that was loaded looks its globals up in the session."""
    notebook.run("def f(): return x\nx = 1", "def f(): return x + 100", "x = 5")
    go(notebook, notebook.runs[1].n)
    assert notebook.ns["f"]() == 1
    notebook.run("x = 7")
    assert notebook.ns["f"]() == 7


def test_what_cannot_be_stored_is_parked(notebook):
    """A generator that a cell made is here again after undo and redo, where it stood."""
    notebook.run("g = (i for i in range(5)); first = next(g)", "second = next(g)")
    n, g = notebook.runs[-1].n, notebook.ns["g"]
    report = go(notebook, "undo")
    assert [v.outcome for v in report.variables if v.name == "g"] in (["rerun"], ["lost"])
    go(notebook, n)
    assert notebook.ns["g"] is g
    assert next(notebook.ns["g"]) == 2


def test_random_numbers_go_on_as_they_did(notebook):
    """After going back the generators stand where they stood."""
    notebook.run("import random; random.seed(3)", "a = random.random()", "b = random.random()")
    b = notebook.ns["b"]
    go(notebook, "undo")
    notebook.run("again = random.random()")
    assert notebook.ns["again"] == b


def test_settings_go_back(notebook):
    """Settings of libraries are those of the state."""
    notebook.run("import decimal; decimal.getcontext().prec = 7", "decimal.getcontext().prec = 9")
    go(notebook, "undo")
    assert notebook.ns["decimal"].getcontext().prec == 7
    go(notebook, "redo")
    assert notebook.ns["decimal"].getcontext().prec == 9
    decimal.setcontext(decimal.Context())


def test_changes_outside_of_cells_have_a_state(notebook):
    """What was changed beside the cells before leaving is not lost by going elsewhere."""
    notebook.run("x = [1]", "y = 1")
    notebook.shell.run_cell("x = [1, 'silent']", store_history=False)
    here = past(notebook).tree.latest
    go(notebook, "undo")
    assert past(notebook).tree.latest > here
    go(notebook, past(notebook).tree.latest)
    assert notebook.ns["x"] == [1, "silent"]


def test_values_of_other_states(notebook):
    """They are equal to what was there, share among themselves, and share nothing with the session."""
    notebook.run("a = [1]; b = [a]\ndef f(): return a", "a.append(2)", "b")
    found = past(notebook).room().variables(notebook.runs[1].n)
    assert found["a"] == [1]
    assert found["b"][0] is found["a"]
    assert found["f"]() is found["a"]
    found["a"].append("mine")
    assert notebook.ns["a"] == [1, 2]
    assert set(found) == {"a", "b", "f"}
    n = notebook.runs[-1].n
    assert past(notebook).room().variables(n)[f"Out[{n}]"] == [[1, 2]]
    with pytest.raises(KeyError):
        found["none"]


def test_values_that_were_not_kept_say_so(notebook):
    """Looking runs no cell."""
    notebook.run("g = (i for i in range(3))")
    with pytest.raises(StateNotKept, match="can only be made again by running cells"):
        past(notebook).room().variables(notebook.runs[-1].n)["g"]


def test_tags(notebook):
    """A tag is a place to go."""
    notebook.run("x = 1", "x = 2")
    past(notebook).tag("one", notebook.runs[1].n)
    go(notebook, "one")
    assert notebook.ns["x"] == 1
    for name in ("12", "undo", "a b", "-x", ""):
        with pytest.raises(UsageError, match="cannot be a tag"):
            past(notebook).tag(name, notebook.runs[1].n)


@pytest.mark.parametrize("word", ["99", "nothing", "-1", "redo"])
def test_states_that_are_not_there(notebook, word):
    """The message says what there is."""
    notebook.run("x = 1")
    with pytest.raises(UsageError, match=r"no state|nothing to redo"):
        go(notebook, word)


def test_nothing_is_kept_while_saving_is_off(notebook):
    """States without bytes come back by running cells; after switching on again everything is kept."""
    notebook.run("x = [1]")
    notebook.session.saving(False)
    notebook.run("import os; y = os.urandom(4)", "z = 3")
    n = notebook.runs[-2].n
    notebook.session.saving(True)
    notebook.run("y = 0")
    report = go(notebook, n)
    told = {v.name: (v.outcome, v.reason) for v in report.variables}
    assert told["y"][0] == "rerun"
    assert re.search(r"gave another value than the one saved .*urandom", told["y"][1])
    assert notebook.ns["x"] == [1]


def test_unwanted_variables_are_not_kept(notebook):
    """Neither by name nor by object; they are run again where that is possible."""
    notebook.run("secret = 'hunter2' * 10; other = [1, 2]; plain = [3]")
    notebook.session.dontsave(["secret", notebook.ns["other"]])
    notebook.run("secret += 'x' * 20; other.append(3); plain.append(4)", "secret = other = plain = None")
    found = past(notebook).room().variables(notebook.runs[-2].n)
    assert found["plain"] == [3, 4]
    for name in ("secret", "other"):
        with pytest.raises(StateNotKept, match="dontsave"):
            found[name]


@pytest.mark.parametrize("way", ["restore", "recover"])
def test_names_stay_unwanted(notebook, tmp_path, capsys, way):
    """What a restore or a recovery puts in the session's place has names that no bytes are kept of, as before."""
    notebook.run("x = 1", "%past dontsave token")
    if way == "restore":
        notebook.run(f"%migrate save {tmp_path / 'full.tm'}", f"%migrate restore {tmp_path / 'full.tm'}")
    else:
        notebook.session.past.keeper.flush()
        folder = notebook.session.past._store.folder
        other = folder.with_name("other")
        shutil.copytree(folder, other)
        about = json.loads((other / "session.json").read_bytes())
        (other / "session.json").write_text(json.dumps({**about, "id": "other"}))
        notebook.run("%past --session other")
    capsys.readouterr()
    notebook.run("%past dontsave")
    assert capsys.readouterr().out.strip() == "no bytes are kept of: token"
    notebook.run("token = 'hun' + 'ter2'; x = 2")
    found = past(notebook).room().variables(notebook.runs[-1].n)
    assert found["x"] == 2
    with pytest.raises(StateNotKept, match="dontsave"):
        found["token"]


CELLS = [
    "a = [1, 2, 3]",
    "b = a",
    "b = list(a)",
    "a.append(len(a))",
    "d = {'a': a, 'b': b}",
    "d['a'] = [0]",
    "d['n'] = d.get('n', 0) + 1",
    "del a",
    "del d",
    "a = d['a']",
    "class K:\n    n = 0\n    def up(self): self.n += 1; return self.n",
    "k = K()",
    "k.up()",
    "K.n = 10",
    "ks = [k, k, K()]",
    "def f(x=[]): x.append(len(x)); return x",
    "f()",
    "a.append(f)",
    "t = (a, b); u = t",
    "s = 'text' * 3",
    "a.append(1); raise ValueError(a)",
    "import numpy as np; m = np.arange(12.0).reshape(3, 4); v = m[1]",
    "v[0] = -1",
    "m = m * 2",
    "a[0] = m",
    "it = iter(b)",
    "next(it)",
]
MOVES = st.one_of(st.sampled_from(CELLS), st.integers(0, 40), st.sampled_from(["undo", "redo"]))


def picture(notebook):
    """The values of all variables that can be copied, copied together, and who is who among them."""
    values = {n: v for n, v in live(notebook).items() if type(v).__name__ != "module"}
    outputs = {f"Out[{n}]": v for n, v in notebook.session.host.outputs.items()}
    return told({**values, **outputs})


def told(values):
    """A text of values in which sharing shows: each object that can be shared is written out once."""
    seen = {}
    keep = []

    def text(value):
        if isinstance(value, (int, float, str, bool, type(None))):
            return repr(value)
        if id(value) in seen:
            return f"<{seen[id(value)]}>"
        keep.append(value)
        seen[id(value)] = number = len(seen)
        return f"{number}:{inside(value, type(value).__name__)}"

    def inside(value, kind):
        shown = {
            "ndarray": lambda: value.tolist(),  # noqa: PLW0108 - only arrays have it
            "list": lambda: ", ".join(map(text, value)),
            "tuple": lambda: ", ".join(map(text, value)),
            "dict": lambda: ", ".join(f"{k!r}: {text(v)}" for k, v in value.items()),
            "function": lambda: f"{value.__name__} {text(value.__defaults__ or ())}",
            "type": lambda: f"{value.__name__} n={value.n}",
            "list_iterator": lambda: list(copy.copy(value)),
        }
        show = shown.get(kind, lambda: f"{text(type(value))} {text(dict(vars(value)))}")
        return f"{kind}({show()})"

    return {name: text(value) for name, value in sorted(values.items())}


# Hypothesis raises the limit of recursion while an example runs, which is a setting that going back brings back.
@pytest.mark.filterwarnings("ignore:The recursion limit will not be reset")
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(moves=st.lists(MOVES, min_size=4, max_size=18))
def test_every_state_is_what_it_was(notebook, moves):
    """Random cells and random travels in a real shell: each state that is gone to is as it was when it was left."""
    notebook.run("pass")
    start = past(notebook).tree.at
    go(notebook, 0)
    known = {}
    for move in moves:
        if isinstance(move, str) and move not in {"undo", "redo"}:
            notebook.run(move)
            known[past(notebook).tree.at] = picture(notebook)
            continue
        reachable = sorted(known)
        word = move if isinstance(move, str) else (reachable[move % len(reachable)] if reachable else start)
        try:
            report = go(notebook, word)
        except UsageError:
            continue
        at = past(notebook).tree.at
        assert [v.name for v in report.lost] == []
        if at in known:
            assert picture(notebook) == known[at], (at, moves)
    assert notebook.errors == []
    assert past(notebook).trouble == ""


def test_what_would_not_come_back_is_not_trusted(notebook):
    """An object that lies about itself has no bytes in the past; its cell runs again."""
    notebook.run(
        "class Liar:\n    def __init__(self): self.x = 1\n    def __reduce__(self): return (Liar, ())",
        "liar = Liar(); liar.x = 2",
        "liar.x = 3",
    )
    report = go(notebook, "undo")
    assert notebook.ns["liar"].x == 2
    assert {v.outcome for v in report.variables if v.name == "liar"} == {"rerun"}


def test_what_is_quick_to_make_again_takes_no_space(notebook):
    """Over the budget, what cells make again is dropped, and still every state comes back."""
    notebook.session.budget = 3_000_000
    notebook.run("import numpy as np, os; secret = os.urandom(100)")
    for i in range(6):
        notebook.run(f"x = np.random.default_rng({i}).random(200_000)")
    sums = {run.n: None for run in notebook.runs[2:]}
    past(notebook).upkeep.bound()
    past(notebook).keeper.flush()
    assert past(notebook).keeper.stopped == ""
    assert past(notebook).spent().startswith("the past takes ")
    assert past(notebook)._store.size < 3_500_000
    for i, n in enumerate(sums):
        report = go(notebook, n)
        assert [v.name for v in report.lost] == []
        assert notebook.ns["x"][0] == np.random.default_rng(i).random(200_000)[0]


def test_a_store_that_cannot_be_written_is_told_once(notebook, capsys):
    """The cell does not fail, one line says what happened, and what was kept stays."""
    notebook.run("x = 1")
    folder = past(notebook)._store.folder
    shutil.rmtree(folder)
    notebook.run("x = 2", "x = 3")
    told = [line for line in capsys.readouterr().out.splitlines() if "no longer kept" in line]
    assert len(told) == 1
    assert notebook.ns["x"] == 3


def test_cleared_states_free_their_space(notebook):
    """What only they need goes, what other states need stays, and cleared states cannot be gone to."""
    notebook.run("import os; a = os.urandom(500_000); keep = [1]", "a = os.urandom(500_000)", "a = 1", "keep.append(2)")
    n = notebook.runs[1].n
    before = past(notebook).bytes
    assert "2 states forgotten" in past(notebook).clear((n, n + 1))
    assert past(notebook).bytes < before - 900_000
    with pytest.raises(UsageError, match="was cleared"):
        go(notebook, n)
    go(notebook, n + 2)
    assert (notebook.ns["a"], notebook.ns["keep"]) == (1, [1])
    past(notebook).clear(None)
    assert len(past(notebook).timeline().states) == 1
