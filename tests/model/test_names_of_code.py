"""The names in the bytecode of functions, on every Python that the tests run on."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from textwrap import indent
from types import FunctionType

import pytest

from elastictm.model.names import names_of_code

_BUILTIN = frozenset(dir(builtins)) | {"get_ipython", "__name__"}


@dataclass(frozen=True, slots=True)
class Case:
    """The body of a function, and what is found in its code; names are separated by blanks, builtins left out."""

    id: str
    body: str
    reads: str = ""
    stores: str = ""
    deletes: str = ""
    opaque: tuple[str, ...] = ()
    unrepeatable: tuple[str, ...] = ()
    arguments: str = ""


ELSEWHERE = "{}() of a text made elsewhere".format

CASES = [
    Case("nothing", "pass"),
    Case("loads", "return x + y.z", reads="x y"),
    Case("locals", "a = x\nreturn a", reads="x"),
    Case("arguments", "return a, b, c, d", arguments="a, *b, c=1, **d"),
    Case("global-store", "global x\nx = 1", stores="x"),
    Case("global-delete", "global x\ndel x", reads="x", deletes="x"),
    Case("global-augmented", "global x\nx += y", reads="x y", stores="x"),
    Case("closure", "a = 1\ndef g():\n    return a + x\nreturn g", reads="x"),
    Case("nested", "return lambda: [x for _ in y]", reads="x y"),
    Case("comprehensions", "return [x for a in y], {a: z for a in y}, {w for a in y}, (v for a in y)",
        reads="v w x y z"),
    Case("class-body", "class C(B):\n    a = x\n    def m(self):\n        return super().m(y)", reads="B x y"),
    Case("class-body-stores", "class C:\n    a = 1", stores=""),
    Case("class-in-closure", "a = 1\nclass C:\n    b = a\n    c = x\nreturn C", reads="x"),
    Case("import", "import os.path as p\nfrom a import b\nreturn p, b"),
    Case("import-of-main", "import __main__", opaque=("__main__",)),
    Case("from-main", "from __main__ import x", opaque=("__main__",)),
    Case("main-by-name", "return __import__('__main__')", opaque=("__main__",)),
    Case("main-idiom", "if __name__ == '__main__':\n    return x", reads="x"),
    Case("attribute-not-name", "return a.x", arguments="a"),
    Case("eval", "return eval('x')", opaque=("eval()",)),
    Case("exec", "exec(s)", reads="s", opaque=("exec()",)),
    Case("eval-method", "return m.eval(), m.exec(1)", reads="m"),
    Case("globals", "return globals()", opaque=("globals()",)),
    Case("globals-in-nested", "return lambda: globals()", opaque=("globals()",)),
    Case("locals-are-own", "return locals(), vars(), dir()"),
    Case("vars-of-object", "return vars(a), dir(a.b)", arguments="a"),
    Case("vars-kept", "v = vars\nreturn v", opaque=("vars()",)),
    Case("vars-returned", "return vars", opaque=("vars()",)),
    Case("locals-given-away", "return f(locals)", reads="f", opaque=("locals()",)),
    Case("argument-named-vars", "v = vars\nreturn eval(1)", arguments="vars, eval"),
    Case("frames", "return f.__globals__", reads="f", opaque=("f.__globals__",)),
    Case("modules", "return sys.modules[a]", reads="sys", opaque=("sys.modules",), arguments="a"),
    Case("modules-main", "import sys as s\nreturn s.modules['__main__']", opaque=("__main__",)),
    Case("modules-harmless", "return 'a' in sys.modules, sys.modules['b'], sys.modules.get('c')", reads="sys"),
    Case("debugger", "breakpoint()", opaque=("breakpoint()",)),
    Case("shell", "return get_ipython().user_ns", opaque=("get_ipython().user_ns",)),
    Case("shell-kept", "a = get_ipython()\nreturn a", opaque=("get_ipython()",)),
    Case("shell-bare", "return get_ipython", opaque=("get_ipython()",)),
    Case("shell-asked", "return get_ipython() is None, type(get_ipython()), get_ipython().__class__"),
    Case("shell-run-cell", "get_ipython().run_cell(a)", opaque=("get_ipython().run_cell",), arguments="a"),
    Case("shell-command", "get_ipython().system('ls {x} $y')", reads="x y"),
    Case("shell-magic", "get_ipython().run_line_magic('time', 'a = f(x)')", reads="f x", stores="a"),
    Case("shell-cell-magic", "get_ipython().run_cell_magic('time', '', 'y = x')", reads="x", stores="y"),
    Case("shell-unknown", "get_ipython().run_line_magic('frob', '')", opaque=("%frob",)),
    Case("shell-by-variable", "get_ipython().run_line_magic(a, '')",
        opaque=("get_ipython().run_line_magic",), arguments="a"),
    Case("query", "return df.query('a > @x')", reads="df x"),
    Case("query-of-argument", "return df.query(q)", reads="df", opaque=(ELSEWHERE("query"),), arguments="q"),
    Case("query-of-local", "q = 'select a from t'\nreturn c.execute(q)", reads="a c from select t"),
    Case("query-of-class", "return s.query(User)", reads="User s"),
    Case("sql", "return duckdb.sql('select a from df')", reads="a df duckdb from select"),
    Case("sql-values", "return c.execute(f'select a from t where b = {x}')", reads="a b c from select t where x"),
    Case("sql-table", "return c.execute(f'select a from {t}')", reads="c t", opaque=(ELSEWHERE("execute"),)),
    Case("frame-eval", "return df.eval('a + @x'), m.evaluate(z)", reads="df m x z"),
    Case("pandas-eval", "return pd.eval('x + y')", reads="pd x y"),
    Case("formula", "return ols('y ~ x', data=df)", reads="df ols x y"),
    Case("time", "return time.time()", reads="time", unrepeatable=("time.time()",)),
    Case("time-bare", "return time()", reads="time", unrepeatable=("time()",)),
    Case("time-imported-inside", "import time as t\nreturn t.time()", unrepeatable=("t.time()",)),
    Case("time-from-inside", "from time import time as now_\nreturn now_()", unrepeatable=("now_()",)),
    Case("time-in-closure", "import time\ndef g():\n    return time.time()\nreturn g", unrepeatable=("time.time()",)),
    Case("time-of-datetime", "return a.time()", arguments="a"),
    Case("sleep", "time.sleep(1)", reads="time"),
    Case("clock", "return time.perf_counter, perf_counter()", reads="perf_counter time", unrepeatable=(
        "time.perf_counter()", "perf_counter()")),
    Case("now", "return datetime.now(tz=z), pd.Timestamp.now()", reads="datetime pd z", unrepeatable=(
        "datetime.now()", "pd.Timestamp.now()")),
    Case("today", "return date.today()", reads="date", unrepeatable=("date.today()",)),
    Case("uuid", "return uuid4().hex", reads="uuid4", unrepeatable=("uuid4()",)),
    Case("urandom", "return os.urandom(n)", reads="n os", unrepeatable=("os.urandom()",)),
    Case("unseeded", "return np.random.default_rng()", reads="np",
        unrepeatable=("np.random.default_rng() without a seed",)),
    Case("unseeded-bare", "return Random(), RandomState(None), default_rng(seed=None)",
        reads="Random RandomState default_rng",
        unrepeatable=("Random() without a seed", "RandomState() without a seed", "default_rng() without a seed")),
    Case("seeded", "return default_rng(0), Random(a), RandomState(seed=a + 1), np.random.seed(f(a))",
        reads="Random RandomState default_rng f np", arguments="a"),
    Case("seed", "random.seed()", reads="random", unrepeatable=("random.seed() without a seed",)),
    Case("system-random", "return SystemRandom().random()", reads="SystemRandom", unrepeatable=("SystemRandom()",)),
    Case("input", "return input(f'{x}? ')", reads="x", unrepeatable=("input()",)),
    Case("argument-named-input", "return m(input), input()", reads="m", arguments="input"),
    Case("id", "return id(a)", arguments="a", unrepeatable=("id()",)),
    Case("id-as-variable", "return d[id]", reads="d"),
    Case("secrets", "return secrets.token_hex()", reads="secrets", unrepeatable=("secrets.token_hex()",)),
    Case("getpass", "return getpass.getpass('? ')", reads="getpass", unrepeatable=("getpass.getpass()",)),
    Case("process", "return os.getpid()", reads="os", unrepeatable=("os.getpid()",)),
]  # fmt: skip


def _function(case: Case) -> FunctionType:
    namespace: dict[str, object] = {}
    exec(f"def function({case.arguments}):\n{indent(case.body, '    ')}\n", namespace)
    function = namespace["function"]
    assert isinstance(function, FunctionType)
    return function


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_function(case):
    """A function's code gives the names and reasons that the table says."""
    found = names_of_code(_function(case).__code__)
    expected = set(case.reads.split())
    assert found.reads - (_BUILTIN - expected) == expected
    assert found.loads == found.reads
    assert found.stores == set(case.stores.split())
    assert found.deletes == set(case.deletes.split())
    assert found.opaque == case.opaque
    assert found.unrepeatable == case.unrepeatable


def test_code_of_a_cell():
    """The code object of a whole cell stores names, and its own locals() are the namespace."""
    found = names_of_code(compile("from m import *\nx = y\ndel z\nlocals()\nclass C:\n    a = 1", "cell", "exec"))
    assert found.stores == {"x", "C"}
    assert found.deletes == {"z"}
    assert {"y", "z"} <= found.reads
    assert found.opaque == ("locals()",)
    assert found.opaque_stores == ("star import",)


def test_constants_are_those_that_can_be_files():
    """One-line strings are kept, inside tuples too; text, names of inner functions and other values are not."""

    def function():
        """Say

        something.
        """
        return len("a b.csv"), ("c.csv", 1), " ", "", "x\ny", 3, lambda: "d.csv"

    found = names_of_code(function.__code__)
    assert {"a b.csv", "c.csv", "d.csv"} <= found.constants
    assert not any("\n" in text or "<locals>" in text or not text.strip() for text in found.constants)
