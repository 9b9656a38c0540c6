"""What a restore could not bring back, as an exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elastictm.errors import RestoredWithLosses

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_losses(report: Mapping[str, Any], *, allowed: bool, shown: bool = False) -> None:
    """Look for lost variables in the JSON form of a report; where the report was ``shown``, it told why.

    Raises:
        RestoredWithLosses: there are some, and that was not allowed.
    """
    lost = [variable for variable in report["variables"] if variable["outcome"] == "lost"]
    if lost and not allowed:
        told = "kind" if shown else "reason"
        listed = "; ".join(f"{variable['name']} ({variable[told]})" for variable in lost)
        raise RestoredWithLosses(f"restored with losses: {listed}. --allow-losses accepts them")
