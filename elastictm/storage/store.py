"""A session's folder: its packs, its description, and who may write to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from elastictm.storage.manifest import Count, Seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike
    from pathlib import Path

    from typing_extensions import Self

    from elastictm.storage.files import Files
    from elastictm.storage.pack import Kept, Pack
    from elastictm.storage.pack_writer import PackWriter, Written
    from elastictm.storage.store_reader import StoreReader


class About(Struct, frozen=True, omit_defaults=True):
    """What a store says of its session; ``started`` is in seconds since the epoch, ``pid`` the process that owns it."""

    id: str
    started: Seconds
    python: str
    directory: str
    notebook: str | None
    pid: Count
    host: str


class Store:
    """One session's folder.

    ``about`` is the session's description, ``folder`` its path, ``damaged`` what could not be read so far, in words.
    """

    about: About
    folder: Path
    damaged: list[str]

    @classmethod
    def create(cls, folder: str | PathLike[str], about: About, *, files: Files | None = None) -> Self:
        """Make the folder (parents too) and own it; DestinationError where that cannot be, StoreInUse."""
        raise NotImplementedError

    @classmethod
    def open(cls, folder: str | PathLike[str]) -> Self:
        """Open for reading; ArchiveMissing where there is no store."""
        raise NotImplementedError

    @classmethod
    def take_over(cls, folder: str | PathLike[str], *, files: Files | None = None) -> Self:
        """Open and own; StoreInUse where another process does. ``about`` gets this process's pid and host."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the folder."""
        raise NotImplementedError

    @property
    def owned(self) -> bool:
        """Whether this process may write."""
        raise NotImplementedError

    @property
    def in_use(self) -> bool:
        """Whether any process owns the folder now."""
        raise NotImplementedError

    @property
    def size(self) -> int:
        """Bytes on disk."""
        raise NotImplementedError

    def packs(self) -> Iterator[tuple[int, Pack]]:
        """Each pack with its sequence number, in order; damaged ones are told in ``damaged`` and left out."""
        raise NotImplementedError

    def reader(self) -> StoreReader:
        """A reader, as context manager: ``packs()``, ``pack(sequence)``, ``read(sequence, blob) -> memoryview``.

        What it has listed by its own ``packs()`` it reads also when a merge has taken the pack away since.
        """
        raise NotImplementedError

    def writer(self, *, bandwidth: float = 200e6, sync: bool = False) -> PackWriter:
        """A pack to write, as context manager: ``put(data, flowing=False) -> Blob``, ``commit(pack) -> Written``.

        Its place in the order is that of this call, whenever it is committed; several may be open, in several threads.
        """
        raise NotImplementedError

    def merge_due(self) -> list[int]:
        """Sequence numbers of packs that should be merged now; empty where none should."""
        raise NotImplementedError

    def merge(self, sequences: list[int], wanted: Callable[[Kept], bool]) -> Written:
        """Replace neighbouring packs by one with what is wanted of them; it has the first one's sequence number."""
        raise NotImplementedError
