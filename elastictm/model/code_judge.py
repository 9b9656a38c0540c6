"""Suspicious names in bytecode: what is called, with what, as far as instructions side by side show it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from elastictm.model.events import NOTHING, Event, decoded
from elastictm.model.flow import SUSPECTS
from elastictm.model.known import ASKING, COMMANDS, EVALUATORS, PLAIN_SHELL, TABLE_ACCESS, TEXT_METHODS
from elastictm.model.machine import SETTING
from elastictm.model.magics_code import MagicUse, cell_magic, line_magic
from elastictm.model.reach import (
    MAIN,
    expression_names,
    opaque_reason,
    sql_names,
    table_is_open,
)
from elastictm.model.repeatability import KEPT, MENTIONED, UNKNOWN, Use, unrepeatable_reason
from elastictm.model.statements import StatementWalk

if TYPE_CHECKING:
    from types import CodeType

    from elastictm.model.findings import Findings


WATCHED = SUSPECTS | TEXT_METHODS
"""The names that are looked at more closely."""


def judge_code(code: CodeType, found: Findings, texts: list[str], *, top: bool) -> None:
    """Add the reasons in one code object; ``texts`` are its string constants, ``top`` tells that it is a cell's own."""
    _Judge(decoded(code), found, texts, top=top, arguments=_argument_names(code)).run()


def _argument_names(code: CodeType) -> frozenset[str]:
    stars = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return frozenset(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + stars])


class _Judge:
    """Judges the suspicious names of one code object.

    Responsibilities:
    - put dotted names together, as imported inside the function;
    - tell how each is called, and judge it by the same rules as source;
    - analyse the texts of shell commands, magics and queries.
    """

    def __init__(
        self, events: list[Event], found: Findings, texts: list[str], *, top: bool, arguments: frozenset[str]
    ) -> None:
        self._events = events
        self._found = found
        self._texts = texts
        self._top = top
        self._arguments = arguments
        self._aliases: dict[str, str] = {}
        self._suspects: set[str] = set()

    def run(self) -> None:
        """Judge every event."""
        module = ""
        for i, event in enumerate(self._events):
            if event.kind == "import":
                module = event.name
                if module == MAIN:
                    self._found.opaque[MAIN] = None
                self._name_import(i, module)
            elif event.kind == "from":
                self._name_import(i, f"{module}.{event.name}")
            elif event.kind == "const":
                self._judge_main(i)
            elif event.kind in {"load", "local", "attr"} and (event.name in WATCHED or event.name in self._suspects):
                if event.name == "get_ipython":
                    self._judge_shell(i)
                elif self._at(i - 2).name != "get_ipython":  # else judged with it
                    self._judge_name(i)
                if event.kind == "attr" and event.name in TEXT_METHODS:
                    self._judge_text(i)

    def _at(self, i: int) -> Event:
        return self._events[i] if 0 <= i < len(self._events) else NOTHING

    def _name_import(self, i: int, name: str) -> None:
        target = self._at(i + 1)
        if target.kind in {"bind", "store"}:
            root = name.partition(".")[0]
            plain = self._at(i).kind == "import" and target.name == root
            self._aliases[target.name] = root if plain else name
            if name.rpartition(".")[2] in SUSPECTS:
                self._suspects.add(target.name)

    def _judge_main(self, i: int) -> None:
        text = self._events[i].value
        if isinstance(text, str) and MAIN in text:
            before, after = self._at(i - 1), self._at(i + 1)
            if not (before.name == "__name__" and after.kind == "COMPARE_OP"):
                self._found.opaque[MAIN] = None

    def _judge_name(self, i: int) -> None:
        event = self._events[i]
        parts, shown = self._dotted(i)
        if len(parts) == 1 and event.kind == "local":
            return  # a local variable that happens to be called so
        if parts[-2:] == ("sys", "modules") and self._harmless_table(i):
            return
        if parts[-1] == "environ" and self._sets_environment(i):
            return
        use = self._use(i)
        reason = opaque_reason(parts, shown, use, top=self._top)
        if reason:
            self._found.opaque[reason] = None
        reason = unrepeatable_reason(parts, shown, use)
        if reason:
            self._found.unrepeatable[reason] = None

    def _dotted(self, i: int) -> tuple[tuple[str, ...], str]:
        """The parts of the dotted name that ends here, as imported, and as typed."""
        parts: list[str] = []
        while self._at(i).kind == "attr":
            parts.append(self._events[i].name)
            i -= 1
        parts.reverse()
        root = self._at(i)
        if root.kind not in {"load", "local"}:
            return ("?", *parts), ".".join(parts)
        name = self._aliases.get(root.name, root.name)
        return (*name.split("."), *parts), ".".join((root.name, *parts))

    def _use(self, i: int) -> Use:
        """How the name that ends here is used; a call whose arguments cannot be told counts as one."""
        after, then = self._at(i + 1), self._at(i + 2)
        if after.kind == "call":
            return Use(called=True, args=0) if after.amount == 0 else MENTIONED
        if after.kind in {"store", "bind", "return"}:
            return KEPT
        if after.kind == "attr" or not self._events[i].amount:
            return MENTIONED
        if after.kind == "const" and then.kind == "call":
            text = after.value if isinstance(after.value, str) else None
            return Use(called=True, args=then.amount, nothing=after.value is None, text=text)
        if after.kind in {"load", "local"}:
            end = i + 2
            while self._at(end).kind == "attr":
                end += 1
            if self._at(end).kind == "call" and self._at(end).amount == 1:
                return Use(called=True, args=1)
        return Use(called=True, args=UNKNOWN)

    def _harmless_table(self, i: int) -> bool:
        after, then = self._at(i + 1), self._at(i + 2)
        if after.kind == "attr" and after.name in TABLE_ACCESS:
            return after.name == "keys" or (then.kind == "const" and isinstance(then.value, str))
        # A constant that names the session's own module is judged by itself.
        return after.kind == "CONTAINS_OP" or (after.kind == "const" and isinstance(after.value, str))

    def _sets_environment(self, i: int) -> bool:
        """Whether the environment is written here: by a method, or under a key that is one instruction."""
        after, then = self._at(i + 1), self._at(i + 2)
        return after.name in SETTING or then.kind in {"STORE_SUBSCR", "DELETE_SUBSCR"}

    def _judge_shell(self, i: int) -> None:
        before, method = self._at(i - 1), self._at(i + 2)
        if (self._at(i + 1).kind, self._at(i + 1).amount) != ("call", 0):
            self._found.opaque["get_ipython()"] = None
        elif method.kind == "attr":
            self._judge_shell_method(i + 2)
        elif not (
            (before.name in ASKING and method.kind == "call" and method.amount == 1)
            or (method.kind == "const" and method.value is None and self._at(i + 3).kind in {"IS_OP", "COMPARE_OP"})
        ):
            self._found.opaque["get_ipython()"] = None

    def _judge_shell_method(self, i: int) -> None:
        method = self._events[i].name
        words: list[str] = []
        end = i + 1
        while self._at(end).kind == "const" and isinstance(self._at(end).value, str):
            words.append(str(self._at(end).value))
            end += 1
        whole = self._at(end).kind == "call" and self._at(end).amount == len(words)
        if whole and method in COMMANDS and len(words) == 1:
            self._magic(MagicUse(expands=(words[0],)))
        elif whole and method == "run_line_magic" and len(words) == 2:  # noqa: PLR2004 - name and line
            self._magic(line_magic(*words))
        elif whole and method == "run_cell_magic" and len(words) == 3:  # noqa: PLR2004 - name, line and body
            self._magic(cell_magic(*words))
        elif method not in PLAIN_SHELL and method not in COMMANDS:
            self._found.opaque[f"get_ipython().{method}"] = None

    def _magic(self, use: MagicUse) -> None:
        """Add what a magic uses; a magic inside its code does not parse here, and so makes it opaque."""
        walk = StatementWalk(lambda text: text)
        walk.magic(use)
        walk.act()
        inner, found = walk.finished(), self._found
        found.loads |= inner.loads
        found.stores |= inner.stores
        found.deletes |= inner.deletes
        found.constants |= inner.constants
        found.opaque.update(inner.opaque)
        found.opaque_stores.update(inner.opaque_stores)
        found.stars |= inner.stars
        found.unrepeatable.update(inner.unrepeatable)

    def _judge_text(self, i: int) -> None:
        """Note the variables that a query's text names, as the walk through source does."""
        method, after = self._events[i].name, self._at(i + 1)
        if (after.kind == "call" and after.amount == 0) or self._is_class(after):
            return
        evaluates = method in {"eval", "evaluate"}
        python = evaluates and self._dotted(i)[0][-2] in EVALUATORS
        if method == "evaluate" and not python:
            return
        if after.kind == "const":
            if isinstance(after.value, str) and table_is_open(after.value) and self._at(i + 2).kind != "call":
                self._found.opaque[f"{method}() of a text made elsewhere"] = None
        elif not self._holds_text(after):
            self._found.opaque[f"{method}() of a text made elsewhere"] = None
        if python or not evaluates:
            for text in self._texts:
                self._found.loads.update(expression_names(text) if python else sql_names(text))

    def _is_class(self, event: Event) -> bool:
        return event.kind == "load" and event.name[:1].isupper() and not event.name.isupper()

    def _holds_text(self, event: Event) -> bool:
        """Whether a local variable is given nothing but string constants."""
        if event.kind != "local" or event.name in self._arguments:
            return False
        values = [self._at(j - 1) for j, other in enumerate(self._events) if other == Event("bind", event.name)]
        return bool(values) and all(value.kind == "const" and isinstance(value.value, str) for value in values)
