"""The analysis against the interpreter: random programs are run, and whole modules are compiled, to check it."""

from __future__ import annotations

import builtins
import contextlib
import dis
import importlib
import inspect
import random
import sys
from types import CodeType

import pytest

from elastictm.model.names import names_of_cell, names_of_code

NAMES = [*"abcdef"]
PROGRAMS = 1000
STEPS = 400
MODULES = ("argparse", "ast", "asyncio.base_events", "contextlib", "dataclasses", "enum", "functools", "inspect",
           "json.decoder", "logging", "pathlib", "subprocess", "tarfile", "threading", "typing")  # fmt: skip


class _Exhausted(BaseException):
    """A program ran for long enough."""


class _Failure(Exception):
    """What the programs raise and catch."""


class _Namespace(dict):
    """A namespace that notes which names gave a value older than the program.

    The interpreter looks names up through ``__getitem__`` where a namespace is not a plain dict,
    but stores some past ``__setitem__``, so what is old is told by identity.
    """

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance
        self.steps = 0
        self.old = {name: _Thing(self) for name in NAMES if chance.random() < 0.9}
        self.old["manager"] = _Manager(self)
        self.update(self.old)
        self["Failure"] = _Failure
        self["tick"] = self.tick
        self["__builtins__"] = builtins
        self["__name__"] = "program"
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> object:
        value = super().__getitem__(name)
        if name in self.old and value is self.old[name]:
            self.read.add(name)
        return value

    def tick(self) -> None:
        """End a program that runs for too long."""
        self.steps += 1
        if self.steps > STEPS:
            raise _Exhausted

    def act(self, *given: object) -> None:
        """Do what older code may do whenever it runs: call what it was given, or something by its name."""
        self.tick()
        for found in (*given, self.get(self.chance.choice(NAMES))):
            if callable(found) and not isinstance(found, _Thing) and self.chance.random() < 0.4:
                found()
        if self.chance.random() < 0.03:
            raise _Failure


class _Thing:
    """A value that stands everything, and runs older code whenever something is done to it."""

    def __init__(self, namespace: _Namespace) -> None:
        self._namespace = namespace

    def _same(self, *given: object) -> _Thing:
        self._namespace.act(*given)
        return _Thing(self._namespace)

    __add__ = __radd__ = __iadd__ = __getitem__ = __call__ = __neg__ = __lt__ = __eq__ = _same
    __hash__ = None

    @property
    def x(self) -> _Thing:
        return self._same()

    def __bool__(self) -> bool:
        self._namespace.act()
        return self._namespace.chance.random() < 0.5

    def __iter__(self):
        self._namespace.act()
        return iter([_Thing(self._namespace) for _ in range(self._namespace.chance.choice((0, 1, 2, 2)))])

    def __setitem__(self, key: object, value: object) -> None:
        self._namespace.act()

    def __delitem__(self, key: object) -> None:
        self._namespace.act()

    def __format__(self, spec: str) -> str:
        self._namespace.act()
        return ""


class _Manager(_Thing):
    """A context manager that may swallow exceptions."""

    def __enter__(self) -> _Thing:
        return self._same()

    def __exit__(self, *_args: object) -> bool:
        return self._namespace.chance.random() < 0.5


class _Writer:
    """Writes random programs, of all statements that change what a name means."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.depth = 0

    def name(self) -> str:
        return self.chance.choice(NAMES)

    def expr(self, depth: int = 0) -> str:
        n, e = self.name, lambda: self.expr(depth + 1)
        if depth > 2:
            return n()
        forms = [
            n, n, n, n,
            lambda: f"({e()} + {e()})",
            lambda: f"{n()}({e()})",
            lambda: f"{n()}()",
            lambda: f"({n()} := {e()})",
            lambda: f"({e()} and {e()})",
            lambda: f"({e()} if {e()} else {e()})",
            lambda: f"({n()} < {e()} < {e()})",
            lambda: f"(lambda {n()}, *_, {n()}_={e()}: {e()})",
            lambda: f"(lambda *_: {e()})",
            lambda: f"[{e()} for {n()} in {n()} if {e()}]",
            lambda: f"{{{e()}: 1 for _ in {n()} for {n()} in {n()}}}",
            lambda: f"list({e()} for {n()} in {n()})",
            lambda: f"({n()} for _ in {n()})",
            lambda: f"f'{{{e()}}}'",
            lambda: f"{n()}[{e()}]",
            lambda: f"-{n()}",
            lambda: f"{n()}.x",
        ]  # fmt: skip
        return self.chance.choice(forms)()

    def block(self, function: bool = False, loop: bool = False) -> list[str]:
        self.depth += 1
        lines: list[str] = []
        for _ in range(self.chance.randint(1, 4 if self.depth < 3 else 2)):
            lines += self.statement(function, loop)
        self.depth -= 1
        return lines

    def inner(self, **kind: bool) -> list[str]:
        return ["    " + line for line in self.block(**kind)]

    def statement(self, function: bool, loop: bool) -> list[str]:
        kind = {"function": function, "loop": loop}
        n, e = self.name, self.expr
        simple = [
            lambda: [f"{n()} = {e()}"],
            lambda: [f"{n()} = {e()}"],
            lambda: [f"{n()} = {n()} = {n()}"],
            lambda: [f"{n()} += {e()}"],
            lambda: [f"{n()}: {n()} = {e()}"],
            lambda: [f"{n()}[{e()}] = {e()}"],
            lambda: [f"{n()}, *{n()} = {e()}, {n()}"],
            lambda: [f"del {n()}"] if self.chance.random() < 0.5 else [f"{n()} = {n()}"],
            lambda: [e()],
            lambda: [e()],
            lambda: [f"import string as {n()}"],
            lambda: [f"from string import digits as {n()}"],
            lambda: [f"assert {e()}, {e()}"],
            lambda: ["raise Failure"] if self.chance.random() < 0.3 else [e()],
            lambda: ["return " + e()] if function else [e()],
            lambda: [self.chance.choice(("break", "continue"))] if loop else [e()],
        ]
        inner = {"function": function, "loop": True}
        body = lambda **other: self.inner(**(kind | other))  # noqa: E731
        compound = [
            lambda: [f"if {e()}:", *body(), "else:", *body()],
            lambda: [f"if {e()}:", *body()],
            lambda: [f"for {n()} in {e()}:", *self.inner(**inner)],
            lambda: [f"for {n()} in {e()}:", *self.inner(**inner), "else:", *body()],
            lambda: [f"while {e()}:", "    tick()", *self.inner(**inner)],
            lambda: ["try:", *body(), f"except Failure as {n()}:", *body(), "else:", *body()],
            lambda: ["try:", *body(), "except Exception:", *body(), "finally:", *body(loop=False)],
            lambda: [f"with manager as {n()}, manager:", *body()],
            lambda: [f"match {e()}:", f"    case [{n()}, _]:", *["    " + x for x in body()],
                     f"    case {n()} if {e()}:", *["    " + x for x in body()]],
            self.function,
            self.function,
            self.klass,
        ]  # fmt: skip
        return self.chance.choice(compound if self.depth < 4 and self.chance.random() < 0.45 else simple)()

    def function(self) -> list[str]:
        declared = self.chance.sample(NAMES, self.chance.choice((0, 0, 1, 2)))
        arguments = [name for name in self.chance.sample(NAMES, self.chance.choice((0, 0, 1))) if name not in declared]
        lines = [f"@{self.name()}"] if self.chance.random() < 0.15 else []
        lines.append(f"def {self.name()}({''.join(f'{a}={self.expr()}, ' for a in arguments)}*_):")
        if declared:
            lines.append(f"    global {', '.join(declared)}")
        return [*lines, *self.inner(function=True)]

    def klass(self) -> list[str]:
        lines = [f"@{self.name()}"] if self.chance.random() < 0.15 else []
        body = [f"    {self.name()} = {self.name()}", *("    " + line for line in self.function())]
        body.insert(self.chance.choice((0, len(body))), f"    {self.name()} = {self.name()}()")
        return [*lines, f"class {self.name()}:", *body]


def _program(seed: int) -> tuple[str, CodeType] | None:
    text = "\n".join(_Writer(random.Random(seed)).block()) + "\n"
    try:
        return text, compile(text, "program", "exec")
    except SyntaxError:  # such as a name that is both an argument and global
        return None


def _run(code: CodeType, seed: int) -> _Namespace:
    namespace = _Namespace(random.Random(seed))
    with contextlib.suppress(_Exhausted, Exception):
        exec(code, namespace)
    return namespace


def test_no_program_does_what_is_not_announced():
    """Whatever a random program does, the older values it looks up and the names it changes are announced."""
    runs = with_reads = with_changes = precise = 0
    for seed in range(PROGRAMS):
        program = _program(seed)
        if program is None:
            continue
        text, code = program
        found = names_of_cell(text, lambda typed: typed)
        assert found is not None
        precise += found.reads < found.loads
        for run in range(2):
            after = _run(code, seed + run * PROGRAMS)
            read, now = frozenset(after.read), dict(after)
            bound = {name for name in NAMES if name in now and now[name] is not after.old.get(name)}
            gone = {name for name in NAMES if name in after.old and name not in now}
            assert read <= found.reads, f"{sorted(read - found.reads)} in\n{text}"
            assert bound <= found.stores, f"{sorted(bound - found.stores)} in\n{text}"
            assert gone <= found.deletes, f"{sorted(gone - found.deletes)} in\n{text}"
            runs += 1
            with_reads += bool(read)
            with_changes += bool(bound or gone)
    # The programs must be such that the property could fail.
    assert runs > PROGRAMS
    assert with_reads > PROGRAMS
    assert with_changes > PROGRAMS / 2
    assert precise > PROGRAMS / 5


def _codes(code: CodeType) -> list[CodeType]:
    found = [code]
    for inner in found:
        found += [constant for constant in inner.co_consts if isinstance(constant, CodeType)]
    return found


def _source(module: str) -> str:
    return inspect.getsource(importlib.import_module(module))


@pytest.mark.parametrize("module", MODULES)
def test_source_and_bytecode_agree(module):
    """The walk through a module's source finds all global names that its bytecode loads and stores, and few more."""
    source = _source(module)
    code = compile(source, module, "exec")
    loads, stores, deletes = set(), set(), set()
    for inner in _codes(code):
        for step in dis.get_instructions(inner):
            if step.opname == "LOAD_GLOBAL" or (step.opname == "LOAD_NAME" and inner is code):
                loads.add(step.argval)
            elif step.opname == "STORE_GLOBAL" or (step.opname == "STORE_NAME" and inner is code):
                stores.add(step.argval)
            elif step.opname == "DELETE_GLOBAL" or (step.opname == "DELETE_NAME" and inner is code):
                deletes.add(step.argval)
    hidden = {name for name in loads | stores if name.startswith("__") and name.endswith("__")}
    found = names_of_cell(source, lambda typed: typed)
    assert found is not None
    assert loads - hidden <= found.loads
    assert stores - hidden == found.stores - hidden
    # An exception's name is unbound before it is lost, too.
    assert deletes == found.deletes
    bytecode = names_of_code(code)
    assert found.loads - bytecode.loads <= _words_in_strings(code) | found.deletes


def _words_in_strings(code: CodeType) -> set[str]:
    texts = [str(constant) for inner in _codes(code) for constant in inner.co_consts]
    return {word for text in texts for word in text.replace("'", " ").replace("[", " ").replace("]", " ").split()}


@pytest.mark.parametrize("module", MODULES)
def test_bytecode_is_read_as_dis_reads_it(module):
    """The fast reading of bytecode finds the names that the standard library's slow one finds."""
    for code in _codes(compile(_source(module), module, "exec"))[1:]:
        if not code.co_flags & inspect.CO_OPTIMIZED:
            continue  # the body of a class, which is always met inside something else
        loads, stores, deletes = set(), set(), set()
        for inner in _codes(code):
            for step in dis.get_instructions(inner):
                if step.opname in {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}:
                    loads.add(step.argval)
                elif step.opname == "STORE_GLOBAL":
                    stores.add(step.argval)
                elif step.opname == "DELETE_GLOBAL":
                    deletes.add(step.argval)
        found = names_of_code(code)
        assert loads | deletes <= found.loads
        assert stores <= found.stores
        assert deletes == found.deletes


def test_more_names_than_fit_a_byte():
    """Names whose index takes an extended argument are read right."""
    wanted = [f"name_{i}" for i in range(700)]
    namespace: dict[str, object] = {}
    exec("def f():\n    return [" + ", ".join(wanted) + "]", namespace)
    assert names_of_code(namespace["f"].__code__).reads == set(wanted)


def test_deep_code_is_opaque():
    """A cell too deep for the walk still gives all its names, and says that it may have touched everything."""
    deep = "x = " + "a + " * 700 + "b\n"
    limit = sys.getrecursionlimit()
    frames = len(inspect.stack(0))
    sys.setrecursionlimit(frames + 900)
    try:
        found = names_of_cell(deep, lambda typed: typed)
    finally:
        sys.setrecursionlimit(limit)
    assert found is not None
    assert found.opaque == ("code too deeply nested to be analysed",)
