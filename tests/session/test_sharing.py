"""Names whose values share mutable data are one alias group afterwards, and no others are tied."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

LIBRARIES = "import numpy as np, pandas as pd"
FRAME = "a = pd.DataFrame({'x': [1, 2, 3], 'y': [1.5, 2.5, 3.5], 'z': list('abc')})"


@dataclass(frozen=True, slots=True)
class Pair:
    """Cells that make two variables, ``a`` and ``b``."""

    id: str
    cells: tuple[str, ...]


def pair(name, *cells):
    """A pair made by cells."""
    return Pair(name, cells)


SHARING = [
    pair("one list", "a = [1]", "b = a"),
    pair("list in a list", "a = [1]", "b = [a]"),
    pair("list in a tuple", "a = [1]", "b = (0, a)"),
    pair("one level down", "a = [[1], 2]", "b = a[0]"),
    pair("tuple of a list in a dict", "c = ([],); a = {1: c}", "b = {'k': c[0]}", "del c"),
    pair("tuple of a list that two hold", "c = ([],); a = [c]; b = [c]", "del c"),
    pair(
        "frame's index",
        "i = pd.date_range('2020', periods=3)",
        "a = pd.Series([1, 2, 3], index=i); b = pd.Series([4, 5, 6], index=i)",
    ),
    pair("attribute", "class C: pass\na = C(); a.v = []", "b = a.v"),
    pair("instance dict", "class C: pass\na = C(); a.v = 1", "b = a.__dict__"),
    pair("slot", "class C: __slots__ = ('v',)\na = C(); a.v = {}", "b = a.v"),
    pair("bound method", "a = [1]", "b = a.append"),
    pair("method of the user's class", "class C:\n    def m(self): pass\na = C()", "b = a.m"),
    pair("partial", "import functools\na = [1]", "b = functools.partial(len, a)"),
    pair("closure", "a = [1]\ndef make(x):\n    return lambda: x.append(1)", "b = make(a)"),
    pair(
        "two closures over one cell",
        "def make():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n"
        "    def get(): return n\n    return up, get",
        "a, b = make()",
    ),
    pair("default argument", "a = [1]", "def b(x=a): return x"),
    pair("class attribute", "a = [1]", "class b: log = a"),
    pair("array and slice", "a = np.zeros(9)", "b = a[2:5]"),
    pair("slices that overlap", "w = np.zeros(9); a = w[:5]; b = w[4:]; del w", "pass"),
    pair("slices beside each other of one base", "w = np.zeros(9); a = w[:5]; b = w[5:]", "del w"),
    pair("transposed", "a = np.zeros((2, 3))", "b = a.T"),
    pair("diagonal", "a = np.eye(3)", "b = np.diagonal(a)"),
    pair("scalar of a structured array", "a = np.zeros(3, dtype=[('x', int)])", "b = a[0]"),
    pair("array over bytes that can change", "a = bytearray(8)", "b = np.frombuffer(a, 'u1')"),
    pair("array that is not its own copy", "a = np.zeros(3)", "b = np.asarray(a)"),
    pair("memory view", "a = bytearray(8)", "b = memoryview(a)[2:4]"),
    pair("object array's element", "a = np.array([[1], None], dtype=object)", "b = a[0]"),
    pair("frame's values", FRAME, "b = a['y'].to_numpy()"),
    pair("column that is copied when written", FRAME, "b = a['y']"),
    pair("frame in a list", FRAME, "b = [a]"),
    pair("frame cell", "a = pd.DataFrame({'x': [[1], [2]]})", "b = a['x'][0]"),
    pair("frame attrs", FRAME + "; a.attrs['k'] = []", "b = a.attrs['k']"),
    pair("figure and axes", "import matplotlib.pyplot as plt", "a, b = plt.subplots()"),
    pair("weak reference", "class C: pass\na = C()", "import weakref\nb = weakref.ref(a)"),
    pair("dict view", "a = {'k': 1}", "b = a.keys()"),
    pair("mapping proxy", "a = {'k': 1}", "import types\nb = types.MappingProxyType(a)"),
    pair("iterator", "a = [1, 2]", "b = iter(a)"),
    pair("suspended generator", "a = [1, 2]", "b = (x for x in a)"),
    pair("module that the session made", "a = [1]", "import types\nb = types.ModuleType('b'); b.items = a"),
    pair("generator's bit generator", "a = np.random.PCG64(1)", "b = np.random.Generator(a)"),
    pair("deque", "from collections import deque\na = {}", "b = deque([a])"),
    pair("linked nodes", "class N: pass\na = N(); a.next = N()", "b = a.next; b.back = a"),
    pair("exception's argument", "a = [1]", "b = ValueError(a)"),
    pair("after a change", "a = []; b = {}", "a.append(b)"),
    pair("displayed and bound", "[1]", "a = _; b = [a]"),
]

APART = [
    pair("one string", "a = 'some text here'", "b = a"),
    pair("string in lists", "s = 'some text here'", "a = [s]; b = [s]"),
    pair("one integer", "n = 10**20", "a = [n]; b = [n]"),
    pair("one tuple of numbers", "t = (1, 2)", "a = [t]; b = [t]"),
    pair("frozen set", "t = frozenset({1})", "a = [t]; b = {'k': t}"),
    pair("one data type", "d = np.dtype([('x', int)])", "a = np.zeros(2, d); b = np.zeros(2, d)"),
    pair("type of categories", "a = pd.Series(list('ab'), dtype='category')", "b = a.copy()"),
    pair("one class", "class C: pass", "a = C(); b = C()"),
    pair(
        "class with methods of all kinds",
        "class C:\n    @property\n    def p(self): return 1\n    @classmethod\n    def c(cls): return cls\n"
        "    @staticmethod\n    def s(): return 2",
        "a = C(); b = C()",
    ),
    pair(
        "dataclass",
        "from dataclasses import dataclass, field\n@dataclass\nclass D:\n    x: int\n    y: list = field(default_factory=list)",
        "a = D(1); b = D(2)",
    ),
    pair(
        "named tuple", "from collections import namedtuple\nP = namedtuple('P', 'x y')", "a = [P(1, 2)]; b = [P(1, 3)]"
    ),
    pair("enumeration", "import enum\nclass E(enum.Enum):\n    A = 1", "a = [E.A]; b = {'k': E.A}"),
    pair("module", "import math", "a = [math]; b = [math]"),
    pair("function without captured state", "def f(): return 1", "a = [f]; b = {'k': f}"),
    pair(
        "decorated function",
        "import functools\ndef deco(f):\n    @functools.wraps(f)\n    def g(): return f()\n    return g\n"
        "@deco\ndef f(): return 1",
        "a = [f]; b = [f]",
    ),
    pair("global that functions use", "log = []\ndef a(): log.append(1)", "def b(): log.append(2)"),
    pair("built-in function", "a = [len]; b = [len]", "pass"),
    pair("equal lists", "a = [1]; b = [1]", "pass"),
    pair("copied list", "a = [1]", "b = a.copy()"),
    pair("deep copy", "import copy\na = {'k': [1]}", "b = copy.deepcopy(a)"),
    pair("copied array", "a = np.zeros(3)", "b = a.copy()"),
    pair("computed array", "a = np.zeros(3)", "b = a + 1"),
    pair("copied frame", FRAME, "b = a.copy()"),
    pair("filtered frame", FRAME, "b = a[a['x'] > 1].copy()"),
    pair("computed frame", FRAME, "b = a[['x', 'y']] * 2"),
    pair(
        "frames with the same column names",
        "names = ['p', 'q']",
        "a = pd.DataFrame(np.zeros((2, 2)), columns=names); b = pd.DataFrame(np.ones((2, 2)), columns=names)",
    ),
    pair("result of a group", FRAME, "b = a.groupby('z')['x'].sum()"),
    pair("standard output", "import sys\nclass W:\n    def __init__(self): self.out = sys.stdout", "a = W(); b = W()"),
    pair("logger", "import logging\nlog = logging.getLogger('x')", "a = [log]; b = [log]"),
    pair("environment", "import os", "a = {'env': os.environ}; b = [os.environ]"),
    pair(
        "global random state", "class H:\n    def __init__(self): self.rng = np.random.mtrand._rand", "a = H(); b = H()"
    ),
    pair("date", "import datetime\nd = datetime.date(2020, 1, 1)", "a = [d]; b = [d]"),
    pair("compiled pattern", "import re\np = re.compile('x')", "a = [p]; b = [p]"),
    pair(
        "two figures",
        "import matplotlib.pyplot as plt",
        "a = plt.figure(); a.add_subplot().plot([1, 2])\nb = plt.figure(); b.add_subplot().plot([3, 4], 'r--')",
    ),
    pair(
        "two models of one data set",
        "from sklearn.linear_model import LinearRegression\nX = np.arange(12.0).reshape(6, 2); t = np.arange(6)",
        "a = LinearRegression().fit(X, t); b = LinearRegression().fit(X, t)",
    ),
    pair(
        "two forests",
        "from sklearn.ensemble import RandomForestClassifier\nX = np.arange(12.0).reshape(6, 2); t = np.arange(6) % 2",
        "a = RandomForestClassifier(3).fit(X, t); b = RandomForestClassifier(3).fit(X, t)",
    ),
    pair("two generators", "a = np.random.default_rng(1); b = np.random.default_rng(1)", "pass"),
    pair("two graphs", "import networkx as nx\na = nx.Graph(); b = nx.Graph()", "a.add_edge(1, 2); b.add_edge(1, 2)"),
    pair("typing", "from typing import List\na = [List[int]]; b = [List[int]]", "pass"),
    pair("untied by a change", "b = [1]; a = [b]", "a[0] = 2"),
    pair("untied by binding anew", "b = [1]; a = [b]", "b = [1]"),
    pair("half of the memory each", "a = np.zeros(4); b = a[:2]", "b = b.copy()"),
    pair("sparse matrices", "from scipy import sparse\na = sparse.eye(3).tocsr()", "b = a.copy()"),
]


@pytest.mark.parametrize("case", SHARING, ids=lambda case: case.id)
def test_what_shares_is_one_group(notebook, case):
    """Two variables that share mutable data are tied, whichever cell made them share it."""
    notebook.run(LIBRARIES, *case.cells)
    assert notebook.tied("a", "b")


@pytest.mark.parametrize("case", APART, ids=lambda case: case.id)
def test_what_does_not_share_is_not_tied(notebook, case):
    """Two variables without common mutable data are in no group together."""
    notebook.run(LIBRARIES, *case.cells)
    assert {"a", "b"} <= notebook.ns.keys()
    assert not notebook.tied("a", "b")


def test_groups_join_and_part(notebook):
    """Groups grow, shrink and vanish as data is shared and parted."""
    notebook.run("a = [1]; b = [2]; c = [a]")
    assert notebook.groups() == {frozenset({"a", "c"})}
    notebook.run("c.append(b)")
    assert notebook.groups() == {frozenset({"a", "b", "c"})}
    notebook.run("c.remove(a)")
    assert notebook.groups() == {frozenset({"b", "c"})}
    notebook.run("del b")
    assert notebook.groups() == set()
