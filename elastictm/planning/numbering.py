"""A problem in numbers: versions, cells and files as indices, prices as arrays, dependencies as pairs of indices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np

from elastictm.ids import RunNumber, Version
from elastictm.planning.arcs import Floats, Ints, Pairs, Truths
from elastictm.planning.problem import Problem


@dataclass(frozen=True, slots=True)
class Numbered:
    """The parts of a problem by index; pairs are two arrays of equal length.

    ``producer`` is -1 where there is none.
    ``member_of`` pairs a version with the index of its group, and only targets are in it.
    """

    problem: Problem
    versions: tuple[Version, ...]
    cells: tuple[RunNumber, ...]
    files: tuple[str, ...]
    index: dict[Version, int]
    load: Floats
    producer: Ints
    allowed: Truths
    target: Truths
    read: Truths
    seconds: Floats
    ship: Floats
    reads: Pairs
    needs_file: Pairs
    member_of: Pairs
    follows: Pairs
    displaces: Pairs


def numbered(problem: Problem) -> Numbered:
    """Number the parts of a problem.

    Raises:
        ValueError: Where a part refers to a version, cell run or file that the problem does not hold.
    """
    versions, cells, files = tuple(problem.versions), tuple(problem.cells), tuple(problem.ship)
    index = {version: i for i, version in enumerate(versions)}
    cell_index: dict[RunNumber | None, int] = {n: i for i, n in enumerate(cells)}
    file_index = {path: i for i, path in enumerate(files)}
    cell_index[None] = -1
    version_terms, cell_terms = problem.versions.values(), problem.cells.values()
    try:
        target: Truths = np.zeros(len(versions), dtype=np.bool_)
        target[_ints(index[v] for v in problem.targets)] = True
        reads: Pairs = (
            np.repeat(np.arange(len(cells)), _ints(len(term.reads) for term in cell_terms)),
            _ints(map(index.__getitem__, chain.from_iterable(term.reads for term in cell_terms))),
        )
        read: Truths = np.zeros(len(versions), dtype=np.bool_)
        read[reads[1]] = True
        needs_file: Pairs = (
            np.repeat(np.arange(len(cells)), _ints(len(term.files) for term in cell_terms)),
            _ints(map(file_index.__getitem__, chain.from_iterable(term.files for term in cell_terms))),
        )
        members = [(index[v], i) for i, group in enumerate(problem.groups) for v in group]
        member_of = (_ints(v for v, _ in members), _ints(i for _, i in members))
        in_target = target[member_of[0]]
        return Numbered(
            problem=problem,
            versions=versions,
            cells=cells,
            files=files,
            index=index,
            load=_floats(term.load for term in version_terms),
            producer=_ints(cell_index[term.producer] for term in version_terms),
            allowed=np.fromiter((term.rerun_allowed for term in version_terms), np.bool_),
            target=target,
            read=read,
            seconds=_floats(term.seconds for term in cell_terms),
            ship=_floats(problem.ship.values()),
            reads=reads,
            needs_file=needs_file,
            member_of=(member_of[0][in_target], member_of[1][in_target]),
            follows=(_ints(index[u] for u, _ in problem.follows), _ints(index[v] for _, v in problem.follows)),
            displaces=(
                _ints(cell_index[c] for c, _ in problem.displaces),
                _ints(index[v] for _, v in problem.displaces),
            ),
        )
    except KeyError as unknown:
        raise ValueError(f"the problem refers to {unknown.args[0]}, which is not part of it") from unknown


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int64)


def _floats(values: Iterable[float]) -> Floats:
    return np.fromiter(values, np.float64)
