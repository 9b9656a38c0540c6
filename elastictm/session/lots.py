"""Lots: names that belong together for all we know, on their way through one look at the variables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from elastictm.model.records import Refusal
from elastictm.session.tracked import Group
from elastictm.values.freeze import Freezer, Frozen, GroupPass, OutOfTime
from elastictm.values.sharing import partition

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

    from elastictm.ids import Name
    from elastictm.values.survey import Survey, Surveyor

LEAST_SECONDS = 0.002
"""A look at one value is given this time at least, so that small ones are seen whatever large ones took."""

GRACE_SECONDS = 0.25
"""How much time small values get together once a look should have ended."""


@dataclass(slots=True)
class Lot:
    """Some names, the pass that froze their values, what surveys found in them, and which of them are changed.

    ``known`` tells that the names made one group before, ``given_up`` that there was no time to freeze them.
    ``within`` are the lots of which it is only assumed that they share data; ``former`` is the group as it was, where
    nothing can have changed it, and ``whole`` is the lot that a member came from.
    """

    names: list[Name]
    seconds: float = 0.0
    known: bool = False
    frozen: GroupPass | None = None
    parts: dict[Name, Frozen] = field(default_factory=dict)
    refusals: dict[Name, Refusal] = field(default_factory=dict)
    surveys: tuple[Survey, ...] = ()
    changed: set[Name] = field(default_factory=set)
    given_up: bool = False
    within: list[Lot] = field(default_factory=list)
    former: Group | None = None
    whole: Lot | None = None

    @property
    def foreign(self) -> bool:
        """Whether libraries may use memory in it that they do not tell whose it is."""
        return not self.surveys or any(span.foreign for survey in self.surveys for span in survey.spans)

    def members(self) -> list[Lot]:
        """Each of the names by itself, as if it had not been frozen yet."""
        return [
            Lot(
                [name],
                self.seconds,
                refusals={name: self.refusals[name]} if name in self.refusals else {},
                changed={name},
                given_up=self.given_up,
                whole=self,
            )
            for name in self.names
        ]

    def keep_in(self, group: Group) -> None:
        """Have a group remember what was frozen."""
        for lot in self.within:
            inner = Group(lot.names, refusals=lot.refusals, seconds=lot.seconds)
            lot.keep_in(inner)
            group.within.append(inner)
            group.digests.update(inner.digests)
            group.definitions.update(inner.definitions)
        if self.former is not None and not self.parts:
            group.digests, group.definitions = dict(self.former.digests), dict(self.former.definitions)
        group.digests.update({name: part.mark for name, part in self.parts.items()})
        group.definitions.update({name: part.definitions for name, part in self.parts.items()})

    def thaw(self) -> None:
        """Forget what was frozen."""
        self.frozen = None
        self.parts.clear()


def merged(parts: Sequence[Lot]) -> Lot:
    """One lot of several; the longest pass goes on, and the others' values are frozen onto it."""
    lots = _reunited(parts)
    if len(lots) == 1:
        return lots[0]
    first = max(lots, key=lambda lot: (lot.frozen is not None, len(lot.parts), lot.seconds))
    others = [lot for lot in lots if lot is not first]
    return Lot(
        names=[*first.names, *(name for lot in others for name in lot.names)],
        seconds=max(lot.seconds for lot in lots),
        frozen=first.frozen,
        parts=first.parts,
        refusals={name: refusal for lot in lots for name, refusal in lot.refusals.items()},
        changed={name for lot in lots for name in lot.changed},
        given_up=any(lot.given_up for lot in lots),
        surveys=tuple(survey for lot in lots for survey in lot.surveys),
    )


def _reunited(parts: Sequence[Lot]) -> list[Lot]:
    """Some lots, with wholes in place of members that are all together again."""
    lots: list[Lot] = []
    companies: dict[int, list[Lot]] = {}
    for lot in parts:
        if lot.whole is None:
            lots.append(lot)
        else:
            companies.setdefault(id(lot.whole), []).append(lot)
    for company in companies.values():
        whole = company[0].whole
        if whole is not None and len(company) == len(whole.names):
            whole.surveys = tuple(survey for lot in company for survey in lot.surveys)
            lots.append(whole)
        else:
            lots += company
    return lots


@dataclass(slots=True)
class Stopwatch:
    """The time of one look: when it ends, how much of it went into freezing, and how much of that after its end."""

    clock: Callable[[], float]
    end: float
    freezing: float = 0.0
    late: float = 0.0

    @property
    def left(self) -> float:
        """Seconds until the look should end; negative once it is late."""
        return self.end - self.clock()

    @property
    def allowance(self) -> float:
        """Seconds that the look at the next value may take."""
        return max(self.left, LEAST_SECONDS if self.late < GRACE_SECONDS else 0.0)

    def froze(self, since: float) -> None:
        """Note that something was frozen from a time on."""
        now = self.clock()
        self.freezing += now - since
        self.late += max(0.0, now - max(since, self.end))

    def value_is_over(self) -> Callable[[], bool]:
        """What tells, from now on, whether the look at one value has taken all that it may."""
        end = self.clock() + self.allowance
        return lambda: self.clock() > end

    def survey_is_over(self) -> bool:
        """Whether no more surveys should go on: they may take as long as freezing took beside the time of the look."""
        return self.left + self.freezing < -GRACE_SECONDS


class Freezing:
    """Freezes the values of lots within the time of one look."""

    def __init__(self, freezer: Freezer, values: Mapping[Name, Any], watch: Stopwatch) -> None:
        self._freezer = freezer
        self._values = values
        self._watch = watch

    def freeze(self, lot: Lot, names: Iterable[Name], named: Container[int]) -> None:
        """Freeze names onto what a lot has; those that refuse are set apart and the pass begins again without them.

        Raises:
            OutOfTime: there was not enough of it.
        """
        started = self._watch.clock()
        waiting = list(names)
        try:
            while waiting is not None:
                if lot.frozen is None:
                    lot.frozen = self._freezer.start(named)
                    waiting = [name for name in dict.fromkeys((*lot.parts, *waiting)) if name not in lot.refusals]
                    lot.parts.clear()
                refused = self._add(lot, waiting)
                if not refused:
                    return
        finally:
            self._watch.froze(started)

    def _add(self, lot: Lot, names: Iterable[Name]) -> bool:
        for name in names:
            outcome = self.one(lot, name, self._values[name])
            if isinstance(outcome, Refusal):
                lot.refusals[name] = outcome
                lot.frozen = None
                return True
            lot.parts[name] = outcome
        return False

    def one(self, lot: Lot, name: Name, value: Any) -> Frozen | Refusal:
        """Freeze one value onto the pass of a lot.

        Raises:
            OutOfTime: there was not enough of it.
        """
        frozen = lot.frozen
        assert frozen is not None  # noqa: S101 - the caller began it
        return frozen.add(name, value, self._watch.allowance)


class Sharing:
    """Finds out which lots share mutable data.

    Where one survey has been the next does not go on: that it came there tells that both share what is inside.  Only
    what was known as a group goes where fresh values have been: whether two such groups are newly tied must show.
    """

    def __init__(
        self, surveyor: Surveyor, values: Mapping[Name, Any], watch: Stopwatch, changeable: Callable[[Name], bool]
    ) -> None:
        self._surveyor = surveyor
        self._values = values
        self._watch = watch
        self._changeable = changeable
        self._trodden: dict[int, Any] = {}
        self._trodden_by_known: dict[int, Any] = {}
        self.notes: list[str] = []

    def joined(self, lots: list[Lot]) -> list[Lot]:
        """The lots, merged where they share data, or where no time was left to find out."""
        alone: list[Lot] = []
        together: list[Lot] = []
        for lot in sorted(lots, key=lambda lot: lot.seconds):
            last_of_all = len(alone) == len(lots) - 1
            if not last_of_all:
                self._look(lot)
            (alone if last_of_all or self._is_isolated(lot) else together).append(lot)
        return [*alone, *self._united(together)]

    def _look(self, lot: Lot) -> None:
        begun = self._watch.clock()

        def out_of_time() -> bool:
            return self._watch.survey_is_over() and self._watch.clock() - begun > LEAST_SECONDS

        try:
            # A list of the values would hold them once more than the count of references allows for.
            values = (self._values[name] for name in lot.names)
            trodden = self._trodden_by_known if lot.known else self._trodden
            survey = self._surveyor.survey(values, out_of_time=out_of_time, trodden=trodden)
        except OutOfTime:
            return
        lot.surveys = (survey,)
        self._trodden.update(survey.objects)
        if lot.known:
            self._trodden_by_known.update(survey.objects)

    def _is_isolated(self, lot: Lot) -> bool:
        if not lot.surveys:
            return False
        (survey,) = lot.surveys
        if not survey.objects and not survey.spans:
            return True
        # The namespace or the cache of outputs holds each value once for each of its names; what the record of values
        # holds is among the references that the survey counts, as where it began.
        return survey.isolated(Counter(id(self._values[name]) for name in lot.names))

    def _united(self, lots: list[Lot]) -> list[Lot]:
        seen = [lot for lot in lots if lot.surveys]
        _mark_new_ties(seen)
        found = [merged(cluster) for cluster in _clusters(seen)]
        unseen = [lot for lot in lots if not lot.surveys]
        if not unseen or len(lots) == 1:
            return [*found, *unseen]
        # Figures and their axes, say, are frozen as a whole for each of them: all that took too long is one lot.
        return [self._assumed([*found, merged(unseen)])]

    def _assumed(self, lots: list[Lot]) -> Lot:
        """One lot of several that may share data; each of them stays what it is, for when there is time to look."""
        names = [name for lot in lots for name in lot.names]
        self.notes.append(f"assumed to share data: {', '.join(names)} (no time was left to look)")
        for lot in lots:
            lot.changed.update(name for name in lot.names if self._changeable(name))
        return Lot(
            names,
            sum(lot.seconds for lot in lots),
            refusals={name: refusal for lot in lots for name, refusal in lot.refusals.items()},
            changed={name for lot in lots for name in lot.changed},
            given_up=any(lot.given_up for lot in lots),
            within=lots,
        )


def _mark_new_ties(lots: list[Lot]) -> None:
    """Groups that share data though nothing in them seems changed: an object took the place of one just like it."""
    for tied in _clusters([lot for lot in lots if lot.known]):
        if len(tied) > 1 and not any(lot.changed for lot in tied):
            for lot in tied:
                lot.changed.update(lot.names)


def _clusters(lots: Sequence[Lot]) -> list[list[Lot]]:
    """The lots, those together that share data; each has one survey."""
    return [[lots[i] for i in cluster] for cluster in partition([survey for lot in lots for survey in lot.surveys])]
