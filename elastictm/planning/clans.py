"""What a store has of a tree of states, and which versions of it were ever in one alias group."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from elastictm.ids import DefinitionKey, RunNumber, Version
from elastictm.model.records import CellRun, VersionRecord
from elastictm.model.tree import State, StateTree
from elastictm.planning.ties import Inputs, Ties


@dataclass(frozen=True, slots=True)
class Holding:
    """A group of versions as a store has it since the cell run ``at``.

    ``bytes`` are what dropping it alone would free, ``seconds`` what loading it takes.
    ``flawed`` are those of its versions that come back without something.
    """

    at: RunNumber
    versions: frozenset[Version]
    bytes: int
    seconds: float
    flawed: frozenset[Version] = frozenset()


@dataclass(frozen=True, slots=True)
class Shared:
    """Bytes that dropping all of these holdings would free, given by place."""

    bytes: int
    holders: frozenset[int]


@dataclass(slots=True)
class Walked:
    """All cell runs of a tree, what they need, and what is alive in states that can be gone to."""

    runs: dict[RunNumber, CellRun] = field(default_factory=dict)
    inputs: dict[RunNumber, Inputs] = field(default_factory=dict)
    needed: set[Version] = field(default_factory=set)
    records: dict[Version, VersionRecord] = field(default_factory=dict)
    creators: dict[DefinitionKey, RunNumber] = field(default_factory=dict)
    alive: dict[RunNumber, set[Version]] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: StateTree, dear: Collection[RunNumber]) -> Walked:
        """Walk all lines of a tree; what is alive is noted for dear states."""
        found, forgotten = cls(), tree.forgotten
        waiting = [(state.n, Ties()) for state in tree if state.parent is None]
        while waiting:
            n, ties = waiting.pop()
            found._take(tree[n], ties)
            if n in dear:
                found.alive[n] = {Version(*each) for each in ties.alive.items()}
            if n not in forgotten and tree[n].parent in forgotten:
                found.needed.update(Version(*each) for each in ties.alive.items())
            elif n not in forgotten:
                # The rest was alive in the state before.
                found.needed.update(record.version for record in tree[n].run.writes)
            children = tree.children(n)
            waiting += [(child, ties.fork()) for child in children[:-1]]
            waiting += [(child, ties) for child in children[-1:]]
        found.runs = {n: found.runs[n] for n in sorted(found.runs)}
        return found

    def _take(self, state: State, ties: Ties) -> None:
        run = state.run
        ties.lose(state.lapses)
        self.runs[run.n], self.inputs[run.n] = run, ties.take(run)
        self.records.update((record.version, record) for record in run.writes)
        for key in run.created:
            self.creators.setdefault(key, run.n)


class Clans:
    """Versions that were ever in one group, together; ``of`` has the number of each one's clan.

    ``stored`` have bytes, ``whole`` come back without a flaw, ``free`` can be loaded in any later state.
    """

    def __init__(self, walked: Walked, holdings: Sequence[Holding]) -> None:
        self.of: dict[Version, int] = {version: i for i, version in enumerate(walked.records)}
        self._into = list(range(len(self.of)))
        for run in walked.runs.values():
            for group in run.groups:
                self._join(group)
        for holding in holdings:
            if len(holding.versions) > 1:
                self._join(holding.versions)
        self.of = {version: self._root(i) for version, i in self.of.items()}
        self.members: dict[int, list[Version]] = {}
        for version, clan in self.of.items():
            self.members.setdefault(clan, []).append(version)
        self.stored = {version for holding in holdings for version in holding.versions}
        self.whole = self.stored.difference(*(holding.flawed for holding in holdings))
        self.free = self._free(walked, holdings)

    def _free(self, walked: Walked, holdings: Sequence[Holding]) -> set[Version]:
        """The versions of clans of which the latest unit of any state has all that there is by then."""
        at_once = {version for holding in holdings for version in holding.versions if holding.at == version.n}
        partly = set[int]()
        for holding in holdings:
            clan = self.of[next(iter(holding.versions))]
            if any(v.n <= holding.at and v not in holding.versions for v in self.members[clan]):
                partly.add(clan)
        sound = {v for v in self.whole & at_once if not walked.records[v].definitions}
        clans = [clan for clan, members in self.members.items() if clan not in partly and sound.issuperset(members)]
        return {version for clan in clans for version in self.members[clan]}

    def _join(self, versions: Collection[Version]) -> None:
        roots = {self._root(self.of[version]) for version in versions}
        for root in roots:
            self._into[root] = min(roots)

    def _root(self, i: int) -> int:
        while self._into[i] != i:
            self._into[i] = i = self._into[self._into[i]]
        return i
