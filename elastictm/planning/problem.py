"""What a planner has to decide, as data: what each version and each cell run costs, and what needs what.

For each version ``v`` there are two truths, *need(v)* and *rerun(v)*; for each cell run ``c`` one, *run(c)*; for each
input file ``f`` one, *shipped(f)*.  A plan makes them true or false such that

- every target is needed, unless it is lost;
- *need(v)* without *rerun(v)* costs ``load`` of ``v``, and is impossible where that is infinite;
- *rerun(v)* needs *run(producer of v)*, and is impossible without a producer or where it is not allowed;
- *run(c)* costs ``seconds`` of ``c``, and needs *need(u)* for all that ``c`` reads and *shipped(f)* for its files;
- *shipped(f)* costs ``ship`` of ``f``;
- targets of one group that are not lost are re-run all or none;
- for ``(u, v)`` in ``follows``, *rerun(u)* needs *rerun(v)*, lost or not;
- for ``(c, v)`` in ``displaces``, *run(c)* needs *rerun(v)*, where some cell reads ``v`` or ``v`` is a target not lost.

First as few targets as possible are lost, then the sum of all costs, in seconds, is as small as possible.
An infinite cost says *impossible*.

Sources: the replication problem of ElasticNotebook (Li et al., PVLDB 17(2), 2023, arXiv 2309.11083), whose cut this
extends by groups, files, classes and losses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from elastictm.ids import RunNumber, Version


@dataclass(frozen=True, slots=True)
class VersionTerm:
    """What it takes to have one version.

    ``load`` is in seconds and infinite where no bytes can be had.
    ``kept`` marks a value that is in place already, so that having it is a ``Keep`` and not a ``Load``.
    ``obstacle`` says, for people, why it must not be re-run.
    ``differs`` says that a re-run makes it differently, and nobody forbids that.
    """

    version: Version
    producer: RunNumber | None
    load: float
    rerun_allowed: bool = True
    kept: bool = False
    obstacle: str = ""
    differs: bool = False

    def __post_init__(self) -> None:
        if not self.load >= 0:
            raise ValueError(f"loading {self.version} costs {self.load} s: expected 0 or more, or infinity")


@dataclass(frozen=True, slots=True)
class CellTerm:
    """What it takes to run one cell again.

    ``seconds`` is infinite where it must not run, and ``obstacle`` then says why, for people.
    """

    n: RunNumber
    seconds: float
    reads: tuple[Version, ...]
    files: tuple[str, ...] = ()
    obstacle: str = ""

    def __post_init__(self) -> None:
        if not self.seconds >= 0:
            raise ValueError(f"running cell {self.n} costs {self.seconds} s: expected 0 or more, or infinity")


@dataclass(frozen=True, slots=True)
class Problem:
    """All that a plan is made from; see the module for what each part means.

    ``offers`` are versions that could be had without bytes as well, and whose bytes bind others.
    """

    versions: Mapping[Version, VersionTerm]
    cells: Mapping[RunNumber, CellTerm]
    ship: Mapping[str, float] = field(default_factory=dict)
    targets: frozenset[Version] = frozenset()
    groups: tuple[frozenset[Version], ...] = ()
    follows: tuple[tuple[Version, Version], ...] = ()
    displaces: tuple[tuple[RunNumber, Version], ...] = ()
    offers: frozenset[Version] = frozenset()

    def __post_init__(self) -> None:
        for path, seconds in self.ship.items():
            if not seconds >= 0:
                raise ValueError(f"shipping {path} costs {seconds} s: expected 0 or more, or infinity")
