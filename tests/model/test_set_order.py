"""Which code depends on the order of a set, so that another process, with another hash seed, gives another result."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from elastictm.model.set_order import holds_under, order_of_function, order_reasons, under_seed


@dataclass(frozen=True, slots=True)
class Case:
    """A cell, with ``words`` a list of texts and ``tags`` a set of them; whether ``out`` depends on a set's order."""

    id: str
    cell: str
    shown: str | None = None


TELLS = [
    Case("listed", "out = list(set(words))", "list(set(words))"),
    Case("tupled", "out = tuple(frozenset(words))", "tuple(frozenset(words))"),
    Case("looped", "for w in tags:\n    out.append(w)", "for w in tags"),
    Case("looped over a display", "for w in {'a', 'b', 'c', 'd', 'e'}:\n    out.append(w)"),
    Case("joined", "out = ','.join(tags)", "','.join(tags)"),
    Case("first of an iterator", "out = next(iter(tags))", "iter(tags)"),
    Case("popped", "out = set(tags).pop()", "set(tags).pop()"),
    Case("popped from a variable", "s = set(tags)\nout = s.pop()", "s.pop()"),
    Case("unpacked", "a, *out = tags"),
    Case("starred", "out = [*tags]", "[*tags]"),
    Case("starred into a call", "out = os.path.join(*tags)", "os.path.join(*tags)"),
    Case("list comprehension", "out = [w.upper() for w in tags]"),
    Case("dict comprehension", "out = list({w: 1 for w in tags})", "{w: 1 for w in tags}"),
    Case("generator", "out = list(w.upper() for w in tags)", "(w.upper() for w in tags)"),
    Case("enumerated", "out = {w: i for i, w in enumerate(tags)}", "enumerate(tags)"),
    Case("zipped", "out = dict(zip(tags, range(9)))", "zip(tags, range(9))"),
    Case("mapped", "out = list(map(str.upper, tags))", "map(str.upper, tags)"),
    Case("as text", "out = str(tags)", "str(tags)"),
    Case("formatted", "out = f'{tags}'", "tags"),
    Case("formatted with a percent sign", "out = '%s' % tags", "'%s' % tags"),
    Case("ties of a key", "out = sorted(tags, key=len)", "sorted(tags, key=len)"),
    Case("longest", "out = max(tags, key=len)", "max(tags, key=len)"),
    Case("union", "out = list(tags | {'z'})", "list(tags | {'z'})"),
    Case("difference by method", "out = list(tags.difference(['a']))", "list(tags.difference(['a']))"),
    Case("keys combined", "out = list(dict.fromkeys(words).keys() & dict.fromkeys(words).keys())"),
    Case("filled", "s = set()\nfor w in words:\n    s.add(w)\nout = list(s)", "list(s)"),
    Case("updated", "s = set()\ns.update(words)\nout = list(s)", "list(s)"),
    Case("grown in place", "s = {1}\ns |= tags\nout = list(s)", "list(s)"),
    Case("made in a branch", "s = []\nif words:\n    s = set(words)\nout = list(s)", "list(s)"),
    Case("made in a loop", "s = []\nfor i in range(2):\n    out = list(s)\n    s = set(words)", "list(s)"),
    Case("in an attribute", "class C: pass\nc = C()\nc.s = set(words)\nout = list(c.s)", "list(c.s)"),
    Case("in a function that is called", "def f():\n    return list(set(words))\nout = f()", "list(set(words))"),
    Case("in a lambda", "out = (lambda x: list(set(x)))(words)", "list(set(x))"),
    Case("in a method", "class C:\n    def f(self): return list(set(words))\nout = C().f()", "list(set(words))"),
    Case("added to a list", "out += tags", "out += tags"),
    Case("extended", "out.extend(tags)", "out.extend(tags)"),
    Case("array", "out = collections.deque(tags)", "collections.deque(tags)"),
    Case("hash of a text", "out = hash('a')", "hash('a')"),
    Case("by another name", "other = tags\nout = list(other)", "list(other)"),
    Case("by a walrus", "out = list(s) if (s := set(words)) else []", "list(s)"),
]

REPEATS = [
    Case("sorted", "out = sorted(set(words))"),
    Case("sorted later", "s = set(words)\ns = sorted(s)\nfor w in s:\n    out.append(w)"),
    Case("counted", "out = len(set(words))"),
    Case("membership", "out = [w for w in words if w in tags]"),
    Case("least and greatest", "out = [min(tags), max(tags)]"),
    Case("summed", "out = sum(len(w) for w in tags)"),
    Case("any and all", "out = [any(w > 'b' for w in tags), all([len(w) == 1 for w in tags])]"),
    Case("compared", "out = [tags == set(words), tags <= {'a'}]"),
    Case("another set", "s = {w.upper() for w in tags} | set(w for w in tags)\nout = sorted(s)"),
    Case("sorted generator", "out = sorted(w.upper() for w in tags)"),
    Case("sorted list", "out = sorted(list(map(str.upper, tags)))"),
    Case("numbers", "out = list({3, 1, 2})"),
    Case("set of a range", "out = list(set(range(5)))"),
    Case("lengths", "out = list({len(w) for w in words})"),
    Case("numbers added", "s = set()\nfor i in range(3):\n    s.add(i)\nout = list(s)"),
    Case("loop that counts", "n = 0\nfor w in tags:\n    n += 1\nout = [n]"),
    Case("loop that fills a set", "s = set()\nfor w in tags:\n    s.add(w)\nout = sorted(s)"),
    Case("printed", "print(tags, list(tags))"),
    Case("only defined", "def f():\n    return list(set(words))"),
    Case("hash of a number", "out = [hash(3)]"),
    Case("methods of sets", "out = sorted(tags.union(words).difference(['a']))"),
    Case("kept whole", "out = [tags]\nout.append(set(words))\nout = sorted(out[0])"),
    Case("a list of that name elsewhere", "def f(tags):\n    return list(tags)\nout = f(words)"),
    Case("hash of an object", "class C:\n    def __hash__(self): return hash('x')\nout = [len({C()})]"),
]
START = "import collections, os\nwords = list('hgfedcba')\ntags = set(words)\nout = []\n"


@pytest.mark.parametrize("case", TELLS, ids=lambda case: case.id)
def test_where_the_order_tells(case):
    """Code that looks at the order of a set is named, with the expression that does."""
    reasons = order_reasons(case.cell, str, {"tags"})
    assert reasons
    if case.shown is not None:
        assert any(reason.endswith(f": {case.shown}") for reason in reasons)


@pytest.mark.parametrize("case", REPEATS, ids=lambda case: case.id)
def test_where_it_does_not(case):
    """Code that uses a set without its order is not marked."""
    assert order_reasons(case.cell, str, {"tags"}) == ()


def test_running_agrees():
    """No cell that is not marked gives another ``out`` under another hash seed."""
    script = "import sys, io, contextlib\nfor cell in eval(sys.stdin.read()):\n    names = {}\n"
    script += (
        "    with contextlib.redirect_stdout(io.StringIO()):\n        exec(cell, names)\n    print(repr(names['out']))"
    )
    cells = repr([START + case.cell for case in REPEATS])
    shown = {
        subprocess.run(
            [sys.executable, "-S", "-c", script],
            input=cells,
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(shown) == 1
    assert len(shown.pop().splitlines()) == len(REPEATS)


def test_variables_count_only_if_they_hold_sets():
    """The same code over a variable that holds a list repeats."""
    assert order_reasons("out = list(tags)", str, set()) == ()
    assert order_reasons("out = list(tags)", str, {"tags"}) == ("set order: list(tags)",)


def test_magics_are_looked_into():
    """Code that a magic carries counts like code of the cell."""
    code = "get_ipython().run_cell_magic('time', '', 'x = list(set(words))\\n')"
    assert order_reasons(code, str, set()) == ("set order: list(set(words))",)
    assert order_reasons("get_ipython().run_line_magic('time', 'x = list(set(words))')", str, set())


def test_functions():
    """A function tells its own sets, and the names of the namespace whose order it would show."""
    text = "def f(x, y=2):\n    return list(set(x)), [t for t in tags], list(x)\n\ng = lambda: sorted(tags)\n"
    use = order_of_function(text, "f", 1)
    assert use.reasons == ("set order: list(set(x))",)
    assert use.names == {"tags"}
    assert order_of_function(text, "<lambda>", 4).names == frozenset()
    assert order_of_function("not python (", "f", 1).reasons == ()


@pytest.mark.parametrize("cell", ["x = = 1", "x = {", "\0"])
def test_what_does_not_parse_tells_nothing(cell):
    """Code that is none has no order."""
    assert order_reasons(cell + "#set", str, set()) == ()


def test_a_fixed_seed():
    """A reason that was recorded under a hash seed holds under every other one, and under none."""
    reason = under_seed("set order: list(s)", "7")
    assert not holds_under(reason, "7")
    assert holds_under(reason, "77")
    assert holds_under(reason, None)
    assert holds_under("set order: list(s)", "7")
    assert holds_under("time.time() (PYTHONHASHSEED=7)", "7")
