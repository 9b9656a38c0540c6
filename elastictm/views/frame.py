"""Where rows and lanes of a scene lie in a picture, in pixels, while all folds are closed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from elastictm.views.folding import Places, places

if TYPE_CHECKING:
    from elastictm.views.scene import Scene

ROW: Final = 22
LANE: Final = 18
LANES_FROM: Final = 478
"""Where the first lane begins; numbers, sources, signs and times of the cells stand before it."""

LEAN: Final = 55
"""Degrees by which names lean."""

LETTER: Final = 7.3
MOST_LETTERS: Final = 24
"""Letters of a name that are written, and the width of one."""

_LEGEND_WIDTH: Final = 860
_TALL: Final = 26
"""Rows from which on the names stand below as well."""


class Frame:
    """Where rows and lanes lie while all folds are closed."""

    def __init__(self, scene: Scene) -> None:
        self.rows: Places = places(len(scene.rows), scene.row_folds)
        self.lanes: Places = places(len(scene.lanes), scene.lane_folds)
        self.folded = {i for fold in scene.lane_folds for i in range(fold.first, fold.last + 1)}
        names: list[str] = [lane.name for i, lane in enumerate(scene.lanes) if i not in self.folded]
        names += [folded(fold.what, len(fold)) for fold in scene.lane_folds]
        slant = LETTER * min(max(map(len, names), default=0), MOST_LETTERS)
        self.top = 12 + math.ceil(slant * math.sin(math.radians(LEAN)))
        self.overhang = max(20, math.ceil(slant * math.cos(math.radians(LEAN))))
        self.tall = self.rows.count >= _TALL
        self.bottom = self.top + ROW * self.rows.count
        self.foot = self.bottom + (self.top if self.tall else 12)
        self.width = max(LANES_FROM + LANE * self.lanes.count + self.overhang, _LEGEND_WIDTH)
        self.height = self.foot + ROW

    def x(self, lane: int) -> int:
        """The middle of a lane."""
        return LANES_FROM + LANE * self.lanes.of[lane] + LANE // 2

    def y(self, row: int) -> int:
        """The middle of a row."""
        return self.top + ROW * self.rows.of[row] + ROW // 2

    def fold_x(self, fold: int) -> int:
        """The middle of the lane that a fold of lanes is."""
        return LANES_FROM + LANE * self.lanes.folds[fold] + LANE // 2

    def fold_y(self, fold: int) -> int:
        """The middle of the row that a fold of rows is."""
        return self.top + ROW * self.rows.folds[fold] + ROW // 2


def folded(what: str, count: int) -> str:
    """The name of a fold that is closed."""
    return f"▸ {count} {what}"
