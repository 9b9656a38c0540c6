"""What a cell that is to run aside reads, as a crate."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from elastictm.errors import UsageError
from elastictm.ids import FIGURES, Name, holder, is_variable
from elastictm.model.names import names_of_cell
from elastictm.session.ambient import may_look_at_figures
from elastictm.session.futures.bundle import bundle, first_run, pack
from elastictm.session.futures.future import Record
from elastictm.session.futures.order import INPUTS
from elastictm.session.futures.own import OwnModulesThere, sources
from elastictm.session.host import variables
from elastictm.session.reach import reach
from elastictm.storage.crate import CrateWriter

if TYPE_CHECKING:
    from elastictm.session.first_imports import FirstImports
    from elastictm.session.futures.bundle import Bundle
    from elastictm.session.futures.future import Ask
    from elastictm.session.session import Session

_LONGEST: Final = 30
_MOST: Final = 10_000
"""Runs that one list may ask for."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What a cell reads; ``everything`` where that cannot be told."""

    names: frozenset[Name]
    figures: frozenset[Name]
    everything: bool


class Inputs:
    """Copies of the variables of one session, for one cell.

    ``each`` are expressions of lists of which each run has one item, ``made`` are variables that other futures bring;
    ``imports`` knows what cells did to the modules that they imported; ``lists`` is what the expressions gave.
    """

    def __init__(
        self, session: Session, source: str, each: Mapping[str, str], made: frozenset[Name], imports: FirstImports
    ) -> None:
        """Freeze what the cell reads.

        Raises:
            UsageError: the cell is none, a list is none, or a variable cannot be copied, which is named.
        """
        lists = {Name(name): _listed(name, text, session.host.namespace) for name, text in each.items()}
        self.lists: Mapping[Name, Sequence[Any]] = lists
        self._session = session
        recorder, values = session.recorder, variables(session.host)
        read = self._read(source, values)
        reads = frozenset(name for name in (read.names | read.figures) - lists.keys() - made if name in values)
        own = OwnModulesThere.of(recorder, values, reads, imports)
        found = bundle(reads, recorder, values, {**lists, **own.values})
        refusals = found.stock.refusals()
        refused = next((why for name, why in refusals.items() if name not in own.values), None)
        if refused is not None and not read.everything:
            raise UsageError(f"{refused.path} cannot be copied, so nothing was begun: {refused.reason}")
        self._source = source
        self._bundle: Bundle = found.without_refused()
        self._own = own.without(refusals)
        left = [why for name, why in refusals.items() if name not in own.values]
        self._notes = tuple(f"{why.path} cannot be copied, so a run does not have it: {why.reason}" for why in left)
        self._cases = tuple(_cases(lists))
        behind = [self._read(text, values).names for text in each.values()]
        self._names = frozenset(self._bundle.records).union(*behind)

    def record(self, ask: Ask, now: float) -> Record:
        """What is written down of a future that has these."""
        live = self._session.recorder.history.live
        versions = (live[name].version for name in sorted(self._names) if name in live)
        return Record(
            **{name: getattr(ask, name) for name in ask.__struct_fields__},
            started=now,
            reads=tuple((str(version.name), int(version.n)) for version in versions),
            cases=self._cases,
            attributes=self._own.attributes,
            notes=(*self._own.notes, *self._notes),
        )

    def _read(self, source: str, values: Mapping[Name, Any]) -> _Read:
        """The variables that a cell reads, through functions and classes too; all where that cannot be told."""
        host, known = self._session.host, self._session.recorder.variables
        names = names_of_cell(host.transform(source), host.transform)
        if names is None:
            raise UsageError("the cell cannot be read as Python, so nothing was begun")
        found = reach(names.loads | names.reads | names.deletes, known)
        everything = bool(names.opaque or found.opaque)
        chosen = frozenset(name for name in values if is_variable(name)) if everything else found.names
        draws = everything or may_look_at_figures(values, chosen)
        figures = frozenset(name for name in values if draws and holder(name) == FIGURES)
        return _Read(chosen, figures, everything)

    def pack(self, folder: Path, n: int, *, modules: bool, lasting: bool) -> None:
        """Put them into a folder, as a crate, for cell ``n``.

        Own ``modules`` are in it where others, or none, may lie; what is ``lasting`` may use what the past has stored.
        """
        session = self._session
        run = first_run(self._bundle, session.recorder, session.clock.now())
        past = session.past
        writer = (
            past.crate(folder / INPUTS)
            if lasting and past is not None and past.folder
            else CrateWriter(folder / INPUTS)
        )
        with writer as crate:
            packed = pack(crate, self._bundle, [run], session.recorder, count=n, now=session.clock.now())
            own = sources(session.recorder, self._source, crate) if modules else ()
            crate.commit(replace(packed, modules=own))


def _cases(lists: Mapping[Name, Sequence[Any]]) -> Iterator[tuple[str, dict[str, int]]]:
    """Each combination of items, with what it is called."""
    for places in itertools.product(*(range(len(items)) for items in lists.values())):
        chosen = dict(zip(map(str, lists), places, strict=True))
        yield ", ".join(f"{name}={_short(lists[Name(name)][at])}" for name, at in chosen.items()), chosen


def _listed(name: str, expression: str, namespace: dict[str, Any]) -> list[Any]:
    try:
        ast.parse(expression.strip(), mode="eval")
        values = list(itertools.islice(eval(expression.strip(), namespace), _MOST + 1))  # noqa: S307 - the user's words
    except SyntaxError:
        raise UsageError(f"--each {name} has no list in Python behind it: {expression!r}") from None
    except Exception as error:  # noqa: BLE001 - a user's expression may raise anything; it is told
        raise UsageError(f"--each {name}: {expression} gives no list: {type(error).__name__}: {error}") from None
    if not values:
        raise UsageError(f"--each {name}: {expression} is empty, so there is nothing to run")
    if len(values) > _MOST:
        raise UsageError(f"--each {name}: {expression} has more than {_MOST:,} values; each would be a run of its own")
    return values


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a user's object may raise anything; its type is what can be told
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
