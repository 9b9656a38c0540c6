"""The state of a walk through a cell's syntax tree: where it is, what is stored by now, and what it found."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from elastictm.model import reach, repeatability
from elastictm.model.findings import Findings, Layer, awake
from elastictm.model.reach import MAIN, mentioned_names, opaque_reason
from elastictm.model.repeatability import Use, unrepeatable_reason
from elastictm.model.scopes import Scope

SUSPECTS = reach.WORDS | repeatability.WORDS
"""The names that are looked at more closely."""

Transform = Callable[[str], str]
"""Turns what was typed into Python, as IPython does."""


class Flow:
    """What a walk knows at the place that it has come to.

    Responsibilities:
    - say which scope a name belongs to, and note loads, stores and deletes of global names;
    - keep ``state``: the names that are certainly stored or deleted by this cell when control comes here,
      so that a load of them is not a read of anything older than the cell;
    - put off what function bodies read until something runs that may call them;
    - judge names that reach everything or do not repeat.

    Once a name is stored or deleted, its old value is gone for good, so states only grow along a path.
    """

    def __init__(self, transform: Transform) -> None:
        self.transform = transform
        self.found = Findings()
        self.scope = Scope(top=True)
        self.state: set[str] = set()
        self.live = Layer()
        self.asleep: list[Layer] = []
        self.layer = self.live
        self.reads = self.found.reads
        self.pending: set[str] = set()
        # A quiet walk is one through code that does not run now.
        self.quiet = False
        self.active = False
        self.walrus = False
        self.serial = 0
        # The outermost class around; empty where more than its name leads to its methods, None outside classes.
        self.owner: str | None = None
        # What imports of this cell named, and which of these names stand for a suspicious one.
        self.aliases: dict[str, str] = {}
        self.suspects = SUSPECTS

    def load(self, name: str) -> None:
        """Note that a name is looked up here."""
        scope = self.scope
        if scope.private:
            name = scope.mangled(name)
        if name in scope.hidden or (scope.prefix and scope.prefix + name in self.state):
            return
        self.layer.loads.add(name)
        if name not in self.state:
            self.reads.add(name)

    def store(self, name: str) -> None:
        """Note that a name is bound here."""
        scope = self.scope
        if scope.private:
            name = scope.mangled(name)
        if scope.top or name in scope.declared:
            self.found.stores.add(name)
            self.state.add(name)
        elif scope.prefix:
            self.state.add(scope.prefix + name)
        scope.texts[name] = None
        if self.aliases:
            self.aliases.pop(name, None)

    def delete(self, name: str) -> None:
        """Note that a name is unbound by ``del``; it must exist, so this reads it too."""
        scope = self.scope
        if scope.top or name in scope.declared:
            self.load(name)
        self.unbind(name)

    def unbind(self, name: str) -> None:
        """Note that a name is unbound here."""
        scope = self.scope
        if scope.private:
            name = scope.mangled(name)
        if scope.top or name in scope.declared:
            self.found.deletes.add(name)
            self.state.add(name)
        elif scope.prefix:
            self.state.discard(scope.prefix + name)

    def name_import(self, name: str, origin: str) -> None:
        """Note that an import binds a name to something of a module."""
        self.store(name)
        self.aliases[name] = origin
        if origin.rpartition(".")[2] in SUSPECTS:
            self.suspects |= {name}

    def act(self) -> None:
        """Note that here something runs that may call any function defined before."""
        if self.quiet:
            return
        self.active = True
        if not self.pending <= self.state:
            self.found.reads |= self.pending - self.state
            self.pending &= self.state

    @contextmanager
    def hushed(self) -> Iterator[None]:
        """Walk through expressions whose evaluation calls no function of the session's."""
        before, self.quiet = self.quiet, True
        try:
            yield
        finally:
            self.quiet = before

    @contextmanager
    def inside(self, scope: Scope) -> Iterator[None]:
        """Walk through code that has a scope of its own and may not run to its end."""
        before = self.scope, self.state
        self.scope, self.state = scope, set(self.state)
        try:
            yield
        finally:
            self.scope, self.state = before

    @contextmanager
    def put_off(self, scope: Scope, owner: str = "") -> Iterator[None]:
        """Walk through a body that does not run now; without an owner, anything that runs may call it."""
        before = self.layer, self.reads, self.quiet
        if self.layer is self.live:
            self.layer = Layer("" if owner in self.scope.hidden else owner)
            self.asleep.append(self.layer)
        self.reads, self.quiet = self.pending, True
        try:
            with self.inside(scope):
                yield
        finally:
            self.layer, self.reads, self.quiet = before

    def text(self, text: str) -> None:
        """Note a string constant."""
        self.found.keep_path(text)
        self.mention(text)

    def mention(self, text: str) -> None:
        """Note the names that a string, or a part of one, makes libraries look up."""
        if "@" in text or "~" in text:
            for name in mentioned_names(text):
                self.load(name)
        elif MAIN in text:
            self.layer.opaque[MAIN] = None

    def dotted(self, node: ast.expr) -> tuple[tuple[str, ...], str]:
        """The parts of a dotted name, as imported if the code so far shows the import, and as typed."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            # The extra part keeps a method's name from being taken for a builtin function.
            return ("?", *reversed(parts)), ".".join(reversed(parts))
        parts.reverse()
        root = self.aliases.get(node.id, node.id)
        return (*root.split("."), *parts), ".".join((node.id, *parts))

    def judge(self, node: ast.expr, use: Use) -> None:
        """Note what a suspicious name reaches or fails to repeat."""
        parts, shown = self.dotted(node)
        if len(parts) == 1 and parts[0] in self.scope.hidden:
            return  # a local variable that happens to be called so
        top = (self.scope.binder or self.scope).top
        reason = opaque_reason(parts, shown, use, top=top)
        if reason:
            self.layer.opaque[reason] = None
        if len(parts) == 1 and parts[0] in self.state:
            return  # a variable of the user's
        reason = unrepeatable_reason(parts, shown, use)
        if reason:
            self.layer.unrepeatable[reason] = None

    def finished(self) -> Findings:
        """All that the walk found, without the reasons inside functions that nothing can have called."""
        found = self.found
        found.reads |= self.pending - self.state
        found.loads = self.live.loads.union(*(layer.loads for layer in self.asleep))
        for layer in awake(self.live, self.asleep, found.reads) if self.active else [self.live]:
            found.opaque.update(layer.opaque)
            found.unrepeatable.update(layer.unrepeatable)
        return found
