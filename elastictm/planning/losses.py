"""Which targets cannot be had, as few as possible, and why.

A target that is not lost is loaded or re-run, and a tie forbids one of two targets to be loaded and the other re-run.
With the three fates in the order *loaded < lost < re-run*, each such rule is one between two truths, *not loaded(v)*
and *re-run and not lost(v)*, in the direction that a cut can express: "re-run(u) needs not loaded(v)".  So the least
number of losses is a minimum cut in which only being lost has a price (Ishikawa 2003 on ordered labels).
Which of several smallest sets is lost is not chosen by cost; fewest targets are taken off loading.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from elastictm.planning.arcs import Floats, Ints, Truths, nearest, reach
from elastictm.planning.culprits import Culprits
from elastictm.planning.mincut import least_true
from elastictm.planning.numbering import Numbered
from elastictm.planning.plan import Cause, Displaced, Loss, Tied
from elastictm.planning.rules import Rules


def losses(numbers: Numbered, rules: Rules) -> tuple[Loss, ...]:
    """The targets that cannot be had, in order, each with its cause."""
    fates = _Fates.of(numbers, rules)
    forced = reach(len(fates.skip), fates.tails, fates.heads, np.isinf(fates.skip))
    if not bool(np.any(forced & np.isinf(fates.take))):
        return ()
    true = least_true(fates.skip, fates.take, fates.tails, fates.heads, fates.costs)
    return _Reasons(numbers, rules, fates, true).losses()


@dataclass(frozen=True, slots=True)
class _Fates:
    """Behind the nodes of the rules: *not loaded(v)*, *re-run and not lost(v)*, and one node for each group."""

    skip: Floats
    take: Floats
    tails: Ints
    heads: Ints
    costs: Floats
    unloaded: int
    rebuilt: int
    tied: int

    @classmethod
    def of(cls, numbers: Numbered, rules: Rules) -> _Fates:
        versions = len(numbers.versions)
        unloaded, rebuilt, tied = (rules.count + i * versions for i in range(3))
        count = tied + len(numbers.problem.groups)
        targets = np.flatnonzero(numbers.target)
        member, group = numbers.member_of
        cell, displaced = numbers.displaces
        loose = numbers.target[displaced] & ~numbers.read[displaced]
        tails: tuple[Ints, ...] = (
            rules.tails,
            rebuilt + targets,
            rebuilt + targets,
            targets,
            rebuilt + member,
            tied + group,
            versions + cell[loose],
            unloaded + targets,
        )
        heads: tuple[Ints, ...] = (
            rules.heads,
            targets,
            unloaded + targets,
            unloaded + targets,
            tied + group,
            unloaded + member,
            unloaded + displaced[loose],
            rebuilt + targets,
        )
        joined = np.concatenate(tails)
        costs = np.full(len(joined), np.inf)
        costs[len(joined) - len(targets) :] = 1.0
        # The prices of re-running play no part here, only what is forbidden.
        take = np.zeros(count)
        take[: rules.count][np.isinf(rules.take)] = np.inf
        skip = np.zeros(count)
        skip[unloaded + targets[np.isinf(numbers.load[targets])]] = np.inf
        return cls(skip, take, joined, np.concatenate(heads), costs, unloaded, rebuilt, tied)


class _Reasons:
    """Finds the cause of each loss: what is nearest among all that stands in its way.

    Responsibilities:
    - what makes a version impossible to re-run, whatever is lost;
    - which other target stands against it, where that alone would not.
    """

    def __init__(self, numbers: Numbered, rules: Rules, fates: _Fates, true: Truths) -> None:
        self._numbers, self._fates, self._true = numbers, fates, true
        self._culprits = Culprits(numbers, rules)
        versions = len(numbers.versions)
        stuck = numbers.target & np.isfinite(numbers.load) & (self._culprits.nodes[:versions] >= 0)
        against: Truths = np.zeros(len(fates.skip), dtype=np.bool_)
        against[fates.unloaded + np.flatnonzero(stuck)] = True
        self._towards = nearest(len(fates.skip), fates.tails, fates.heads, against)

    def losses(self) -> tuple[Loss, ...]:
        """Each lost target with its cause."""
        versions = len(self._numbers.versions)
        unloaded = self._true[self._fates.unloaded :][:versions]
        rebuilt = self._true[self._fates.rebuilt :][:versions]
        lost = np.flatnonzero(self._numbers.target & unloaded & ~rebuilt)
        found = (Loss(self._numbers.versions[v], self._cause(v, rebuilt)) for v in lost.tolist())
        return tuple(sorted(found, key=lambda loss: loss.version))

    def _cause(self, v: int, rebuilt: Truths) -> Cause:
        own = self._culprits.of(v)
        if own is None:
            return self._other(v)
        return own if np.isinf(self._numbers.load[v]) else self._stronger(v, rebuilt, own)

    def _other(self, v: int) -> Cause:
        """The cause where re-running it would take a target off loading that cannot be re-run."""
        node, following = -1, self._fates.rebuilt + v
        while node != following:
            before, node, following = node, following, int(self._towards[following])
        other = node - self._fates.unloaded
        cause = self._culprits.of(other)
        assert cause is not None  # noqa: S101 - the way was sought to versions that have one
        if before >= self._fates.tied:
            return Tied(self._numbers.versions[other], cause)
        return Displaced(
            self._numbers.cells[before - len(self._numbers.versions)], self._numbers.versions[other], cause
        )

    def _stronger(self, v: int, rebuilt: Truths, own: Cause) -> Cause:
        """The cause where it has bytes, and what is re-run forbids to load it."""
        numbers = self._numbers
        member, group = numbers.member_of
        mates = member[np.isin(group, group[member == v]) & rebuilt[member]]
        if len(mates):
            return Tied(min(numbers.versions[m] for m in mates.tolist()), own)
        cell, displaced = numbers.displaces
        run = self._true[len(numbers.versions) :]
        return Displaced(
            min(numbers.cells[c] for c in cell[(displaced == v) & run[cell]].tolist()), numbers.versions[v], own
        )
