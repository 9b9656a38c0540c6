"""Which variables a cell run created, re-bound, deleted or changed in place, and which share data afterwards.

Values are looked at once: the groups that the cell could reach are frozen and compared with what they were, new values
are frozen as they come, and only where lots of mutable data might have met do surveys look for sharing.
Where time runs out, the answer is the worst that could have happened (DESIGN, promise 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from elastictm.ids import DefinitionKey
from elastictm.model.records import VersionRecord
from elastictm.session.ambient import OwnModules
from elastictm.session.inside import Insides
from elastictm.session.look import Look
from elastictm.session.question import Question, Tools
from elastictm.session.tracked import Group, Mentions, Tracked, Variables
from elastictm.values.collecting import no_collections
from elastictm.values.definitions import is_definition
from elastictm.values.freeze import Frozen
from elastictm.values.kinds import ATOMS
from elastictm.values.survey import Surveyor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from elastictm.ids import Name, Version
    from elastictm.model.history import HistoryView
    from elastictm.session.standing import Arrived
    from elastictm.values.freeze import Freezer

__all__ = ["ChangeDetector", "Changes", "Question"]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a cell run did to the variables; ``beside`` are those that it could change without naming them.

    ``in_place`` are those written whose names stand for the objects that they stood for before.
    """

    writes: tuple[VersionRecord, ...]
    deletes: tuple[Name, ...]
    groups: tuple[tuple[Version, ...], ...]
    created: tuple[DefinitionKey, ...]
    notes: tuple[str, ...]
    beside: frozenset[Name] = frozenset()
    in_place: frozenset[Name] = frozenset()


class ChangeDetector:
    """Compares the variables with what they were.

    Responsibilities:
    - decide, within a time, what was written, and say what was assumed;
    - keep ``variables`` (groups, digests, mentions) in step with what was found.
    """

    def __init__(self, variables: Variables, freezer: Freezer, clock: Callable[[], float]) -> None:
        surveyor = Surveyor(freezer.around)
        insides = Insides(surveyor, freezer.around)
        self._tools = Tools(variables, freezer, surveyor, insides, OwnModules(freezer, clock), clock)

    @property
    def variables(self) -> Variables:
        """What is remembered of the variables."""
        return self._tools.variables

    @property
    def freezer(self) -> Freezer:
        """What freezes values."""
        return self._tools.freezer

    @property
    def modules(self) -> OwnModules:
        """What is remembered of the user's own modules."""
        return self._tools.modules

    def compare(self, question: Question) -> Changes:
        """What became of the variables; they are remembered as they are now."""
        definitions = self.freezer.around.definitions
        first_key = definitions.next_key
        look = Look(self._tools, question)
        with no_collections():
            writes = look.writes()
        created = tuple(DefinitionKey(key) for key in range(first_key, definitions.next_key))
        ties, notes = tuple(look.ledger.ties), tuple(look.notes)
        return Changes(tuple(writes), tuple(look.deletes), ties, created, notes, look.beside, look.in_place)

    def trust(self, arrived: Arrived, history: HistoryView, values: Mapping[Name, Any]) -> None:
        """Remember a group that was loaded as what its history tells, if it is one and no definition is among it."""
        names = list(arrived.digests)
        tied = [{version.name for version in group} for group in history.live_groups()]
        company = next((group for group in tied if names[0] in group), {names[0]})
        if company != set(names) or any(name not in values or is_definition(values[name]) for name in names):
            return
        group = Group(names, dict(arrived.digests), seconds=arrived.seconds)
        for name in names:
            record = history.live[name]
            group.definitions[name] = record.definitions
            part = Frozen(arrived.digests[name], record.size, record.seconds, record.definitions, arrived.code[name])
            atomic = type(values[name]) in ATOMS
            mentions = Mentions() if atomic else self._tools.insides.frozen(part)
            self.variables.name_definition(name, None)
            self.variables.put(name, Tracked(id(values[name]), atomic, record, group, mentions))

    def assume(self, records: Mapping[Name, VersionRecord], values: Mapping[Name, Any]) -> None:
        """Remember variables that were not looked at: any may share data with any other."""
        self.variables.clear()
        mutable = [name for name in records if type(values[name]) not in ATOMS]
        group = Group(mutable)
        for name, record in records.items():
            atomic = type(values[name]) in ATOMS
            own = Group([name]) if atomic else group
            self.variables.put(name, Tracked(id(values[name]), atomic, record, own))
