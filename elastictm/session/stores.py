"""The folder in which sessions keep their past: one store for each, found again by its name."""

from __future__ import annotations

import os
import platform
import re
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from platformdirs import user_data_path

from elastictm.errors import ArchiveError, UsageError
from elastictm.storage.about import About, described
from elastictm.storage.owner import LOCK, is_owned

if TYPE_CHECKING:
    from elastictm.storage.store import Store

_MOST: Final = 20 * 10**9
"""Most bytes that stores may take where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Found:
    """A session that left a store; ``alive`` tells that a process still writes it."""

    about: About
    folder: Path
    alive: bool

    @property
    def size(self) -> int:
        """Bytes on disk."""
        from elastictm.storage.store import Store  # noqa: PLC0415 - a shell that starts looks at names alone

        with Store.open(self.folder) as store:
            return store.size

    @property
    def touched(self) -> float:
        """When something was last written for it, in seconds since the epoch: one that was recovered goes on."""
        try:
            return self.folder.stat().st_mtime
        except OSError:
            return self.about.started  # another process is removing it

    def told(self) -> str:
        """What is left of it and how to have it back, in a line."""
        began = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.about.started))
        whose = f" of {Path(self.about.notebook).name}" if self.about.notebook else ""
        return (
            f"the past of a session{whose} that began on {began} is here; %past recover brings its last state back, "
            f"%past --session {self.about.id} N another"
        )


class Stores:
    """All stores below the folder that ``root`` gives, or one in the user's data folder where that is empty."""

    def __init__(self, root: Callable[[], str] = str) -> None:
        self._root = root

    @property
    def root(self) -> Path:
        """The folder."""
        chosen = self._root()
        return Path(chosen) if chosen else user_data_path("elastictm") / "past"

    def create(self, now: float) -> Store:
        """A new store for the session of this process.

        Raises:
            DestinationError: it cannot be made there.
        """
        from elastictm.storage.store import Store  # noqa: PLC0415 - likewise

        notebook = os.environ.get("JPY_SESSION_NAME")
        here = Path.cwd()
        stem = re.sub(r"[^A-Za-z0-9]+", "-", Path(notebook).stem if notebook else here.name).strip("-").lower()
        day = time.strftime("%Y-%m-%d-%H%M", time.localtime(now))
        name = "-".join(filter(None, (day, stem[:30], secrets.token_hex(2))))
        about = About(name, now, platform.python_version(), str(here), notebook, os.getpid(), socket.gethostname())
        return Store.create(self.root / name, about)

    def sessions(self) -> Iterator[Found]:
        """The sessions that left a store, the latest first."""
        found: list[Found] = []
        for folder in self.root.iterdir() if self.root.is_dir() else ():
            try:
                found.append(Found(described(folder)[0], folder.absolute(), is_owned(folder / LOCK)))
            except ArchiveError:
                continue  # not a store, or one that another process is removing
        yield from sorted(found, key=lambda f: f.about.started, reverse=True)

    def budget(self, chosen: int | None) -> int:
        """How many bytes all stores may take: what was chosen, or a tenth of what they and the free disk make up."""
        if chosen is not None:
            return chosen
        place = next(folder for folder in (self.root, *self.root.parents) if folder.exists())
        return min(_MOST, (shutil.disk_usage(place).free + self.size) // 10)

    @property
    def size(self) -> int:
        """Bytes that all stores take on disk."""
        return sum(path.stat().st_size for path in self.root.glob("*/*.tm")) if self.root.is_dir() else 0

    def oldest(self, over: int) -> list[Found]:
        """The sessions that ended the longest ago, as many as it takes to have so many bytes."""
        found: list[Found] = []
        for session in reversed(self._ended() if over > 0 else []):
            if over <= 0:
                break
            over -= session.size
            found.append(session)
        return found

    @staticmethod
    def remove(folder: Path) -> None:
        """Take a store away, with all that is in it."""
        shutil.rmtree(folder, ignore_errors=True)

    def latest(self, but: str) -> Found:
        """The latest session of this notebook, or else of this folder, that has ended.

        In a notebook, sessions of another one in the same folder do not count, unless that one is gone: it may have
        been renamed.

        Raises:
            UsageError: there is none.
        """
        notebook, here = os.environ.get("JPY_SESSION_NAME"), str(Path.cwd())
        ended = [s for s in self._ended() if s.about.id != but]
        for found in ended:
            if notebook is not None and found.about.notebook == notebook:
                return found
        for found in ended:
            other = found.about.notebook if notebook is not None else None
            if found.about.directory == here and (other is None or not Path(other).exists()):
                return found
        raise UsageError("no earlier session of this notebook or folder left its past; %past sessions lists all others")

    def _ended(self) -> list[Found]:
        return sorted((s for s in self.sessions() if not s.alive), key=lambda s: s.touched, reverse=True)

    def left_behind(self) -> Found | None:
        """The latest session of this notebook or folder that has ended; None where there is none."""
        try:
            return self.latest(but="")
        except (UsageError, OSError):
            return None

    def find(self, word: str) -> Found:
        """The session whose name is, begins or ends with a word.

        Raises:
            UsageError: there is none, or several.
        """
        names = list(self.sessions())
        found = [s for s in names if s.about.id == word] or [
            s for s in names if s.about.id.startswith(word) or s.about.id.endswith(word)
        ]
        if len(found) == 1:
            return found[0]
        listed = ", ".join(s.about.id for s in (found or names)[:5]) or "none"
        what = "several sessions fit" if found else "there is no session"
        raise UsageError(f"{what} {word!r}; there are: {listed}. %past sessions lists them all")
