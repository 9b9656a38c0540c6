"""The names that a cell reads, stores and deletes, and the reasons why it cannot be re-run or reaches everything."""

from __future__ import annotations

import builtins
import sys
from dataclasses import dataclass

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from elastictm.model.names import CodeNames, names_of_cell

_NOT_OWN = frozenset(dir(builtins)) | {"get_ipython"}


@dataclass(frozen=True, slots=True)
class Case:
    """A cell as typed, and what is found in it; names are separated by blanks, builtins are left out."""

    id: str
    code: str
    reads: str = ""
    stores: str = ""
    deletes: str = ""
    loads: str | None = None
    opaque: tuple[str, ...] = ()
    unrepeatable: tuple[str, ...] = ()
    since: tuple[int, int] = (3, 10)


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

MAGICS = [
    Case("line-time", "%time y = f(x)", reads="f x", stores="y"),
    Case("line-time-may-fail", "%time y = f(x)\ny", reads="f x y", stores="y"),
    Case("line-time-flag", "%time --no-raise-error f(x)", reads="f x"),
    Case("line-time-inside", "y = 1\n%time y.z(x)", reads="x", stores="y", loads="x y"),
    Case("line-timeit", "%timeit -n 10 -r3 -q f(x)", reads="f x"),
    Case("line-timeit-minus", "%timeit -x", reads="x"),
    Case("line-timeit-locals", "%timeit y = x", reads="x"),
    Case("line-timeit-result", "r = %timeit -o f(x)", reads="f x", stores="r", unrepeatable=("%timeit -o",)),
    Case("line-timeit-saved", "%timeit -v r f(x)", reads="f x", stores="r", unrepeatable=("%timeit -o",)),
    Case("line-prun", "%prun -l 10 -s cumulative y = f(x)", reads="f x", stores="y"),
    Case("line-lprun", "%lprun -f g -f h.i f(x)", reads="f g h x"),
    Case("line-memit", "%memit -r 3 f(x)", reads="f x"),
    Case(
        "line-memit-made",
        "%memit f($x)",
        reads="x",
        opaque=("a magic's code that cannot be parsed", "%memit of code made from variables"),
    ),
    Case("line-mprun", "%mprun -f g f(x)", reads="f g x"),
    Case("cell-time", "%%time\ny = f(x)\ny", reads="f x", stores="y", loads="f x y"),
    Case("cell-timeit", "%%timeit -n 3 s = x\nt = s + y", reads="x y"),
    Case("cell-timeit-global", "%%timeit\nglobal t\nt = x", reads="x", stores="t"),
    Case("cell-prun", "%%prun -l 5\ny = f(x)", reads="f x", stores="y"),
    Case("cell-memit", "%%memit s = x\ny = s", reads="x", stores="s y", loads="s x"),
    Case("cell-capture", "%%capture out --no-stderr\ny = x", reads="x", stores="out y"),
    Case("cell-capture-nothing", "%%capture\ny = x", reads="x", stores="y"),
    Case("cell-in-cell", "%%capture out\n%%time\n%matplotlib inline\ny = x\n!ls {y} $z", reads="x z", stores="out y"),
    Case("magic-in-function", "def f(a):\n    %time g(a)\n    !ls {a} {b}", reads="b g", stores="f"),
    Case("bash", "%%bash -s $x {y}\necho $z {w}", reads="x y"),
    Case("bash-streams", "%%bash --out o --err=e --bg --proc p\nls", stores="e o p"),
    Case("sh-script-python", "%%script python3 --out o\nx = y", stores="o"),
    Case("cell-python", "%%python\nx = y"),
    Case("writefile", "%%writefile {name}.py\nx = y", reads="name"),
    Case("html", "%%html\n<b>{x}</b>"),
    Case("javascript-latex-markdown-svg", "%%latex\n$x$"),
    Case("cell-shell", "%%!\nls {x}", reads="x"),
    Case("cell-sx-out", "%%sx --out o\nls {x}", reads="x", stores="o"),
    Case("shell", "!ls {x} $y", reads="x y"),
    Case("shell-attribute", "!cat $p.name $$HOME {d['k']} {{q}}", reads="p d"),
    Case("shell-slice", "!echo {x[1:n]}", reads="n x"),
    Case("shell-braces-of-awk", "!awk '{print}' {x", reads=""),
    Case("shell-output", "files = !ls {x}", reads="x", stores="files"),
    Case("shell-output-twice", "!!ls {x}", reads="x"),
    Case("sc", "%sc -l a = ls {x}", reads="x", stores="a"),
    Case("sx", "a = %sx ls $x", reads="x", stores="a"),
    Case("aliases", "%ls {x}\n%cat {y}\n%mkdir z", reads="x y"),
    Case("cd-pwd", "%cd {x}\nd = %pwd", reads="x", stores="d"),
    Case("env", "%env A=$x\n%set_env B {y}\nv = %env A", reads="x y", stores="v"),
    Case("settings", "%matplotlib inline\n%load_ext autoreload\n%autoreload 2\n%precision 3\n%history -n 1"),
    Case("install", "%pip install numpy\n%conda install numpy"),
    Case("config", "%config InlineBackend.figure_format = fmt", reads="fmt"),
    Case("aimport", "%aimport a.b, -c", stores="a"),
    Case("page", "%page -r x.y", reads="x"),
    Case("help", "x.y?", reads="x"),
    Case("help-source", "??f", reads="f"),
    Case("help-before", "%psource f\n%pdoc g\n%pinfo h", reads="f g h"),
    Case("help-of-magic", "%time?"),
    Case("own", "%migrate save {path}\n%past 3\n%graph", reads="path"),
    Case("own-cell", "%%future\nx = y"),
    Case("who", "%who", opaque=("%who",)),
    Case("whos", "%whos int", opaque=("%whos",)),
    Case("who-ls", "x = %who_ls", stores="x", opaque=("%who_ls",)),
    Case("psearch", "a*?", opaque=("%psearch",)),
    Case("run", "%run {x}.py", reads="x", opaque=("%run",)),
    Case("store", "%store x", opaque=("%store",)),
    Case("reset", "%reset -f\n%reset_selective x\n%xdel y", opaque=("%reset", "%reset_selective", "%xdel")),
    Case("macro", "%macro m 1\n%edit\n%load f.py", opaque=("%macro", "%edit", "%load")),
    Case("rerun", "%rerun\n%recall 3\n%pylab", opaque=("%rerun", "%recall", "%pylab")),
    Case("debug", "%debug", opaque=("%debug",)),
    Case("unknown-line", "%frobnicate x", opaque=("%frobnicate",)),
    Case("unknown-cell", "%%sql\nselect * from x", opaque=("%%sql",)),
    Case("magic-that-does-not-parse", "%time x +", opaque=("a magic's code that cannot be parsed",)),
    Case(
        "magic-by-variable", "get_ipython().run_line_magic(n, 'x')", reads="n", opaque=("get_ipython().run_line_magic",)
    ),
    Case("transformed", "y = get_ipython().run_line_magic('time', 'f(x)')", reads="f x", stores="y"),
    Case("transformed-cell", "get_ipython().run_cell_magic('time', '', 'y = x\\n')", reads="x", stores="y"),
    Case(
        "transformed-shell",
        "get_ipython().system('ls {x}')\na = get_ipython().getoutput('$y')",
        reads="x y",
        stores="a",
    ),
    Case("shell-command-by-variable", "get_ipython().system(c)", reads="c"),
    Case("next-input", "get_ipython().set_next_input(x)", reads="x"),
]

OPAQUE = [
    Case("eval", "eval(s)", reads="s", opaque=("eval()",)),
    Case("exec", "exec('x = 1')", opaque=("exec()",)),
    Case("eval-of-builtins", "builtins.eval(s)", reads="builtins s", opaque=("eval()",)),
    Case("eval-own", "eval = 1\neval", stores="eval", opaque=("eval()",)),
    Case("eval-method", "model.eval()", reads="model"),
    Case("literal-eval", "ast.literal_eval(s)", reads="ast s"),
    Case("globals", "globals()['x'] = 1", opaque=("globals()",)),
    Case("locals", "locals()", opaque=("locals()",)),
    Case("locals-in-function", "def f():\n    return locals(), vars(), dir()\nf()", stores="f", loads="f"),
    Case("locals-in-comprehension", "[locals() for _ in x]", reads="x", opaque=("locals()",)),
    Case("vars", "vars()", opaque=("vars()",)),
    Case("vars-of-object", "vars(x), dir(y), dir(*z)", reads="x y z"),
    Case("vars-kept", "v = vars", stores="v", opaque=("vars()",)),
    Case("dir", "dir()", opaque=("dir()",)),
    Case("dir-as-variable", "os.rmdir(dir)\ndir / 'a'", reads="os"),
    Case("globals-in-called-function", "def f():\n    globals()\nf()", stores="f", opaque=("globals()",)),
    Case("globals-in-function-never-called", "def f():\n    globals()\nx = 1", stores="f x"),
    Case(
        "globals-called-through", "def f():\n    globals()\ndef g():\n    f()\ng()", stores="f g", opaque=("globals()",)
    ),
    Case("globals-called-by-older", "def f():\n    globals()\nh()", reads="h", stores="f", opaque=("globals()",)),
    Case("globals-in-method", "class C:\n    def m(self): globals()\nC()", stores="C", opaque=("globals()",)),
    Case("globals-in-decorated", "@d\ndef f(): globals()", reads="d", stores="f", opaque=("globals()",)),
    Case(
        "globals-inside-decorated",
        "@print\ndef f():\n    def g(): globals()\n    g()",
        stores="f",
        opaque=("globals()",),
    ),
    Case("globals-in-lambda", "h = lambda: globals()\nlen('')", stores="h", opaque=("globals()",)),
    Case("globals-in-timed-function", "%%timeit\ndef f(): globals()\nf()", opaque=("globals()",)),
    Case("argument-named-eval", "def f(eval): return eval(1)\nf(1)", stores="f"),
    Case("import-main", "import __main__", stores="__main__", opaque=("__main__",)),
    Case("from-main", "from __main__ import x", stores="x", opaque=("__main__",)),
    Case("main-by-name", "__import__('__main__')", opaque=("__main__",)),
    Case("main-used", "__main__.x = 1", reads="__main__", opaque=("__main__",)),
    Case("main-in-table", "import sys\nsys.modules['__main__'].x", stores="sys", opaque=("__main__",)),
    Case("main-idiom", "if __name__ == '__main__':\n    f()", reads="f"),
    Case("modules", "sys.modules[n]", reads="n sys", opaque=("sys.modules",)),
    Case("modules-by-import", "from sys import modules\nmodules", stores="modules", opaque=("modules",)),
    Case(
        "modules-harmless",
        "'torch' in sys.modules\nsys.modules['a'], sys.modules.get('b'), len(sys.modules)",
        reads="sys",
    ),
    Case("shell-kept", "ip = get_ipython()", stores="ip", opaque=("get_ipython()",)),
    Case("shell-asked", "get_ipython() is None\ntype(get_ipython()), get_ipython().__class__.__name__"),
    Case("shell-of-module", "IPython.get_ipython().user_ns", reads="IPython", opaque=("get_ipython().user_ns",)),
    Case("shell-namespace", "get_ipython().user_ns['x'] = 1", opaque=("get_ipython().user_ns",)),
    Case("shell-run-cell", "get_ipython().run_cell('x = 1')", opaque=("get_ipython().run_cell",)),
    Case("shell-ex", "get_ipython().ex('x = 1')", opaque=("get_ipython().ex",)),
    Case("shell-push", "get_ipython().push({'x': y})", reads="y", opaque=("get_ipython().push",)),
    Case("shell-run-code", "get_ipython().run_code(c)", reads="c", opaque=("get_ipython().run_code",)),
    Case("shell-elsewhere", "ip.run_cell('x')\nip.user_ns", reads="ip", opaque=("ip.run_cell", "ip.user_ns")),
    Case("frames", "f.__globals__, g().f_globals", reads="f g", opaque=("f.__globals__", "f_globals")),
    Case(
        "debugger", "breakpoint()\nimport pdb\npdb.set_trace()", stores="pdb", opaque=("breakpoint()", "pdb.set_trace")
    ),
    Case("garbage", "import gc\ngc.get_objects()", stores="gc", opaque=("gc.get_objects",)),
    Case("profile", "import cProfile\ncProfile.run('f()')", stores="cProfile", opaque=("cProfile.run",)),
    Case("session-dump", "dill.dump_session('a')", reads="dill", opaque=("dill.dump_session",)),
    Case("query-local", "df.query('a > @x and b < @y.z')", reads="df x y"),
    Case("query-elsewhere", "df.query(q)", reads="df q", opaque=("query() of a text made elsewhere",)),
    Case("query-in-cell", "q = 'a > @x'\ndf.query(q)", reads="df x", stores="q", loads="df q x"),
    Case(
        "query-in-cell-or-not",
        "q = 'a'\nif c:\n    q = g()\ndf.query(q)",
        reads="c df g",
        stores="q",
        opaque=("query() of a text made elsewhere",),
    ),
    Case("query-of-class", "session.query(User)", reads="User session"),
    Case("frame-eval", "df.eval('a + @x')", reads="df x"),
    Case("pandas-eval", "pd.eval('x + y')", reads="pd x y"),
    Case("numexpr", "ne.evaluate('x * y')\nmodel.evaluate(z)", reads="model ne x y z"),
    Case("sql", "duckdb.sql('select 1 from df')", reads="df duckdb from select"),
    Case("sql-values", 'con.execute(f"select a from t where b = {x}")', reads="a b con from select t where x"),
    Case(
        "sql-table", "con.execute(f'select a from {t}')", reads="con t", opaque=("execute() of a text made elsewhere",)
    ),
    Case("sql-not", "con.execute('pragma a')", reads="con"),
    Case("formula", "ols('y ~ np.log(x)', data=df)", reads="df log np ols x y"),
    Case("not-a-formula", "open('~/data/x.csv')\nm('a@b.com')", reads="m"),
]

REPEATS = [
    Case("time", "time.time()", reads="time", unrepeatable=("time.time()",)),
    Case("time-renamed", "import time as t\nt.time()", stores="t", unrepeatable=("t.time()",)),
    Case("time-from", "from time import time\ntime()", stores="time", unrepeatable=("time()",)),
    Case("time-unseen-import", "time()", reads="time", unrepeatable=("time()",)),
    Case("time-of-datetime", "d.time()", reads="d"),
    Case("clock-renamed", "from time import perf_counter as pc\npc()", stores="pc", unrepeatable=("pc()",)),
    Case("clock-renamed-and-gone", "from time import perf_counter as pc\npc = 1\npc", stores="pc"),
    Case("sleep", "time.sleep(1)", reads="time"),
    Case(
        "clocks",
        "perf_counter(), time.monotonic(), time.time_ns()",
        reads="perf_counter time",
        unrepeatable=("perf_counter()", "time.monotonic()", "time.time_ns()"),
    ),
    Case("clock-given-away", "f(clock=time.perf_counter)", reads="f time", unrepeatable=("time.perf_counter()",)),
    Case(
        "clock-faces",
        "time.localtime(), time.ctime(), time.strftime('%Y')",
        reads="time",
        unrepeatable=("time.localtime()", "time.ctime()", "time.strftime()"),
    ),
    Case(
        "clock-faces-of-values",
        "time.localtime(0), time.ctime(0), time.strftime('%Y', x), d.strftime('%Y')",
        reads="d time x",
    ),
    Case("now", "datetime.now()", reads="datetime", unrepeatable=("datetime.now()",)),
    Case("now-with-zone", "datetime.datetime.now(tz)", reads="datetime tz", unrepeatable=("datetime.datetime.now()",)),
    Case("now-given-away", "f(datetime.utcnow)", reads="datetime f", unrepeatable=("datetime.utcnow()",)),
    Case("now-of-pandas", "pd.Timestamp.now()", reads="pd", unrepeatable=("pd.Timestamp.now()",)),
    Case(
        "now-as-text", "pd.Timestamp('now'), pd.to_datetime('2020')", reads="pd", unrepeatable=('pd.Timestamp("now")',)
    ),
    Case("today", "date.today()", reads="date", unrepeatable=("date.today()",)),
    Case("column-named-now", "row.now, row.today", reads="row"),
    Case("uuid", "uuid.uuid4(), uuid1()", reads="uuid uuid1", unrepeatable=("uuid.uuid4()", "uuid1()")),
    Case("urandom", "os.urandom(4), os.getrandom(4)", reads="os", unrepeatable=("os.urandom()", "os.getrandom()")),
    Case(
        "secrets",
        "secrets.token_hex(), secrets.choice(x)",
        reads="secrets x",
        unrepeatable=("secrets.token_hex()", "secrets.choice()"),
    ),
    Case(
        "secrets-from", "from secrets import choice\nchoice(x)", reads="x", stores="choice", unrepeatable=("choice()",)
    ),
    Case("choice", "random.choice(x), np.random.choice(x)", reads="np random x"),
    Case("unseeded", "np.random.default_rng()", reads="np", unrepeatable=("np.random.default_rng() without a seed",)),
    Case(
        "unseeded-none",
        "RandomState(None), Random(x=None)",
        reads="Random RandomState",
        unrepeatable=("RandomState() without a seed", "Random() without a seed"),
    ),
    Case(
        "unseeded-keyword",
        "default_rng(seed=None)",
        reads="default_rng",
        unrepeatable=("default_rng() without a seed",),
    ),
    Case("unseeded-bits", "Generator(PCG64())", reads="Generator PCG64", unrepeatable=("PCG64() without a seed",)),
    Case(
        "seeded",
        "default_rng(0), RandomState(seed=s), Random(1), Generator(PCG64(2)), np.random.seed(3)",
        reads="Generator PCG64 Random RandomState default_rng np s",
    ),
    Case("seeded-by-stars", "default_rng(*a), default_rng(**k)", reads="a default_rng k"),
    Case(
        "seed-of-nothing",
        "random.seed()\nnp.random.seed(None)",
        reads="np random",
        unrepeatable=("random.seed() without a seed", "np.random.seed() without a seed"),
    ),
    Case("system-random", "random.SystemRandom()", reads="random", unrepeatable=("random.SystemRandom()",)),
    Case("input", "x = input('? ')", stores="x", unrepeatable=("input()",)),
    Case("input-as-variable", "input = x\nf(input), input()", reads="f x", stores="input"),
    Case("getpass", "getpass.getpass()", reads="getpass", unrepeatable=("getpass.getpass()",)),
    Case("id", "id(x)", reads="x", unrepeatable=("id()",)),
    Case("id-as-key", "sorted(x, key=id), map(id, x)", reads="x", unrepeatable=("id()",)),
    Case("id-as-variable", "for id in x:\n    d[id]\nid(x)", reads="d x", stores="id", unrepeatable=("id()",)),
    Case("id-of-loop", "id = 5\nd[id]", reads="d", stores="id"),
    Case("process", "os.getpid()", reads="os", unrepeatable=("os.getpid()",)),
    Case("environment", "os.environ['A']", reads="os", unrepeatable=("os.environ depends on the machine",)),
    Case(
        "environment-asked",
        "from os import environ\nenviron.get('A'), os.getenv('A'), 'A' in environ",
        reads="os",
        stores="environ",
        unrepeatable=("environ depends on the machine", "os.getenv() depends on the machine"),
    ),
    Case("environment-set", "os.environ['A'] = '1'\nos.environ.setdefault('B', '2')\ndel os.environ['A']", reads="os"),
    Case("environment-set-in-function", "def f():\n    os.environ['A'] = '1'\nf()", reads="os", stores="f"),
    Case(
        "where-it-is",
        "os.getcwd(), os.path.abspath(p), Path.cwd(), p.resolve(), Path.home()",
        reads="Path os p",
        unrepeatable=(
            "os.getcwd() depends on the machine",
            "os.path.abspath() depends on the machine",
            "Path.cwd() depends on the machine",
            "p.resolve() depends on the machine",
            "Path.home() depends on the machine",
        ),
    ),
    Case("absolute-values", "np.absolute(x), resolve(y), y.home(), os.path.join('a', p)", reads="np os p resolve x y"),
    Case(
        "which-files-there-are",
        "from glob import glob\nif not os.path.exists('d'):\n    glob('*'), p.stat().st_size, list(p.iterdir())",
        reads="os p",
        stores="glob",
        unrepeatable=(
            "os.path.exists() depends on the machine",
            "glob() depends on the machine",
            "p.stat() depends on the machine",
            "p.iterdir() depends on the machine",
        ),
    ),
    Case("columns-of-such-names", "row.exists, row.glob, row.stat, t.version, u.argv", reads="row t u"),
    Case(
        "who-and-what",
        "socket.gethostname(), platform.node(), os.cpu_count(), sys.version, sys.argv[1]",
        reads="os platform socket sys",
        unrepeatable=(
            "socket.gethostname() depends on the machine",
            "platform.node() depends on the machine",
            "os.cpu_count() depends on the machine",
            "sys.version depends on the machine",
            "sys.argv depends on the machine",
        ),
    ),
    Case("temporary-file", "tempfile.mkdtemp()", reads="tempfile", unrepeatable=("tempfile.mkdtemp()",)),
    Case("in-function-never-called", "import time\ndef f():\n    return time.time()", stores="f time"),
    Case("in-class-never-used", "class C(n.B):\n    def m(self):\n        return uuid4()", reads="n uuid4", stores="C"),
    Case(
        "in-class-of-own-base",
        "class C(B):\n    def m(self):\n        return uuid4()",
        reads="B uuid4",
        stores="C",
        unrepeatable=("uuid4()",),
    ),
    Case(
        "in-class-that-a-base-of-the-cell-calls",
        "class B:\n    def __init_subclass__(cls):\n        uuid4()\nclass C(B): ...",
        reads="uuid4",
        stores="B C",
        unrepeatable=("uuid4()",),
    ),
    Case(
        "in-function-called",
        "def f():\n    return time.time()\nf()",
        reads="time",
        stores="f",
        unrepeatable=("time.time()",),
    ),
    Case("time-magics", "%time f()\n%timeit f()", reads="f"),
]

CASES = FLOW + SCOPES + MAGICS + OPAQUE + REPEATS


def _transform(typed: str) -> str:
    return TransformerManager().transform_cell(typed)


def _cell(typed: str) -> CodeNames:
    found = names_of_cell(_transform(typed), _transform)
    assert found is not None, f"this does not parse: {typed}"
    return found


def _words(text: str) -> set[str]:
    return set(text.split())


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.id, marks=pytest.mark.skipif(sys.version_info < case.since, reason="newer syntax"))
        for case in CASES
    ],
)
def test_cell(case: Case) -> None:
    """A cell reads, stores and deletes what the table says, for the reasons that it says."""
    found = _cell(case.code)
    assert found.reads - (_NOT_OWN - _words(case.reads)) == _words(case.reads)
    assert found.stores == _words(case.stores)
    assert found.deletes == _words(case.deletes)
    assert found.opaque == case.opaque
    assert found.unrepeatable == case.unrepeatable
    assert found.reads <= found.loads
    if case.loads is not None:
        assert found.loads - _NOT_OWN == _words(case.loads)


@pytest.mark.parametrize("code", ["x =", "def f(", "x = 1\n  y = 2", "\0", "(" * 300])
def test_what_does_not_parse_has_no_names(code):
    """A cell that cannot be parsed gives None, whatever is wrong with it."""
    assert names_of_cell(code, _transform) is None


def test_star_import_is_opaque_for_stores_only():
    """A star import may store any name, but reads none."""
    found = _cell("from m import *\nx")
    assert found.opaque_stores == ("star import",)
    assert found.opaque == ()
    assert found.reads == {"x"}


def test_constants_are_those_that_can_be_files():
    """One-line strings, and the words of commands, could be files; parts of an f-string and long texts could not."""
    found = _cell(
        "a = 'x.csv', 'two words', '', ' ', 'a\\nb', f'{d}/y.csv', 3, b'z'\n'''doc'''\n!python run.py 'q.csv'"
    )
    assert found.constants == {"x.csv", "two words", "python", "run.py", "q.csv"}
    assert _cell(f"x = {'y' * 600!r}").constants == set()


def test_code_without_any_name_is_empty():
    """An empty cell uses nothing."""
    assert _cell("\n# nothing\n") == CodeNames(frozenset(), frozenset(), frozenset(), frozenset())


def test_the_analysis_does_not_change_with_names_of_variables():
    """The analysis of one cell does not depend on cells analysed before it."""
    first = _cell("import time as t\nt.time()")
    _cell("t = 1\nt.time()")
    assert _cell("import time as t\nt.time()") == first
