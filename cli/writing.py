"""``elastictm restore --notebook``: the cells of a session, as a notebook whose first cell restores it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat.v4 as nb
from elastictm_cli import output
from elastictm_cli.archived import read_archive
from elastictm_cli.notebooks import write_notebook

from elastictm.model.texts import counted

if TYPE_CHECKING:
    from elastictm_cli.options import Permissions

    from elastictm.model.history import History


def write_restoring_notebook(archive: str, path: str, permissions: Permissions, *, force: bool, quiet: bool) -> None:
    """Write the notebook; the archive itself is neither changed nor run.

    Raises:
        ArchiveError: the archive cannot be used.
        DestinationError: the notebook cannot be written there.
    """
    _, history, _ = read_archive(archive)
    place = _as_seen_from(Path(archive).resolve(), Path(path).resolve().parent)
    given = {
        " --trust": permissions.trust,
        " --allow-effects": permissions.effects,
        " --any-version": permissions.versions,
    }
    options = "".join(option for option, allowed in given.items() if allowed)
    write_notebook(path, _notebook(history, place, options), force=force)
    if not quiet:
        count = sum(bool(run.source.strip()) for run in history.runs)
        output.message(f"{path}: {counted(count, 'cell')}, after a first one that restores {place}")


def _as_seen_from(archive: Path, folder: Path) -> str:
    """The archive's path in a kernel that runs in a folder: relative below it, so that both can move together."""
    return str(archive.relative_to(folder) if archive.is_relative_to(folder) else archive)


def _notebook(history: History, archive: str, options: str) -> Any:
    first = f"%load_ext elastictm\n%migrate restore {shlex.quote(archive)}{options}"
    cells = [nb.new_code_cell(first)]
    for run in history.runs:
        if run.source.strip():
            cell = nb.new_code_cell(run.source, execution_count=run.n)
            if run.status != "ok":
                # So that running all cells does not end at one that failed in the session, too.
                cell.metadata["tags"] = ["raises-exception"]
            cells.append(cell)
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nb.new_notebook(cells=cells, metadata={"kernelspec": spec, "language_info": {"name": "python"}})
