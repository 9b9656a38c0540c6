"""Rehearsing a restore before anybody leaves: in a fresh process, elsewhere, and compared with what was saved."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from elastictm.ids import Fingerprint, Name, is_variable
from elastictm.model.progress import SILENT, Progress
from elastictm.model.rehearsals import RehearsalReport, RehearsedVariable, Verdict
from elastictm.model.settings_report import lost_lines
from elastictm.session.child import run_module
from elastictm.session.comparing import Comparison
from elastictm.session.host import Host, variables
from elastictm.storage.manifest import Entry, Manifest
from elastictm.storage.reader import ArchiveReader
from elastictm.values.definitions import named_definitions
from elastictm.values.freeze import Freezer
from elastictm.values.likeness import Look, looks, unlike

if TYPE_CHECKING:
    from elastictm.session.session import Session

ORDER: Final = "order.json"
ANSWER: Final = "answer.json"
_CHILD: Final = "elastictm.rehearsing"
_LAST_WORDS: Final = 300


@dataclass(frozen=True, slots=True)
class Live:
    """The variables of the session that asks, and what freezes them."""

    values: Mapping[Name, Any]
    freezer: Freezer
    singletons: tuple[type, ...]

    @classmethod
    def of(cls, host: Host, freezer: Freezer) -> Live:
        """The variables that a shell has now."""
        return cls(variables(host), freezer, tuple(type(value) for value in host.singletons.values()))


def tell(session: Session, archive: str) -> dict[str, Any]:
    """Restore an archive into a session, and tell what came of each variable.

    Raises:
        ElasticTMError: it does not restore.
    """
    session.brings_futures = False  # they would begin here, and there as well
    report = session.restore(archive, trust=True)
    live = Live.of(session.host, session.recorder.freezer)
    with ArchiveReader(archive) as reader:
        digests = fingerprints(live, reader.manifest)
        saved = {Name(entry.name): entry.fingerprint for entry in reader.manifest.entries}
        other = {n for n in live.values if saved.get(n) is not None and digests.get(n) != saved[n]}
        alike = Comparison(reader, live.values, live.freezer).alike(other)
    return {
        "variables": {v.name: (v.outcome, v.reason, v.path) for v in (*report.variables, *report.outputs)},
        "digests": digests,
        "looks": {
            name: {path: (look.kind, look.text, look.opened) for path, look in _looks(live, name).items()}
            for name in sorted(other.difference(alike))
        },
        "alike": alike,
        "unloaded": report.unloaded,
        "settings": lost_lines(report.settings),
        "notes": [*report.differences, *report.notes],
    }


def fingerprints(live: Live, manifest: Manifest) -> dict[Name, Fingerprint]:
    """The digests of live variables, frozen in the groups that an archive has them in."""
    named = named_definitions(live.values.values())
    grouped = [tuple(map(Name, group)) for group in manifest.groups]
    within = {name for group in grouped for name in group}
    single = [(Name(entry.name),) for entry in manifest.entries if entry.name not in within]
    found: dict[Name, Fingerprint] = {}
    for group in [*grouped, *single]:
        frozen = live.freezer.group({name: live.values[name] for name in group if name in live.values}, named)
        found.update((name, part.digest) for name, part in frozen.parts.items())
    return found


def _looks(live: Live, name: Name) -> dict[str, Look]:
    return looks(live.values[name], name, live.singletons, lambda _: True)


class Rehearsal:
    """Restores archives in processes of their own.

    Responsibilities:
    - restore one, elsewhere, with nothing of this process but its libraries;
    - compare every variable with what was saved, and with the live one where there is one.
    """

    def __init__(self, clock: Callable[[], float], live: Live | None = None, progress: Progress = SILENT) -> None:
        self._clock = clock
        self._live = live
        self._progress = progress

    def of(self, path: str | Path) -> RehearsalReport:
        """Rehearse the restore of an archive; runs code from it."""
        started = self._clock()
        self._progress.stage("restoring it in another process", None, "")
        with ArchiveReader(path) as reader:
            manifest = reader.manifest
        with tempfile.TemporaryDirectory(prefix="elastictm-") as text:
            folder = Path(text)
            order = {"archive": str(Path(path).resolve())}
            (folder / ORDER).write_text(json.dumps(order), encoding="utf-8")
            try:
                ended = run_module(_CHILD, folder, text, None, path=(), hash_seed=manifest.environment.hash_seed)
            except OSError as error:
                return RehearsalReport(str(path), (), self._clock() - started, f"no process could be started: {error}")
            file = folder / ANSWER
            if not file.exists():
                last = ended.printed.strip()[-_LAST_WORDS:]
                failure = f"the process ended with status {ended.status}" + (f", saying: {last}" if last else "")
                return RehearsalReport(str(path), (), self._clock() - started, failure)
            answer = json.loads(file.read_text(encoding="utf-8"))
        if "failure" in answer:
            return RehearsalReport(str(path), (), self._clock() - started, answer["failure"])
        self._progress.stage("comparing what came back", None, "")
        now = fingerprints(self._live, manifest) if self._live is not None else {}
        judged = tuple(self._judged(entry, answer, now.get(Name(entry.name))) for entry in manifest.entries)
        shown = tuple(v for v in judged if is_variable(v.name) or v.verdict in {"lost", "different"})
        notes = (*answer["notes"], *_uncompared(judged), *self._changed(manifest, now))
        unloaded = tuple((name, reason) for names, reason in answer["unloaded"] for name in names.split(", "))
        settings = tuple(answer["settings"])
        return RehearsalReport(
            str(path), shown, self._clock() - started, notes=notes, unloaded=unloaded, settings=settings
        )

    def _judged(self, entry: Entry, answer: Mapping[str, Any], now: Fingerprint | None) -> RehearsedVariable:
        name = Name(entry.name)
        outcome, reason, path = answer["variables"].get(name, ("lost", entry.reason, entry.path))
        verdict: Verdict
        digest = answer["digests"].get(name)
        if outcome == "lost":
            verdict = "lost"
        elif entry.flaw and outcome == "stored":
            verdict, reason, path = "different", entry.flaw, ""
        elif entry.fingerprint is None:
            verdict = "unknown"
        elif digest == entry.fingerprint or name in answer["alike"]:
            verdict, reason, path = "same", "", ""
        else:
            verdict, reason, path = self._compared(name, outcome, answer["looks"].get(name), entry, now)
        return RehearsedVariable(name, verdict, outcome, entry.kind, reason, path)

    def _compared(
        self, name: Name, outcome: str, seen: Mapping[str, Any] | None, entry: Entry, now: Fingerprint | None
    ) -> tuple[Verdict, str, str]:
        """Look closer where digests differ: what comes back may be the same in another order."""
        if self._live is None or seen is None or now != entry.fingerprint:
            if outcome == "rerun":
                return "different", "re-running gave another value than the one saved", ""
            return "unknown", "it loads, and is laid out otherwise than when it was saved", ""
        back = {path: Look(*look) for path, look in seen.items()}
        found = unlike(_looks(self._live, name), back)
        if found is not None and not found.slight:
            return "different", found.reason, found.path
        if outcome == "rerun":
            return "different", "re-running gave another value than the one saved", ""
        return "same", "", ""

    def _changed(self, manifest: Manifest, now: Mapping[Name, Fingerprint]) -> Iterable[str]:
        """What is not here any more as it was saved."""
        if self._live is None:
            return
        saved = {Name(entry.name): entry.fingerprint for entry in manifest.entries if entry.fingerprint is not None}
        other = [name for name, digest in saved.items() if now.get(name) != digest and is_variable(name)]
        if other:
            yield f"not in this session as they were saved: {', '.join(sorted(other))}"


def _uncompared(judged: Iterable[RehearsedVariable]) -> Iterable[str]:
    unknown = [v for v in judged if v.verdict == "unknown" and is_variable(v.name)]
    loaded = sorted(v.name for v in unknown if v.outcome == "stored")
    remade = sorted(v.name for v in unknown if v.outcome != "stored")
    if loaded:
        yield f"these load, and only the session that saved them can compare them: {', '.join(loaded)}"
    if remade:
        yield f"these were made again, and there is nothing to compare them with: {', '.join(remade)}"
