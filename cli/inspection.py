"""``elastictm inspect``: what an archive holds, without running any of its code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from elastictm_cli import output
from elastictm_cli.archived import read_archive
from elastictm_cli.options import Archive, Json

from elastictm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elastictm.model.history import History
    from elastictm.model.records import CellRun
    from elastictm.model.reports import VariableReport
    from elastictm.model.settings_report import SettingsReport
    from elastictm.model.tables import Table
    from elastictm.storage.manifest import Environment, Manifest


def inspect(
    archive: Archive,
    *,
    requirements: Annotated[
        bool, typer.Option("--requirements", help="Only print the libraries that it uses, in the form that pip reads.")
    ] = False,
    json: Json = False,
) -> None:
    """Show variables, sizes, outcomes, environment and cells; none of the archive's code runs."""
    if requirements and json:
        raise UsageError("--requirements and --json exclude each other: give one of them")
    manifest, history, size = read_archive(archive)
    if requirements:
        output.result("\n".join(_requirements(manifest.environment)))
    elif json:
        output.json_result(_described(archive, manifest, history, size))
    else:
        from elastictm.views.terminal import coloured_tables  # noqa: PLC0415 - not for --help

        output.result(coloured_tables(_tables(archive, manifest, history, size)))


def _requirements(made: Environment) -> Iterator[str]:
    """The lines of a requirements file; where nobody knows what is used, all packages that were loaded."""
    from elastictm.model.versions import public  # noqa: PLC0415 - not for --help

    yield f"# Python {made.python} ({made.implementation}) on {made.platform}, elastictm {made.program}"
    used = made.packages if made.libraries is None else set(made.libraries.values())
    for name in sorted(used, key=str.lower):
        version = made.packages.get(name, "")
        line = f"{name}=={public(version)}" if version else name
        yield line if public(version) == version else f"{line}  # it was {version}"


def _described(archive: str, manifest: Manifest, history: History, size: int) -> dict[str, Any]:
    import msgspec  # noqa: PLC0415 - not for --help

    variables, outputs = _reports(manifest)
    return {
        "path": archive,
        "variables": [variable.to_json() for variable in variables],
        "outputs": [variable.to_json() for variable in outputs],
        "cells": [_cell(run) for run in history.runs if run.n],
        "cells_rerun": list(manifest.cells_rerun),
        "environment": msgspec.to_builtins(manifest.environment),
        "format": {
            "version": _format_version(archive),
            "chunks": len(manifest.chunks),
            "stored": sum(chunk.stored for chunk in manifest.chunks),
            "content": sum(chunk.size for chunk in manifest.chunks),
        },
        "bytes": size,
        "saved_at": manifest.saved_at,
        "seconds": manifest.seconds,
        "execution_count": manifest.execution_count,
        "files": [file.path for file in manifest.files],
        "settings": [report.to_json() for report in _settings(history)],
        "past": None if manifest.past is None else {"states": manifest.past.states, "bytes": manifest.past.bytes},
    }


def _cell(run: CellRun) -> dict[str, Any]:
    return {
        "n": run.n,
        "source": run.source,
        "status": run.status,
        "error": run.error,
        "started": run.started,
        "seconds": run.seconds,
        "reads": [list(version) for version in run.reads],
        "writes": [record.name for record in run.writes],
        "deletes": list(run.deletes),
        "files": [file.path for file in run.files],
        "effects": [{"kind": effect.kind, "detail": effect.detail} for effect in run.effects],
        "settings": [version.library for version in run.settings],
        "unrepeatable": list(run.unrepeatable),
        "notes": list(run.notes),
    }


def _reports(manifest: Manifest) -> tuple[list[VariableReport], list[VariableReport]]:
    """The variables and, apart from them, the displayed results; losses first."""
    from elastictm.ids import Name, is_variable  # noqa: PLC0415 - not for --help
    from elastictm.model.reports import VariableReport  # noqa: PLC0415 - not for --help

    order = {"lost": 0, "rerun": 1, "stored": 2}
    reports = [
        VariableReport(Name(e.name), e.outcome, e.kind, e.reason, e.path, e.bytes, e.seconds).advised("restore")
        for e in sorted(manifest.entries, key=lambda e: (order[e.outcome], -e.bytes, e.name))
    ]
    shown = [report for report in reports if not is_variable(report.name)]
    return [report for report in reports if report not in shown], shown


def _settings(history: History) -> tuple[SettingsReport, ...]:
    from elastictm.model.settings_report import settings_reports  # noqa: PLC0415 - not for --help

    return settings_reports(history.settings.values())


def _format_version(archive: str) -> int:
    from elastictm.storage.layout import HEADER  # noqa: PLC0415 - not for --help

    with open(archive, "rb") as file:  # noqa: PTH123 - an archive is named by text everywhere
        version: int = HEADER.unpack(file.read(HEADER.size))[1]
    return version


def _tables(archive: str, manifest: Manifest, history: History, size: int) -> tuple[Table, ...]:
    from datetime import datetime  # noqa: PLC0415 - not for --help

    from elastictm.model.settings_report import kept_lines, lost_lines  # noqa: PLC0415 - not for --help
    from elastictm.model.tables import Table, amount, duration  # noqa: PLC0415 - not for --help
    from elastictm.views.ledger import ledger  # noqa: PLC0415 - not for --help
    from elastictm.views.lineage import lineage  # noqa: PLC0415 - not for --help

    made = manifest.environment
    when = datetime.fromtimestamp(manifest.saved_at).astimezone().isoformat(" ", "seconds")
    head = f"{archive}: {amount(size)}, format {_format_version(archive)}, saved {when} by elastictm {made.program}"
    where = f"made with {made.implementation} {made.python} on {made.platform} in {made.directory}"
    if manifest.cells_rerun:
        where += f"; cells to re-run: {', '.join(map(str, manifest.cells_rerun))}"
    if manifest.past is not None:
        where += f"\nwith {manifest.past.states} states of its past, {amount(manifest.past.bytes)}"
    variables, outputs = _reports(manifest)
    columns = ("variable", "kind", "outcome", "bytes", "seconds", "why")
    rows = tuple(
        (v.name, v.kind, v.outcome, amount(v.bytes), duration(v.seconds), v.why)
        for v in (*variables, *outputs)
        if v.outcome != "lost"
    )
    lost = tuple(v.line for v in (*variables, *outputs) if v.outcome == "lost")
    counts = {outcome: sum(v.outcome == outcome for v in variables) for outcome in ("lost", "rerun", "stored")}
    total = f"Variables: {', '.join(f'{n} {word}' for word, n in counts.items() if n) or 'none'}"
    packages = ", ".join(f"{name} {version}" for name, version in sorted(made.packages.items()))
    settings = _settings(history)
    return (
        Table(f"{head}\n{where}", (), ()),
        Table(total, columns, rows, lines=lost, spare=("kind", "seconds", "why")),
        ledger(history, lineage(history, ())),
        *([Table("Settings", (), (), kept_lines(settings), lost_lines(settings))] if settings else []),
        Table(f"Packages: {packages or 'none'}", (), ()),
    )
