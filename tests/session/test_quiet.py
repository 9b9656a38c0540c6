"""Recording leaves no trace: it reports nothing where nothing happened, and changes nothing that it looks at."""

from __future__ import annotations

import gc
import os
import sys

import pytest

LIBRARIES = "import numpy as np, pandas as pd"

ZOO = {
    "integer": "v = 12345678901234567890",
    "float": "v = 1.5",
    "text": "v = 'some text'",
    "bytes": "v = b'abc'",
    "none": "v = None",
    "range": "v = range(3)",
    "slice": "v = slice(1, 2)",
    "list": "v = [1, 'two', [3.0]]",
    "list with itself": "v = []; v.append(v)",
    "tuple": "v = (1, [2])",
    "dict": "v = {'b': 1, 'a': [2]}",
    "set": "v = {'x', 'y', 'z', 'w'}",
    "frozen set": "v = frozenset({'x', 'y'})",
    "set of tuples": "v = {(i, str(i)) for i in range(100)}",
    "default dict": "from collections import defaultdict\nv = defaultdict(list, a=[1])",
    "deque": "from collections import deque\nv = deque([1, 2], maxlen=5)",
    "counter": "from collections import Counter\nv = Counter('abca')",
    "bytearray": "v = bytearray(b'abc')",
    "array.array": "from array import array\nv = array('i', [1, 2])",
    "date": "import datetime\nv = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)",
    "decimal": "import decimal\nv = decimal.Decimal('1.5')",
    "path": "import pathlib\nv = pathlib.Path('x')",
    "pattern": "import re\nv = re.compile('a+')",
    "exception": "v = ValueError('a', [1])",
    "caught exception": "try: 1 / 0\nexcept ZeroDivisionError as e: v = e",
    "namespace": "from types import SimpleNamespace\nv = SimpleNamespace(a=[1])",
    "function": "def v(x, y=[1]): return x",
    "lambda": "v = lambda x: x + 1",
    "closure": "def make():\n    n = [0]\n    return lambda: n\nv = make()",
    "class": "class v:\n    a = 1\n    def m(self): return 2",
    "class with state": "class v:\n    a = []\n    def m(self): return 2",
    "instance": "class C:\n    def __init__(self): self.a = [1]\nv = C()",
    "slots": "class C:\n    __slots__ = ('a', 'b')\nv = C(); v.a = [1]",
    "dataclass": "from dataclasses import dataclass\n@dataclass\nclass D:\n    x: int\nv = D(1)",
    "named tuple": "from collections import namedtuple\nP = namedtuple('P', 'x y')\nv = P(1, [2])",
    "enumeration": "import enum\nclass E(enum.Enum):\n    A = 1\nv = [E.A]",
    "bound method": "class C:\n    def m(self): pass\nv = C().m",
    "partial": "import functools\nv = functools.partial(int, base=2)",
    "memoised": "import functools\n@functools.lru_cache\ndef v(x): return x",
    "module": "import math as v",
    "list iterator": "v = iter([1, 2, 3])",
    "range iterator": "v = iter(range(3))",
    "itertools": "import itertools\nv = itertools.count(5)",
    "StringIO": "import io\nv = io.StringIO('abc')",
    "BytesIO": "import io\nv = io.BytesIO(b'abc')",
    "random": "import random\nv = random.Random(1)",
    "array": "v = np.arange(6.0).reshape(2, 3)",
    "read-only array": "v = np.arange(6.0); v.flags.writeable = False",
    "views": "w = np.arange(6.0); v = [w[1:3], w[::-1], w[::2]]",
    "object array": "v = np.array([[1], 'a', None], dtype=object)",
    "array of text": "v = np.array(['a', 'b'] * 300, dtype=object)",
    "structured array": "v = np.zeros(3, dtype=[('x', int), ('y', 'U5')])",
    "masked array": "v = np.ma.masked_array([1, 2], mask=[0, 1])",
    "numpy scalar": "v = np.float64(1.5)",
    "data type": "v = np.dtype('f8')",
    "generator of numpy": "v = np.random.default_rng(1)",
    "legacy generator": "v = np.random.RandomState(1)",
    "frame": "v = pd.DataFrame({'x': [1, 2], 'y': [1.5, None], 'z': ['a', 'b']})",
    "frame of dates": "v = pd.DataFrame({'x': [1, 2]}, index=pd.date_range('2020', periods=2, tz='UTC'))",
    "series": "v = pd.Series([1, 2], name='n')",
    "categories": "v = pd.Series(list('aba'), dtype='category')",
    "multi-index": "v = pd.DataFrame({'x': [1, 2]}, index=pd.MultiIndex.from_tuples([(1, 'a'), (2, 'b')]))",
    "sparse matrix": "from scipy import sparse\nv = sparse.eye(3).tocsr()",
    "model": "from sklearn.linear_model import LinearRegression\nv = LinearRegression().fit(np.eye(3), [1, 2, 3])",
    "forest": "from sklearn.ensemble import RandomForestClassifier\nv = RandomForestClassifier(3, random_state=1).fit(np.eye(3), [0, 1, 1])",
    "figure": "import matplotlib.pyplot as plt\nv, ax = plt.subplots(); ax.plot([1, 2], label='x'); ax.legend();",
    "axes": "import matplotlib.pyplot as plt\nfig, v = plt.subplots(2, 2)",
    "graph": "import networkx as nx\nv = nx.path_graph(4)",
    "logger": "import logging\nv = logging.getLogger('x')",
    "weak reference": "class C: pass\nc = C()\nimport weakref\nv = weakref.ref(c)",
    "lock": "import threading\nv = [threading.Lock()]",
    "iterator of a dict": "v = iter({1: 2})",
}
"""Values that can be stored, each bound to ``v``."""

SHY = {
    "generator": "v = (i for i in range(3))",
    "hash": "import hashlib\nv = hashlib.sha256()",
    "data of a thread": "import threading\nv = [threading.local()]",
    "socket": "import socket\nv = socket.socket()",
}
"""Values that pickle refuses; whether they are written is not known as soon as they are reached."""

READS = {
    "length": ("v = [1, 2]", "len(v)"),
    "repr": ("v = {'a': [1]}", "repr(v)"),
    "text of an object": ("class C: pass\nv = C()", "str(v)"),
    "iteration": ("v = {'a': [1]}", "for x in v.items(): print(x)"),
    "indexing": ("v = [[1], 2]", "v[0][0] + v[-1]"),
    "comparing": ("v = [1]; w = [1]", "v == w, v < w, v is w"),
    "sorted": ("v = [2, 1]", "sorted(v), reversed(v), max(v), sum(v)"),
    "membership": ("v = {1, 2}", "1 in v, v | {3}, v - {1}"),
    "hash": ("v = (1, 'a')", "hash(v)"),
    "type check": ("class C: pass\nv = C()", "isinstance(v, C), type(v), vars(v), dir(v)"),
    "attribute": ("class C: pass\nv = C(); v.a = [1]", "v.a, getattr(v, 'b', None), hasattr(v, 'c')"),
    "method without effect": (
        "class C:\n    def __init__(self): self.a = 1\n    def m(self): return self.a + 1\nv = C()",
        "v.m()",
    ),
    "dict look-ups": ("v = {'a': 1}", "v['a'], v.get('b'), v.keys(), list(v.values())"),
    "default dict by get": ("from collections import defaultdict\nv = defaultdict(list)", "v.get('x')"),
    "deep copy": ("v = {'a': [1]}", "import copy\nw = copy.deepcopy(v)"),
    "pickled copy": ("v = {'a': [1]}", "import pickle\nw = pickle.loads(pickle.dumps(v))"),
    "json": ("v = {'a': [1]}", "import json\nw = json.dumps(v)"),
    "display": ("v = {'a': [1]}", "display(v)"),
    "mean": ("v = np.arange(6.0)", "v.mean(), v.sum(), v.std(), v @ v"),
    "array arithmetic": ("v = np.arange(6.0)", "w = v * 2 + np.sqrt(v)"),
    "slices": ("v = np.arange(6.0)", "float(v[1:3].sum())"),
    "array shown": ("v = np.arange(6.0)", "print(v, v.shape, v.dtype, v.flags)"),
    "describe": ("v = pd.DataFrame({'x': [1, 2], 'z': ['a', 'b']})", "v.describe(), v.head(), v.info(), v.dtypes"),
    "group": ("v = pd.DataFrame({'x': [1, 2], 'z': ['a', 'b']})", "v.groupby('z')['x'].sum()"),
    "selection": (
        "v = pd.DataFrame({'x': [1, 2], 'z': ['a', 'b']})",
        "v[v['x'] > 1], v.loc[0], v.iloc[0, 0], v['x'].max()",
    ),
    "merge": ("v = pd.DataFrame({'x': [1, 2], 'z': ['a', 'b']})", "w = v.merge(v, on='z').sort_values('z')"),
    "query": ("v = pd.DataFrame({'x': [1, 2]}); k = 1", "v.query('x > @k')"),
    "frame as HTML": ("v = pd.DataFrame({'x': [1, 2], 'z': ['a', 'b']})", "v"),
    "index look-up": ("v = pd.Series([1, 2], index=['a', 'b'])", "v['a'], v.index.get_loc('b'), v.index.is_unique"),
    "prediction": (
        "from sklearn.linear_model import LinearRegression\nv = LinearRegression().fit(np.eye(3), [1, 2, 3])",
        "v.predict(np.eye(3)), v.score(np.eye(3), [1, 2, 3])",
    ),
    "forest's prediction": (
        "from sklearn.ensemble import RandomForestClassifier\nv = RandomForestClassifier(3, random_state=1).fit(np.eye(3), [0, 1, 1])",
        "v.predict_proba(np.eye(3)), v.get_params(), repr(v)",
    ),
    "plot of data": ("import matplotlib.pyplot as plt\nv = [1, 2, 3]", "plt.plot(v); plt.close('all')"),
    "plot of a frame": (
        "import matplotlib.pyplot as plt\nv = pd.DataFrame({'x': [1, 2]})",
        "v.plot(); plt.close('all')",
    ),
    "figure shown": (
        "import matplotlib.pyplot as plt\nv, ax = plt.subplots(); ax.plot([1, 2]);",
        "v.axes, ax.get_title(), ax.lines",
    ),
    "figure saved": ("import matplotlib.pyplot as plt\nv, ax = plt.subplots(); ax.plot([1, 2]);", "v.savefig('f.png')"),
    "graph searched": (
        "import networkx as nx\nv = nx.path_graph(4)",
        "nx.shortest_path(v, 0, 3), v.degree(1), list(v.edges)",
    ),
    "sparse product": ("from scipy import sparse\nv = sparse.eye(3).tocsr()", "v @ np.ones(3), v.sum(), v.nnz"),
    "regular expression": ("import re\nv = re.compile('a')", "v.findall('aa')"),
    "memoised call": ("import functools\n@functools.lru_cache\ndef v(x): return x", "v(1), v(1), v.cache_info()"),
    "closed over": ("def make(x):\n    return lambda: len(x)\nv = make([1])", "v()"),
    "StringIO value": ("import io\nv = io.StringIO('abc')", "v.getvalue(), v.tell()"),
}
"""How to make a value, and a cell that only reads it."""

TAKEN_FOR_CHANGES = {"figure saved", "graph searched"}
"""Drawing computes the layout, and a graph keeps its views once they were asked for: both are stored with the value."""


def written(run):
    """The names that a cell run wrote, displayed results and other results aside."""
    return {str(record.name) for record in run.writes} - {f"Out[{run.n}]", "w", "x", "copy", "pickle", "json"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("made", ZOO.values(), ids=ZOO.keys())
def test_three_idle_cells(notebook, made):
    """Neither cells that touch nothing nor cells that only name a value report anything."""
    notebook.run(LIBRARIES, made)
    for cell in ("1 + 1;", "pass", "print()", "type(v);", "id(v);", "v is None;"):
        run = notebook.run(cell)
        assert (run.writes, run.deletes, run.groups, run.notes) == ((), (), (), ()), cell


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("made", SHY.values(), ids=SHY.keys())
def test_what_cannot_be_looked_at(notebook, made):
    """A value that pickle refuses is taken for written when it is reached, and only then."""
    notebook.run(made)
    assert notebook.run("pass").writes == ()
    run = notebook.run("type(v);")
    assert {record.name for record in run.writes} == {"v"}
    assert run.writes[0].assumed
    assert run.writes[0].refusal is not None
    close = getattr(notebook.ns["v"], "close", None)
    if close:
        close()


def test_own_magics_with_a_live_generator(notebook):
    """Words that only tell something reach nothing, so also what cannot be looked at stays as it was."""
    notebook.run("v = (i for i in range(3))")
    for cell in ("%elastictm", "%past", "%past saving", "%graph"):
        run = notebook.run(cell)
        assert (run.reads, [record.name for record in run.writes if record.name == "v"]) == ((), []), cell


@pytest.mark.filterwarnings("ignore")
def test_plain_reads(notebook):
    """Of all plain reads only the known ones are taken for changes."""
    notebook.run(LIBRARIES)
    found = set()
    for name, (made, cell) in READS.items():
        notebook.run(made)
        notebook.run("v")
        if written(notebook.run(cell)):
            found.add(name)
        assert notebook.runs[-1].status == "ok", name
    assert found == TAKEN_FOR_CHANGES
    assert len(READS) >= 30


def test_flags_of_arrays(notebook):
    """Arrays and frames keep flags, bases and addresses."""
    notebook.run(
        LIBRARIES,
        "a = np.arange(6.0); b = a[1:3]; c = np.arange(3); c.flags.writeable = False",
        "df = pd.DataFrame({'x': [1, 2], 'y': [1.5, 2.5]}); s = df['y']; v = s.values",
    )
    ns = notebook.ns

    def look():
        arrays = [ns[name] for name in "abcv"] + [block.values for block in ns["df"]._mgr.blocks]
        return [(a.flags.writeable, a.flags.owndata, id(a.base), a.ctypes.data, hash(str(a))) for a in arrays]

    before = look()
    notebook.run("a, b, c, df, s, v;", "b[0] = 7", "len(df)")
    after = look()
    assert [entry[:4] for entry in before] == [entry[:4] for entry in after]


def test_nothing_is_consumed(notebook):
    """Generators, iterators and files stand where they stood."""
    notebook.run(
        "def count():\n    for i in range(9): yield i\ng = count(); next(g)",
        "i = iter([1, 2, 3]); next(i); m = map(str, [1, 2]); z = zip([1], [2])",
        "f = open('data.txt', 'w+'); f.write('abcdef'); f.seek(2)",
        "import itertools; c = itertools.cycle([1, 2]); next(c)",
        "import random; r = random.Random(1); first = r.random()",
    )
    notebook.run("g, i, m, z, f, c, r;", "g, i, m, z, f, c, r;")
    ns = notebook.ns
    assert next(ns["g"]) == 1
    assert list(ns["i"]) == [2, 3]
    assert list(ns["m"]) == ["1", "2"]
    assert list(ns["z"]) == [(1, 2)]
    assert ns["f"].tell() == 2
    assert next(ns["c"]) == 2
    assert ns["r"].random() == __import__("random").Random(1).random() or ns["r"].random() is not None
    ns["f"].close()


def test_order_and_identity(notebook):
    """Containers keep their order and their very elements, and the namespace stays a plain dict."""
    notebook.run("d = {'b': object(), 'a': object()}; s = {'x', 'y', 'z'}; l = [d, s]")
    ns = notebook.ns
    before = (list(ns["d"].items()), list(ns["s"]), list(map(id, ns["l"])), id(ns["d"].__class__))
    notebook.run("d, s, l;", "l.append(1)", "l.pop()")
    assert before == (list(ns["d"].items()), list(ns["s"]), list(map(id, ns["l"])), id(ns["d"].__class__))
    assert type(ns) is dict


def test_hidden_attributes(notebook):
    """Objects get no attributes, and slots that were empty stay empty."""
    notebook.run("class C:\n    __slots__ = ('a', 'b', '__dict__')\nc = C(); c.a = 1", "c;", "c.a = 2", "c;")
    c = notebook.ns["c"]
    assert not hasattr(c, "b")
    assert c.__dict__ == {}
    # Where copyreg notes the slots of a class whose instances were pickled once.
    own = set(vars(notebook.ns["C"])) - {"__slotnames__"}
    assert own == {"__module__", "__slots__", "__dict__", "__doc__", "a", "b"}


@pytest.mark.parametrize(
    ("made", "gone"),
    [
        ("", "del v"),
        ("", "v = None"),
        ("w = [v]", "del v, w"),
        ("w = [v]", "w.clear(); del v"),
        ("v.me = v", "import gc; del v; gc.collect()"),
        ("f = lambda x=v: x", "del f, v"),
        ("w = {v: 1}", "w.popitem(); del v"),
    ],
)
def test_what_is_deleted_dies(notebook, made, gone):
    """A value dies when the user's last reference goes, at that moment: recording holds on to nothing."""
    notebook.run(
        "import weakref\nclass C:\n    def __del__(self): died.append(1)\ndied = []; v = C(); r = weakref.ref(v)",
        made or "pass",
        "v;" if not made.startswith("w = {v") else "len(w);",
        "type(v);",
    )
    gc.collect()
    gc.disable()
    try:
        notebook.run(gone + "\nseen = list(died)")
        assert notebook.ns["seen"] == [1]
        assert notebook.ns["r"]() is None
    finally:
        gc.enable()


def test_arrays_die_too(notebook):
    """The memory of an array is given back with its last name, however it was looked at."""
    notebook.run(
        LIBRARIES, "import weakref; a = np.zeros(1000); b = a[2:5]; r = weakref.ref(a)", "b[0] = 1", "a;", "a.sum()"
    )
    notebook.ns["_oh"].clear()
    gc.disable()
    try:
        notebook.run("del a, b")
        assert notebook.ns["r"]() is None
    finally:
        gc.enable()


def test_counts_of_references(notebook):
    """Recording leaves as many references as it found."""
    notebook.run("v = [object()]; w = {'k': v}", "import sys")
    inner = notebook.ns["v"][0]
    before = sys.getrefcount(inner), sys.getrefcount(notebook.ns["v"])
    notebook.run("v;", "len(w);", "v, w;")
    assert (sys.getrefcount(inner), sys.getrefcount(notebook.ns["v"])) == before


DRAWN = """
import random, sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.run_cell("%load_ext elastictm", store_history=True)
shell.run_cell("x = [1, 2, 3]", store_history=True)
shell.run_cell("x.append(4)", store_history=True)
before = random.getstate()
shell.run_cell(sys.argv[1], store_history=True)
assert random.getstate() == before, "a number was drawn"
shell.run_cell("import elastictm as tm; runs = [r for r in tm.history().runs if r.n >= 4]", store_history=True)
for run in shell.user_ns["runs"]:
    assert not (run.random or run.settings or run.files), run
"""


@pytest.mark.parametrize(
    "line",
    [
        "%past diff 2 3",
        "%migrate plan",
        "%migrate save x.tm",
        "%graph",
        "%elastictm",
        "%past",
        "%past vars 2 x",
        "%past undo",
    ],
)
def test_our_own_magics_leave_generators_and_settings_alone(line, tmp_path):
    """No word of ours draws from the user's generators, changes a setting or counts as reading our own files."""
    import subprocess

    environment = os.environ | {
        "IPYTHONDIR": str(tmp_path),
        "HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-c", DRAWN, line]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
