"""A state of a store written out as one archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec.structs import replace

from elastictm.ids import Name, is_variable
from elastictm.model.progress import SILENT, Progress
from elastictm.model.reports import SaveReport, VariableReport
from elastictm.session.loading import DECOMPRESSED
from elastictm.session.prospect import Prospect
from elastictm.session.states import StateReader
from elastictm.storage import manifest as m
from elastictm.storage.readable import Readable
from elastictm.storage.writer import ArchiveWriter


def write_archive(
    state: StateReader, path: Path, clock: Callable[[], float], *, force: bool, progress: Progress = SILENT
) -> SaveReport:
    """Write a state as an archive, planned as a restore here would be.

    Raises:
        DestinationError: it cannot be written there; what was there is intact.
        ArchiveError: what was kept cannot be read.
    """
    started = clock()
    progress.stage("planning", None, "")
    plan = Prospect(state, history=state.history).report()
    outcomes = {choice.report.name: choice.report for choice in plan.choices}
    manifest = state.manifest
    entries = tuple(_planned(entry, outcomes) for entry in manifest.entries)
    progress.stage("writing", sum(report.bytes for report in outcomes.values() if report.outcome == "stored"))
    with ArchiveWriter(path, force=force, progress=progress) as writer:
        copied = _copied(state, writer)
        progress.stage("waiting until the disk has it all", None, "")
        size = writer.commit(replace(copied, entries=entries, cells_rerun=plan.cells_rerun))
    shown = tuple(outcomes[Name(e.name)] for e in manifest.entries if is_variable(e.name) and Name(e.name) in outcomes)
    writing = sum(report.bytes for report in shown if report.outcome == "stored") / DECOMPRESSED
    return SaveReport(
        str(path), shown, plan.cells_rerun, clock() - started, size, writing, plan.bytes, restore_seconds=plan.seconds
    )


def _planned(entry: m.Entry, outcomes: Mapping[Name, VariableReport]) -> m.Entry:
    report = outcomes.get(Name(entry.name))
    if report is None or entry.unit is not None:
        return entry
    return replace(entry, outcome="lost" if report.outcome == "lost" else "rerun", reason=report.reason or entry.reason)


def _copied(reader: Readable, writer: ArchiveWriter) -> m.Manifest:
    """All bytes put into an archive, and what refers to them there."""
    manifest = reader.manifest

    def put(blob: m.Blob) -> m.Blob:
        return writer.put(reader.read(blob)) if blob.size else m.NOTHING

    def unit(old: m.Unit) -> m.Unit:
        return replace(old, stream=put(old.stream), segments=tuple(map(put, old.segments)))

    return replace(
        manifest,
        history=put(manifest.history),
        units=tuple(map(unit, manifest.units)),
        definitions=tuple(m.Definition(d.key, unit(d.unit)) for d in manifest.definitions),
        sources=put(manifest.sources),
        generators={name: put(blob) for name, blob in manifest.generators.items()},
        modules=tuple(
            replace(module, files=tuple(replace(file, blob=put(file.blob)) for file in module.files))
            for module in manifest.modules
        ),
        chunks=(),
    )
