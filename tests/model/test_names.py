"""The names that a cell reads, stores and deletes."""

from __future__ import annotations

import pytest

from elastictm.model.names import CodeNames, names_of_cell

from .conftest import Case, check, names_of, table, transformed

FLOW = [
    Case("load", "x", reads="x"),
    Case("assign", "x = y", reads="y", stores="x"),
    Case("assign-then-use", "x = []\nx.append(1)", stores="x", loads="x"),
    Case("use-then-assign", "x.append(1)\nx = 2", reads="x", stores="x"),
    Case("assign-to-itself", "x = x + 1", reads="x", stores="x"),
    Case("chained-assign", "a = b = c", reads="c", stores="a b"),
    Case("unpack", "a, (b, *c) = d", reads="d", stores="a b c"),
    Case("store-in-item", "d[k] = v", reads="d k v"),
    Case("store-in-attribute", "o.a = v", reads="o v"),
    Case("store-in-slice", "d[a:b:c] = v", reads="a b c d v"),
    Case("augmented", "x += y", reads="x y", stores="x"),
    Case("augmented-after-store", "x = 1\nx += 1", stores="x", loads="x"),
    Case("augmented-item", "d[k] += v", reads="d k v"),
    Case("annotated", "x: int = y", reads="y", stores="x"),
    Case("annotation-alone", "x: T", reads="T"),
    Case("annotation-in-string", "x: 'T' = 1", reads="T", stores="x"),
    Case("annotation-of-literals", "x: Literal['train'] = 1", reads="Literal", stores="x"),
    Case("annotation-union", "x: 'A' | dict[str, B] = 1", reads="A B", stores="x"),
    Case("delete", "del x", reads="x", deletes="x", loads="x"),
    Case("delete-after-store", "x = 1\ndel x", stores="x", deletes="x", loads="x"),
    Case("delete-item", "del d[k], o.a", reads="d k o"),
    Case("store-after-delete", "del x\nx = 1\nx", reads="x", stores="x", deletes="x"),
    Case("walrus", "print(y := x)\ny", reads="x", stores="y"),
    Case("walrus-may-not-run", "a and (y := 1)\ny", reads="a y", stores="y"),
    Case("walrus-in-first-operand", "(y := a) and y", reads="a", stores="y", loads="a y"),
    Case("walrus-in-condition", "if (m := f()):\n    m", reads="f", stores="m", loads="f m"),
    Case("walrus-in-one-arm", "z = (y := 1) if a else 2\ny", reads="a y", stores="y z"),
    Case("walrus-late-in-comparison", "a < (b := 1) < (c := 2)\nb, c", reads="a c", stores="b c"),
    Case("if-one-branch", "if c:\n    x = 1\nx", reads="c x", stores="x"),
    Case("if-both-branches", "if c:\n    x = 1\nelse:\n    x = 2\nx", reads="c", stores="x", loads="c x"),
    Case("elif-without-else", "if a:\n    x = 1\nelif b:\n    x = 2\nx", reads="a b x", stores="x"),
    Case("if-that-raises", "if c:\n    raise E\nelse:\n    x = 2\nx", reads="c E", stores="x", loads="c E x"),
    Case("if-deleted-in-one", "x = 1\nif c:\n    del x\nx", reads="c", stores="x", deletes="x"),
    Case("for", "for i in y:\n    i", reads="y", stores="i", loads="i y"),
    Case("for-may-not-run", "for i in y:\n    x = 1\nx, i", reads="i x y", stores="i x"),
    Case("for-stored-in-body", "for i in y:\n    t = []\n    t.append(i)", reads="y", stores="i t", loads="i t y"),
    Case("for-carried-over", "for i in y:\n    t.append(i)\n    t = []", reads="t y", stores="i t"),
    Case("for-else", "for i in y:\n    pass\nelse:\n    x = 1\nx", reads="x y", stores="i x"),
    Case("for-target-item", "for d[k] in y:\n    pass", reads="d k y"),
    Case("for-unpack", "for k, v in d.items():\n    k, v", reads="d", stores="k v", loads="d k v"),
    Case("while", "while c:\n    x = 1\nx", reads="c x", stores="x"),
    Case("while-walrus", "while (line := f()):\n    line\nline", reads="f", stores="line", loads="f line"),
    Case("break-before-store", "while c:\n    break\n    x = 1\nx", reads="c x", stores="x"),
    Case("async-for", "async for i in y:\n    i", reads="y", stores="i", loads="i y"),
    Case("await", "x = await y", reads="y", stores="x"),
    Case("try-stored-in-body", "try:\n    x = f()\nexcept E:\n    pass\nx", reads="f E x", stores="x"),
    Case("try-stored-in-all", "try:\n    x = f()\nexcept E:\n    x = 0\nx", reads="f E", stores="x", loads="f E x"),
    Case("try-handler-raises", "try:\n    x = f()\nexcept E:\n    raise\nx", reads="f E", stores="x", loads="f E x"),
    Case(
        "try-else", "try:\n    f()\nexcept E:\n    x = 1\nelse:\n    x = 2\nx", reads="f E", stores="x", loads="f E x"
    ),
    Case("try-finally", "try:\n    f()\nfinally:\n    x = 1\nx", reads="f", stores="x", loads="f x"),
    Case("finally-sees-less", "try:\n    x = f()\nfinally:\n    x", reads="f x", stores="x"),
    Case("except-as", "try:\n    f()\nexcept E as e:\n    e", reads="E f", stores="e", deletes="e", loads="E e f"),
    Case("except-as-then-use", "try:\n    f()\nexcept E as e:\n    e\ne", reads="E e f", stores="e", deletes="e"),
    Case(
        "except-group",
        "try:\n    f()\nexcept* E as e:\n    e",
        reads="E f",
        stores="e",
        deletes="e",
        loads="E e f",
        since=(3, 11),
    ),
    Case("with", "with open('a') as f:\n    x = f.read()\nx, f", stores="f x", loads="f x"),
    Case("with-dotted-open", "with gzip.open(p) as f:\n    x = 1\nx", reads="gzip p", stores="f x", loads="gzip p x"),
    Case("with-may-suppress", "with suppress(E):\n    x = f()\nx", reads="suppress E f x", stores="x"),
    Case("with-own-open", "def open(p): ...\nwith open(p):\n    x = 1\nx", reads="p x", stores="open x"),
    Case("with-two", "with g() as a, open(a) as b:\n    pass\na, b", reads="g b", stores="a b"),
    Case("with-tuple", "with g() as (a, b):\n    a, b", reads="g", stores="a b", loads="a b g"),
    Case("async-with", "async with g() as a:\n    a", reads="g", stores="a", loads="a g"),
    Case("assert", "assert c, m", reads="c m"),
    Case("starred", "f(*a, **b)", reads="a b f"),
    Case("f-string", "f'{x!r:>{w}} {y.z[k]}'", reads="k w x y"),
    Case("slices", "d[a:b, ..., c]", reads="a b c d"),
    Case("star-import", "from m import *"),
    Case("import", "import a.b.c", stores="a"),
    Case("import-as", "import a.b as c", stores="c"),
    Case("import-from", "from a.b import c, d as e", stores="c e"),
    Case("import-then-use", "import numpy as np\nnp.array(x)", reads="x", stores="np", loads="np x"),
    Case("docstring", "'x'\n'y'"),
    Case("match", "match s:\n    case 1:\n        x = 1\nx", reads="s x", stores="x"),
    Case(
        "match-all",
        "match s:\n    case 1:\n        x = 1\n    case _:\n        x = 2\nx",
        reads="s",
        stores="x",
        loads="s x",
    ),
    Case("match-guarded", "match s:\n    case y if y > t:\n        x = 1\nx", reads="s t x", stores="x y"),
    Case(
        "match-patterns",
        "match s:\n    case P(a, k=[b, *c]) | Q.R:\n        a\n    case {'k': d, **e} as f:\n        d, e, f",
        reads="P Q s",
        stores="a b c d e f",
        loads="P Q a d e f s",
    ),
    Case("match-capture-may-fail", "match s:\n    case [a, 1]:\n        pass\na", reads="a s", stores="a"),
    Case("type-alias", "type X = list[Y]", reads="Y", stores="X", since=(3, 12)),
    Case("type-alias-with-parameter", "type X[T: B] = dict[T, Y]", reads="B Y", stores="X", since=(3, 12)),
]

SCOPES = [
    Case("function", "def f(a):\n    b = a\n    return b + c", reads="c", stores="f"),
    Case("function-defaults", "def f(a=x, *, b=y): ...", reads="x y", stores="f"),
    Case("function-annotations", "def f(a: A, *b: 'B', **c: C) -> 'list[D]': ...", reads="A B C D", stores="f"),
    Case("function-own-annotation", "def f():\n    a: A = 1\n    return a", stores="f"),
    Case("function-decorator", "@d(x)\ndef f(): ...", reads="d x", stores="f"),
    Case("function-calls-itself", "def f(n):\n    return f(n - 1)", stores="f", loads="f"),
    Case("decorated-calls-itself", "@d\ndef f(n):\n    return f(n - 1)", reads="d f", stores="f"),
    Case("function-after-store", "x = 1\ndef f():\n    return x", stores="f x", loads="x"),
    Case("function-before-store", "def f():\n    return x\nx = 1\nf()", stores="f x", loads="f x"),
    Case("function-called-before-store", "def f():\n    return x\nf()\nx = 1", reads="x", stores="f x", loads="f x"),
    Case("function-never-called", "def f():\n    return x", reads="x", stores="f"),
    Case("functions-of-each-other", "def f():\n    g()\ndef g():\n    f()", stores="f g", loads="f g"),
    Case(
        "function-called-in-one-branch",
        "def f():\n    return x, z\nif c:\n    x = 1\n    f()\nelse:\n    f()",
        reads="c x z",
        stores="f x",
        loads="c f x z",
    ),
    Case("function-called-by-older-code", "def f():\n    return x\ng()\nx = 1", reads="g x", stores="f x", loads="g x"),
    Case("function-called-by-property", "def f():\n    return x\no.p\nx = 1", reads="o x", stores="f x"),
    Case(
        "function-called-by-module", "import o\ndef f():\n    return x\ny = o.p\nx = 1", stores="f o x y", loads="o x"
    ),
    Case("function-called-by-hash", "def f():\n    return x\n{o: 1}\nx = 1", reads="o x", stores="f x"),
    Case("local-hides-global", "def f():\n    print(x)\n    x = 1", stores="f"),
    Case("argument-hides-global", "def f(x, /, *y, z, **w):\n    return x, y, z, w", stores="f"),
    Case("global-statement", "def f():\n    global x\n    x = 1", stores="f x"),
    Case("global-read-and-stored", "def f():\n    global x\n    x += 1", reads="x", stores="f x"),
    Case("global-stored-first", "def f():\n    global x\n    x = 1\n    return x", stores="f x", loads="x"),
    Case("global-deleted", "def f():\n    global x\n    del x", reads="x", stores="f", deletes="x"),
    Case("global-for-import", "def f():\n    global np\n    import numpy as np", stores="f np"),
    Case("global-def", "def f():\n    global g\n    def g(): ...", stores="f g"),
    Case("global-in-inner", "def f(x):\n    def g():\n        global x\n        x = 1", stores="f x"),
    Case(
        "global-is-not-inherited", "def f():\n    global x\n    def g():\n        x = 1\n        return x", stores="f"
    ),
    Case("nonlocal", "def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = 2\n    return g", stores="f"),
    Case("closure", "def f(x):\n    def g():\n        return x + y\n    return g", reads="y", stores="f"),
    Case(
        "local-names-of-all-kinds",
        """def f():
    import a.b, c as d
    from e import g
    with h() as i: pass
    for j, (k, *l) in []: pass
    try: pass
    except E as m: pass
    match 1:
        case {'x': n, **o} | [n, *o]: pass
    class p: pass
    def q(): pass
    r: int = 1
    s += 1
    del t
    [u := 1 for v in ()]
    return a, d, g, i, j, k, l, m, n, o, p, q, r, s, t, u
""",
        reads="h E",
        stores="f",
    ),
    Case("walrus-in-function", "def f():\n    if (n := 1): pass\n    return n", stores="f"),
    Case("walrus-in-inner-default", "def f():\n    def g(a=(n := 1)): pass\n    return n", stores="f"),
    Case("walrus-in-lambda-stays", "h = lambda: (n := 1)\nn", reads="n", stores="h"),
    Case("lambda", "f = lambda a, b=d: a + b + c", reads="c d", stores="f"),
    Case("lambda-before-store", "f = lambda: x\nx = 1\nf()", stores="f x", loads="f x"),
    Case("lambda-given-away", "s.sort(key=lambda r: r[k])\nk = 1", reads="k s", stores="k"),
    Case("list-comprehension", "[a + b for a in c if a > d]", reads="b c d", loads="b c d"),
    Case("dict-comprehension", "{k: v + w for k, v in d.items()}", reads="d w"),
    Case("set-comprehension", "{a for a in b for b in a}", reads="b"),
    Case("nested-comprehension", "[[y for y in x] for x in z]", reads="z"),
    Case("comprehension-first-iterable", "[x for x in x]", reads="x"),
    Case("comprehension-later-iterable", "[y for x in a for y in x.b]", reads="a"),
    Case("generator", "g = (x + y for x in z)", reads="y z", stores="g"),
    Case("walrus-in-comprehension", "[last := x for x in y]\nlast", reads="last y", stores="last"),
    Case("walrus-used-in-comprehension", "[t for x in y if (t := x)]", reads="y", stores="t", loads="t y"),
    Case("comprehension-after-store", "y = []\n[x for x in y]", stores="y", loads="y"),
    Case("async-comprehension", "[x async for x in y]", reads="y"),
    Case("class", "class C(B, metaclass=M):\n    a = x", reads="B M x", stores="C"),
    Case("class-local", "class C:\n    a = 1\n    b = a", stores="C"),
    Case("class-local-then-global", "class C:\n    b = a\n    a = 1", reads="a", stores="C"),
    Case("class-local-in-branch", "class C:\n    if c:\n        a = 1\n    b = a", reads="a c", stores="C"),
    Case("class-local-deleted", "class C:\n    a = 1\n    del a\n    b = a", reads="a", stores="C"),
    Case("class-local-not-in-method", "class C:\n    a = 1\n    def m(self):\n        return a", reads="a", stores="C"),
    Case("class-local-not-in-comprehension", "class C:\n    a = 1\n    b = [a for _ in c]", reads="a c", stores="C"),
    Case("class-local-in-first-iterable", "class C:\n    a = ()\n    b = [x for x in a]", stores="C"),
    Case("class-global", "class C:\n    global x\n    x = 1\n    y = x", stores="C x", loads="x"),
    Case("class-names-itself", "class C:\n    def m(self):\n        return C()", stores="C", loads="C"),
    Case("class-calls-method-at-once", "class C:\n    def m():\n        return C\n    a = m()", reads="C", stores="C"),
    Case("class-decorator", "@d\nclass C:\n    def m(self):\n        return C", reads="C d", stores="C"),
    Case("class-in-class", "class C:\n    a = 1\n    class D:\n        b = a", reads="a", stores="C"),
    Case("class-in-function", "def f(a):\n    class C:\n        b = a + c\n    return C", reads="c", stores="f"),
    Case("class-private-name", "class C:\n    def m(self):\n        return __x", reads="_C__x", stores="C"),
    Case("class-super", "class C(B):\n    def m(self):\n        return super().m(), __class__", reads="B", stores="C"),
    Case("class-annotations", "class C:\n    a: A\n    b: 'B' = 1", reads="A B", stores="C"),
    Case("class-body-stored-before", "x = 1\nclass C:\n    a = x", stores="C x", loads="x"),
    Case("dataclass", "@dataclass\nclass C:\n    a: int = field(default=d)", reads="dataclass field d", stores="C"),
    Case(
        "method-setter",
        "class C:\n    @property\n    def p(self): ...\n    @p.setter\n    def p(self, v): ...",
        stores="C",
    ),
    Case("function-parameters", "def f[T: B](a: T) -> T:\n    return T", reads="B", stores="f", since=(3, 12)),
    Case("class-parameters", "class C[T](G[T]):\n    a: T", reads="G", stores="C", since=(3, 12)),
    Case("parameter-default", "class C[T = D]: ...", reads="D", stores="C", since=(3, 13)),
]


@table(*FLOW, *SCOPES)
def test_cell(case: Case) -> None:
    """A cell has the names that the table says."""
    check(case)


@pytest.mark.parametrize("code", ["x =", "def f(", "x = 1\n  y = 2", "\0", "(" * 300])
def test_what_does_not_parse_has_no_names(code):
    """A cell that cannot be parsed gives None, whatever is wrong with it."""
    assert names_of_cell(code, transformed) is None


def test_star_import_is_opaque_for_stores_only():
    """A star import may store any name, but reads none."""
    found = names_of("from m import *\nx")
    assert found.opaque_stores == ("star import",)
    assert found.opaque == ()
    assert found.reads == {"x"}


def test_constants_are_those_that_can_be_files():
    """One-line strings, and the words of commands, could be files; parts of an f-string and long texts could not."""
    found = names_of(
        "a = 'x.csv', 'two words', '', ' ', 'a\\nb', f'{d}/y.csv', 3, b'z'\n'''doc'''\n!python run.py 'q.csv'"
    )
    assert found.constants == {"x.csv", "two words", "python", "run.py", "q.csv"}
    assert names_of(f"x = {'y' * 600!r}").constants == set()


def test_code_without_any_name_is_empty():
    """An empty cell uses nothing."""
    assert names_of("\n# nothing\n") == CodeNames(frozenset(), frozenset(), frozenset(), frozenset())


def test_the_analysis_does_not_change_with_names_of_variables():
    """The analysis of one cell does not depend on cells analysed before it."""
    first = names_of("import time as t\nt.time()")
    names_of("t = 1\nt.time()")
    assert names_of("import time as t\nt.time()") == first
