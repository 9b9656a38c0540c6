"""Objects that lie about themselves: what does not come back as it was is told at the save, by class and path."""

from __future__ import annotations

import copyreg
import re
import sys
from dataclasses import dataclass

import elastictm as tm
from elastictm.session import faith
from elastictm.session.saving import SaveOptions

from .conftest import wrote


@dataclass(frozen=True)
class Case:
    """A liar: the code that makes ``x``, what a save says of ``x``, and words of its reason.

    ``outcome`` is ``refused`` where the bytes are not trusted, ``flawed`` where they are with a word of warning, and
    ``fine`` where nothing is wrong.
    """

    name: str
    code: str
    outcome: str
    words: str = ""
    path: str = ""


CASES = (
    Case(
        "reduce_raises", "class C:\n def __reduce__(self): raise ValueError('no way')\nx = [C()]", "refused", "no way"
    ),
    Case("reduce_nonsense", "class C:\n def __reduce__(self): return 5\nx = C()", "refused", "reduce"),
    Case(
        "reduce_becomes_list", "class C:\n def __reduce__(self): return list, ()\nx = [C()]", "refused", "list", "x[0]"
    ),
    Case(
        "reduce_becomes_other", "class D: pass\nclass C:\n def __reduce__(self): return D, ()\nx = C()", "refused", "D"
    ),
    Case(
        "reduce_drops",
        "class C:\n def __init__(self): self.a = 1\n def __reduce__(self): return C2, ()\n"
        "def C2(): return C.__new__(C)\nx = {'k': [C()]}",
        "refused",
        "without `a`",
        "x['k'][0]",
    ),
    Case(
        "reduce_wrong_call",
        "class C:\n def __init__(self, a): self.a = a\n def __reduce__(self): return C, ()\nx = C(1)",
        "refused",
        "does not load: TypeError",
    ),
    Case(
        "getstate_drops",
        "class C:\n def __init__(self): self.a = self.b = 1\n def __getstate__(self): return {'a': self.a}\nx = C()",
        "refused",
        "without `b`",
        "x",
    ),
    Case(
        "getstate_empty",
        "class C:\n def __init__(self): self.a = 1\n def __getstate__(self): return {}\nx = [C()]",
        "refused",
        "without `a`",
        "x[0]",
    ),
    Case(
        "getstate_drops_private",
        "class C:\n def __init__(self): self.a, self._cache = 1, {1: 2}\n"
        " def __getstate__(self): return {'a': self.a}\nx = C()",
        "flawed",
        "without `_cache`",
        "x",
    ),
    Case(
        "getstate_blanks_private",
        "class C:\n def __init__(self): self.a, self._cache = 1, {1: 2}\n"
        " def __getstate__(self): return {'a': self.a, '_cache': None}\nx = C()",
        "flawed",
        "`_cache` as NoneType",
    ),
    Case(
        "recreates_lock",
        "import threading\nclass C:\n def __init__(self): self.a, self.lock = 1, threading.Lock()\n"
        " def __getstate__(self): return {'a': self.a}\n"
        " def __setstate__(self, state): self.__dict__ = {**state, 'lock': threading.Lock()}\nx = C()",
        "fine",
    ),
    Case(
        "setstate_raises",
        "class C:\n def __init__(self): self.a = 1\n"
        " def __setstate__(self, state): raise RuntimeError('not here')\nx = (C(),)",
        "refused",
        "not here",
        "x[0]",
    ),
    Case(
        "setstate_elsewhere",
        "import os\nclass C:\n home = os.getpid()\n def __init__(self): self.a = 1\n"
        " def __setstate__(self, state):\n  if os.getpid() != self.home: raise OSError('wrong process')\n"
        "  self.__dict__ = state\nx = C()",
        "refused",
        "wrong process",
    ),
    Case(
        "setstate_forgets",
        "class C:\n def __init__(self): self.a = 7\n def __setstate__(self, state): self.a = 0\nx = C()",
        "refused",
        "`a` as 0, and it was 7",
    ),
    Case(
        "setstate_renames",
        "class C:\n def __init__(self): self.a = 7\n def __setstate__(self, state): self.b = state['a']\nx = C()",
        "refused",
        "without `a`",
    ),
    Case(
        "setstate_changes_type",
        "class C:\n def __init__(self): self.a = (1, 2)\n"
        " def __setstate__(self, state): self.a = list(state['a'])\nx = C()",
        "refused",
        "`a` as list, and it was tuple",
    ),
    Case(
        "setstate_exits",
        "class C:\n def __init__(self): self.a = 7\n def __setstate__(self, state): raise SystemExit(3)\nx = C()",
        "refused",
        "SystemExit",
    ),
    Case(
        "new_needs_arguments",
        "class C:\n def __new__(cls, a): return object.__new__(cls)\nx = C(1)",
        "refused",
        "TypeError",
    ),
    Case(
        "newargs_wrong",
        "class C(tuple):\n def __new__(cls, a, b): return tuple.__new__(cls, (a, b))\nx = C(1, 2)",
        "refused",
        "TypeError",
    ),
    Case(
        "float_with_unit",
        "class C(float):\n def __new__(cls, v, unit):\n  self = float.__new__(cls, v)\n"
        "  self.unit = unit\n  return self\nx = C(1.5, 'm')",
        "refused",
        "TypeError",
    ),
    Case(
        "exception_arguments",
        "class C(Exception):\n def __init__(self, a, b):\n  super().__init__('text')\n  self.a = a\nx = C(1, 2)",
        "fine",
        "",
    ),
    Case(
        "exception_fine",
        "class C(Exception):\n def __init__(self, a, b=2):\n  super().__init__(a)\n  self.b = b\nx = C(1, 3)",
        "fine",
    ),
    Case(
        "getattr_recurses",
        "class C:\n def __init__(self): self.d = {'q': 1}\n def __getattr__(self, n): return self.d[n]\nx = C()",
        # Python 3.10 asks an object itself for its state.
        "fine" if sys.version_info >= (3, 11) else "refused",
    ),
    Case(
        "getattr_fine",
        "class C:\n def __init__(self): self.d = {'q': 1}\n def __getattr__(self, n):\n"
        "  if n.startswith('__') or n == 'd': raise AttributeError(n)\n  return self.d[n]\nx = C()",
        "fine",
    ),
    Case(
        "slots_frozen",
        "class C:\n __slots__ = ('a',)\n def __init__(self): object.__setattr__(self, 'a', 1)\n"
        " def __setattr__(self, n, v): raise AttributeError('frozen')\nx = C()",
        "refused",
        "frozen",
    ),
    Case(
        "slots_dropped",
        "class C:\n __slots__ = ('a', 'b')\n def __init__(self): self.a, self.b = 1, 2\n"
        " def __getstate__(self): return (None, {'a': self.a})\nx = C()",
        "refused",
        "without `b`",
    ),
    Case(
        "set_with_init",
        "class C(set):\n def __init__(self, a, b): super().__init__((a, b))\nx = C(1, 2)",
        "refused",
        "TypeError",
    ),
    Case(
        "defaultdict_with_init",
        "from collections import defaultdict\nclass C(defaultdict):\n"
        " def __init__(self): super().__init__(list)\nx = C()",
        "refused",
        "TypeError",
    ),
    Case(
        "copyreg",
        "import copyreg\nclass C:\n def __init__(self): self.a = 1\ncopyreg.pickle(C, lambda c: (C.__new__, (C,)))\n"
        "x = C()",
        "refused",
        "without `a`",
    ),
    Case("eq_raises", "class C:\n def __eq__(self, other): raise ValueError\n __hash__ = None\nx = C()", "fine"),
    Case(
        "eq_array",
        "import numpy as np\nclass C:\n def __eq__(self, other): return np.ones(3)\n __hash__ = None\nx = C()",
        "fine",
    ),
    Case(
        "repr_raises",
        "class C:\n def __repr__(self): raise ValueError\n def __getstate__(self): return {'a': 1}\nx = C()",
        "fine",
    ),
    Case(
        "uses_a_global",
        "table = {'k': 5}\nclass C:\n def __init__(self): self.a = 5\n def __getstate__(self): return 'k'\n"
        " def __setstate__(self, key): self.a = table[key]\nx = C()",
        "fine",
    ),
    Case(
        "uses_a_function",
        "def make(): return helper()\ndef helper(): return C()\nclass C:\n"
        " def __init__(self): self.a = 5\n def __reduce__(self): return make, ()\nx = C()",
        "fine",
    ),
    Case("plain", "class C:\n def __init__(self): self.a = object\nx = [C(), C()]", "fine"),
)


def renamed(case):
    """The code of a case with a class and variable of its own."""
    code = re.sub(r"\bC\b", f"C_{case.name}", case.code)
    code = re.sub(r"\bC2\b", f"C2_{case.name}", code)
    return re.sub(r"\bx\b", f"x_{case.name}", code)


def count_children(monkeypatch):
    """Count the processes that a check starts; returns a list that grows."""
    started = []
    run = faith.run_module
    monkeypatch.setattr(faith, "run_module", lambda *given: started.append(given) or run(*given))
    return started


def options(*names):
    """Options of a save of a few variables alone."""
    return SaveOptions(only=frozenset(names), bandwidth=1e9)


def test_each_liar_is_told_with_its_path_and_reason(notebook, tmp_path, monkeypatch):
    """Each lie is found in one save by one process, each honest object is left alone, and a second save asks nobody."""
    notebook.settings.faith_budget = 60.0
    notebook.session.saving(False)
    notebook.run(*map(renamed, CASES))
    started = count_children(monkeypatch)
    report = tm.save(tmp_path / "liars.tm", bandwidth="1GB/s")
    assert len(started) == 1
    stock = notebook.session._draft(SaveOptions(bandwidth=1e9), tmp_path).stock
    assert len(started) == 1
    found = {
        case.name: ("refused", stock.refusals()[f"x_{case.name}"])
        if f"x_{case.name}" in stock.refusals()
        else ("flawed", stock.flaws[f"x_{case.name}"])
        if f"x_{case.name}" in stock.flaws
        else ("fine", None)
        for case in CASES
    }
    assert {name: outcome for name, (outcome, _) in found.items()} == {case.name: case.outcome for case in CASES}
    for case in CASES:
        told = found[case.name][1]
        if told is not None:
            assert case.words in told.reason, case.name
            assert not case.path or told.path == f"x_{case.name}{case.path[1:]}"
    outcomes = {variable.name: variable for variable in report.variables}
    assert not [case.name for case in CASES if outcomes[f"x_{case.name}"].outcome == "lost"]
    assert {outcomes[f"x_{case.name}"].outcome for case in CASES if case.outcome == "refused"} == {"rerun"}
    copyreg.dispatch_table.pop(notebook.ns["C_copyreg"])


def test_sessions_without_doubtful_classes_start_no_process(notebook, tmp_path, monkeypatch):
    """Plain classes, dataclasses, enumerations, named tuples and objects of libraries cost nothing."""
    started = count_children(monkeypatch)
    notebook.run(
        "import dataclasses, enum, typing, collections, decimal, numpy as np, pandas as pd, sklearn.linear_model as lm",
        "class P:\n def __init__(self): self.a = 1\np = [P()]",
        "@dataclasses.dataclass(frozen=True, slots=True)\nclass D:\n a: int = 1\nd = D()",
        "class E(enum.Enum):\n a = 1\nclass N(typing.NamedTuple):\n a: int\ne = [E.a, N(1)]",
        "f, m, t = pd.DataFrame({'a': [1]}), lm.LinearRegression(), decimal.Decimal(1)",
    )
    notebook.session._draft(SaveOptions(bandwidth=1e9), tmp_path)
    assert started == []


def test_what_values_come_back_without_is_told_with_its_path(notebook, tmp_path):
    """A filled cache of a memoised function, and an attribute of a frame that cannot be stored, are named as losses."""
    notebook.run(
        "import functools, sys, pandas as pd",
        "@functools.lru_cache\ndef f(n):\n    return n\nx = [f, f(1), f(2)]\ndel f",
        "y = {'k': pd.DataFrame({'a': [1]})}\ny['k'].kept, y['k'].frame = 1, sys._getframe()",
        "@functools.lru_cache\ndef g(n):\n    return n",
    )
    flaws = notebook.session._draft(SaveOptions(bandwidth=1e9), tmp_path).stock.flaws
    assert {name: (flaw.path, flaw.reason) for name, flaw in flaws.items()} == {
        "x": ("x[0]", "comes back with an empty cache, which held 2 results"),
        "y": ("y['k']", "comes back without `frame`, which cannot be stored"),
    }


def test_what_cannot_be_made_again_is_lost_before_anything_is_written(notebook, tmp_path):
    """A liar whose cell cannot be repeated is reported as lost, with its path."""
    notebook.run(
        "import uuid\nclass C:\n def __init__(self): self.a = uuid.uuid4().hex\n def __getstate__(self): return {}",
        "with open('made', 'w') as f: f.write('x')\nx = [C()]",
    )
    report = tm.save(tmp_path / "lost.tm", bandwidth="1GB/s", only=["x"])
    assert [(v.name, v.outcome, v.path) for v in report.variables] == [("x", "lost", "x[0]")]
    assert "comes back without `a`" in report.variables[0].reason


def test_what_a_class_keeps_to_itself_is_told_at_both_ends(notebook, tmp_path):
    """A dropped cache does not cost the variable, but save and restore say so."""
    notebook.run(
        "class C:\n def __init__(self): self.a, self._cache = 1, {1: 2}\n def __getstate__(self): return {'a': self.a}",
        "with open('made', 'w') as f: f.write('x')\nx = C()",
    )
    report = tm.save(tmp_path / "flaw.tm", bandwidth="1GB/s", only=["x"])
    assert [(v.outcome, v.reason) for v in report.variables] == [("stored", "comes back without `_cache`")]
    back = tm.restore(tmp_path / "flaw.tm", trust=True)
    assert [v.reason for v in back.variables if v.name == "x"] == ["x comes back without `_cache`"]


def test_a_small_loss_is_avoided_where_the_cell_is_quick(notebook, tmp_path):
    """A variable that comes back without its cache is re-run if that costs little."""
    notebook.run(
        "class C:\n def __init__(self): self.a, self._cache = 1, {1: 2}\n def __getstate__(self): return {'a': self.a}",
        "x = C()",
    )
    drafted = notebook.session._draft(options("x", "C"), tmp_path)
    assert {str(c.report.name): c.report.outcome for c in drafted.choices}["x"] == "rerun"
    assert drafted.report().seconds < 1


def test_ending_and_hanging_processes(notebook, tmp_path):
    """What ends its process is refused, what hangs is stored and its class named, and neither hides another liar."""
    notebook.run(
        "import os, time",
        "class K:\n def __init__(self): self.a = 1\n def __setstate__(self, s): os._exit(0)\nk = K()",
        "class G:\n def __init__(self): self.a = 1\n def __setstate__(self, s): pass\ng = [G(), 'x' * 100]",
        "class S:\n def __init__(self): self.a = 1\n def __setstate__(self, s): time.sleep(60)\ns = [S(), 'x' * 1000]",
    )
    notebook.settings.faith_budget = 3.0
    drafted = notebook.session._draft(options("k", "g", "s", "K", "G", "S", "os", "time"), tmp_path)
    told = {str(name): refusal.reason for name, refusal in drafted.stock.refusals().items()}
    assert told == {"k": "loading it ends the process (status 0)", "g": "comes back without `a`"}
    assert drafted.stock.unchecked == ("S",)
    assert [note for note in drafted.report().notes if "classes load: S" in note]


def test_a_budget_of_nothing_checks_nothing_and_says_so(notebook, tmp_path, monkeypatch):
    """Without time no process is started, and the report names the classes."""
    started = count_children(monkeypatch)
    notebook.session.saving(False)
    notebook.run("class C:\n def __init__(self): self.a = 1\n def __getstate__(self): return {}\nx = C()")
    notebook.settings.faith_budget = 0.0
    assert notebook.session._draft(options("x", "C"), tmp_path).stock.unchecked == ("C",)
    assert started == []


def test_a_method_that_changes_is_tried_again(notebook, tmp_path, monkeypatch):
    """A class that proved faithful is asked again once its methods are others."""
    started = count_children(monkeypatch)
    notebook.session.saving(False)
    notebook.run("class C:\n def __init__(self): self.a = 1\n def __getstate__(self): return {'a': 1}\nx = C()")
    assert notebook.session._draft(options("x", "C"), tmp_path).stock.refusals() == {}
    notebook.run("C.__getstate__ = lambda self: {}")
    told = notebook.session._draft(options("x", "C"), tmp_path).stock.refusals()
    assert [refusal.reason for refusal in told.values()] == ["comes back without `a`"]
    assert len(started) == 2


def test_only_the_liar_of_a_group_is_refused(notebook, tmp_path):
    """Variables that share data with a liar are stored, and share it still."""
    notebook.run(
        "class C:\n def __init__(self): self.a = 1\n def __setstate__(self, s): raise ValueError('no')",
        "shared = [1]\nx = [C(), shared]\ny = [shared]",
    )
    stock = notebook.session._draft(options("x", "y", "shared", "C"), tmp_path).stock
    assert set(stock.refusals()) == {"x"}
    assert {"y", "shared"} in [set(group.parts) for group in stock.groups]


def test_changes_in_what_a_class_leaves_out_are_seen(notebook, tmp_path):
    """A class that drops state hides no change: what cannot be stored is made again by all cells that changed it."""
    notebook.run(
        "class Liar:\n    def __init__(self): self.x = [1]\n    def __reduce__(self): return (Liar, ())",
        "class Slotted:\n    __slots__ = ('x',)\n    def __init__(self): self.x = 1\n"
        "    def __getstate__(self): return None",
        "liar = Liar(); inside = {'a': [Liar()]}; slotted = Slotted()",
    )
    assert wrote(notebook.run("liar.x.append(2)")) == {"liar"}
    assert wrote(notebook.run("inside['a'][0].x.append(3)")) == {"inside"}
    assert wrote(notebook.run("slotted.x = 4")) == {"slotted"}
    assert wrote(notebook.run("liar, inside, slotted, 1;")) == set()
    notebook.session.save(tmp_path / "a.tm", SaveOptions(bandwidth=1e9))
    notebook.session.restore(tmp_path / "a.tm")
    ns = notebook.ns
    assert (ns["liar"].x, ns["inside"]["a"][0].x, ns["slotted"].x) == ([1, 2], [1, 3], 4)


def test_a_cache_that_is_left_out_and_cannot_be_frozen_is_no_change(notebook):
    """What a class drops for good reason does not make it look changed."""
    notebook.run(
        "import threading\nclass Model:\n    def __init__(self): self.lock = threading.Lock(); self.w = [1]\n"
        "    def __getstate__(self): return {'w': self.w}\n"
        "    def __setstate__(self, state): self.__init__(); self.w = state['w']",
        "m = Model()",
    )
    assert wrote(notebook.run("m.w, 1;")) == set()
    assert wrote(notebook.run("m.w.append(2)")) == {"m"}


def test_one_faithful_object_does_not_speak_for_one_that_leaves_something_out(notebook, tmp_path):
    """A liar that happened to come back as it was is looked at again once it holds something else."""
    notebook.run(
        "class Liar:\n    def __init__(self): self.x = 1\n    def __reduce__(self): return (Liar, ())", "liar = Liar()"
    )
    notebook.session.save(tmp_path / "a.tm", SaveOptions(bandwidth=1e9))
    notebook.run("liar.x = 2")
    report = notebook.session.save(tmp_path / "b.tm", SaveOptions(bandwidth=1e9))
    assert {v.outcome for v in report.variables if v.name == "liar"} == {"rerun"}
    notebook.session.restore(tmp_path / "b.tm")
    assert notebook.ns["liar"].x == 2
