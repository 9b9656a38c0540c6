"""The folders that a session worked in, as the settings of its cell runs tell."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from elastictm.ids import RunNumber
from elastictm.model.records import CellRun
from elastictm.session.circumstances.process import WORKING_DIRECTORY


@dataclass(frozen=True, slots=True)
class Folders:
    """All of them: ``home``, where the session began, and those that it went to."""

    home: Path
    others: tuple[Path, ...] = ()

    @classmethod
    def here(cls, runs: Sequence[CellRun], now: Path) -> Folders:
        """Those of the session of this process, which is in ``now``."""
        shown = [told for _, told in _moves(runs)]
        home = Path(shown[-1].get("before", now)) if shown else now
        return cls.of(runs, home, now)

    @classmethod
    def of(cls, runs: Sequence[CellRun], home: Path, *others: Path) -> Folders:
        """Those of a session that began in ``home``."""
        told = [Path(path) for _, shown in _moves(runs) for path in shown.values() if path]
        return cls(home, tuple(dict.fromkeys(folder for folder in (*told, *others) if folder != home)))

    def holding(self, path: Path) -> Path | None:
        """The folder that a path is below, the first one before others; None where there is none."""
        if ".." in path.parts:
            return None
        return next((folder for folder in (self.home, *self.others) if path.is_relative_to(folder)), None)

    def below(self, path: Path) -> PurePosixPath | None:
        """A path as it is seen from the folder that it is below."""
        folder = self.holding(path)
        return None if folder is None else PurePosixPath(path.relative_to(folder).as_posix())

    def base(self) -> Path:
        """The innermost folder that has all of them inside."""
        return Path(os.path.commonpath([self.home, *self.others]))

    def before(self, runs: Iterable[CellRun], n: RunNumber) -> Path:
        """The folder that the session was in before a cell run."""
        folder = self.home
        for at, shown in _moves(runs):
            if at >= n:
                break
            folder = Path(shown.get("directory") or self.home)
        return folder


def _moves(runs: Iterable[CellRun]) -> Iterator[tuple[RunNumber, dict[str, str]]]:
    for run in runs:
        for version in run.settings:
            if version.library == WORKING_DIRECTORY:
                yield run.n, version.shown
