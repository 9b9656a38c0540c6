"""One attempt at a replication plan: what it loads is read, then its steps are executed in a host in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from elastictm.errors import ElasticTMError
from elastictm.ids import Fingerprint, Name, RunNumber, Version, is_variable, output_name, output_number
from elastictm.model.marks import mark_of
from elastictm.model.records import CellRun, RandomState, Refusal
from elastictm.planning.plan import Keep, Load, ReplicationPlan, Rerun
from elastictm.planning.repeats import deeds
from elastictm.session import generators
from elastictm.session.circumstances.staging import Staging
from elastictm.session.host import Host, RunOutcome, place, remove, variables
from elastictm.session.lessons import Lessons
from elastictm.session.packing import unpacked
from elastictm.session.saved import Saved
from elastictm.session.standing import Arrived, Present
from elastictm.session.watch import Watch
from elastictm.values.grafting import grafted
from elastictm.values.thaw import Inside, Thawer

_GRAFTED_UP_TO: Final = 50_000_000
"""Bytes of a group; going through more than that, to find the objects that are here, would be felt."""


class TryAgain(Exception):
    """An attempt failed at something that the next one will avoid."""


class Replay:
    """Executes one plan in a host whose variables were taken away, those aside that stay.

    Responsibilities:
    - load all that the plan loads before anything runs;
    - place, re-run, and take away what a cell would not have found;
    - note what fails in ``lessons``, and raise ``TryAgain``.

    ``outputs`` are the displayed results as they come to be, ``arrived`` groups that were loaded.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what is executed, where, and who is told
        self,
        saved: Saved,
        host: Host,
        lessons: Lessons,
        plan: ReplicationPlan,
        present: Present,
        watch: Watch,
    ) -> None:
        self._saved = saved
        self._progress, self._again = watch.progress, watch.again
        self._host = host
        self._lessons = lessons
        self._plan = plan
        self._kept, self._others = present.kept, present.others
        self._values: dict[Version, Any] = {}
        self.outputs: dict[int, Any] = {}
        self.arrived: list[Arrived] = []

    def stays(self) -> dict[Name, Any]:
        """The variables that are in place, and will be in the end."""
        return {step.version.name: self._kept[step.version] for step in self._plan.steps if isinstance(step, Keep)}

    def load(self, thawer: Thawer) -> None:
        """Read all values that the plan loads.

        A unit that does not load is tried once more after the others, because its objects may look for names that
        another unit brings.

        Raises:
            TryAgain: some do not load here.
        """
        namespace, lying = self._host.namespace, dict[int, list[Version]]()
        for version in self._plan.loads:
            unit = self._saved.entry(version).unit
            if unit is not None:
                lying.setdefault(unit, []).append(version)
        self._progress.stage("loading", self._saved.bytes(self._plan.loads))
        namespace.update({v.name: value for v, value in self._kept.items() if is_variable(v.name)})
        failed: dict[int, Refusal] = {}
        done: set[int] = set()
        for index in [*lying, *lying]:
            if index in done:
                continue
            insides: dict[Name, Inside] = {}
            outcome = thawer.group(unpacked(self._saved.reader, self._saved.unit(index)), insides=insides)
            if isinstance(outcome, Refusal):
                failed[index] = outcome
                continue
            failed.pop(index, None)
            done.add(index)
            self._progress(self._saved.bytes(lying[index]))
            # What shared data with these in another state is in the unit as well.
            values = self._grafted(lying[index], outcome, thawer)
            self._note(lying[index], insides)
            self._values.update({version: values[version.name] for version in lying[index]})
            live = [v.name for v in lying[index] if v not in self._saved.earlier and is_variable(v.name)]
            namespace.update({name: values[name] for name in live})
        if failed:
            self._lessons.units.update(failed)
            raise TryAgain

    def _note(self, versions: Sequence[Version], insides: Mapping[Name, Inside]) -> None:
        """Keep what is known of values of which nothing has to be looked at, if they are the whole unit."""
        entries = {v.name: self._saved.entry(v) for v in versions}
        digests = {name: Fingerprint(entries[name].fingerprint or "") for name in insides if name in entries}
        if len(digests) == len(insides) and all(digests.values()) and all(each.plain for each in insides.values()):
            code = {name: inside.code for name, inside in insides.items()}
            self.arrived.append(Arrived(digests, code, sum(entry.seconds for entry in entries.values())))

    def _grafted(self, versions: Sequence[Version], values: Mapping[Name, Any], thawer: Thawer) -> Mapping[Name, Any]:
        """Loaded values, as the very objects that are here already where there are such."""
        here = {v.name: self._others[v] for v in versions if v in self._others}
        if not here or sum(self._saved.entry(v).bytes for v in versions) > _GRAFTED_UP_TO:
            return values
        return grafted({v.name: values[v.name] for v in versions}, here, thawer) or values

    def execute(self, staging: Staging, go: Callable[[RunNumber], None]) -> None:
        """Rebuild the state, step by step; each cell runs under the settings that it found, where ``go`` leads.

        Raises:
            TryAgain: a cell did not run as it ran before.
            KeyboardInterrupt: the user stopped it.
        """
        past = _Past(self._saved.history.runs)
        cells = [step.n for step in self._plan.reruns]
        for step in self._plan.steps:
            if isinstance(step, Load):
                self._place(step.version.name, self._values[step.version])
                past.place(step.version)
            elif isinstance(step, Keep):
                self._place(step.version.name, self._kept[step.version])
                past.place(step.version)
            elif isinstance(step, Rerun):
                self._take_away(past.strangers(variables(self._host), step.n))
                staging.before(step.n)
                go(step.n)
                self._tell(step.n, cells)
                self._rerun(step)
                past.rerun(self._saved.runs[step.n])
        self._drop_leftovers()
        blobs = self._saved.manifest.generators
        generators.restore(tuple(RandomState(name, bytes(self._saved.reader.read(b))) for name, b in blobs.items()))

    def _tell(self, n: RunNumber, cells: Sequence[RunNumber]) -> None:
        run = self._saved.runs[n]
        line = next((line.strip() for line in run.source.splitlines() if line.strip()), "")
        where = f"{cells.index(n) + 1} of {len(cells)}"
        self._progress.stage(f"running cell {n} again ({where}): {line}", run.rerun_seconds, "seconds")

    def _take_away(self, names: Iterable[Name]) -> None:
        """Remove what would not have been there when a cell ran: it may look whether a name exists."""
        for name in names:
            if output_number(name) is None:
                remove(self._host, name)

    def _place(self, name: Name, value: Any) -> None:
        n = output_number(name)
        if n is None:
            place(self._host, name, value)
        else:
            self.outputs[n] = value

    def _rerun(self, step: Rerun) -> None:
        run = self._saved.runs[step.n]
        generators.restore(run.random)
        outcome, reason = self._outcome(run)
        if outcome.result:
            self.outputs[run.n] = outcome.result[-1]
        present = variables(self._host).keys() | {output_name(n) for n in self.outputs}
        absent = [version.name for version in step.writes if version.name not in present]
        if not reason and absent:
            reason = f"running it again did not make {', '.join(absent)}"
        if reason:
            self._lessons.cells[run.n] = reason
        if done := deeds(run) if mark_of(run.source) is None else ():
            # Nothing outside is done twice, should another attempt be needed.
            self._lessons.done[run.n] = done
        if reason:
            raise TryAgain

    def _outcome(self, run: CellRun) -> tuple[RunOutcome, str]:
        """What came of running a cell again, and why that is not what it was; empty where it is."""
        try:
            with self._again(run.asides):
                outputs = {n: value for n, value in self.outputs.items() if n < run.n}
                outcome = self._host.run(run.source, run.n, outputs)
        except ElasticTMError as problem:
            return RunOutcome(None, "", ()), f"what it took in does not run aside again: {problem}"
        if isinstance(outcome.error, KeyboardInterrupt):
            raise outcome.error
        return outcome, _unlike(run, outcome.error)

    def _drop_leftovers(self) -> None:
        """Take away what re-runs made besides, and what was deleted or bound anew later."""
        lost = {loss.version.name for loss in self._plan.lost}
        wanted = {name for name in self._saved.entries if name not in lost}
        for name in [name for name in variables(self._host) if output_number(name) is None and name not in wanted]:
            remove(self._host, name)
        for n in [n for n in self.outputs if output_name(n) not in wanted]:
            del self.outputs[n]


class _Past:
    """What was alive before each cell run, and which versions are in place, while a plan is executed in order."""

    def __init__(self, runs: Sequence[CellRun]) -> None:
        self._runs = deque(runs)
        self._alive: dict[Name, RunNumber] = {}
        self._placed: dict[Name, RunNumber] = {}

    def place(self, version: Version) -> None:
        """A version was loaded, or was there."""
        self._placed[version.name] = version.n

    def rerun(self, run: CellRun) -> None:
        """A cell was run again."""
        self._placed.update({record.name: run.n for record in run.writes})

    def strangers(self, present: Iterable[Name], n: RunNumber) -> list[Name]:
        """The names in place that were not there, or were other versions, just before cell run ``n``."""
        while self._runs and self._runs[0].n < n:
            run = self._runs.popleft()
            for name in run.deletes:
                self._alive.pop(name, None)
            self._alive.update({record.name: run.n for record in run.writes})
        return [name for name in present if name not in self._alive or self._alive[name] != self._placed.get(name)]


def _unlike(run: CellRun, error: BaseException | None) -> str:
    """Why a re-run did not end as the cell run did; empty where it did."""
    if run.status == "ok":
        return f"running it again raised {type(error).__name__}: {error}" if error is not None else ""
    if run.status == "error":
        return "it raised when it was recorded, and did not raise now" if error is None else ""
    return f"it was {run.status} when it was recorded"
