"""What a cell read, wrote and deleted, and what is said of it, cell by cell in a real shell."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from elastictm.ids import is_variable

BEFORE = "k = 3; log = []; text = 'some text'; pair = [1, 2]; table = {'k': 1}; bystander = [0]"


@dataclass(frozen=True, slots=True)
class Case:
    """Cells to prepare with, the cell in question, and what is expected of its record.

    ``note`` and ``unrepeatable`` are text that must occur there; ``silent`` are cells that are no cell runs, run
    before the last one.
    """

    id: str
    cell: str
    reads: str = ""
    writes: str = ""
    deletes: str = ""
    setup: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    status: str = "ok"
    note: str = ""
    unrepeatable: str = ""
    everything: bool = False


def case(name, *cells, reads="", writes="", **more):
    """A case whose last cell is the one in question."""
    return Case(name, cells[-1], reads, writes, setup=cells[:-1], **more)


CASES = [
    # Names in plain code.
    case("load", "pair", reads="pair"),
    case("attribute load", "text.upper()", reads="text"),
    case("store", "new = 1", writes="new"),
    case("store and load", "new = 1; new + 1", writes="new"),
    case("augmented assignment", "k += 1", reads="k", writes="k"),
    case("augmented item", "pair[0] += k", reads="k pair", writes="pair"),
    case("two targets", "first, *rest = pair", reads="pair", writes="first rest"),
    case("swapped", "k, text = text, k", reads="k text", writes="k text"),
    case("annotated", "n: int = k", reads="k", writes="n"),
    case("walrus", "(n := k)", reads="k", writes="n"),
    case("walrus in a comprehension", "[last := x for x in pair]", reads="pair", writes="last"),
    case("chained comparison", "0 < k < len(pair)", reads="k pair"),
    case("conditional", "k if pair else text", reads="k pair text"),
    case("f-string", "f'{k:{pair[0]}} {text!r}'", reads="k pair text"),
    case("slices", "pair[k:k + 1]", reads="k pair"),
    case("starred call", "print(*pair, **{})", reads="pair"),
    case("deletion", "del k", reads="k", deletes="k"),
    case("deletion of an item", "del pair[0]", reads="pair", writes="pair"),
    case("deletion and store", "del k; k = 5", reads="k", writes="k"),
    case("store and deletion", "n = 1; del n"),
    case("import", "import math as m", writes="m"),
    case("import of a part", "from os import path as p, sep", writes="p sep"),
    case("dotted import", "import os.path", writes="os"),
    case(
        "star import",
        "from string import *",
        writes="Formatter Template ascii_letters ascii_lowercase ascii_uppercase "
        "capwords digits hexdigits octdigits printable punctuation whitespace",
    ),
    case("star import over a variable", "pi = 3", "from math import pi, tau\ndel tau", writes="pi"),
    case(
        "star import that binds anew",
        "pi = 3",
        "from cmath import *",
        writes="pi acos acosh asin asinh atan atanh cos cosh e exp inf "
        "infj isclose isfinite isinf isnan log10 nan nanj phase polar rect sin sinh sqrt tan tanh tau log",
    ),
    case("for loop", "for i in pair: k + i", reads="k pair", writes="i"),
    case("loop over nothing", "for i in []: pass"),
    case("while", "while k > 0: k -= 1", reads="k", writes="k"),
    case("with", "import io\nwith io.StringIO(text) as f: f.read()", reads="text", writes="f io"),
    case("except as", "try: 1 / 0\nexcept ZeroDivisionError as e: n = str(e)", writes="n"),
    case("match", "match pair:\n    case [a, *_]: n = k", reads="k pair", writes="a n"),
    case("assertion", "assert k, text", reads="k text"),
    case("global at the top", "global k\nk = 9", writes="k"),
    case("name of a builtin", "len = 4", writes="len"),
    case("names that begin with an underscore", "_hidden = 1; __more = _hidden", writes="_hidden __more"),
    case("underscored names read", "_hidden = [1]", "_hidden.append(k)", reads="_hidden k", writes="_hidden"),
    case("annotation only", "x: int"),
    case("comment", "# nothing here"),
    case("unknown name", "nothing_here", status="error"),
    # Scopes of their own.
    case("comprehension", "[k + i for i in pair if text]", reads="k pair text"),
    case("comprehension's variable", "i = 7", "[i for i in pair]", reads="pair"),
    case("generator expression", "sum(i * k for i in pair)", reads="k pair"),
    case("dict comprehension", "{k: v for k, v in table.items()}", reads="table"),
    case("nested comprehension", "[[k * j for j in pair] for i in table]", reads="k pair table"),
    case("lambda", "f = lambda x: x + k", reads="k", writes="f"),
    case("lambda called", "(lambda x: x + k)(1)", reads="k"),
    case("function defined", "def f(): return k", reads="k", writes="f"),
    case("function defined and called", "def f(): return k\nf()", reads="k", writes="f"),
    case("parameter of the same name", "def f(k): return k\nf(1)", writes="f"),
    case("default argument", "def f(x=k): return x", reads="k", writes="f"),
    case("global stored in a function", "def f():\n    global n\n    n = 5\nf()", writes="f n"),
    case("nested function", "def f():\n    def g(): return k\n    return g()\nf()", reads="k", writes="f"),
    case("class body", "class C:\n    a = k\n    b = [x for x in pair]", reads="k pair", writes="C"),
    case("class variable of the same name", "class C:\n    k = 1\n    n = k", writes="C"),
    case("method defined", "class C:\n    def m(self): return k", reads="k", writes="C"),
    case("base class", "class B: pass", "class C(B): pass", reads="B", writes="C"),
    case("decorator", "def deco(f): return f", "@deco\ndef g(): pass", reads="deco", writes="g"),
    case("annotations of a function", "def f(x: k) -> pair: pass", reads="k pair", writes="f"),
    # What functions and objects reach.
    case("call", "def f(): return k", "f()", reads="f k"),
    case("call that writes", "def f(): log.append(k)", "f()", reads="f k log", writes="log"),
    case("call of a call", "def g(): return k", "def f(): return g()", "f()", reads="f g k"),
    case("recursion", "def f(n): return f(n - 1) if n else k", "f(3)", reads="f k"),
    case("mutual recursion", "def f(n): return g(n - 1) if n else k\ndef g(n): return f(n)", "f(3)", reads="f g k"),
    case("global stored by a call", "def f():\n    global k\n    k = 5", "f()", reads="f k", writes="k"),
    case("global bound by a call", "def f():\n    global fresh\n    fresh = 5", "f()", reads="f", writes="fresh"),
    case("global deleted by a call", "def f():\n    global k\n    del k", "f()", reads="f k", deletes="k"),
    case("method that reads a global", "class C:\n    def m(self): return k\nc = C()", "c.m()", reads="C c k"),
    case(
        "inherited method", "class B:\n    def m(self): return k", "class C(B): pass\nc = C()", "c.m()", reads="B C c k"
    ),
    case(
        "inherited from a class without a name",
        "class B:\n    def m(self): return k",
        "class C(B): pass\nc = C()\ndel B",
        "c.m()",
        reads="C c k",
    ),
    case("property", "class C:\n    @property\n    def p(self): return k\nc = C()", "c.p", reads="C c k"),
    case(
        "cached property",
        "from functools import cached_property\nclass C:\n    @cached_property\n    def p(self): return k\nc = C()",
        "c.p",
        reads="C c k",
        writes="c",
    ),
    case("class method", "class C:\n    @classmethod\n    def m(cls): return k", "C.m()", reads="C k"),
    case("static method", "class C:\n    @staticmethod\n    def m(): return k", "C.m()", reads="C k"),
    case("__call__", "class C:\n    def __call__(self): return k\nc = C()", "c()", reads="C c k"),
    case("operator", "class C:\n    def __add__(self, o): return k\nc = C()", "c + 1", reads="C c k"),
    case("attribute access", "class C:\n    def __getattr__(self, n): return k\nc = C()", "c.any", reads="C c k"),
    case(
        "descriptor",
        "class D:\n    def __get__(self, i, o): return k\nclass C: d = D()\nc = C()",
        "c.d",
        reads="C D c k",
    ),
    case(
        "metaclass", "class M(type):\n    def __call__(cls): return k\nclass C(metaclass=M): pass", "C()", reads="C M k"
    ),
    case("iteration", "class C:\n    def __iter__(self): return iter([k])\nc = C()", "list(c)", reads="C c k"),
    case(
        "context manager",
        "class C:\n    def __enter__(self): return k\n    def __exit__(self, *a): log.append(1)\nc = C()",
        "with c: pass",
        reads="C c k log",
        writes="log",
    ),
    case("class without a name", "class C:\n    def m(self): return k\nc = C()\ndel C", "c.m()", reads="c k"),
    case(
        "class redefined",
        "class C:\n    def m(self): return k\nc = C()",
        "class C:\n    def m(self): return text",
        "c.m()",
        reads="c k",
    ),
    case(
        "class redefined and its method replaced",
        "class C:\n    def m(self): return 1\nc = C()",
        "C.m = lambda self: k",
        "class C: pass",
        "c.m()",
        reads="c k",
    ),
    case(
        "method replaced",
        "class C:\n    def m(self): return 1\nc = C()",
        "C.m = lambda self: k",
        "c.m()",
        reads="C c k",
    ),
    case("lambda in a dict", "d = {'cb': lambda: k}", "d['cb']()", reads="d k"),
    case("lambda in a list in a dict", "d = {'cb': [lambda: k]}", "d['cb'][0]()", reads="d k"),
    case("function held after its name is gone", "def f(): return k\nfs = [f]\ndel f", "fs[0]()", reads="fs k"),
    case(
        "function held after its name is bound anew",
        "def f(): return k\nfs = [f]",
        "def f(): return text",
        "fs[0]()",
        reads="fs k",
    ),
    case("bound methods in a list", "class C:\n    def m(self): return k\nms = [C().m]", "ms[0]()", reads="C k ms"),
    case("partial", "import functools\ndef f(x): return x + k\np = functools.partial(f, 1)", "p()", reads="f k p"),
    case(
        "closure",
        "def make(n):\n    def add(x): return x + n + k\n    return add\nadd = make(1)",
        "add(1)",
        reads="add k",
    ),
    case(
        "wrapped function",
        "import functools\ndef deco(f):\n    @functools.wraps(f)\n    def g(*a): return f(*a), text\n    return g\n"
        "@deco\ndef f(): return k",
        "f()",
        reads="f k text",
    ),
    case("memoised function", "import functools\n@functools.lru_cache\ndef f(x): return x + k", "f(1)", reads="f k"),
    case(
        "single dispatch",
        "import functools\n@functools.singledispatch\ndef f(x): return k\n@f.register\ndef _f(x: int): return text",
        "f(1)",
        reads="_f f k text",
        writes="f",
    ),
    case("generator's body", "def g():\n    yield 1\n    yield k\nit = g()", "next(it)", reads="g it k", writes="it"),
    case("generator in a list", "its = [(k + i for i in range(3))]", "next(its[0])", reads="its k", writes="its"),
    case(
        "default factory",
        "from dataclasses import dataclass, field\n@dataclass\nclass D:\n    x: list = field(default_factory=lambda: list(pair))",
        "d = D()",
        reads="D pair",
        writes="d",
    ),
    case(
        "__post_init__",
        "from dataclasses import dataclass\n@dataclass\nclass D:\n    x: int\n    def __post_init__(self): log.append(k)",
        "D(1)",
        reads="D k log",
        writes="log",
    ),
    case("sort key", "def key(x): return x * k", "sorted(pair, key=key)", reads="k key pair"),
    case(
        "function passed along", "def f(): log.append(1)\ndef call(g): g()", "call(f)", reads="call f log", writes="log"
    ),
    case(
        "callback in an object of a library",
        "from collections import defaultdict\nd = defaultdict(lambda: list(pair))",
        "d['x']",
        reads="d pair",
        writes="d",
    ),
    case("string subclass with code", "class S(str):\n    def m(self): return k\ns = S('a')", "s.m()", reads="S s k"),
    case("attribute of a function", "def f(): pass\nf.helper = lambda: k", "f.helper()", reads="f k"),
    case("class attribute", "class C: n = [1]\nc = C()", "c.n", reads="C c"),
    case(
        "enumeration's method",
        "import enum\nclass E(enum.Enum):\n    A = 1\n    def m(self): return k\ne = E.A",
        "e.m()",
        reads="E e k",
    ),
    case(
        "finaliser",
        "class C:\n    def __del__(self): log.append(1)\nc = C()",
        "del c",
        reads="C c log",
        writes="log",
        deletes="c",
    ),
    case(
        "code in a module that the session made",
        "import types\nm = types.ModuleType('m'); m.f = lambda: k",
        "m.f()",
        reads="k m",
    ),
    case(
        "state dropped when stored",
        "class C:\n    def __init__(self): self.cb = lambda: log.append(k)\n"
        "    def __getstate__(self): return {}\nc = C()",
        "c.cb()",
        reads="C c k log",
        writes="log",
    ),
    # Magics and the shell.
    case("%time", "def f(x): return x + k", "%time f(pair[0])", reads="f k pair"),
    case("%timeit", "%timeit -n1 -r1 len(pair)", reads="pair"),
    case("%%time", "%%time\nn = k", reads="k", writes="n"),
    case("%%capture", "%%capture out\nprint(k); n = 1", reads="k", writes="n out"),
    case("shell assignment", "d = '.'", "x = !ls {d}", reads="d", writes="x"),
    case("shell command", "!echo {k} $text", reads="k text"),
    case("%who_ls", "files = %who_ls", writes="files", everything=True, note="may touch every variable"),
    case(
        "%run",
        "_ = open('script.py', 'w').write('made = 1')",
        "%run script.py",
        writes="made",
        everything=True,
        note="may touch every variable",
    ),
    case("%pwd", "%pwd"),
    case("help", "pair?", reads="pair"),
    case("eval", "eval('k')", everything=True, note="eval"),
    case("exec that writes", "exec('pair.append(1)')", writes="pair", everything=True, note="exec"),
    case("globals item", "globals()['fresh'] = 1", writes="fresh", everything=True, note="globals"),
    case("eval inside a function", "def f(): return eval('k')", "f()", everything=True, note="eval"),
    case("top-level await", "import asyncio\nasync def f(): return k", "n = await f()", reads="f k", writes="n"),
    case("async comprehension", "async def f():\n    yield k", "n = [x async for x in f()]", reads="f k", writes="n"),
    case("last output", "[1]", "_.append(k)", reads="Out[3] k", writes="Out[3]"),
    case("numbered output", "[1]", "_3.append(k)", reads="Out[3] k", writes="Out[3]"),
    case("output cache", "[1]", "Out[3].append(k)", reads="Out[3] k", writes="Out[3]"),
    case("displayed", "pair", reads="pair"),
    case("semicolon", "k;", reads="k"),
    # Cells that end badly.
    case("does not parse", "k = (", status="unparsed"),
    case("bad indentation", "  x = 1\n y = 2", status="unparsed"),
    case("raises half way", "n = k; 1 / 0; m = text", reads="k text", writes="n", status="error"),
    case(
        "interrupted",
        "n = k; raise KeyboardInterrupt",
        reads="k",
        writes="n",
        status="interrupted",
        unrepeatable="interrupted",
    ),
    case("exits", "n = 1; raise SystemExit", writes="n", status="error"),
    case(
        "call that raises",
        "def f():\n    log.append(k)\n    raise ValueError",
        "f()",
        reads="f k log",
        writes="log",
        status="error",
    ),
    # What is not repeatable.
    case("clock", "import time\nn = time.time()", writes="n time", unrepeatable="time"),
    case(
        "unseeded generator",
        "import numpy as np\nrng = np.random.default_rng()",
        writes="np rng",
        unrepeatable="default_rng",
    ),
    case(
        "unrepeatable function",
        "import uuid\ndef f(): return uuid.uuid4()",
        "u = f()",
        reads="f uuid",
        writes="u",
        unrepeatable="uuid4",
    ),
    # Changed by what is no cell run.
    case(
        "silent cell",
        "len(text)",
        reads="text pair",
        writes="pair",
        silent=("pair.append(1)",),
        unrepeatable="changed outside of cells: pair",
    ),
    case(
        "silent cell that binds",
        "len(text)",
        reads="text",
        writes="fresh",
        silent=("fresh = 1",),
        unrepeatable="changed outside of cells: fresh",
    ),
    case(
        "silent cell that deletes",
        "len(text)",
        reads="text",
        deletes="k",
        silent=("del k",),
        unrepeatable="changed outside of cells: k",
    ),
    case("silent cell that reads", "len(text)", reads="text", silent=("assert len(pair)",)),
    case(
        "silent call",
        "def f(): log.append(1)",
        "len(text)",
        reads="text log",
        writes="log",
        silent=("f()",),
        unrepeatable="log",
    ),
    case("silent look at everything", "len(text)", reads="text", silent=("assert globals()",)),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_cell(notebook, case, capsys):
    """A cell's record holds what it read, wrote and deleted, and no more."""
    notebook.run(BEFORE, *case.setup)
    before = {str(name) for name in notebook.session.history.live}
    for cell in case.silent:
        notebook.shell.run_cell(cell, store_history=False)
    run = notebook.run(case.cell)
    own_result = f"Out[{run.n}]"
    reads = before if case.everything else set(case.reads.split())
    assert {str(version.name) for version in run.reads} == reads
    assert {str(record.name) for record in run.writes} - {own_result} == set(case.writes.split())
    assert set(run.deletes) == set(case.deletes.split())
    assert run.status == case.status
    assert case.note in " ".join(run.notes)
    assert bool(case.note) == bool(run.notes)
    assert case.unrepeatable in " ".join(run.unrepeatable)
    assert bool(case.unrepeatable) or not run.unrepeatable


def test_a_silent_run_is_heard(notebook):
    """What runs in silence, of which no event tells, is not taken for the work of the next cell."""
    notebook.run(BEFORE)
    notebook.shell.run_cell("pair.append(1)", silent=True)
    run = notebook.run("len(text)")
    assert {"pair"} == {str(record.name) for record in run.writes if is_variable(record.name)}
    assert run.unrepeatable == ("changed outside of cells: pair",)


def test_a_binding_that_no_code_made(notebook):
    """Where nobody knows what ran beside the cells, anything may have changed."""
    notebook.run(BEFORE)
    notebook.ns["fresh"] = notebook.ns["pair"]
    notebook.ns["log"].append(1)
    run = notebook.run("len(text)")
    assert {"fresh", "log"} <= {str(record.name) for record in run.writes}
    assert notebook.tied("fresh", "pair")
    assert run.unrepeatable == ("something ran beside the cells",)


def test_a_thread_left_behind(notebook):
    """A thread that outlives its cell may write what it can reach, as long as it lives."""
    notebook.run(
        BEFORE,
        "import threading; go = threading.Event(); done = threading.Event()",
        "def work():\n    go.wait()\n    log.append(1)\n    done.set()\n    end.wait()\nend = threading.Event()",
        "t = threading.Thread(target=work, name='left-behind', daemon=True); t.start()",
    )
    quiet = notebook.run("k")
    assert "log" not in {record.name for record in quiet.writes}
    assert quiet.unrepeatable == ("a thread was running beside it",)
    notebook.ns["go"].set()
    notebook.ns["done"].wait()
    loud = notebook.run("k")
    assert "log" in {record.name for record in loud.writes}
    notebook.ns["end"].set()
    notebook.ns["t"].join()
    ended = notebook.run("k")
    assert ended.unrepeatable == ("a thread was running beside it",)
    after = notebook.run("k")
    assert after.unrepeatable == ()


@pytest.mark.parametrize(("module", "unrepeatable"), [("tqdm._monitor", ()), ("__main__", ("a thread was",))])
def test_a_thread_that_a_library_keeps_for_itself(notebook, module, unrepeatable):
    """The thread that watches over progress bars for the rest of the session is no stranger; its namesake is."""
    end = threading.Event()
    kind = type("TMonitor", (threading.Thread,), {"__module__": module, "run": lambda _self: end.wait()})
    notebook.run(BEFORE)
    notebook.ns["kind"] = kind
    notebook.run("kind(daemon=True).start()")
    run = notebook.run("k")
    end.set()
    assert tuple(reason[:12] for reason in run.unrepeatable) == unrepeatable


def test_a_task_left_behind(notebook):
    """A task that outlives its cell writes in a later one, which does not name what it writes."""
    notebook.run(
        BEFORE,
        "import asyncio\nasync def later():\n    await asyncio.sleep(0)\n    log.append(1)",
        "async def start(): return asyncio.get_running_loop().create_task(later())\nt = await start()",
    )
    run = notebook.run("await asyncio.sleep(0.01)")
    assert notebook.ns["log"] == [1]
    assert "log" in {record.name for record in run.writes}


def test_a_cell_inside_a_cell(notebook):
    """A cell that runs another one is one cell run, with what both did."""
    count = len(notebook.runs)
    run = notebook.run(BEFORE, "get_ipython().run_cell('pair.append(1); n = 1', store_history=True); m = n")
    assert len(notebook.runs) == count + 2
    assert {"pair", "n", "m"} == {str(record.name) for record in run.writes if is_variable(record.name)}
    assert notebook.run("m")


def test_an_empty_cell_is_no_cell_run(notebook):
    """Nothing is recorded where nothing was typed."""
    count = len(notebook.runs)
    notebook.shell.run_cell("", store_history=True)
    assert len(notebook.runs) == count


def test_what_was_there_before(unloaded):
    """Loading in mid-session takes what is there for versions of cell run 0, with what is shared."""
    unloaded.shell.run_cell("a = [1]; b = [a]; n = 1", store_history=True)
    unloaded.shell.run_cell("c = 5\n%load_ext elastictm\nd = [b]", store_history=True)
    zero = unloaded.runs[0]
    assert zero.n == 0
    assert {str(record.name) for record in zero.writes} == {"a", "b", "c", "d", "n"}
    assert unloaded.groups() == {frozenset({"a", "b", "d"})}
    run = unloaded.run("b[0].append(n)")
    assert {str(version) for version in run.reads} == {"a@0", "b@0", "d@0", "n@0"}
    assert {str(record.name) for record in run.writes} == {"a", "b", "d"}


def test_versions_are_those_of_the_last_writer(notebook):
    """A read names the version that the last cell run to write the variable made."""
    notebook.run("a = [1]")
    second = notebook.run("a.append(2)")
    notebook.run("len(a)")
    assert notebook.run("len(a)").reads == ((second.writes[0].name, second.n),)
