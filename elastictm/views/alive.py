"""The variables alive as a table: what each is and takes, who made it, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from elastictm.ids import is_variable
from elastictm.model.tables import Table, amount, duration
from elastictm.model.texts import counted
from elastictm.views.ledger import plain
from elastictm.views.words import OUTCOMES, of_plan

if TYPE_CHECKING:
    from elastictm.model.outlook import Outlook
    from elastictm.model.reports import Outcome
    from elastictm.views.scene import Dot, Scene

COLUMNS: Final = ("variable", "kind", "bytes", "made by", "to make again", "outcome")

_SPARE: Final = ("made by", "to make again", "bytes", "kind")
"""Columns that go where there is not room for all: what becomes of a variable is the last to be cut."""

_LOSSES_FIRST: Final[dict[Outcome | None, int]] = {"lost": 0, "rerun": 1, "stored": 2, "kept": 3, None: 4}


def alive(scene: Scene, outlook: Outlook | None, most: int | None = None) -> Table:
    """One row for each variable alive, losses first; imports, and what is beyond ``most``, are counted."""
    dots = [dot for dot in scene.dots if dot.live and is_variable(dot.record.name)]
    imports = sum(scene.lanes[dot.lane].kind == "import" for dot in dots)
    shown = [dot for dot in dots if scene.lanes[dot.lane].kind != "import" or fate(dot, outlook) == "lost"]
    shown.sort(key=lambda dot: (_LOSSES_FIRST[fate(dot, outlook)], -dot.record.size, dot.record.name))
    left = 0 if most is None else max(0, len(shown) - most)
    notes = [f"and {counted(left, 'more variable')}"] if left else []
    notes += [f"and {counted(imports, 'imported name')}"] if imports else []
    rows = tuple(_row(dot, outlook) for dot in shown[: len(shown) - left])
    return Table("Variables alive" if outlook is None else of_plan(outlook), COLUMNS, rows, tuple(notes), spare=_SPARE)


def fate(dot: Dot, outlook: Outlook | None) -> Outcome | None:
    """What becomes of a version in the plan that is shown."""
    return None if outlook is None else outlook.shown.of(dot.record.version)


def _row(dot: Dot, outlook: Outlook | None) -> tuple[str, ...]:
    record, found = dot.record, fate(dot, outlook)
    seconds = None if outlook is None else outlook.remake.get(record.version)
    outcome = OUTCOMES[found] if found else ""
    if record.refusal is not None:
        outcome += f"; cannot be stored: {record.refusal.path}: {record.refusal.reason}"
    made = f"cell {record.n}" if record.n else ""
    size = "" if record.refusal is not None else amount(record.size)
    told = (record.name, record.kind, size, made, duration(seconds), outcome.removeprefix("; "))
    return tuple(map(plain, told))
