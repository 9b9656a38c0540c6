"""What differs between two values is told in a few exact lines, whatever the values are."""

from __future__ import annotations

import collections
import importlib.util
import linecache
import re
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest

from elastictm.values.contrast import MOST_LINES, WIDTH, contrast


@dataclass(frozen=True)
class Case:
    """Two values made by expressions after the same imports, and the lines about them."""

    before: str
    after: str
    lines: tuple[str, ...]
    setup: str = ""

    def contrast(self) -> tuple[str, ...]:
        """What is told about them."""
        for library in re.findall(r"^(?:import|from) (\w+)", self.setup, re.MULTILINE):
            if importlib.util.find_spec(library) is None:
                pytest.skip(f"there is no {library}")
        scope: dict[str, object] = {"__name__": "__main__"}
        exec(self.setup, scope)
        return contrast(eval(self.before, scope), eval(self.after, scope))


NP = "import numpy as np\n"
PD = "import pandas as pd\nframe = pd.DataFrame({'a': [1, 2, 3], 'b': ['x', 'y', 'z']})\n"
PL = "import polars as pl\nframe = pl.DataFrame({'a': [1, 2, 3], 'b': ['x', None, 'z']})\n"
TORCH = "import torch\n"
SKLEARN = "from sklearn.linear_model import LogisticRegression as Model\nX, y = [[0.0], [1.0]] * 4, [0, 1] * 4\n"
PLAIN = (
    Case("1", "2", ("1 → 2",)),
    Case("1", "1.0", ("1 → 1.0",)),
    Case("True", "1", ("True → 1",)),
    Case("None", "0", ("None → int 0",)),
    Case("float('nan')", "float('nan')", ()),
    Case("complex(0, 1)", "2j", ("1j → 2j",)),
    Case("10 ** 5000", "10 ** 5000 + 1", ("int of 16610 bits, another one",)),
    Case("1", "'1'", ("int 1 → str '1'",)),
    Case("dt.date(2020, 1, 1)", "dt.date(2020, 1, 2)", ("2020-01-01 → 2020-01-02",), "import datetime as dt"),
    Case("Decimal('1.0')", "Decimal('1.00')", ("1.0 → 1.00",), "from decimal import Decimal"),
    Case("E.A", "E.B", ("E.A → E.B",), "import enum\nE = enum.Enum('E', 'A B')"),
    Case("slice(1, 2)", "slice(1, 3)", ("slice 1:2:None → slice 1:3:None",)),
    Case("range(3)", "range(4)", ("range(0, 3) → range(0, 4)",)),
    Case(
        "random.Random(1)", "random.Random(2)", ("has drawn numbers, or was seeded anew",), "import random"
    ),
)  # fmt: skip
TEXTS = (
    Case("'a'", "'b'", ("'a' → 'b'",)),
    Case(
        "'one\\ntwo\\nthree'", "'one\\n2\\nthree\\nfour'",
        ("1 line removed, 2 lines added", "  @@ line 2 @@", "  -two", "  +2", "  @@ line 4 @@", "  +four"),
    ),
    Case("'a\\n'", "'a\\r\\n'", ("line ends differ",)),
    Case(
        "'x' * 100 + 'y'", "'x' * 100 + 'zz'",
        ("length 101 → 102; from character 100 on: 'xxxxxxxxxxxxy' → 'xxxxxxxxxxxxzz'",),
    ),
    Case("'a\\x1b[31m'", "'b'", ("'a\\x1b[31m' → 'b'",)),
    Case("b'abc'", "b'abd'", ("b'abc' → b'abd'",)),
    Case("b'abc' * 99", "b'abc' * 98 + b'xbx'", ("2 of 297 bytes differ, the first at 294",)),
    Case("bytearray(40)", "bytearray(41)", ("length 40 → 41", "bytes differ from 40 on")),
)  # fmt: skip
CONTAINERS = (
    Case("[1, 2, 3]", "[1, 2, 4]", ("[2]: 3 → 4",)),
    Case("[1, 2]", "[1, 2, 'x', 3]", ("length 2 → 4", "2 items added at the end: 'x', 3")),
    Case("[1, 2, 3]", "[2, 3]", ("length 3 → 2", "1 item removed at the start: 1")),
    Case("[1, 2, 3]", "[1, 9, 2, 3]", ("length 3 → 4", "1 item added at [1]: 9")),
    Case("[1, 2, 3]", "[9, 2]", ("length 3 → 2", "[0]: 1 → 9")),
    Case("[1, 2, 3]", "[3, 2, 1]", ("2 of 3 items differ", "[0]: 1 → 3", "[2]: 3 → 1")),
    Case("[1]", "(1,)", ("list → tuple",)),
    Case("[1]", "{}", ("list [1] → dict of 0 keys",)),
    Case("[True]", "[1]", ("[0]: True → 1",)),
    Case("N(1, 2)", "N(1, 3)", ("y: 2 → 3",), "from collections import namedtuple\nN = namedtuple('N', 'x y')"),
    Case("deque([1], 2)", "deque([1], 3)", ("maxlen: 2 → 3",), "from collections import deque"),
    Case("array('i', [1])", "array('i', [1, 2])", ("length 1 → 2", "1 item added at the end: 2"), "from array import array"),
    Case(
        "{'a': 1, 'b': [1, {'x': 2}], 'c': 0}", "{'a': 2, 'b': [1, {'x': 3}], 'd': 0, 5: 0}",
        ("keys added: 'd', 5", "key removed: 'c'", "2 of 2 values differ", "['a']: 1 → 2", "['b'][1]['x']: 2 → 3"),
    ),
    Case("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}", ("keys in another order",)),
    Case("{float('nan'): 1}", "{float('nan'): 2}", ("[nan]: 1 → 2",)),
    Case("{(1, 'a'): 1}", "{(1, 'a'): 2}", ("[(1, 'a')]: 1 → 2",)),
    Case("Counter('aab')", "Counter('ab')", ("['a']: 2 → 1",), "from collections import Counter"),
    Case("OrderedDict(a=1, b=2)", "OrderedDict(b=2, a=1)", ("keys in another order",), "from collections import OrderedDict"),
    Case("{1, 2, 3}", "{2, 3, 4, 5}", ("2 items added: 4, 5", "1 item removed: 1")),
)  # fmt: skip
CLASSES = """
import dataclasses, functools, types
@dataclasses.dataclass
class Point:
    x: int
    y: object = None
class Slots:
    __slots__ = ("a", "__b")
    def __init__(self, a, b): self.a, self.__b = a, b
class Own(dict): pass
def own(n):
    made = Own(a=1)
    made.n = n
    return made
def free(**state): return types.SimpleNamespace(**state)
def counter(n):
    def count(): return n
    return count
class Outer:
    def __init__(self, **state): vars(self).update(state)
"""
INSTANCES = (
    Case("Point(1)", "Point(2)", ("x: 1 → 2",), CLASSES),
    Case("Point(1, [1])", "Point(2, [2])", ("2 of 2 attributes differ", "x: 1 → 2", "y[0]: 1 → 2"), CLASSES),
    Case("Slots(1, 2)", "Slots(1, 3)", ("_Slots__b: 2 → 3",), CLASSES),
    Case("free(a=1, b=2)", "free(a=1, c=2)", ("attribute added: c", "attribute removed: b"), CLASSES),
    Case("Point(1)", "free(x=1)", ("Point → types.SimpleNamespace",), CLASSES),
    Case("own(1)", "own(2)", ("n: 1 → 2",), CLASSES),
    Case("Outer(a=Outer(_b=1))", "Outer(a=Outer(_b=2))", ("a._b: 1 → 2",), CLASSES),
    Case("functools.partial(max, 1)", "functools.partial(max, 2)", ("args[0]: 1 → 2",), CLASSES),
    Case("[].append", "[1].append", ("__self__: length 0 → 1", "__self__: 1 item added at the end: 1"), CLASSES),
    Case("counter(1)", "counter(2)", ("n: 1 → 2",), CLASSES),
    Case("ValueError('a')", "ValueError('b')", ("args[0]: 'a' → 'b'",)),
    Case("iter([1, 2])", "iter([1, 3])", ("args[0][1]: 2 → 3",)),
    Case("(i for i in ())", "(i for i in ())", ("cannot be compared: generator",)),
)  # fmt: skip
ARRAYS = (
    Case(
        "np.zeros((2, 3))", "np.array([[0, 0, 0], [0, 7.5, np.nan]])",
        ("2 of 6 elements differ, by 7.5 at most", "[1, 1]: 0.0 → 7.5", "[1, 2]: 0.0 → nan"), NP,
    ),
    Case("np.array([1, np.nan])", "np.array([1, np.nan])", (), NP),
    Case("np.zeros((2, 3))", "np.zeros((3, 3))", ("shape (2, 3) → (3, 3)", "the first 2 rows are as they were"), NP),
    Case("np.zeros((2, 3))", "np.zeros((3, 2))", ("shape (2, 3) → (3, 2)",), NP),
    Case("np.arange(3)", "np.arange(3.0)", ("dtype int64 → float64",), NP),
    Case("np.zeros((2, 2))", "np.zeros((2, 2), order='F')", ("lies otherwise in memory",), NP),
    Case("np.array(['a', 'b'])", "np.array(['a', 'c'])", ("1 of 2 elements differ", "[1]: b → c"), NP),
    Case("np.array([[1], 'a'], object)", "np.array([[2], 'a'], object)", ("1 of 2 elements differ", "[0][0]: 1 → 2"), NP),
    Case(
        "np.array([(1, 2.5)], 'i4,f8')", "np.array([(1, 3.5)], 'i4,f8')",
        ("1 of 1 element differs", "[0]: (1, 2.5) → (1, 3.5)"), NP,
    ),
    Case("np.ma.array([1], mask=[0])", "np.ma.array([1], mask=[1])", ("mask: 1 of 1 element differs", "mask[0]: False → True"), NP),
    Case("np.float64(1)", "np.float64(2)", ("1.0 → 2.0",), NP),
    Case("np.zeros(3)", "[0.0]", ("numpy.ndarray of shape (3,), float64 → list [0.0]",), NP),
    Case("np.random.default_rng(1)", "np.random.default_rng(2)", ("has drawn numbers, or was seeded anew",), NP),
    Case(
        "sp.csr_array([[0, 1], [2, 0]])", "sp.csr_array([[0, 1], [5, 0]])",
        ("data: 1 of 2 elements differ, by 3 at most", "data[1]: 2 → 5"), "import scipy.sparse as sp",
    ),
    Case(
        "sp.csr_array([[0, 1], [2, 0]])", "sp.csc_array([[3, 1], [2, 0]])",
        ("scipy.csr_array → scipy.csc_array", "stored values 2 → 3", "1 element differs"), "import scipy.sparse as sp",
    ),
    Case(
        "g", "h", ("1 node removed: 2", "1 edge added: (0, 1)", "1 edge removed: (1, 2)"),
        "import networkx as nx\ng = nx.Graph([(1, 2), (0, 3)])\nh = nx.Graph([(0, 1), (0, 3)])",
    ),
)  # fmt: skip
FRAMES = (
    Case(
        "frame", "frame.assign(a=[1, 5, 3], b=['x', 'y', 'q'])",
        ("2 of 6 cells differ, in 2 of 2 columns", "column 'a': 1 of 3 cells differ, by 3 at most; at 1: 2 → 5",
         "column 'b': 1 of 3 cells differ; at 2: 'z' → 'q'"), PD,
    ),
    Case("frame", "frame.rename(columns={'a': 'c'})", ("column renamed: 'a' → 'c'",), PD),
    Case("frame", "frame.assign(c=1).drop(columns='a')", ("column added: 'c'", "column removed: 'a'"), PD),
    Case("frame", "frame[['b', 'a']]", ("columns in another order",), PD),
    Case("frame", "frame.astype({'a': float})", ("column 'a': dtype int64 → float64",), PD),
    Case(
        "frame", "pd.concat([frame, frame[:1]], ignore_index=True).assign(a=[1, 2, 4, 1])",
        ("rows 3 → 4", "1 row added: 3", "column 'a': 1 of 3 cells differ, by 1 at most; at 2: 3 → 4"), PD,
    ),
    Case("frame", "frame[1:]", ("rows 3 → 2", "1 row removed: 0"), PD),
    Case("frame", "frame.sort_values('a', ascending=False)", ("rows in another order",), PD),
    Case("frame", "frame.rename_axis('n')", ("index named None → 'n'",), PD),
    Case("frame['a']", "(frame['a'] * 2).rename('d')", (
        "name 'a' → 'd'", "3 of 3 values differ, by 3 at most", "[0]: 1 → 2", "[1]: 2 → 4", "[2]: 3 → 6",
    ), PD),
    Case("pd.Series([1, None], dtype='Int64')", "pd.Series([1, 2], dtype='Int64')", ("1 of 2 values differ", "[1]: <NA> → 2"), PD),
    Case("pd.Index(['a', 'b'])", "pd.Index(['a', 'c'])", ("1 label added: 'c'", "1 label removed: 'b'"), PD),
    Case("pd.Timestamp('2020')", "pd.NaT", ("pandas.Timestamp → pandas.NaTType", "2020-01-01 00:00:00 → NaT"), PD),
)  # fmt: skip
LIBRARIES = (
    Case(
        "frame", "frame.with_columns(a=pl.Series([1, 2, 9]), c=1)",
        ("column added: 'c'", "column 'a': 1 of 3 cells differ, by 6 at most; at 2: 3 → 9"), PL,
    ),
    Case("frame", "frame[:2]", ("rows 3 → 2",), PL),
    Case("frame['b']", "frame['b'].fill_null('y')", ("1 of 3 values differ", "at 1: None → 'y'"), PL),
    Case("torch.zeros(2)", "torch.ones(2)", (
        "2 of 2 elements differ, by 1 at most", "[0]: 0.0 → 1.0", "[1]: 0.0 → 1.0",
    ), TORCH),
    Case("plain", "hooked", ("hooks 0 → 1",), TORCH + "plain, hooked = (torch.zeros(2, requires_grad=True) for _ in 'ab')\n_ = hooked.register_hook(abs)"),
    Case("torch.zeros(2)", "torch.zeros(2, 1)", ("shape (2,) → (2, 1)",), TORCH),
    Case("one", "other", (
        "in eval mode now", "1 of 2 parameters differ: 0.bias", "0.bias: 1 of 1 element differs, by 1 at most",
        "0.bias[0]: 0.0 → 1.0", "1.p: 0.5 → 0.25",
    ), TORCH + """
one, other = (torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Dropout(p)) for p in (0.5, 0.25))
with torch.no_grad():
    for each, bias in ((one, 0.0), (other, 1.0)):
        each[0].weight.fill_(2.0)
        each[0].bias.fill_(bias)
_ = other.eval()
"""),
    Case("Model()", "Model(C=2.0).fit(X, y)", ("is fitted now", "C: 1.0 → 2.0"), SKLEARN),
    Case("figure(1, 'a')", "figure(2, 'b')", (
        "axes[0]: title 'a' → 'b'", "axes[0]: limits of y 0 to 3 → 0 to 4",
        "axes[0].lines[0].data: 1 of 4 elements differ, by 1 at most", "axes[0].lines[0].data[1, 1]: 1.0 → 2.0",
        "cannot be compared: the rest of what is drawn",
    ), """
from matplotlib.figure import Figure
def figure(high, title):
    made = Figure()
    axes = made.subplots()
    axes.plot([0, high])
    axes.set(title=title, ylim=(0, high + 2))
    return made
"""),
)  # fmt: skip
CASES = PLAIN + TEXTS + CONTAINERS + INSTANCES + ARRAYS + FRAMES + LIBRARIES


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.before} - {case.after}")
def test_the_lines_tell_what_differs(case):
    """Each kind of value has lines of its own, most important first."""
    assert case.contrast() == case.lines


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.before)
def test_a_value_and_itself_made_again_do_not_differ(case):
    """What is equal in all that can be seen gives no line but what cannot be compared."""
    again = Case(case.before, case.before, (), case.setup).contrast()
    assert [line for line in again if not line.startswith("cannot be compared: ")] == []


def defined(text, name):
    """What a cell of this text defines under a name."""
    filename = f"<cell {text!r}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    scope = {"__name__": "__main__"}
    exec(compile(text, filename, "exec"), scope)
    return scope[name]


def test_functions_are_told_by_their_source():
    """A function that was defined again shows the lines that differ, wherever it stands in its cell."""
    one = defined("def f(x):\n    y = x\n    return y\n", "f")
    same = defined("a = 1\n\ndef f(x):\n    y = x\n    return y\n", "f")
    other = defined("def f(x, z=3):\n    y = x\n    return y + z\n", "f")
    assert contrast(one, same) == ()
    assert contrast(one, other) == (
        "source: 2 lines removed, 2 lines added",
        "  @@ line 1 @@", "  -def f(x):", "  +def f(x, z=3):",
        "  @@ line 3 @@", "  -    return y", "  +    return y + z",
        "__defaults__: None → tuple (3,)",
    )  # fmt: skip


def test_classes_are_told_by_their_source_and_their_instances_stay_alike():
    """A class that was loaded again is the same class, and one that was written anew shows its lines."""
    text = "class A:\n    n = 1\n    def m(self):\n        return 1\n"
    one, again, other = (
        defined(text, "A"),
        defined(text + "\n", "A"),
        defined(text.replace("return 1", "return 2"), "A"),
    )
    assert contrast(one, again) == ()
    assert contrast(one(), again()) == ()
    assert contrast(one, other) == (
        "source: 1 line removed, 1 line added", "  @@ line 4 @@", "  -        return 1", "  +        return 2",
    )  # fmt: skip


def test_cycles_end():
    """Values that hold themselves are compared once around."""
    one, same, other = [1], [1], [2]
    for each in (one, same, other):
        each.append({"self": each})
    assert contrast(one, same) == ()
    assert contrast(one, other) == ("2 of 2 items differ", "[0]: 1 → 2")


class Rude:
    """An object that refuses all that it may be asked."""

    def __init__(self, n):
        object.__getattribute__(self, "__dict__")["n"] = n

    def __refuse(self, *_args, **_kwargs):
        raise AssertionError("a user's code was called")

    __eq__ = __ne__ = __lt__ = __bool__ = __len__ = __iter__ = __repr__ = __str__ = __format__ = __refuse
    __getattr__ = __getattribute__ = __setattr__ = __hash__ = __reduce__ = __reduce_ex__ = __getstate__ = __refuse
    __contains__ = __getitem__ = __call__ = __index__ = __int__ = __float__ = __array__ = __refuse
    __class__ = property(__refuse)


def boxed(value):
    """An array of numpy with one object in it, which numpy asks nothing."""
    numpy = pytest.importorskip("numpy")
    made = numpy.empty(1, object)
    made[0] = value
    return made


def rude_subclass(base):
    """A subclass of a builtin type whose methods refuse."""

    def refuse(*_args, **_kwargs):
        raise AssertionError("a user's code was called")

    names = (
        "__eq__",
        "__ne__",
        "__iter__",
        "__len__",
        "__repr__",
        "__str__",
        "__getitem__",
        "items",
        "keys",
        "__contains__",
    )
    return type("Rude", (base,), dict.fromkeys(names, refuse))


@pytest.mark.parametrize("hold", [
    Rude, lambda n: [Rude(n)], lambda n: {"a": Rude(n)}, lambda n: (1, [Rude(n)]),
    lambda n: collections.deque([Rude(n)]), lambda n: boxed(Rude(n)),
])  # fmt: skip
def test_no_code_of_a_users_object_is_called(hold):
    """Comparing reads what Python keeps of an object, and asks the object nothing."""
    assert contrast(hold(1), hold(1)) == ()
    assert contrast(hold(1), hold(2))[-1].endswith("n: 1 → 2")


@pytest.mark.parametrize(("base", "old", "new"), [
    (list, [1], [2]), (dict, {"a": 1}, {"a": 2}), (tuple, (1,), (2,)), (set, {1}, {2}), (str, "a", "b"), (bytes, b"a", b"b"),
    (int, 1, 2), (float, 1.0, 2.0),
])  # fmt: skip
def test_no_method_of_a_users_subclass_is_called(base, old, new):
    """What a builtin type holds is read with its own methods."""
    kind = rude_subclass(base)
    assert contrast(kind(old), kind(old)) == ()
    found = contrast(kind(old), kind(new))
    assert found
    assert not any("cannot be compared" in line for line in found)


class Nameless(type):
    """A metaclass whose classes refuse to give their name."""

    @property
    def __module__(cls):
        raise AssertionError


@pytest.mark.parametrize("value", [
    Nameless("Odd", (), {})(), Nameless("Odd", (), {}), sys, sys.modules, object(), type, len, print, contrast,
    sys.stdout, memoryview(b"abc")[::2], type("E", (Exception,), {"args": 5})(), {1: {2: {}}}.keys(), NotImplemented,
    time.struct_time(range(9)), iter(()), lambda: 0, classmethod(print), property(print),
], ids=lambda value: type.__name__)  # fmt: skip
def test_any_two_values_can_be_compared(value):
    """Whatever the objects are, lines come out and no error."""
    for other in (None, 5, "text", [value], {"a": value}, value, object()):
        for pair in ((value, other), (other, value)):
            assert all(isinstance(line, str) for line in contrast(*pair))


@pytest.mark.parametrize(("before", "after"), [
    (list(range(5000)), list(range(5000, 0, -1))),
    ({i: [i] for i in range(5000)}, {i: [i + 1] for i in range(2500, 9000)}),
    ("\n".join(map(str, range(5000))), "\n".join(map(str, range(0, 10000, 2)))),
    ("x" * 10**6, "y" * 10**6), ({"k" * 10**5: 1}, {"l" * 10**5: 1}), (b"a" * 10**6, b"b" * 10**6),
    (set(map(str, range(5000))), set()),
    ([[[[[[[[[[1, 2] * 9] * 9] * 9]]]]]]], [[[[[[[[[[3, 4] * 9] * 9] * 9]]]]]]]),
])  # fmt: skip
def test_the_lines_are_few_and_short(before, after):
    """However much differs, it is told on one screen."""
    found = contrast(before, after)
    assert 1 <= len(found) <= MOST_LINES + 3
    assert max(map(len, found)) <= WIDTH


class Ticking:
    """A clock that goes on by a second whenever somebody looks at it."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1
        return self.now


@pytest.mark.parametrize("make", [
    lambda: [[i] for i in range(100_000)], lambda: {i: [i] for i in range(100_000)},
    lambda: __import__("numpy").zeros(3_000_000), lambda: [{"a": [i]} for i in range(100_000)],
])  # fmt: skip
def test_what_was_left_out_for_want_of_time_is_said(make):
    """Comparing ends when its time is over, and says that it is not complete."""
    one, other = make(), make()
    other[99_999 if len(other) == 100_000 else -1] = "another" if len(other) == 100_000 else 1
    (line,) = contrast(one, other, seconds=5, clock=Ticking())
    assert line.startswith("not compared, to be quick: ")


def test_deep_values_do_not_overflow_the_stack():
    """A difference at the bottom of a deep value is found, or said not to have been looked for."""
    one, other = 1, 2
    for _ in range(5_000):
        one, other = [one], [other]
    (line,) = contrast(one, other, seconds=60)
    assert line == "[0]" * 9 + ": differs inside"


def test_no_library_is_imported():
    """A type is looked up only among what is loaded."""
    loaded = "[m for m in ('numpy', 'pandas', 'torch', 'polars', 'scipy', 'sklearn', 'networkx') if m in sys.modules]"
    code = f"import sys; from elastictm.values.contrast import contrast; contrast([1], {{2}}); print({loaded})"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
