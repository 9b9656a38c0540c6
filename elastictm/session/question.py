"""What one comparison of the variables is asked, and what it works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from elastictm.ids import Name, RunNumber
    from elastictm.session.ambient import OwnModules
    from elastictm.session.inside import Insides
    from elastictm.session.tracked import Mentions, Variables
    from elastictm.values.freeze import Freezer
    from elastictm.values.survey import Surveyor


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one cell run.

    ``values`` are all live variables now, ``reached`` the names that the cell could reach in place and ``stored``
    those that it may have bound; ``seconds`` is the time that looking may take.
    ``brought`` is what code may have come into values, None where that is not known.
    """

    n: RunNumber
    values: Mapping[Name, Any]
    reached: frozenset[Name]
    stored: Container[Name]
    seconds: float
    brought: Mentions | None = None


@dataclass(frozen=True, slots=True)
class Tools:
    """What a comparison works with."""

    variables: Variables
    freezer: Freezer
    surveyor: Surveyor
    insides: Insides
    modules: OwnModules
    clock: Callable[[], float]
