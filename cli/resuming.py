"""Which cell of a notebook comes next after a saved state: what ran is matched with what stands there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from elastictm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from elastictm.model.records import CellRun

_LOADS: Final = re.compile(r"^\s*%(re)?load_ext\s+elastictm\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CodeCell:
    """A cell that runs: where it stands in the notebook, and whether it may raise."""

    index: int
    source: str
    may_raise: bool = False


def code_cells(cells: Sequence[dict[str, object]]) -> list[CodeCell]:
    """The cells of a notebook that nbclient runs."""
    found: list[CodeCell] = []
    for index, cell in enumerate(cells):
        source, tagged = str(cell.get("source", "")), tags(cell)
        if cell.get("cell_type") == "code" and source.strip() and "skip-execution" not in tagged:
            found.append(CodeCell(index, source, "raises-exception" in tagged))
    return found


def tags(cell: Mapping[str, object]) -> Sequence[str]:
    """The tags of a cell of a notebook."""
    metadata = cell.get("metadata")
    found = metadata.get("tags", []) if isinstance(metadata, dict) else []
    return found if isinstance(found, list) else []


def cells_to_run(cells: Sequence[CodeCell], runs: Sequence[CellRun], archive: str) -> list[CodeCell]:
    """The cells that have not run in the state that an archive holds.

    A last cell run that failed has not run to its end: it comes first, as it stands in the notebook now.
    Cells up to one that loads elastictm may be missing in the archive, because recording began there.

    Raises:
        UsageError: the notebook's cells are not those that ran; names the first that differs.
    """
    ran = [run for run in runs if run.source.strip()]
    left = list(cells[_start(cells, ran) :])
    done = _done(left, ran)
    for place, run in enumerate(done):
        there = f"cell run {run.n} of {archive} is {_quoted(run.source)}"
        if place >= len(left):
            raise UsageError(f"{there}, but the notebook ends before it, with {len(cells)} code cells")
        if not _same(left[place], run):
            number = len(cells) - len(left) + place + 1
            raise UsageError(f"code cell {number} of the notebook is {_quoted(left[place].source)}, but {there}")
    return left[len(done) :]


def _start(cells: Sequence[CodeCell], ran: Sequence[CellRun]) -> int:
    """The place of the cell that was recorded first."""
    if not cells or not ran or _same(cells[0], ran[0]):
        return 0
    loading = next((place for place, cell in enumerate(cells) if _LOADS.search(cell.source)), None)
    if loading is None:
        return 0
    # What stands below in that cell was recorded, if loading was the first thing that it did.
    return loading if _same(cells[loading], ran[0]) else loading + 1


def _done(cells: Sequence[CodeCell], ran: list[CellRun]) -> list[CellRun]:
    """The cell runs that need no other one: all but a last one that failed where it must not."""
    if not ran or ran[-1].status == "ok":
        return ran
    may_raise = len(ran) <= len(cells) and cells[len(ran) - 1].may_raise
    return ran if may_raise else ran[:-1]


def _same(cell: CodeCell, run: CellRun) -> bool:
    return cell.source.rstrip() == run.source.rstrip()


def _quoted(source: str, width: int = 60) -> str:
    line = " ⏎ ".join(line.strip() for line in source.strip().splitlines())
    return repr(line if len(line) <= width else line[: width - 1] + "…")
