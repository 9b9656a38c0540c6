"""The names of the files that a kernel gives to cells say nothing of what their code is."""

from __future__ import annotations

import linecache

from elastictm.values.freeze import Freezer, Surroundings

TEXT = "def f(x):\n    return x + 1\nclass C:\n    def m(self):\n        return 2\n"


def digests(text, filename):
    """The digests of what a text defines, compiled under a file name as a kernel does it."""
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    scope = {"__name__": "__main__"}
    exec(compile(text, filename, "exec", dont_inherit=True), scope)
    freezer = Freezer(Surroundings(scope))
    named = frozenset(map(id, (scope["f"], scope["C"])))
    return [freezer.group({name: scope[name]}, named).parts[name].digest for name in ("f", "C")]


def test_another_process_gives_the_same_digest():
    """A function or a class made by the same cell in another kernel is the same to its digest."""
    assert digests(TEXT, "/tmp/ipykernel_1/7.py") == digests(TEXT, "/tmp/ipykernel_2/7.py")


def test_another_text_gives_another_digest():
    """A function of another text is another function, whatever its file is called."""
    one, _ = digests(TEXT, "/tmp/ipykernel_3/7.py")
    other, _ = digests(TEXT.replace("x + 1", "x + 2"), "/tmp/ipykernel_4/7.py")
    assert one != other
