"""``elastictm verify``: every byte of an archive is checked, and if asked its restore is rehearsed."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from elastictm_cli import output
from elastictm_cli.options import AllowLosses, Archive, Json, Quiet, Trust

from elastictm.errors import RestoredWithLosses


def verify(  # noqa: PLR0913 - each is an option of its own
    archive: Archive,
    *,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Restore it in a fresh process too, and compare every variable.")
    ] = False,
    trust: Trust = False,
    allow_losses: AllowLosses = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check every byte of an archive; none of its code runs, unless its restore is rehearsed."""
    from elastictm.storage.reader import ArchiveReader  # noqa: PLC0415 - not for --help

    kept = f"{archive} was only read, and is as it was"
    with ArchiveReader(archive) as reader, output.working("verifying", kept, quiet=quiet) as told_of:
        size = reader.size
        told_of.stage("reading", size)
        reader.verify(told_of)
    told: dict[str, Any] = {"path": archive, "sound": True, "bytes": size}
    report = _rehearsed(archive, kept, trust=trust, quiet=quiet) if rehearse else None
    if report is not None:
        told["rehearsal"] = report.to_json()
    if json:
        output.json_result(told)
    elif not quiet:
        output.result(f"{archive}: every byte is as it was written")
        if report is not None:
            output.shown_result(report)
    if report is not None and not report.restores and not allow_losses:
        raise RestoredWithLosses("; ".join(report.lines()))


def _rehearsed(archive: str, kept: str, *, trust: bool, quiet: bool) -> Any:
    import time  # noqa: PLC0415 - not for --help

    from elastictm_cli.consent import check_trusted  # noqa: PLC0415 - only a rehearsal runs code

    from elastictm.session.rehearsal import Rehearsal  # noqa: PLC0415 - likewise

    check_trusted(archive, trust=trust)
    with output.working("rehearsing", kept, quiet=quiet) as told_of:
        return Rehearsal(time.perf_counter, progress=told_of).of(archive)
