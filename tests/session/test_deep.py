"""Deep and wide values: chains, nests and graphs far beyond the recursion that Python allows, and many variables."""

from __future__ import annotations

import collections
import sys
from contextlib import closing

import pytest

from elastictm.ids import Name
from elastictm.model.records import Refusal
from elastictm.testing.places import Console
from elastictm.values.freeze import Freezer, OutOfTime, Surroundings
from elastictm.values.route import route_to
from elastictm.values.survey import Surveyor
from elastictm.values.thaw import Frost, Thawer

from .conftest import wrote

DEPTH = 100_000


class Node:
    """A link of a chain."""

    def __init__(self, value, following=None):
        self.value, self.next, self.prev = value, following, None


def chain(length, *, doubly=False):
    """The head of a chain of nodes."""
    head = None
    for i in range(length):
        node = Node(i, head)
        if doubly and head is not None:
            head.prev = node
        head = node
    return head


def nested(depth, wrap, inner):
    """Something in as many wrappers as asked for."""
    for _ in range(depth):
        inner = wrap(inner)
    return inner


def values_of(head):
    """The values of a chain, in its order."""
    found = []
    while head is not None:
        found.append(head.value)
        head = head.next
    return found


def levels(value, step):
    """How often one can step into a value."""
    count = 0
    while value:
        value = step(value)
        count += 1
    return count


def deeper(frames, do):
    """Do something under that many more frames of Python."""
    return do() if frames == 0 else deeper(frames - 1, do)


def test_a_digest_does_not_depend_on_the_stack():
    """A value that is too deep for pickle only where the caller is deep has one digest, and is not tried in vain again."""
    limit = sys.getrecursionlimit()
    value = nested(limit // 4, lambda inner: [inner], [])
    freezer = Freezer(Surroundings({}))
    here = freezer.start().add(Name("value"), value)
    assert value not in freezer._depths
    there = deeper(limit // 2, lambda: freezer.start().add(Name("value"), value))
    assert here.digest == there.digest
    assert here.size == there.size
    if sys.version_info < (3, 12):
        # Later versions count frames in C by themselves.
        assert value in freezer._depths


SHAPES = {
    "chain": (lambda: chain(DEPTH // 2), lambda it: values_of(it) == list(range(DEPTH // 2))[::-1]),
    "both ways": (lambda: chain(DEPTH // 5, doubly=True), lambda it: it.next.prev is it and len(values_of(it)) == DEPTH // 5),
    "list": (lambda: nested(DEPTH, lambda x: [x], []), lambda it: levels(it, lambda x: x[0]) == DEPTH),
    "dict": (lambda: nested(DEPTH, lambda x: {"in": x}, {}), lambda it: levels(it, lambda x: x["in"]) == DEPTH),
    "tuple": (lambda: nested(DEPTH, lambda x: (x,), ()), lambda it: levels(it, lambda x: x[0]) == DEPTH),
    "frozenset": (lambda: nested(DEPTH, lambda x: frozenset([x]), frozenset()), lambda it: levels(it, lambda x: next(iter(x))) == DEPTH),
    "deque": (lambda: nested(DEPTH // 5, lambda x: collections.deque([x]), []), lambda it: levels(it, lambda x: x[0]) == DEPTH // 5),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_deep_values_come_back(shape):
    """A value of any depth is frozen, surveyed, loaded and let go of; its digest is the same each time."""
    make, holds = SHAPES[shape]
    value = make()
    freezer = Freezer(Surroundings({}))
    group = freezer.group({Name("value"): value}, keep=True)
    assert not group.refusals
    assert freezer.start().add(Name("value"), value).digest == group.parts["value"].digest
    assert Surveyor(freezer.around).survey([value]).objects or shape in {"tuple", "frozenset"}
    assert holds(loaded(freezer, group.unit)["value"])


def test_graphs_come_back():
    """In a large graph every edge leads to the same node as before."""
    graph = [Node(i) for i in range(DEPTH // 5)]
    for i, node in enumerate(graph):
        node.next, node.prev = graph[i * 7919 % len(graph)], [graph[i - 1], node]
    freezer = Freezer(Surroundings({}))
    back = loaded(freezer, freezer.group({Name("start"): graph[5], Name("graph"): graph}, keep=True).unit)
    nodes = back["graph"]
    assert back["start"] is nodes[5]
    assert all(node.next is nodes[i * 7919 % len(nodes)] for i, node in enumerate(nodes))
    assert all(node.prev[0] is nodes[i - 1] and node.prev[1] is node for i, node in enumerate(nodes))


def test_a_group_goes_on_when_one_of_it_is_deep():
    """What shares data with a deep value keeps its digest, and its bytes, though it was frozen before it."""
    shared = [1]
    values = {Name("first"): {"it": shared}, Name("deep"): chain(5000), Name("last"): shared}
    values["deep"].value = shared
    freezer = Freezer(Surroundings({}))
    alone = freezer.start().add(Name("first"), values["first"])
    group = freezer.group(values, keep=True)
    assert group.parts["first"].digest == alone.digest
    back = loaded(freezer, group.unit)
    assert back["first"]["it"] is back["last"] is back["deep"].value


def test_time_ends_a_deep_pass():
    """The time for a look counts in the deep as well, and is noticed soon; the next look knows that the value is deep."""
    now = iter(range(10**9))
    freezer = Freezer(Surroundings({}), lambda: float(next(now)))
    value = chain(50_000)
    with pytest.raises(OutOfTime):
        freezer.start().add(Name("value"), value, 30.0)
    assert next(now) < 100
    assert value in freezer._depths
    value.next = None
    assert freezer.start().add(Name("value"), value).size < 1000
    assert value not in freezer._depths


def test_what_refuses_in_the_deep_is_named():
    """The way to an inner object that cannot be stored is found at any depth, and told in a few words."""
    culprit = (i for i in ())
    value = nested(20_000, lambda x: [x], [culprit])
    refusal = Freezer(Surroundings({})).start().add(Name("value"), value)
    assert isinstance(refusal, Refusal)
    assert "generator" in refusal.reason
    assert refusal.path == f"value{'[0]' * 9} … 19982 steps … {'[0]' * 10}"
    assert route_to({"a": [culprit]}, culprit, "it") == "it['a'][0]"


COMPOSED = """
def after(first, {state}):
    def then(x): return first(x) + 1{use}
    return then
f = start
for i in range(3000): f = after(f, {given})
"""


@pytest.mark.parametrize(("state", "use", "given"), [("n", "", "0"), ("n", " + len(n)", "[]")])
def test_functions_over_functions(state, use, given):
    """A function over thousands of others is digested with all of them and comes back, with state and without."""
    digests = set()
    for factor in (2, 3):
        scope = {"__name__": "__main__"}
        around = Surroundings(scope)
        texts = {
            f"<start {factor}>": f"def start(x): return x * {factor}",
            "<composed>": COMPOSED.format(state=state, use=use, given=given),
        }
        for name, text in texts.items():
            around.sources.add(name, text)
            exec(compile(text, name, "exec"), scope)
        freezer = Freezer(around)
        assert len(Surveyor(around).survey([scope["f"]]).definitions) == 3001
        group = freezer.group({Name("f"): scope["f"]}, keep=True)
        digests.add(group.parts["f"].digest)
    assert len(digests) == 2
    back = loaded(freezer, group.unit)["f"]
    while back.__closure__ is not None:
        back = next(cell.cell_contents for cell in back.__closure__ if callable(cell.cell_contents))
    assert back(5) == 15


def loaded(freezer, unit):
    """The values of a unit, in a session of its own."""
    units = {}
    purity = freezer.purity()
    waiting = list(unit.definitions)
    while waiting:
        key = waiting.pop()
        if key not in units:
            units[key] = freezer.definition(freezer.around.definitions.get(key), purity)
            waiting += units[key].definitions
    around = Surroundings({}, sources=freezer.around.sources)
    back = Thawer(around, lambda key: frost(units[key]), {}).group(frost(unit))
    assert not isinstance(back, Refusal), back
    return back


def frost(unit):
    """A unit as an archive would give it."""
    return Frost(unit.names, unit.stream, unit.segments, unit.slices, unit.definitions)


DEFINITIONS = """
class Node:
    def __init__(self, value, following=None): self.value, self.next, self.prev = value, following, None
def chain(length):
    head = None
    for i in range(length):
        head = Node(i, head)
        if head.next is not None: head.next.prev = head
    return head
def last(head):
    while head.next is not None: head = head.next
    return head
def boxes(depth, inner):
    for _ in range(depth): inner = [inner, {'in': inner}][depth % 2:][:1]
    return inner
"""


def test_changes_in_the_deep_are_seen(notebook):
    """A change at the end of a long chain is a write, of all names that share it; a cell without one writes nothing."""
    notebook.run(DEFINITIONS, "head = chain(3000)", "end = last(head)", "other = chain(2000)", "box = boxes(2000, [])")
    assert notebook.tied("head", "end")
    assert not notebook.tied("head", "other")
    assert wrote(notebook.run("count = (head.value, other.value, len(box))")) == {"count"}
    assert wrote(notebook.run("last(head).value = 'new'")) == {"head", "end"}
    assert wrote(notebook.run("end.prev.value, other.value")) == set()
    assert wrote(notebook.run("inner = box\nwhile inner: innermost, inner = inner, inner[0]\ninner.append(1)")) == {
        "box",
        "inner",
        "innermost",
    }


def test_deep_and_wide_sessions_come_back(tmp_path):
    """A saved session with deep values and two thousand variables is restored whole by another process."""
    with closing(Console(tmp_path / "there", tmp_path / "home")) as place:
        place.run("%config ElasticTM.recording_floor = 600")
        place.run(DEFINITIONS)
        place.run("head = chain(20_000); end = last(head); box = boxes(20_000, [])")
        place.run("\n".join(f"v{i} = [{i}]" for i in range(2000)))
        report = place.save(tmp_path / "deep.tm", policy="store-all")
        assert {entry["outcome"] for entry in report["variables"]} == {"stored"}
        assert not [note for note in report["notes"] if "outside" in note]
    with closing(Console(tmp_path / "here", tmp_path / "other home")) as place:
        report = place.restore(tmp_path / "deep.tm")
        assert not [entry for entry in report["variables"] if entry["reason"]]
        assert place.ask("[head.value, last(head) is end, end.prev.next is end]") == [19_999, True, True]
        assert place.ask("[sum(globals()[f'v{i}'] == [i] for i in range(2000)), len(box)]") == [2000, 1]
