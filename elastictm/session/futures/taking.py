"""Taking a future: what it made becomes part of the session, under names that nothing was changed under meanwhile."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from elastictm.errors import UsageError
from elastictm.ids import Name, is_variable, output_name
from elastictm.model.records import Aside
from elastictm.session.brought import Brought
from elastictm.session.futures.bringing import Results
from elastictm.session.futures.gathering import Gathering
from elastictm.session.futures.order import RESULTS
from elastictm.session.host import place, variables
from elastictm.values.kinds import module_of

if TYPE_CHECKING:
    from elastictm.model.records import CellRun
    from elastictm.session.futures.future import Future
    from elastictm.session.session import Session


_NAMED: Final = 5
_LOOKED_AT: Final = 1000
"""Items of a list or dict whose classes are looked at."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What was brought in, by the names that it has here, and what is to be known of it."""

    names: tuple[Name, ...]
    notes: tuple[str, ...] = ()


class Taking:
    """Brings what futures made into one session."""

    def __init__(self, session: Session, line: Callable[[Sequence[str]], list[Future]], *, checks: bool) -> None:
        """``line`` gives futures with those that they waited for; ``checks`` says whether to look at what is here."""
        self._session = session
        self._line = line
        self._checks = checks
        self._recorded: weakref.WeakKeyDictionary[Future, tuple[CellRun, ...]] = weakref.WeakKeyDictionary()

    def gathering(self, future: Future) -> Gathering:
        """What a future made, as values of this session's."""
        host = self._session.host
        objects = {**host.fixtures, **host.singletons}
        return Gathering(future.results, self._session.recorder.freezer, objects, future.lists)

    def shown(self, future: Future) -> list[Any]:
        """What the last line of the cell gave in each run; None where it gave nothing.

        Raises:
            StateNotKept: it is not there, or does not load.
        """
        name, gathering = output_name(future.began), self.gathering(future)
        return [
            gathering.of_run(i, [name])[name] if run.answer is not None and run.answer.shown else None
            for i, run in enumerate(future.runs)
        ]

    def take(self, future: Future, names: Sequence[str] = (), prefix: str = "", *, force: bool = False) -> Taken:
        """Bring a future's variables into the session, those named or all; tells what they are called here.

        Raises:
            UsageError: it has not finished, or a variable was changed here since it began.
            StateNotKept: a value does not load here.
        """
        self._check(future, force=force)
        made = future.made()
        here = variables(self._session.host)
        chosen = [Name(word) for word in names] or [
            each for each in made if force or each not in future.taken or f"{prefix}{each}" not in here
        ]
        unknown = [each for each in chosen if each not in made]
        refused = future.refused()
        if unknown and unknown[0] in refused:
            raise UsageError(f"{unknown[0]} cannot be taken: {refused[unknown[0]]}")
        if unknown:
            raise UsageError(f"{future.name} made no variable {unknown[0]!r}; it made {', '.join(made) or 'none'}")
        if not made:
            why = "; ".join(f"{each}: {reason}" for each, reason in refused.items())
            raise UsageError(f"{future.name} made no variables{f' that can be taken ({why})' if why else ''}")
        if not chosen or (future.taken.issuperset(chosen) and here.keys() >= set(chosen) and not force and not prefix):
            raise UsageError(f"{future.name} was taken already, in this session; --force takes it again")
        targets = {each: Name(f"{prefix}{each}") for each in chosen}
        if self._checks and not force:
            self._check_unchanged(future, targets)
        found = self.gathering(future).variables(chosen)
        same = [name for name, value in found.items() if type(value) is ModuleType and here.get(name) is value]
        brought = {name: target for name, target in targets.items() if name not in same}
        notes = [*self._parted(brought.values()), *self._foreign(found), *self._left_of_classes(brought, found)]
        if same:
            notes.append(f"{', '.join(same)}: what the run changed inside modules ended with it")
        if not names:
            notes += [f"{each} was not brought in: {why}" for each, why in refused.items()]
            notes += [
                f"{each} was deleted in the run, and stays here" for each in self._deleted(future) if each in here
            ]
        for name, target in brought.items():
            place(self._session.host, target, found[name])
        self.note(future)
        future.take(chosen)
        return Taken(tuple(brought.values()), tuple(notes))

    def _parted(self, names: Iterable[Name]) -> Iterator[str]:
        """What shares data here with variables whose place is taken, and does not follow them."""
        taken = set(names)
        for group in self._session.recorder.history.live_groups():
            old = [version.name for version in group if version.name in taken]
            left = sorted(version.name for version in group if version.name not in taken and is_variable(version.name))
            if old and left:
                yield f"{', '.join(left)}: shares data with the {', '.join(sorted(old))} that was here, and keeps that"

    def _foreign(self, found: Mapping[Name, Any]) -> Iterator[str]:
        """Objects of classes that the run changed, or that hold something of their own: they are other classes here."""
        namespace = self._session.host.namespace
        for name, value in found.items():
            parts = list(value.values()) if type(value) is dict else value if type(value) in {list, tuple} else [value]
            for kind in {type(part) for part in parts[:_LOOKED_AT]}:
                here = namespace.get(kind.__name__)
                if (
                    module_of(kind) == "__main__"
                    and isinstance(here, type)
                    and here is not kind
                    and kind not in found.values()
                ):
                    yield (
                        f"{name}: of a class {kind.__name__} that changed in the run, or holds data of its own, "
                        f"so it is no instance of the {kind.__name__} here"
                    )

    def _left_of_classes(self, brought: Mapping[Name, Name], found: Mapping[Name, Any]) -> Iterator[str]:
        """Variables here that are of classes whose place others take: they stay of those that were here."""
        values = variables(self._session.host)
        for name, target in brought.items():
            old = values.get(target)
            if isinstance(found[name], type) and isinstance(old, type) and old is not found[name]:
                left = sorted(
                    each for each, value in values.items() if type(value) is old and each not in brought.values()
                )
                what = f", as {', '.join(left[:_NAMED])}" if left else ""
                yield f"{target}: what was made of the class that was here stays of that class{what}"

    def note(self, future: Future) -> None:
        """Have it recorded that the cell that runs comes at what a future made."""
        try:
            line = self._line([future.name])
        except UsageError:
            line, forgotten = [future], True
        else:
            forgotten = False
        runs = [run for each in line for run in self._runs(each)]
        missing = tuple(dict.fromkeys(reason for each in line for reason in _missing(each)))
        if forgotten:
            missing = (*missing, "and after others that are forgotten")
        self._session.recorder.bring(
            future.name,
            Brought(
                frozenset(version for each in line for version in each.reads.values()),
                tuple(dict.fromkeys(file for run in runs for file in run.files)),
                tuple(dict.fromkeys(effect for run in runs for effect in run.effects)),
                missing or tuple(dict.fromkeys(reason for run in runs for reason in run.unrepeatable)),
                None if missing else self._aside(future),
            ),
        )

    def _runs(self, future: Future) -> tuple[CellRun, ...]:
        """Its runs, as they were recorded where they ran; those of one that has ended are read once."""
        found = self._recorded.get(future)
        if found is None:
            found = tuple(_recorded(future))
            if future.ended:
                self._recorded[future] = found
        return found

    def _deleted(self, future: Future) -> Iterator[Name]:
        yield from dict.fromkeys(name for run in self._runs(future) for name in run.deletes)

    def _aside(self, future: Future) -> Aside:
        record = future.record
        after = tuple(self._aside(other) for name in record.after for other in self._line([name])[-1:])
        each = tuple(record.each.items())
        return Aside(record.name, future.began, record.source, record.seed, future.took, each, after)

    def _check(self, future: Future, *, force: bool) -> None:
        name = future.name
        if not future.ended:
            raise UsageError(f"{name} is {future.status}: %future wait {name} waits until it has ended")
        if future.status != "finished" and not force:
            why = next((run.why for run in future.runs if run.why), "")
            raise UsageError(
                f"{name} {future.verdict}{f': {why}' if why else ''}. %future out {name} shows what it put out, "
                f"%future take {name} --force takes what it made until then"
            )

    def _check_unchanged(self, future: Future, targets: Mapping[Name, Name]) -> None:
        """Refuse to take the place of what was changed here since the future began."""
        live, began, values = self._session.recorder.history.live, future.reads, variables(self._session.host)
        for here in targets.values():
            record = live.get(here)
            if here not in values or isinstance(values[here], ModuleType):
                continue
            same = record is not None and record.n < future.began and record.version == began.get(here, record.version)
            if not same:
                where = f"in cell {record.n} " if record is not None and record.n > future.began else ""
                since = f"since {future.name} began in cell {future.began}"
                raise UsageError(
                    f"{here} was changed here {where}{since}, so nothing was taken: "
                    f"%future take {future.name} --force takes its place, --as PREFIX takes all under other names"
                )


def _recorded(future: Future) -> Iterator[CellRun]:
    """Its runs, as they were recorded where they ran."""
    for run in future.runs:
        if run.answer is not None and (run.folder / RESULTS).is_dir():
            with Results(run.folder / RESULTS) as results:
                yield results.run


def _missing(future: Future) -> Iterator[str]:
    """Why a future cannot run again elsewhere; the first reasons go on with its name."""
    if future.status != "finished":
        yield f"which {future.verdict}"
    if future.record.attributes:
        yield "with what cells had changed inside modules"
    if future.record.resources:
        yield "with resources of a cluster"
