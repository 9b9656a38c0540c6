"""The colours of the picture, which say what becomes of a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from elastictm.model.reports import Outcome

COLOURS: Final[dict[Outcome | None, str]] = {
    "stored": "#3d86d8",
    "rerun": "#c9810e",
    "kept": "#23a074",
    "lost": "#dd4b4b",
    None: "#8a909b",
}
"""By outcome; they have a contrast of 3 and more to both white and black."""

WEIGHT: Final[dict[Outcome | None, int]] = {None: 0, "kept": 1, "stored": 2, "rerun": 3, "lost": 4}
"""Of those that lie on one another, the one that matters most is seen."""

TIE: Final = "#a06bd6"
