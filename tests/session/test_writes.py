"""Every way in which a cell changes a variable in place or binds it anew is recorded, and plain reading is not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from elastictm.ids import is_variable


@dataclass(frozen=True, slots=True)
class Case:
    """Cells to prepare with, the cell in question, and the variables that it writes."""

    id: str
    setup: str
    cell: str
    written: str


LIBRARIES = "import warnings; warnings.simplefilter('ignore'); import numpy as np, pandas as pd"
COUNTER = """
class Counter:
    total = 0
    def __init__(self): self.n = 0
    def up(self): self.n += 1
    def note(self): Counter.total += 1
    @property
    def value(self): return self.n
    @value.setter
    def value(self, new): self.n = new
c = Counter()
"""
SHARING = """
class Sharing:
    shared = []
    def __init__(self): self.n = 0
c = Sharing()
"""
SLOTTED = """
class Slotted:
    __slots__ = ("left", "right")
    def __init__(self): self.left, self.right = 1, [2]
s = Slotted()
"""
CLOSURE = """
def make():
    n, log = 0, []
    def up():
        nonlocal n
        n += 1
        return n
    def note(text): log.append(text)
    return up, note
up, note = make()
"""
MODULE = "import types; m = types.ModuleType('m'); m.items = [1]; m.rate = 1"
LOCAL = """
from pathlib import Path
_ = Path("helpers.py").write_text('''
rate = 1
cache = {}
def remember(key): cache[key] = True
class Tool:
    uses = 0
    def use(self): Tool.uses += 1
''')
import helpers
"""
FRAME = "df = pd.DataFrame({'x': [1, 2, 3], 'y': [1.5, 2.5, 3.5], 'z': list('abc')})"
MODEL = """
from sklearn.linear_model import LinearRegression, SGDClassifier
X = np.arange(12.0).reshape(6, 2); t = np.arange(6)
model = LinearRegression().fit(X, t)
classifier = SGDClassifier(random_state=1).partial_fit(X, t % 2, classes=[0, 1])
"""
FIGURE = """
import matplotlib.pyplot as plt
fig, ax = plt.subplots()
line, = ax.plot([1, 2, 3])
"""

CHANGES = [
    # Containers of the language.
    Case("list append", "a = [1]", "a.append(2)", "a"),
    Case("list item", "a = [1, 2]", "a[0] = 9", "a"),
    Case("list slice", "a = [1, 2, 3]", "a[1:] = []", "a"),
    Case("list extended slice", "a = [1, 2, 3, 4]", "a[::2] = [0, 0]", "a"),
    Case("list item deleted", "a = [1, 2]", "del a[0]", "a"),
    Case("list sort", "a = [2, 1]", "a.sort()", "a"),
    Case("list reverse", "a = [2, 1]", "a.reverse()", "a"),
    Case("list repeated in place", "a = [2, 1]", "a *= 2", "a"),
    Case("list clear", "a = [2, 1]", "a.clear()", "a"),
    Case("values swapped inside", "a = [[1], [2]]", "a[0], a[1] = a[1], a[0]", "a"),
    Case("names swapped", "a = [1]; b = [2]", "a, b = b, a", "a b"),
    Case("nested list", "a = {'k': [{'l': [1]}]}", "a['k'][0]['l'].append(2)", "a"),
    Case("list inside a tuple", "a = (1, [2])", "a[1].append(3)", "a"),
    Case(
        "list inside a named tuple",
        "from collections import namedtuple\nP = namedtuple('P', 'x y')\np = P(1, [2])",
        "p.y.append(3)",
        "p",
    ),
    Case("dict item", "d = {}", "d['k'] = 1", "d"),
    Case("dict item deleted", "d = {'k': 1}", "del d['k']", "d"),
    Case("dict order", "d = {'k': 1, 'l': 2}", "d['k'] = d.pop('k')", "d"),
    Case("dict setdefault", "d = {}", "d.setdefault('k', []).append(1)", "d"),
    Case("dict update through an alias", "d = {}\ne = d", "e.update(k=1)", "d e"),
    Case("dict merged in place", "d = {}", "d |= {'k': 1}", "d"),
    Case("dict values view", "d = {'k': [1]}\nv = d.values()", "next(iter(v)).append(2)", "d v"),
    Case("set add", "s = {1}", "s.add(2)", "s"),
    Case("set in-place operator", "s = {1, 2}", "s &= {1}", "s"),
    Case("set discard", "s = {'a', 'b'}", "s.discard('a')", "s"),
    Case("frozen set re-bound", "s = frozenset({1})", "s |= {2}", "s"),
    Case("deque append", "from collections import deque\nq = deque([1])", "q.appendleft(2)", "q"),
    Case("deque rotate", "from collections import deque\nq = deque([1, 2, 3])", "q.rotate(1)", "q"),
    Case(
        "ordered dict moved",
        "from collections import OrderedDict\nd = OrderedDict(a=1, b=2)",
        "d.move_to_end('a')",
        "d",
    ),
    Case("default dict looked up", "from collections import defaultdict\nd = defaultdict(list)", "d['new']", "d"),
    Case("counter updated", "from collections import Counter\nd = Counter('a')", "d.update('ab')", "d"),
    Case("chain map", "from collections import ChainMap\nbase = {}\nd = ChainMap({}, base)", "d['k'] = 1", "base d"),
    Case("user dict", "from collections import UserDict\nd = UserDict()", "d['k'] = 1", "d"),
    Case("bytearray", "b = bytearray(b'abc')", "b[0] = 0", "b"),
    Case("bytearray resized", "b = bytearray(b'abc')", "b.extend(b'd')", "b"),
    Case("array.array", "from array import array\na = array('d', [1.0])", "a.append(2.0)", "a"),
    Case("memoryview", "b = bytearray(b'abc')\nm = memoryview(b)", "m[0] = 0", "b m"),
    Case("heap push", "import heapq\nh = [1, 3]", "heapq.heappush(h, 2)", "h"),
    Case("bisect insort", "import bisect\nh = [1, 3]", "bisect.insort(h, 2)", "h"),
    Case("shuffled", "import random\nh = list(range(9))", "random.shuffle(h)", "h"),
    Case("own list subclass", "class L(list): pass\na = L([1])", "a.append(2)", "a"),
    Case("equal objects tied anew", "a = [[1]]\nb = [[1]]", "a[0] = b[0]", "a b"),
    Case("equal objects tied inside a dict", "a = {'k': {'l': 1}}\nb = {'k': {'l': 1}}", "a['k'] = b['k']", "a b"),
    Case("equal objects come apart", "a = [1]\nb = [a]", "b[0] = list(a)", "a b"),
    Case("equal arrays tied anew", "a = {'k': np.zeros(3)}\nb = np.zeros(3)", "a['k'] = b", "a b"),
    Case(
        "equal arrays come apart",
        "whole = np.zeros(9)\na = {'k': whole[2:5]}\nb = whole[3:6]\ndel whole",
        "a['k'] = a['k'].copy()",
        "a b",
    ),
    Case("list bound anew", "a = [1]\nb = [1]", "del a\na = [b]", "a"),
    # Numbers and text, which are bound anew.
    Case("integer", "n = 1", "n += 1", "n"),
    Case("text", "t = 'a'", "t += 'b'", "t"),
    Case("large number", "n = 10**30", "n = 10**30 + 1", "n"),
    Case("float", "f = 1.5", "f *= 2", "f"),
    Case("same number", "n = 1", "n = 1", ""),
    # Objects of the user's classes.
    Case("attribute", COUNTER, "c.n = 5", "c"),
    Case("attribute deleted", COUNTER, "del c.n", "c"),
    Case("method", COUNTER, "c.up()", "c"),
    Case("bound method kept", COUNTER + "up = c.up", "up()", "c up"),
    Case("method taken from the class", COUNTER, "Counter.up(c)", "c"),
    Case("setattr", COUNTER, "setattr(c, 'n', 3)", "c"),
    Case("instance dict", COUNTER, "c.__dict__['n'] = 3", "c"),
    Case("vars", COUNTER, "vars(c).update(n=3)", "c"),
    Case("property setter", COUNTER, "c.value = 3", "c"),
    Case("class of an instance", COUNTER + "class Other(Counter): pass\n", "c.__class__ = Other", "c"),
    Case("class attribute bound", COUNTER, "Counter.total = 7", "Counter"),
    Case("class attribute through a method", COUNTER, "c.note()", "Counter"),
    Case("class attribute in place", SHARING, "c.shared.append(1)", "Sharing c"),
    Case("method replaced", COUNTER, "Counter.up = lambda self: None", "Counter"),
    Case("class redefined", COUNTER, "class Counter: pass", "Counter"),
    Case("slots", SLOTTED, "s.left = 3", "s"),
    Case("list in a slot", SLOTTED, "s.right.append(3)", "s"),
    Case(
        "dataclass field",
        "from dataclasses import dataclass\n@dataclass\nclass D:\n    x: int\nd = D(1)",
        "d.x = 2",
        "d",
    ),
    Case(
        "frozen dataclass by force",
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass D:\n    x: int\nd = D(1)",
        "object.__setattr__(d, 'x', 2)",
        "d",
    ),
    Case("enum member", "import enum\nclass E(enum.Enum):\n    A = 1\n    B = 2\ne = E.A", "e = E.B", "e"),
    Case(
        "item through __setitem__",
        "class S:\n    def __init__(self): self.d = {}\n    def __setitem__(self, k, v): self.d[k] = v\ns = S()",
        "s[1] = 2",
        "s",
    ),
    Case(
        "operator that changes itself",
        "class S:\n    n = 0\n    def __add__(self, other):\n        self.n += other\n        return self\ns = S()",
        "s + 1",
        "s",
    ),
    Case("called object", "class S:\n    n = 0\n    def __call__(self): self.n += 1\ns = S()", "s()", "s"),
    Case(
        "context manager",
        "class S:\n    n = 0\n    def __enter__(self): self.n += 1\n    def __exit__(self, *_): pass\ns = S()",
        "with s: pass",
        "s",
    ),
    Case(
        "cached property",
        "from functools import cached_property\nclass S:\n    @cached_property\n    def n(self): return 3\ns = S()",
        "s.n",
        "s",
    ),
    Case("exception's arguments", "e = ValueError('a')", "e.args = ('b',)", "e"),
    Case("exception's note", "e = ValueError('a')", "e.extra = 1", "e"),
    Case("simple namespace", "from types import SimpleNamespace\nn = SimpleNamespace(a=1)", "n.a = 2", "n"),
    Case(
        "weak reference's target",
        "class N: pass\nn = N(); n.v = 1\nimport weakref\nr = weakref.ref(n)",
        "r().v = 2",
        "n r",
    ),
    # Functions.
    Case("function attribute", "def f(): pass", "f.calls = 1", "f"),
    Case("default argument", "def f(x, log=[]): log.append(x)", "f(1)", "f"),
    Case("defaults replaced", "def f(x=1): pass", "f.__defaults__ = (2,)", "f"),
    Case("code replaced", "def f(): return 1\ndef g(): return 2", "f.__code__ = g.__code__", "f"),
    Case("nonlocal counter", CLOSURE, "up()", "up"),
    Case("list in a closure", CLOSURE, "note('x')", "note"),
    Case("global stored in a function", "n = 0\ndef f():\n    global n\n    n += 1", "f()", "n"),
    Case("global list in a function", "log = []\ndef f(): log.append(1)", "f()", "log"),
    Case("global in a function in a function", "log = []\ndef g(): log.append(1)\ndef f(): g()", "f()", "log"),
    Case(
        "memoised function redefined",
        "from functools import lru_cache\n@lru_cache\ndef f(x): return x",
        "@lru_cache\ndef f(x): return x + 1",
        "f",
    ),
    Case("function redefined alike", "def f(): return 1", "def f(): return 1", "f"),
    Case(
        "partial's arguments", "from functools import partial\nlog = []\np = partial(list.append, log)", "p(1)", "log p"
    ),
    Case("callback in a dict", "log = []\nc = {'cb': lambda: log.append(1)}", "c['cb']()", "log"),
    # Modules of the user's own.
    Case("module attribute", MODULE, "m.rate = 2", "m"),
    Case("list in a module", MODULE, "m.items.append(2)", "m"),
    Case("list taken from a module", MODULE + "; items = m.items", "items.append(2)", "items m"),
    Case("attribute of an imported file", LOCAL, "helpers.rate = 2", "helpers"),
    Case("function of an imported file", LOCAL, "helpers.remember('k')", "helpers"),
    Case("function taken from an imported file", LOCAL + "from helpers import remember", "remember('k')", "helpers"),
    Case("class of an imported file", LOCAL + "tool = helpers.Tool()", "tool.use()", "helpers"),
    Case("dict taken from an imported file", LOCAL + "from helpers import cache", "cache['k'] = 1", "cache helpers"),
    # Arrays.
    Case("array item", "a = np.zeros(3)", "a[0] = 1", "a"),
    Case("array in place", "a = np.zeros(3)", "a += 1", "a"),
    Case("array through a view", "a = np.zeros(9)\nb = a[2:5]", "b[0] = 1", "a b"),
    Case("view through the array", "a = np.zeros(9)\nb = a[2:5]", "a[2] = 1", "a b"),
    Case("array outside of its view", "a = np.zeros(9)\nb = a[2:5]", "a[8] = 1", "a b"),
    Case("strided view", "a = np.arange(9)\nb = a[::2]", "b[1] = 0", "a b"),
    Case("reversed view", "a = np.arange(9)\nb = a[::-1]", "b[0] = 0", "a b"),
    Case("transposed view", "a = np.zeros((2, 3))\nb = a.T", "b[0, 1] = 1", "a b"),
    Case("reshaped view", "a = np.zeros(6)\nb = a.reshape(2, 3)", "b[0, 1] = 1", "a b"),
    Case("views without their base", "a = np.zeros(9)\nb, c = a[:5], a[3:]\ndel a", "b[4] = 1", "b c"),
    Case("Fortran order", "a = np.asfortranarray(np.zeros((2, 3)))", "a[1, 2] = 5", "a"),
    Case("scalar array", "a = np.array(1.0)", "a[...] = 2", "a"),
    Case("object array", "a = np.array([[1], None], dtype=object)", "a[0].append(2)", "a"),
    Case("object array item", "a = np.array([[1], None], dtype=object)", "a[1] = 3", "a"),
    Case("long array of text", "a = np.array(['a'] * 300, dtype=object)", "a[299] = 'b'", "a"),
    Case("view of an object array", "a = np.array([[1], None, 3], dtype=object)\nb = a[1:]", "b[0] = 7", "a b"),
    Case("structured array", "a = np.zeros(3, dtype=[('x', int), ('y', float)])", "a['y'][1] = 2", "a"),
    Case(
        "field of a structured array",
        "a = np.zeros(3, dtype=[('x', int), ('y', float)])\ny = a['y']",
        "y[1] = 2",
        "a y",
    ),
    Case("writeable flag", "a = np.zeros(3)", "a.flags.writeable = False", "a"),
    Case("array shape", "a = np.zeros(6)", "a.shape = (2, 3)", "a"),
    Case("array dtype", "a = np.zeros(6)", "a = a.view('int64')", "a"),
    Case("array resize", "a = np.zeros(6)", "a.resize(8, refcheck=False)", "a"),
    Case("array sort", "a = np.array([3, 1, 2])", "a.sort()", "a"),
    Case("array fill", "a = np.zeros(6)", "a.fill(2)", "a"),
    Case("out argument", "a = np.zeros(3); b = np.ones(3)", "np.add(b, 1, out=a)", "a"),
    Case("copyto", "a = np.zeros(3)", "np.copyto(a, 1)", "a"),
    Case("masked array", "a = np.ma.masked_array([1, 2, 3], mask=[0, 0, 1])", "a[0] = np.ma.masked", "a"),
    Case("matrix of a flat iterator", "a = np.zeros((2, 2))", "a.flat[3] = 1", "a"),
    Case("array over a bytearray", "b = bytearray(8)\na = np.frombuffer(b, 'u1')", "b[1] = 3", "a b"),
    Case("memory map", "a = np.memmap('f.bin', 'u1', 'w+', shape=8)", "a[1] = 3", "a"),
    Case("recarray", "a = np.rec.array([(1, 2.0)], dtype=[('x', int), ('y', float)])", "a.x[0] = 3", "a"),
    Case("not a number", "a = np.array([np.nan, 1.0])", "a[0] = -np.nan", "a"),
    Case("negative zero", "a = np.array([0.0])", "a[0] = -0.0", "a"),
    Case("generator drawn from", "g = np.random.default_rng(1)", "g.random()", "g"),
    Case("legacy generator drawn from", "g = np.random.RandomState(1)", "g.rand()", "g"),
    Case(
        "bit generator through its generator", "b = np.random.PCG64(1)\ng = np.random.Generator(b)", "g.random()", "b g"
    ),
    Case("sparse data", "from scipy import sparse\nm = sparse.csr_matrix(np.eye(3))", "m.data[0] = 5", "m"),
    Case("sparse item", "from scipy import sparse\nm = sparse.lil_matrix((3, 3))", "m[0, 1] = 5", "m"),
    # Frames.
    Case("frame column added", FRAME, "df['w'] = 0", "df"),
    Case("frame column replaced", FRAME, "df['x'] = df['x'] * 2", "df"),
    Case("frame loc", FRAME, "df.loc[0, 'x'] = 9", "df"),
    Case("frame iloc", FRAME, "df.iloc[1, 1] = 9.5", "df"),
    Case("frame at", FRAME, "df.at[1, 'z'] = 'q'", "df"),
    Case(
        "frame values made writeable",
        FRAME,
        "v = df[['y']].to_numpy(); w = df['y'].values; w.flags.writeable = True; w[0] = 7",
        "df v w",
    ),
    Case("frame sorted in place", FRAME, "df.sort_values('x', ascending=False, inplace=True)", "df"),
    Case("frame dropna in place", "df = pd.DataFrame({'x': [1, None]})", "df.dropna(inplace=True)", "df"),
    Case("frame column renamed", FRAME, "df.columns = ['p', 'q', 'r']", "df"),
    Case("frame index renamed", FRAME, "df.index.name = 'row'", "df"),
    Case("frame index replaced", FRAME, "df.index = [4, 5, 6]", "df"),
    Case("frame attrs", FRAME, "df.attrs['unit'] = 'm'", "df"),
    Case("frame flags", FRAME, "df.flags.allows_duplicate_labels = False", "df"),
    Case("frame column popped", FRAME, "df.pop('x')", "df"),
    Case("frame column deleted", FRAME, "del df['x']", "df"),
    Case("frame inserted column", FRAME, "df.insert(0, 'w', 1)", "df"),
    Case("frame through an alias", FRAME + "\nview = df", "view['w'] = 1", "df view"),
    Case("frame in a dict", FRAME + "\nd = {'df': df}", "d['df']['w'] = 1", "d df"),
    Case("frame eval in place", FRAME, "df.eval('w = x + y', inplace=True)", "df"),
    Case("frame cell holding a list", "df = pd.DataFrame({'x': [[1], [2]]})", "df['x'][0].append(3)", "df"),
    Case("frame dtype", FRAME, "df['x'] = df['x'].astype('float64')", "df"),
    Case("series item", "s = pd.Series([1, 2])", "s[0] = 5", "s"),
    Case("series name", "s = pd.Series([1, 2])", "s.name = 'n'", "s"),
    Case("series update", "s = pd.Series([1, 2])", "s.update(pd.Series([7]))", "s"),
    Case("categories", "s = pd.Series(list('ab'), dtype='category')", "s = s.cat.rename_categories({'a': 'z'})", "s"),
    Case("index name", "i = pd.Index([1, 2])", "i.name = 'k'", "i"),
    # Models, plots and other things.
    Case("estimator fitted again", MODEL, "model.fit(X, t + 1)", "model"),
    Case("estimator partially fitted", MODEL, "classifier.partial_fit(X, t % 2)", "classifier"),
    Case("estimator parameters", MODEL, "model.set_params(fit_intercept=False)", "model"),
    Case("coefficient", MODEL, "model.coef_[0] = 0", "model"),
    Case("figure title", FIGURE, "ax.set_title('t')", "ax fig line"),
    Case("line data", FIGURE, "line.set_ydata([3, 2, 1])", "ax fig line"),
    Case("line colour", FIGURE, "line.set_color('red')", "ax fig line"),
    Case("axes artist added", FIGURE, "ax.axhline(2)", "ax fig line"),
    Case("current axes", FIGURE, "plt.title('t')", "ax fig line"),
    Case("random.Random", "import random\nr = random.Random(1)", "r.random()", "r"),
    Case("StringIO", "import io\ns = io.StringIO()", "s.write('a')", "s"),
    Case("StringIO position", "import io\ns = io.StringIO('abc')", "s.read(1)", "s"),
    Case("BytesIO", "import io\ns = io.BytesIO()", "s.write(b'a')", "s"),
    Case("file position", "f = open('data.txt', 'w+')", "f.write('a'); f.close()", "f"),
    Case("generator advanced", "g = (i for i in range(3))", "next(g)", "g"),
    Case("list iterator consumed", "i = iter([1, 2, 3])", "next(i)", "i"),
    Case("dict iterator consumed", "i = iter({1: 2, 3: 4})", "next(i)", "i"),
    Case("itertools.count", "import itertools\ni = itertools.count()", "next(i)", "i"),
    Case("zip consumed", "i = zip([1, 2], [3, 4])", "next(i)", "i"),
    Case("enumerate consumed", "i = enumerate([1, 2])", "next(i)", "i"),
    Case("map consumed", "i = map(str, [1, 2])", "next(i)", "i"),
    Case("csv reader consumed", "import csv\ni = csv.reader(['a,b', 'c,d'])", "next(i)", "i"),
    Case(
        "lock holder",
        "import threading\nclass H:\n    def __init__(self): self.lock, self.n = threading.Lock(), 0\n"
        "    def up(self):\n        with self.lock: self.n += 1\nh = H()",
        "h.up()",
        "h",
    ),
    Case("queue", "import queue\nq = queue.Queue()", "q.put(1)", "q"),
    Case("sqlite", "import sqlite3\ndb = sqlite3.connect(':memory:')", "db.execute('create table t (x)')", "db"),
    Case(
        "XML tree",
        "from xml.etree import ElementTree as ET\nroot = ET.Element('a')",
        "ET.SubElement(root, 'b')",
        "root",
    ),
    Case("date re-bound", "import datetime\nd = datetime.date(2020, 1, 1)", "d += datetime.timedelta(1)", "d"),
    Case("decimal context", "import decimal\nc = decimal.Context()", "c.prec = 5", "c"),
    Case("configuration", "import configparser\nc = configparser.ConfigParser()", "c['s'] = {'k': 'v'}", "c"),
    Case("argument parser", "import argparse\np = argparse.ArgumentParser()", "p.add_argument('--x')", "p"),
    Case("graph", "import networkx as nx\ng = nx.Graph()", "g.add_edge(1, 2)", "g"),
    Case("mapping proxy's mapping", "import types\nd = {}\np = types.MappingProxyType(d)", "d['k'] = 1", "d p"),
    Case("displayed result", "[1, 2]", "_.append(3)", ""),
    Case("displayed variable", "a = [1]\na", "_.append(3)", "a"),
    Case("loop variable", "i = 0", "for i in range(3): pass", "i"),
    Case("with target", "import io\nf = None", "with io.StringIO() as f: pass", "f"),
    Case("walrus", "n = 0", "print(n := 4)", "n"),
    Case("import", "import math", "import math as m2", "m2"),
    Case("exec", "n = [1]", "exec('n.append(2)')", "n"),
    Case("globals", "n = 1", "globals()['n'] = 2", "n"),
    Case("half way", "a = [1]; b = [1]", "a.append(2); 1 / 0; b.append(2)", "a"),
    Case(
        "threads that are joined",
        "import threading\na = []",
        "t = threading.Thread(target=a.append, args=(1,)); t.start(); t.join()",
        "a t",
    ),
]


@pytest.mark.parametrize("case", CHANGES, ids=lambda case: case.id)
def test_change(notebook, case):
    """What the cell changes is written, all that shares its data with it, and nothing else."""
    bystander = "bystander = {'never': ['touched']}"
    run = notebook.run(LIBRARIES, bystander, *case.setup.split("\n\n\n"), case.cell)
    written = {str(record.name) for record in run.writes if is_variable(record.name)}
    assert written == set(case.written.split())
