"""What a restore could not bring back as it was, variables, modules and settings, as an exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from elastictm.errors import RestoredWithLosses
from elastictm.ids import holder
from elastictm.model.remedies import ANOTHER_VALUE

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOST: Final = "LOST: "
"""How the notes of a report begin that tell of a loss."""


def check_losses(report: Mapping[str, Any], *, allowed: bool, shown: bool = False) -> None:
    """Look for what is lost in the JSON form of a report; where the report was ``shown``, it told why.

    What libraries hold of the session's objects, such as handlers of loggers, changes inside modules, and settings
    count as variables do, and so does what came back as another value.

    Raises:
        RestoredWithLosses: there are some, and that was not allowed.
    """
    values = [*report["variables"], *(held for held in report["outputs"] if holder(held["name"]) is not None)]
    told = "kind" if shown else "reason"
    lost = [f"{value['name']} ({value[told]})" for value in values if value["outcome"] == "lost"]
    lost += [f"{value['name']} (DIFFERENT)" for value in values if value["reason"].startswith(ANOTHER_VALUE)]
    lost += [note.removeprefix(_LOST).partition(":")[0] for note in report["notes"] if note.startswith(_LOST)]
    lost += [line for library in report["settings"] for line in library["lost"]]
    if lost and not allowed:
        raise RestoredWithLosses(f"restored with losses: {'; '.join(lost)}. --allow-losses accepts them")
