"""What cells make comes back in another process as it was: one row for each way in which that could go wrong."""

from __future__ import annotations

from contextlib import closing

import pytest

from elastictm.testing.places import Console
from elastictm.testing.verdict import judge

pytest.importorskip("numpy")
pytest.importorskip("pandas")

CASES = {
    "plain data": ["a = [1, 2.5, 'x', None, {'k': (1, b'2')}]; b = a; c = {1, 'two'}"],
    "an instance of a class of the session": ["class C:\n    def f(self): return 1", "c = C()", "d = [c, C]"],
    "functions that use a module which their cell imports": [
        "import math\ndef f(x): return math.sqrt(x)\nclass C:\n    def g(self): return math.floor(2.5)\nh = lambda: math.pi",
    ],
    "a named tuple with a docstring": [
        "from typing import NamedTuple\nclass T(NamedTuple):\n    'A pair.'\n    a: int\nt = T(1)"
    ],
    "a named tuple without a docstring": [
        "from collections import namedtuple\nT = namedtuple('T', 'a b', defaults=[2])\nt = T(1)"
    ],
    "dataclasses": [
        """\
from dataclasses import KW_ONLY, InitVar, dataclass, field, make_dataclass
from typing import ClassVar
@dataclass
class Plain:
    x: int
    y: list = field(default_factory=list, repr=False, metadata={"unit": "m"})
    made: InitVar[int] = 3
    shared: ClassVar[dict] = {}
    _: KW_ONLY
    z: int = 5
    def __post_init__(self, made): self.made_from = made
@dataclass(frozen=True, order=True, slots=True)
class Slotted(object):
    a: int = 1
    b: "str" = "b"
@dataclass
class Child(Plain):
    x: float = 0.5
    w: "ClassVar[int]" = 1
    def __repr__(self): return "mine"
@dataclass(eq=False, unsafe_hash=False)
class Loose:
    v: int = 0
Made = make_dataclass("Made", [("p", int), ("q", int, 2)])
""",
        "plain, child, loose, made = Plain(1), Child(2.5, z=7), Loose(), Made(1); some = {Slotted(): Slotted(2) > Slotted()}",
        "Child.x = 9; Plain.shared['k'] = loose",
    ],
    "matches of regular expressions": [
        "import re; text = 'one two three'; found = list(re.finditer(r'(?P<first>\\w)\\w*|(?=x)', text))",
        "one = re.match('o', text); all_ = re.fullmatch('.*', text); two = re.compile('t(.)').search(text, 2, 6)",
        "empty = re.search('$', text); raw = re.search(b'b|a', b'xab'); late = re.compile('three').match(text, 8)",
    ],
    "classes whose bases look at their subclasses": [
        "made = []\nclass Base:\n    def __init_subclass__(cls, **options): made.append((cls.__name__, options))",
        "class Slim:\n    __slots__ = ()\n    def __init_subclass__(cls): made.append(cls.__name__)",
        "class One(Base, note=1): pass\nclass Two(Slim, dict): pass\nclass Three(dict, Base): pass\nclass Four(Slim): pass",
        "import abc\nclass Five(abc.ABC, Base):\n    __slots__ = ('x',)\none, two, three, four, five = One(), Two(), Three(a=1), Four(), Five()",
    ],
    "objects that choose their own dict": [
        "class Dots(dict):\n    def __init__(self, **content):\n        super().__init__(content)\n        self.__dict__ = self",
        "dots = Dots(a=1); dots.b = [2]; empty = Dots(); more = {'inner': dots}",
        "class One:\n    known = {}\n    def __init__(self): self.__dict__ = self.known",
        "one, two = One(), One(); one.x = [1]",
    ],
    "what all generators of a kind have in common": [
        "import numpy as np; usual = np.random.mtrand._rand; own = np.random.RandomState(3); numbers = np.random.rand(2)",
    ],
    "frames": [
        "import pandas as pd\nframe = pd.DataFrame({'n': [1, 2], 't': ['a', None], 'c': pd.Categorical(['u', 'v'])})",
        "frame.attrs['unit'] = 'm'; column = frame['n']; same = frame; grouped = dict(list(frame.groupby('c', observed=True)))",
        "times = pd.Series([1.0, 2.0], index=pd.date_range('2020', periods=2, tz='UTC', name='when'))",
        "levels = pd.MultiIndex.from_product([[1, 2], ['a']], names=['x', None]); cells = pd.Series(range(2), levels)",
        "ranged = pd.RangeIndex(3); spans = pd.interval_range(0, 2); months = pd.period_range('2020', periods=2, freq='M')",
        "masked = pd.array([1, None]); texts = pd.array(['a', None]); points = pd.arrays.SparseArray([0, 0, 1])",
    ],
    "frames that were copied lazily": [
        "import pandas as pd\none = pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']}); other = one.rename(columns={'a': 'c'})",
        "column = one['a']; index = pd.Index(column); part = one[:1]",
    ],
    "views of an array that another name holds": [
        "import numpy as np\ngrid = np.arange(20.0).reshape(4, 5).copy(); inner = grid[1:-1, 1:-1]; edge = grid[0]",
        "class Plate: pass\nplate = Plate(); plate.heat = grid; turned = grid.T; grid = grid.copy(); flat = inner[0]",
    ],
    "views of an array that nothing else holds": [
        "import numpy as np\nlast = np.arange(1000)[-2:]; some = np.zeros((9, 9), order='F')[::2, ::3]; none = last[:0]",
        "one = np.arange(6)[::-1]; two = one[1:]; fixed = np.frombuffer(b'12345678', 'u2'); part = fixed[1:]",
        "things = np.array([[1], None, 'x'], dtype=object); first = things[:1]; back = things[::-1]",
        "squares = np.array([[1, 'a'], [[], None]], dtype=object); turned = squares.T",
        "fields = np.zeros(3, 'i4,f8'); column = fields['f1']",
    ],
    "records": [
        "import numpy as np; people = np.array([('Ada', 36), ('Alan', 41)], dtype=[('name', 'U10'), ('age', 'i4')])",
        "records = people.view(np.recarray)",
        "ages = records.age",
    ],
    "arrays that are made when they are asked for": [
        "import numpy as np\ndef fixed(size):\n    made = np.arange(size)\n    made.flags.writeable = False\n    return made",
        "class Made:\n    def __reduce__(self): return (Made, (), {'made': fixed(1000)})",
        "made = [Made() for _ in range(100)]\nfor each in made: each.made = fixed(1000)",
    ],
    "arrays of other classes": [
        "import numpy as np\nraw = np.arange(4.0); open_ = np.ma.masked_array(raw); shut = np.ma.masked_less(raw, 2)",
        "part = shut[1:]; table = np.zeros(2, 'i4,f8').view(np.recarray); alone = np.ma.masked; both = [open_, shut]",
        "class Metres(np.ndarray):\n    def __array_finalize__(self, other):\n        self.unit = getattr(other, 'unit', 'm')",
        "length = np.arange(3.0).view(Metres); length.unit = 'km'; beginning = length[:2]; plain = np.asarray(length)",
    ],
}


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """A session to save."""
    folder = tmp_path_factory.mktemp("there")
    with closing(Console(folder / "work", folder / "home")) as place:
        place.run("%config ElasticTM.recording_floor = 600")
        yield place


@pytest.fixture(scope="module")
def back(tmp_path_factory):
    """A session to restore in."""
    folder = tmp_path_factory.mktemp("back")
    with closing(Console(folder / "work", folder / "home")) as place:
        yield place


@pytest.mark.parametrize("name", CASES)
def test_a_session_comes_back_equal(there, back, tmp_path, name):
    """Every variable has the same portrait after a restore, and none was taken for changed behind recording's back."""
    there.run("%reset -f")
    for cell in CASES[name]:
        # What is not repeatable is loaded, and not made again.
        assert there.run(f"{cell}\nimport time; stamp = time.time()").error is None
    report = there.save(tmp_path / "session.tm", policy="store-all")
    assert report["notes"] == []
    before = there.portrait(detail=True)
    restored = back.restore(tmp_path / "session.tm")
    verdict = judge(before, back.portrait(detail=True), restored)
    assert restored["cells_rerun"] == []
    assert dict(verdict.faults) == {}
    assert (verdict.told, verdict.lost) == ((), ())
    assert there.recorder_errors() == []


def test_frames_that_were_copied_lazily_part_when_one_is_written_to(there, back, tmp_path):
    """After a restore, writing to a frame, a column or an index shows in nothing that was copied from it."""
    there.run("%reset -f")
    there.run("import pandas as pd; one = pd.DataFrame({'a': [1, 2]}); other = one.rename(columns={'a': 'b'})")
    there.run("column = one['a']; index = pd.Index(column)")
    there.save(tmp_path / "session.tm", policy="store-all")
    back.restore(tmp_path / "session.tm")
    assert back.run("one.loc[0, 'a'] = 10").error is None
    assert back.ask("(one.a.tolist(), other.b.tolist(), column.tolist(), index.tolist())") == [
        [10, 2],
        [1, 2],
        [1, 2],
        [1, 2],
    ]
    assert back.run("column.iloc[1] = 20").error is None
    assert back.ask("(one.a.tolist(), other.b.tolist(), column.tolist(), index.tolist())") == [
        [10, 2],
        [1, 2],
        [1, 20],
        [1, 2],
    ]


def test_dataclasses_work_after_a_restore(there, back, tmp_path):
    """Generated methods, defaults, frozen instances and inheritance do what they did."""
    there.run("%reset -f")
    for cell in CASES["dataclasses"]:
        there.run(f"{cell}\nimport time; stamp = time.time()")
    there.save(tmp_path / "session.tm", policy="store-all")
    assert back.restore(tmp_path / "session.tm")["cells_rerun"] == []
    assert back.ask("[repr(Plain(1, z=2)), repr(child), Plain(1) == Plain(1), Plain(1).y is Plain(1).y]") == [
        "Plain(x=1, z=2)",
        "mine",
        True,
        False,
    ]
    assert back.ask(
        "[Slotted(2) > Slotted(), hash(Slotted()) == hash(Slotted()), Slotted() in some, repr(Slotted(2))]"
    ) == [
        True,
        True,
        True,
        "Slotted(a=2, b='b')",
    ]
    assert back.run("Slotted().a = 2").error.startswith("FrozenInstanceError")
    assert back.ask("[Child().x, Child.x, Plain.__hash__ is None, Loose() == Loose(), repr(Made(1))]") == [
        0.5,
        9,
        True,
        False,
        "Made(p=1, q=2)",
    ]


def test_objects_that_choose_their_own_dict_keep_it(there, back, tmp_path):
    """What is set as an attribute shows as an item, and in all objects that have the same attributes."""
    there.run("%reset -f")
    for cell in CASES["objects that choose their own dict"]:
        there.run(f"{cell}\nimport time; stamp = time.time()")
    there.save(tmp_path / "session.tm", policy="store-all")
    assert back.restore(tmp_path / "session.tm")["cells_rerun"] == []
    assert back.run("dots.c = 3; one.y = 4; usual = None").error is None
    assert back.ask("[dots['c'], more['inner'].c, two.y, One.known['y'], One().y]") == [3, 3, 4, 4, 4]
