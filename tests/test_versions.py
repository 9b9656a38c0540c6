"""An archive goes from one CPython version to another, and back."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

import pytest

from elastictm.testing.places import Console
from elastictm.testing.pythons import MINORS, NoEnvironment, environment
from elastictm.testing.verdict import judge

ROOT = Path(__file__).parents[1]

CELLS = [
    "plain = [None, True, 10**40, 0.1, 1j, 'text', b'bytes', ..., range(3)]; nested = {'a': plain, (1, 2): {3, 'four'}}",
    """\
from collections import Counter, OrderedDict, defaultdict, deque
same = nested['a']
boxes = [deque([1], 5), defaultdict(list, a=[1]), OrderedDict(b=1), Counter('abc'), frozenset('xy'), bytearray(b'z')]
loop = []; loop.append(loop)
""",
    """\
import datetime, decimal, fractions, pathlib, re, uuid
moments = [datetime.datetime(2020, 1, 2, 3, tzinfo=datetime.timezone.utc), datetime.date(2020, 1, 2)]
numbers = [decimal.Decimal('1.10'), fractions.Fraction(1, 3), uuid.UUID(int=5)]
places = [pathlib.Path('a/b'), pathlib.PurePosixPath('c')]; pattern = re.compile('a(b)'); found = pattern.search('xab')
""",
    """\
import numpy as np
grid = np.arange(12.0).reshape(3, 4); row, turned = grid[1], grid.T
fields = np.zeros(2, 'i4,f8'); words = np.array(['a', None], dtype=object); when = np.array(['2020'], 'M8[D]')
rng = np.random.default_rng(5); tops = [rng.random() for _ in range(3)]
""",
    '''\
def plain_function(x, /, y=2, *rest, z: int = 3, **more) -> int:
    """A docstring
    of two lines."""
    squares = [i * i for i in range(x) if i in {1, 2, 3}]
    table = {k: [v for v in range(k)] for k in squares}
    return sum(squares) + y + z + len(table) + len([lambda: i for i in rest])

def stepper(start):
    """Functions that share a cell."""
    def step(by=1):
        nonlocal start
        start += by
        return start
    return step, lambda: start, (lambda: [start + i for i in range(2)])

step, look, spread = stepper(10)
def numbers_up_to(n):
    yield from (i for i in range(n))
async def later(): return 5
pair = [lambda x: x + 1, lambda x: x + 2]
def recursive(n): return 1 if n < 2 else n * recursive(n - 1)
''',
    '''\
import abc, enum, functools
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

class Shape(abc.ABC):
    """Has an area."""
    count = 0
    def __init__(self, name): self.name = name; Shape.count += 1
    @abc.abstractmethod
    def area(self): ...
    @property
    def title(self): return self.name.title()
    @classmethod
    def unit(cls): return cls("unit")
    @staticmethod
    def double(x): return [2 * y for y in x]

class Square(Shape):
    def __init__(self, name, side=1): super().__init__(name); self.side = side
    def area(self): return self.side**2

class Slotted:
    __slots__ = ("a", "b")

class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"
    def shout(self): return self.value.upper()

class Point(NamedTuple):
    """A place."""
    x: int
    y: int = 0
    def mirrored(self): return Point(-self.x, self.y)

class Box(Generic[T]):
    def __init__(self, item: T): self.item = item

del T; square = Square("s", 3); slotted = Slotted(); slotted.a = [1]; colour = Colour.RED; point = Point(1); box = Box(point)
@functools.lru_cache(maxsize=4)
def remembered(x): return x + 1
partial_ = functools.partial(plain_function, 2, y=5)
''',
    '''\
@dataclass
class Account:
    """Money."""
    owner: str
    entries: list = field(default_factory=list)
    def total(self): return sum(self.entries)

@dataclass(frozen=True, order=True)
class Price:
    amount: int
    currency: str = "EUR"

account = Account("me", [1, 2]); prices = {Price(1): "one"}
''',
    """\
class Link:
    def __init__(self, value, following): self.value, self.following = value, following

head, nest = None, []
for i in range(3000): head, nest = Link(i, head), [nest]

def last(link):
    while link.following is not None: link = link.following
    return link

end = last(head)
""",
]

CHECKS = {
    "plain_function(4, 5)": 25,
    "[step(), look(), spread()]": [11, 11, [11, 12]],
    "list(numbers_up_to(3))": [0, 1, 2],
    "[f(1) for f in pair]": [2, 3],
    "recursive(5)": 120,
    "[square.area(), square.title, Square.double([1]), Shape.count, isinstance(square, Shape)]": [9, "S", [2], 1, True],
    "[colour is Colour('r'), colour.shout()]": [True, "R"],
    "[point.mirrored().x, point == Point(1, 0), Point(5).y]": [-1, True, 0],
    "[account.total(), Account('you') == Account('you'), repr(account)]": [
        3,
        True,
        "Account(owner='me', entries=[1, 2])",
    ],
    "[prices[Price(1)], Price(1) < Price(2)]": ["one", True],
    "[remembered(1), partial_(z=1)]": [2, 8],
    "[float(grid[1, 0]), bool((row == turned[:, 1]).all()), __import__('numpy').shares_memory(row, turned)]": [
        4.0,
        True,
        True,
    ],
    "same is nested['a'] is plain": True,
    "found.group(1)": "b",
    "[head.value, end.value, last(head) is end, len(nest)]": [2999, 0, True, 1],
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A session of this Python, saved, and its portrait."""
    pytest.importorskip("numpy")
    folder = tmp_path_factory.mktemp("made here")
    with closing(Console(folder / "work", folder / "home")) as place:
        place.run("%config ElasticTM.recording_floor = 600")
        for cell in CELLS:
            # What is not repeatable is loaded, and not made again.
            assert place.run(f"{cell}\nimport time; stamp = time.time()").error is None
        place.save(folder / "session.tm", policy="store-all")
        return folder / "session.tm", place.portrait(detail=True)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("minor", MINORS)
def test_an_archive_restores_under_other_pythons(minor, archive, tmp_path):
    """Data, arrays, functions, classes and closures come back under another CPython, work there, and come home again."""
    python = environment_of(minor)
    path, before = archive
    with closing(Console(tmp_path / "there", tmp_path / "home", python)) as place:
        assert place.ask("list(__import__('sys').version_info[:2])") == [3, minor]
        report = place.restore(path)
        verdict = judge(before, place.portrait(detail=True), report)
        assert (dict(verdict.faults), verdict.told, verdict.lost) == ({}, (), ())
        assert report["cells_rerun"] == []
        for expression, expected in CHECKS.items():
            assert place.ask(expression) == expected, expression
        place.save(tmp_path / "home again.tm", policy="store-all")
        between = place.portrait(detail=True)
    with closing(Console(tmp_path / "here", tmp_path / "third home")) as place:
        report = place.restore(tmp_path / "home again.tm")
        verdict = judge(between, place.portrait(detail=True), report)
        assert (dict(verdict.faults), verdict.told, verdict.lost) == ({}, (), ())


def environment_of(minor):
    """A Python of a minor version with what elastictm needs and numpy; made once, kept beside the tests."""
    if sys.version_info[:2] == (3, minor):
        return sys.executable
    folder = Path(os.environ.get("ELASTICTM_VENVS", ROOT)) / f".venv-3.{minor}"
    try:
        return str(environment(folder, minor, [*requirements(), "numpy"]))
    except NoEnvironment as error:
        pytest.skip(str(error))


def requirements():
    """What elastictm depends on, as its project file says."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
