"""Where two lines of cell runs part, and which variables are certainly the same at their ends."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Final

from elastictm.ids import DefinitionKey, Fingerprint, Name, output_number
from elastictm.model.history import HistoryView
from elastictm.model.records import CellRun, VersionRecord

_ALIGNED_AT_MOST: Final = 2_000
"""Cell runs of two sessions that have none in common; finding what is alike in more of them takes too long."""

_TELLING: Final = 64
"""Bytes of a value from which on it is not by chance that another name holds the same."""


@dataclass(frozen=True, slots=True)
class Divergence:
    """What two histories tell of the states at their ends, without a look at any value.

    ``undone`` are the cell runs of the first line that are not on the second, ``run`` those the other way round.
    ``common`` is the number of cell runs with which both begin; none for lines of different sessions.
    ``same`` are variables that certainly hold the same; ``changed`` have frozen forms that differ.
    Of ``suspects`` only their values can tell whether they differ.
    ``renamed`` pairs a variable that is gone with a new one that holds the same.
    ``sharing`` are groups of variables that share data at one end only.
    """

    undone: tuple[CellRun, ...]
    run: tuple[CellRun, ...]
    common: int
    same: frozenset[Name]
    created: tuple[VersionRecord, ...]
    deleted: tuple[VersionRecord, ...]
    changed: tuple[tuple[VersionRecord, VersionRecord], ...]
    suspects: tuple[tuple[VersionRecord, VersionRecord], ...]
    renamed: tuple[tuple[VersionRecord, VersionRecord], ...]
    sharing: tuple[tuple[frozenset[Name], bool], ...]

    @property
    def pairs(self) -> tuple[tuple[VersionRecord, VersionRecord], ...]:
        """Variables whose values are worth a look."""
        return (*self.changed, *self.suspects)

    def without(self, names: Collection[Name]) -> Divergence:
        """The same about all variables but these."""
        return replace(
            self,
            same=self.same - frozenset(names),
            created=tuple(record for record in self.created if record.name not in names),
            deleted=tuple(record for record in self.deleted if record.name not in names),
            changed=tuple(pair for pair in self.changed if pair[0].name not in names),
            suspects=tuple(pair for pair in self.suspects if pair[0].name not in names),
            renamed=tuple(pair for pair in self.renamed if not {pair[0].name, pair[1].name} & frozenset(names)),
            sharing=tuple(each for each in self.sharing if not each[0] & frozenset(names)),
        )


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What else is known of the variables at the end of a line.

    ``astray`` maps variables that something outside of recorded cells has changed to the digest of what they hold,
    None where that is not known.
    """

    astray: Mapping[Name, Fingerprint | None] = field(default_factory=dict)


NOTHING: Final = Knowledge()


def differences_of_lines(
    before: HistoryView, after: HistoryView, here: Knowledge = NOTHING, there: Knowledge = NOTHING
) -> Divergence:
    """Compare the states at the ends of two histories, which may be lines of one tree or two sessions."""
    comparison = _Lines(before, after, here, there)
    old, new = (
        {name: record for name, record in history.live.items() if output_number(name) is None}
        for history in (before, after)
    )
    verdicts = {name: comparison.verdict(old[name], new[name]) for name in old if name in new}
    created = [record for name, record in new.items() if name not in old]
    deleted = [record for name, record in old.items() if name not in new]
    renamed = tuple(comparison.renamed(deleted, created))
    moved = {record.version for pair in renamed for record in pair}
    same = frozenset(name for name, verdict in verdicts.items() if verdict)
    return Divergence(
        undone=tuple(comparison.undone),
        run=tuple(comparison.run),
        common=comparison.common,
        same=same,
        created=tuple(record for record in created if record.version not in moved),
        deleted=tuple(record for record in deleted if record.version not in moved),
        changed=tuple((old[name], new[name]) for name, verdict in verdicts.items() if verdict is False),
        suspects=tuple((old[name], new[name]) for name, verdict in verdicts.items() if verdict is None),
        renamed=renamed,
        sharing=tuple(_sharing(before, after, old.keys() & new.keys())),
    )


class _Lines:
    """Two lines of cell runs.

    Responsibilities:
    - find where they part, or which cells they have in common although they are of two sessions;
    - say what versions and digests prove about two variables.
    """

    def __init__(self, before: HistoryView, after: HistoryView, here: Knowledge, there: Knowledge) -> None:
        self._before, self._after = before, after
        self._here, self._there = here, there
        old, new = before.runs, after.runs
        pairs = zip(old, new, strict=False)
        self.common = next((index for index, pair in enumerate(pairs) if not _is_one(*pair)), min(len(old), len(new)))
        # A cell that was running when its session was saved has another end in a later save.
        self._trusted = {
            one.n for one, other in zip(old, new, strict=False) if _is_one(one, other) and one.writes == other.writes
        }
        self._trusted &= {run.n for run in old[: self.common]}
        self._groups = [
            {
                version.name: frozenset(each.name for each in group)
                for group in history.live_groups()
                for version in group
            }
            for history in (before, after)
        ]
        self.undone = [run for run in old[self.common :] if run.n]
        self.run = [run for run in new[self.common :] if run.n]
        if not self.common:
            self.undone, self.run = _unlike(self.undone, self.run)

    def verdict(self, old: VersionRecord, new: VersionRecord) -> bool | None:
        """Whether two variables certainly hold the same, certainly do not, or may do so.

        A digest of a value that shares data tells only what its group does not hold already, so it proves something
        together with those of the whole group alone.
        """
        astray = old.name in self._here.astray or new.name in self._there.astray
        if not astray and old.version == new.version and old.n in self._trusted:
            return True
        one, other = (groups.get(old.name, frozenset({old.name})) for groups in self._groups)
        if one != other:
            return None
        alike = [self._alike(self._before.live[name], self._after.live[name]) for name in one]
        return alike[0] if len(alike) == 1 else all(alike) or None

    def _alike(self, old: VersionRecord, new: VersionRecord) -> bool | None:
        """Whether digests and definitions are the same; None where that is not known."""
        digests = self._here.astray.get(old.name, old.fingerprint), self._there.astray.get(new.name, new.fingerprint)
        if None in digests:
            return None
        if digests[0] != digests[1]:
            return False
        return True if self._same_definitions(old, new) else None

    def renamed(
        self, deleted: list[VersionRecord], created: list[VersionRecord]
    ) -> Iterator[tuple[VersionRecord, VersionRecord]]:
        """Variables that are gone, with those that hold the same under another name, where each is the only one."""
        gone, new = (
            _by_digest([record for record in records if record.name not in groups])
            for records, groups in zip((deleted, created), self._groups, strict=True)
        )
        for digest, old in gone.items():
            if len(old) == 1 and len(new.get(digest, ())) == 1 and self._alike(old[0], new[digest][0]):
                yield old[0], new[digest][0]

    def _same_definitions(self, old: VersionRecord, new: VersionRecord) -> bool:
        """Whether the functions and classes inside are the same: a digest holds their numbers alone."""
        keys = {*old.definitions, *new.definitions, *(key for key in (old.defines, new.defines) if key is not None)}
        return all(self._is_shared(key) for key in keys)

    def _is_shared(self, key: DefinitionKey) -> bool:
        creators = {history.creator(key) for history in (self._before, self._after)}
        return len(creators) == 1 and creators <= self._trusted


def _is_one(one: CellRun, other: CellRun) -> bool:
    """Whether two records are of one cell run, which a later cell may have learned more about."""
    return (one.n, one.started, one.source) == (other.n, other.started, other.source)


def _unlike(old: list[CellRun], new: list[CellRun]) -> tuple[list[CellRun], list[CellRun]]:
    """The cell runs of two sessions, without those whose cells read the same in both."""
    if max(len(old), len(new)) > _ALIGNED_AT_MOST:
        return old, new
    matcher = SequenceMatcher(None, [run.source for run in old], [run.source for run in new], autojunk=False)
    blocks = matcher.get_matching_blocks()
    in_old = {index for block in blocks for index in range(block.a, block.a + block.size)}
    in_new = {index for block in blocks for index in range(block.b, block.b + block.size)}
    return (
        [run for index, run in enumerate(old) if index not in in_old],
        [run for index, run in enumerate(new) if index not in in_new],
    )


def _by_digest(records: list[VersionRecord]) -> dict[Fingerprint, list[VersionRecord]]:
    found: dict[Fingerprint, list[VersionRecord]] = {}
    for record in records:
        if record.fingerprint is not None and record.size >= _TELLING and record.defines is None:
            found.setdefault(record.fingerprint, []).append(record)
    return found


def _sharing(before: HistoryView, after: HistoryView, both: set[Name]) -> Iterator[tuple[frozenset[Name], bool]]:
    """Groups that share data at one end only, of variables that are there at both; True where it is the first end."""
    old, new = (
        {frozenset(version.name for version in group) & both for group in history.live_groups()}
        for history in (before, after)
    )
    for groups, others, first in ((old, new, True), (new, old, False)):
        for group in sorted(groups - others, key=sorted):
            if len(group) > 1 and not any(group <= other for other in others):
                yield group, first
