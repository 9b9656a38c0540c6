"""What stands in the way of re-running a version: the nearest thing that must not be."""

from __future__ import annotations

import numpy as np

from elastictm.planning.arcs import ends, nearest
from elastictm.planning.numbering import Numbered
from elastictm.planning.plan import Cause, Displaced, FileMissing, MustNotRun, NoSource, NotAllowed, Tied
from elastictm.planning.problem import Problem
from elastictm.planning.rules import Rules


class Culprits:
    """Names, for each version, what forbids its re-run whatever is lost."""

    def __init__(self, numbers: Numbered, rules: Rules) -> None:
        self._numbers = numbers
        self.nodes = ends(nearest(rules.count, rules.tails, rules.heads, np.isinf(rules.take)))

    def of(self, v: int) -> Cause | None:
        """What forbids to re-run a version, by index; None where nothing does."""
        node = int(self.nodes[v])
        numbers = self._numbers
        versions, cells = len(numbers.versions), len(numbers.cells)
        if node < 0:
            return None
        if node >= versions + cells:
            return FileMissing(numbers.files[node - versions - cells])
        if node >= versions:
            return MustNotRun(numbers.cells[node - versions])
        version = numbers.versions[node]
        return NoSource(version) if numbers.allowed[node] else NotAllowed(version)


def in_words(cause: Cause, problem: Problem) -> str:
    """A cause for people."""
    match cause:
        case MustNotRun(n):
            return problem.cells[n].obstacle or f"cell {n} must not run again"
        case NoSource(version):
            return f"no recorded cell makes {version.name}"
        case NotAllowed(version):
            return f"{version.name} must not be re-run: {problem.versions[version].obstacle}"
        case FileMissing(path):
            return f"{path} is gone, or not what it was when it was read"
        case Tied(to, inner):
            return f"it shares data with {to.name}, and they cannot be re-run together: {in_words(inner, problem)}"
        case Displaced(n, of, inner):
            return f"cell {n} makes the class of {of.name} anew, which cannot be re-run: {in_words(inner, problem)}"
