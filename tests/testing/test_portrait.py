"""A portrait tells different values apart, and is the same for equal values in every process."""

from __future__ import annotations

import copy
import itertools
import json
import os
import pickle
import random
import subprocess
import sys
import textwrap
import threading
import warnings
from pathlib import Path

import pytest

from elastictm.testing.portrait import differences, portrait

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")

ROOT = Path(__file__).parents[2]


def made(text, detail=False):
    """The portrait of the variables that a text makes, as a session's cells would."""
    namespace = {"__name__": "__main__", "np": np, "pd": pd}
    filename = f"<cell {abs(hash(text))}>"
    import linecache

    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    exec(compile(text, filename, "exec"), namespace)
    chosen = {name: value for name, value in namespace.items() if not name.startswith("_") and name not in {"np", "pd"}}
    return portrait(chosen, detail=detail, scope=namespace)


DIFFERENT = [
    ("x = 1", "x = 1.0"),
    ("x = 1", "x = True"),
    ("x = 0.0", "x = -0.0"),
    ("x = 0.1 + 0.2", "x = 0.3"),
    ("x = float('nan')", "x = float('inf')"),
    ("x = 'a'", "x = b'a'"),
    ("x = 10**30", "x = 10**30 + 1"),
    ("x = [1, 2]", "x = [2, 1]"),
    ("x = [1, 2]", "x = (1, 2)"),
    ("x = []", "x = [[]]"),
    ("x = [[1], 2]", "x = [[1, 2]]"),
    ("x = {1: 2, 3: 4}", "x = {3: 4, 1: 2}"),
    ("x = {'a', 'b'}", "x = {'a', 'c'}"),
    ("x = {'a'}", "x = frozenset({'a'})"),
    ("x = bytearray(b'ab')", "x = bytearray(b'ac')"),
    ("a = []; x = [a, a]", "x = [[], []]"),
    ("x = []; x.append(x)", "x = [[]]; x[0].append(x[0])"),
    ("from collections import deque; x = deque([1])", "from collections import deque; x = deque([1], 5)"),
    ("from collections import Counter; x = Counter('ab')", "x = {'a': 1, 'b': 1}"),
    (
        "from collections import defaultdict; x = defaultdict(list)",
        "from collections import defaultdict; x = defaultdict(set)",
    ),
    ("x = iter([1, 2])", "x = iter([1, 2]); next(x)"),
    ("import itertools; x = itertools.count(1)", "import itertools; x = itertools.count(2)"),
    ("x = zip([1], 'ab')", "x = zip([1], 'ac')"),
    ("import io; x = io.BytesIO(b'abc')", "import io; x = io.BytesIO(b'abc'); x.read(1)"),
    ("import random; x = random.Random(1)", "import random; x = random.Random(1); x.random()"),
    ("import datetime as d; x = d.datetime(2020, 1, 1)", "import datetime as d; x = d.datetime(2020, 1, 1, fold=1)"),
    (
        "import datetime as d; x = d.datetime(2020, 1, 1)",
        "import datetime as d; x = d.datetime(2020, 1, 1, tzinfo=d.timezone.utc)",
    ),
    ("import re; x = re.compile('a')", "import re; x = re.compile('a', re.I)"),
    ("import re; x = re.match('.', 'a')", "import re; x = re.match('.', 'ab')"),
    ("x = ValueError(1)", "x = ValueError(2)"),
    ("x = ValueError(1)", "x = ValueError(1); x.__cause__ = KeyError(1)"),
    ("x = [].append", "x = [1].append"),
    (
        "from functools import partial; x = partial(int, base=2)",
        "from functools import partial; x = partial(int, base=3)",
    ),
    ("def f(): return 1", "def f(): return 2"),
    ("def f(): return 1", "def f():  return 1"),
    ("def f(a): return a", "def f(b): return b"),
    ("def f(a=1): return a", "def f(a=2): return a"),
    ("def f(): return 1", "def f(): return 1\nf.note = 2"),
    ("x = [lambda: 1, lambda: 2]", "x = [lambda: 1, lambda: 2][::-1]"),
    ("def m(v): return lambda: v\nx = m(1)", "def m(v): return lambda: v\nx = m(2)"),
    (
        "def m(v): return (lambda: v), (lambda: v)\nx = m(1)",
        "def m(v): return (lambda: v), (lambda: v)\nx = m(1)[0], m(1)[1]",
    ),
    ("def f(): return 1", "exec('def f(): return 1', {'__name__': '__main__'}, locals())"),
    ("class C: pass", "class C: a = 1"),
    ("class C: pass", "class C(dict): pass"),
    ("class C: pass\nx = C()", "class C: pass\nx = C(); x.a = 1"),
    ("class C:\n def f(self): return 1", "class C:\n def f(self): return 2"),
    ("class C:\n __slots__ = ('a',)\nx = C()", "class C:\n __slots__ = ('a',)\nx = C(); x.a = 1"),
    ("class C: pass\nx = C()\nclass C: pass", "class C: pass\nx = C()"),
    ("class C(list): pass\nx = C([1])", "class C(list): pass\nx = C([2])"),
    ("class C(str): pass\nx = C('a')", "class C(str): pass\nx = C('a'); x.note = 1"),
    ("import enum\nclass E(enum.Enum):\n A = 1", "import enum\nclass E(enum.Enum):\n A = 2"),
    (
        "import enum\nclass E(enum.IntEnum):\n A = B = 1\nx = E.A",
        "import enum\nclass E(enum.IntEnum):\n A = 1\n B = 2\nx = E.A",
    ),
    (
        "import dataclasses as d\n@d.dataclass\nclass C:\n a: int = 1",
        "import dataclasses as d\n@d.dataclass\nclass C:\n a: int = 2",
    ),
    (
        "import dataclasses as d\n@d.dataclass\nclass C:\n a: int",
        "import dataclasses as d\n@d.dataclass(frozen=True)\nclass C:\n a: int",
    ),
    ("import typing as t\nclass N(t.NamedTuple):\n a: int", "import typing as t\nclass N(t.NamedTuple):\n a: int = 1"),
    ("x = np.arange(3)", "x = np.arange(3.0)"),
    ("x = np.arange(6).reshape(2, 3)", "x = np.arange(6).reshape(3, 2)"),
    ("x = np.zeros((2, 3))", "x = np.zeros((2, 3), order='F')"),
    ("x = np.zeros(3)", "x = np.zeros(3); x.flags.writeable = False"),
    ("x = np.zeros(3)", "x = np.zeros(3).view(np.recarray)"),
    ("x = np.array([[1], None], dtype=object)", "x = np.array([[2], None], dtype=object)"),
    ("x = np.float32(1)", "x = np.float64(1)"),
    ("x = np.datetime64('2020', 'D')", "x = np.datetime64('2020', 's')"),
    ("x = np.ma.array([1, 2], mask=[0, 1])", "x = np.ma.array([1, 2], mask=[1, 0])"),
    ("x = np.dtype('u1')", "x = np.dtype('i1')"),
    ("x = np.random.default_rng(1)", "x = np.random.default_rng(1); x.random()"),
    ("x = np.random.default_rng(1)", "x = np.random.default_rng(1); x.bit_generator.seed_seq.spawn(1)"),
    ("x = np.random.RandomState(1)", "x = np.random.RandomState(2)"),
    ("a = np.arange(4); x = [a, a[1:]]", "a = np.arange(4); x = [a, a[1:].copy()]"),
    ("a = np.arange(4); x = [a, a[1:3]]", "a = np.array([0, 1, 2, 1, 2]); x = [a[:4], a[3:]]"),
    ("x = pd.Series([1, 2])", "x = pd.Series([1, 2], name='a')"),
    ("x = pd.Series([1, 2])", "x = pd.Series([1, 2], index=[1, 0])"),
    ("x = pd.DataFrame({'a': [1], 'b': [2]})", "x = pd.DataFrame({'b': [2], 'a': [1]})"),
    ("x = pd.DataFrame({'a': [1]})", "x = pd.DataFrame({'a': [1]}); x.attrs['unit'] = 'm'"),
    ("x = pd.DataFrame({'a': [1]})", "x = pd.DataFrame({'a': [1.0]})"),
    ("x = pd.Categorical(['a', 'b'])", "x = pd.Categorical(['a', 'b'], ordered=True)"),
    ("x = pd.Categorical(['a', 'b'])", "x = pd.Categorical(['a', 'b'], categories=['b', 'a'])"),
    ("x = pd.Index([1, 2])", "x = pd.Index([1, 2], name='n')"),
    ("x = pd.date_range('2020', periods=2)", "x = pd.date_range('2020', periods=2, tz='UTC')"),
    ("x = pd.array([1, None])", "x = pd.array([1, 2])"),
    ("x = pd.NaT", "x = pd.NA"),
    ("x = pd.Timestamp('2020')", "x = pd.Timestamp('2020', tz='UTC')"),
    ("x = pd.MultiIndex.from_product([[1], [2]])", "x = pd.MultiIndex.from_product([[1], [3]])"),
    ("import threading; x = threading.Lock()", "x = 1"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_values_have_different_portraits(one, other):
    """Two values that a program can tell apart have different portraits."""
    assert differences(made(one), made(other))


@pytest.mark.parametrize("text", sorted({text for pair in DIFFERENT for text in pair}))
def test_values_made_alike_have_equal_portraits(text):
    """The same text makes values with the same portrait, however often it runs."""
    assert made(text) == made(text)


ALIASES = [
    ("a = []; b = a", "a = []; b = []"),
    ("a = [[]]; b = a[0]", "a = [[]]; b = []"),
    ("a = np.arange(9); b = a[3:]", "a = np.arange(9); b = a[3:].copy()"),
    ("a = np.arange(9); b = [a[3:]]", "a = np.arange(9); b = [a[3:].copy()]"),
    ("a = np.zeros(9); b = a[3:]", "a = np.zeros(9); b = a[2:8]"),
    ("a = np.zeros(9); b = a[3:]; c = a[:5]; del a", "a = np.zeros(9); b = a[3:]; c = a[:5].copy(); del a"),
    ("class C: pass\nx = C()", "class C: pass\nx = C()\nclass C: pass"),
    ("class C: pass\na = C(); a.x = 1\nb = vars(a)", "class C: pass\na = C(); a.x = 1\nb = dict(vars(a))"),
    (
        "def m(v): return (lambda: v), (lambda: v)\na, b = m(1)",
        "def m(v): return (lambda: v), (lambda: v)\na = m(1)[0]; b = m(1)[1]",
    ),
    (
        "a = pd.DataFrame({'x': [1.0]}); b = np.asarray(a['x'])",
        "a = pd.DataFrame({'x': [1.0]}); b = np.asarray(a['x']).copy(); b.flags.writeable = False",
    ),
    ("a = np.random.default_rng(1); b = a.bit_generator", "a = np.random.default_rng(1); b = type(a.bit_generator)(1)"),
]


@pytest.mark.parametrize(("tied", "apart"), ALIASES)
def test_what_variables_have_in_common_is_part_of_their_portraits(tied, apart):
    """Equal values that share an object or memory differ from equal values that do not."""
    assert differences(made(tied), made(apart))


def test_a_lazy_copy_of_a_frame_shares_nothing_with_it():
    """Frames that pandas parts when one is written to look like frames that are apart."""
    lazy = made("a = pd.DataFrame({'x': [1, 2]}); b = a.rename(columns={'x': 'y'})")
    apart = made("a = pd.DataFrame({'x': [1, 2]}); b = a.rename(columns={'x': 'y'}).copy()")
    assert not differences(lazy, apart)


def test_frames_over_the_same_memory_without_knowing_it_share_it():
    """Frames through which one sees what is written to the other differ from frames that are apart."""
    tied = made("m = np.zeros(3); a = pd.DataFrame(m, copy=False); b = pd.DataFrame(m[:], copy=False); del m")
    apart = made("m = np.zeros(3); a = pd.DataFrame(m, copy=False); b = pd.DataFrame(m.copy(), copy=False); del m")
    assert differences(tied, apart) == {"a": "shares other data with b", "b": "shares other data with a"}


def test_a_variable_can_be_left_out_of_a_comparison():
    """What a lost variable shared with others does not count against them."""
    both = made("a = [1]; b = [a, 2]")
    one = made("b = [[1], 2]")
    assert differences(both, one) == {"a": "missing", "b": "shares other data with a"}
    assert not differences(both, one, without={"a"})


def test_a_new_variable_is_a_difference():
    """A name that was not there before is told."""
    assert differences({}, made("a = 1")) == {"a": "not there before"}


def test_functions_of_the_session_are_told_from_those_with_a_namespace_of_their_own():
    """A function whose globals are a copy of the session's namespace has another portrait."""
    text = "def f(): return x"
    namespace = {"__name__": "__main__"}
    exec(text, namespace)
    kept = portrait({"f": namespace["f"]}, scope=namespace)
    assert differences(kept, portrait({"f": namespace["f"]}, scope=dict(namespace)))


MANY = """
import array, collections, dataclasses, datetime, decimal, enum, fractions, functools, io, itertools, operator, pathlib
import re, types, typing, uuid, weakref
sets = {"one", "two", ("three", 4), frozenset({"five", "six"}), None, 7.5}
mixed = {"first": {"x", "y", "z"}, 2: b"two", (3,): range(3), None: slice(1, 2)}
nested = [mixed, sets, {frozenset({"p", "q"}): [1]}]
class Kind(enum.Enum):
    GOOD, BAD = "good", "bad"
@dataclasses.dataclass
class Point:
    x: int
    tags: set = dataclasses.field(default_factory=lambda: {"k", "l"})
class Pair(typing.NamedTuple):
    left: object
    right: object = None
points = [Point(1), Point(2, {"m", "n"}), Pair(Kind.GOOD), Pair("a", "b")]
walked = iter({"u", "v", "w"})
weak = weakref.WeakSet([Kind, Pair])
class Alone:
    def __init__(self): self.members = {"s", "t", self}
alone = Alone()
array_ = array.array("d", [1, 2])
objects = np.array([{"a", "b"}, None, "text"], dtype=object)
frame = pd.DataFrame({"n": [1, 2], "t": ["a", None], "c": pd.Categorical(["u", "v"])}, index=["r", "s"])
frame.attrs["set"] = {"i", "j"}
grouped = dict(list(frame.groupby("t")))
getter = operator.itemgetter(1, 2)
cycled = itertools.cycle("abc"); next(cycled)
def outer(names={"def", "ault"}):
    seen = {"in", "side"}
    def inner(): return seen | {"const", "ants"} , "x" in {"con", "st"}
    return inner
inner = outer()
bound = alone.__init__
fraction, amount, path = fractions.Fraction(1, 3), decimal.Decimal("1.10"), pathlib.Path("a/b")
moment = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
"""

CHILD = """
import json, sys
sys.path.insert(0, sys.argv[1])
import linecache
import numpy as np, pandas as pd
from elastictm.testing.portrait import portrait
text = sys.stdin.read()
linecache.cache["<cell>"] = (len(text), None, text.splitlines(keepends=True), "<cell>")
before = set(globals())
padding = [object() for _ in range(int(sys.argv[2]))]
exec(compile(text, "<cell>", "exec"))
own = {name: value for name, value in globals().items() if name not in before | {"before", "padding"}}
print(json.dumps(portrait(own, detail=True)))
"""


def test_equal_values_have_equal_portraits_in_processes_with_other_hashes_and_addresses():
    """No address and no order of hashes is part of a portrait."""
    found = []
    for seed in ("1", "2"):
        command = [sys.executable, "-c", CHILD, str(ROOT), str(1000 * int(seed))]
        env = os.environ | {"PYTHONHASHSEED": seed}
        output = subprocess.run(command, input=MANY, capture_output=True, text=True, check=True, env=env).stdout
        found.append(json.loads(output))
    assert len(found[0]) > 30
    for name, text in found[0].items():
        assert text == found[1][name]
    assert not differences(*found)


def test_looking_changes_and_consumes_nothing():
    """After a portrait, iterators stand where they stood and data have the bytes that they had."""
    values = {
        "iterators": [
            iter([1, 2]),
            map(str, [1, 2]),
            zip("ab", "cd", strict=True),
            itertools.count(3),
            iter({"a"}),
            iter({1: 2}),
        ],
        "generator": (number for number in range(3)),
        "random": random.Random(4),
        "rng": np.random.default_rng(4),
        "frame": pd.DataFrame({"a": [1, 2]}),
        "array": np.arange(3),
        "lock": threading.Lock(),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        frozen = pickle.dumps({name: value for name, value in values.items() if name not in {"generator", "lock"}})
        first, second = portrait(values), portrait(values)
        assert frozen == pickle.dumps({n: value for n, value in values.items() if n not in {"generator", "lock"}})
    assert first == second
    assert list(values["generator"]) == [0, 1, 2]
    assert [next(each) for each in values["iterators"]] == [1, "1", ("a", "c"), 3, "a", 1]
    assert not values["lock"].locked()


def test_a_file_stays_where_it_is(tmp_path):
    """A portrait of open files tells their position, moves none and writes nothing."""
    (tmp_path / "file").write_text("one\ntwo\n")
    with (tmp_path / "file").open() as reading, (tmp_path / "new").open("w") as writing:
        start = portrait({"f": reading})
        assert reading.readline() == "one\n"
        assert portrait({"f": reading}) != start
        writing.write("held back")
        portrait({"w": writing})
        assert (tmp_path / "new").read_text() == ""
        assert reading.readline() == "two\n"


def test_depth_does_not_matter():
    """A chain of fifty thousand links has a portrait, and its last link counts."""

    def chain(end):
        for _ in range(50_000):
            end = [end]
        return end

    one, other = portrait({"x": chain(1)}), portrait({"x": chain(2)})
    assert one != other


def test_a_copy_has_the_portrait_of_its_original():
    """Deep copies of a figure's data and of estimators look like what they were copied from."""
    tree = pytest.importorskip("sklearn.tree")
    model = tree.DecisionTreeClassifier(random_state=0).fit(np.eye(4), [0, 1, 0, 1])
    other = tree.DecisionTreeClassifier(random_state=0).fit(np.eye(4), [1, 1, 0, 1])
    assert portrait({"m": model}) == portrait({"m": copy.deepcopy(model)})
    assert portrait({"m": model}) != portrait({"m": other})


FIGURE = textwrap.dedent("""
    import matplotlib
    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    with matplotlib.rc_context():
        figure, axes = plt.subplots()
        (line,) = axes.plot([1, 2, {last}], label="{label}")
    held = {held}
    plt.close(figure)
    del matplotlib, plt
""")


@pytest.mark.parametrize("change", [{"last": 4}, {"held": "axes.plot([1])[0]"}])
def test_figures_are_compared_as_they_look_and_by_their_parts(change):
    """A figure that looks different, or whose parts are held by other names, has another portrait."""
    pytest.importorskip("matplotlib.figure")
    usual = {"last": 3, "label": "data", "held": "line"}
    one, other = made(FIGURE.format(**usual)), made(FIGURE.format(**usual | change))
    assert not differences(one, made(FIGURE.format(**usual)))
    assert differences(one, other)
    assert "~line" in one["held"]
    assert "~axes" in one["line"]


def test_a_figure_that_was_closed_is_drawn():
    """What only the pixels show is seen of a figure whose canvas draws nothing, and the canvas stays."""
    figures = pytest.importorskip("matplotlib.figure")
    effects = pytest.importorskip("matplotlib.patheffects")

    def drawn(width):
        figure = figures.Figure((2, 2))
        (line,) = figure.add_subplot().plot([1, 2, 4])
        line.set_path_effects([effects.withStroke(linewidth=width)])
        return figure

    figure = drawn(9)
    canvas = figure.canvas
    assert differences(portrait({"x": figure}), portrait({"x": drawn(5)}))
    assert not differences(portrait({"x": figure}), portrait({"x": drawn(9)}))
    assert figure.canvas is canvas
