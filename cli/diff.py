"""``elastictm diff``: what differs between two archives, without running any of their code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from elastictm_cli import completing, output
from elastictm_cli.archived import read_archive
from elastictm_cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elastictm.ids import Name
    from elastictm.model.difference import DifferenceReport
    from elastictm.model.divergence import Divergence, Knowledge
    from elastictm.model.history import History
    from elastictm.storage.manifest import Manifest


def diff(
    before: Annotated[
        str,
        typer.Argument(metavar="A", help="The archive to begin with, a .tm file.", autocompletion=completing.archives),
    ],
    after: Annotated[
        str,
        typer.Argument(
            metavar="B", help="The archive to compare it with, a .tm file.", autocompletion=completing.archives
        ),
    ],
    *,
    json: Json = False,
) -> None:
    """Show which variables, cells and settings differ between two archives; none of their code runs."""
    report = _report(before, after)
    if json:
        output.json_result(report.to_json())
    else:
        output.shown_result(report)


def _report(before: str, after: str) -> DifferenceReport:
    from elastictm.model.difference import difference_report  # noqa: PLC0415 - not for --help
    from elastictm.model.divergence import differences_of_lines  # noqa: PLC0415 - likewise

    (old, old_history, _), (new, new_history, _) = read_archive(before), read_archive(after)
    found = differences_of_lines(old_history, new_history, _known(old), _known(new))
    missing = [_left_out(*each) for each in ((old, old_history), (new, new_history))]
    found = found.without({*missing[0], *missing[1]})
    notes = [
        f"{path} was saved without {', '.join(sorted(names))}"
        for path, names in zip((before, after), missing, strict=True)
        if names
    ]
    notes += [*_losses(before, old), *_losses(after, new), *_circumstances(old, new, found)]
    details = dict(_sources(found, old_history, new_history))
    return difference_report(before, after, old_history, new_history, found, details=details, notes=notes)


def _known(manifest: Manifest) -> Knowledge:
    from elastictm.ids import Fingerprint, Name  # noqa: PLC0415 - not for --help
    from elastictm.model.divergence import Knowledge  # noqa: PLC0415 - likewise

    return Knowledge(
        {
            Name(entry.name): None if entry.fingerprint is None else Fingerprint(entry.fingerprint)
            for entry in manifest.entries
            if entry.astray
        }
    )


def _left_out(manifest: Manifest, history: History) -> set[Name]:
    """Variables that were there when the archive was written, and that it says nothing of."""
    from elastictm.ids import output_number  # noqa: PLC0415 - not for --help

    told = {entry.name for entry in manifest.entries}
    return {name for name in history.live if name not in told and output_number(name) is None}


def _losses(path: str, manifest: Manifest) -> Iterator[str]:
    from elastictm.ids import output_number  # noqa: PLC0415 - not for --help

    for entry in manifest.entries:
        if entry.outcome == "lost" and output_number(entry.name) is None:
            yield f"{path} cannot bring back {entry.name}: {entry.reason or 'no reason is known'}"


def _circumstances(old: Manifest, new: Manifest, found: Divergence) -> Iterator[str]:
    """What makes equal values look different from outside."""
    if not found.common:
        yield "these are two sessions: a value that is stored otherwise counts as changed, even if it is equal"
    if old.environment.python != new.environment.python:
        yield f"made with Python {old.environment.python} and {new.environment.python}"


def _sources(found: Divergence, old: History, new: History) -> Iterator[tuple[Name, tuple[str, ...]]]:
    """What differs in functions and classes, as far as the cells tell that defined them."""
    from elastictm.model.texts import definition_in, unified  # noqa: PLC0415 - not for --help

    for before, after in found.pairs:
        if before.defines is None or after.defines is None:
            continue
        texts = [definition_in(h.run(r.n).source, r.name) for h, r in ((old, before), (new, after))]
        if texts[0] is None or texts[1] is None or texts[0] == texts[1]:
            continue
        head, *below = unified(texts[0], texts[1])
        yield before.name, (f"source: {head}", *(f"  {line}" for line in below))
