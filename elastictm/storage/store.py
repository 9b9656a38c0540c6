"""A session's folder: its packs, what it says of its session, and who may write to it."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from elastictm.errors import ArchiveError, DestinationExists, StoreInUse, UsageError
from elastictm.storage.about import FILE, About, described, write_about
from elastictm.storage.catalogue import Catalogue
from elastictm.storage.closing import Closing
from elastictm.storage.crate import CrateWriter
from elastictm.storage.destination import refused
from elastictm.storage.files import LocalFiles
from elastictm.storage.lending import Lender
from elastictm.storage.merging import Merge, due
from elastictm.storage.owner import LOCK, Ownership, is_owned
from elastictm.storage.pack_writer import BANDWIDTH, PackFile, PackWriter, Written
from elastictm.storage.shelf import PackName, Shelf, outermost
from elastictm.storage.store_reader import StoreReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike

    from typing_extensions import Self

    from elastictm.storage.files import Files
    from elastictm.storage.pack import Kept, Pack

__all__ = ["About", "Store"]

_TRIES = 5
_BETWEEN_TRIES = 0.02


class Store(Closing):
    """One session's folder, as a context manager.

    ``folder`` is its path, ``about`` describes the session, ``damaged`` tells what could not be read so far.
    A pack has a number, which no other one ever has; a merged pack has a new one.

    Responsibilities:
    - let one process write, and any number read at the same time;
    - list packs in the order of their states, whatever was merged, and however an owner ended;
    - give writers their places, and say when packs should be merged.
    """

    def __init__(self, folder: Path, about: About, files: Files, ownership: Ownership | None) -> None:
        """Use `create`, `open` or `take_over` instead."""
        self.folder = folder
        self.about = about
        self.damaged: list[str] = []
        self._files = files
        self._ownership = ownership
        self._shelf = Shelf(folder)
        self._catalogue = Catalogue()
        self._lock = threading.Lock()
        self._merging = threading.Lock()
        self._cataloguing = threading.Lock()
        names = self._shelf.names()
        self._names = outermost(names)
        self._next = max((name.number for name in names), default=0) + 1
        self._pending: set[int] = set()
        self._broken: set[int] = set()
        self._catalogued = not names
        self._size: int | None = None

    @classmethod
    def create(cls, folder: str | PathLike[str], about: About, *, files: Files | None = None) -> Self:
        """A new store, owned by this process.

        Raises:
            DestinationExists: There is one in the folder.
            DestinationError: The system refuses.
            StoreInUse: Another process is making one there.
        """
        path = Path(folder).absolute()
        files = LocalFiles() if files is None else files
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.chmod(0o700)
            ownership = Ownership(path / LOCK)
        except OSError as error:
            raise refused(str(path), error) from error
        try:
            _check_new(path)
            write_about(path, about, files)
            return cls(path, about, files, ownership)
        except BaseException:
            ownership.release()
            raise

    @classmethod
    def open(cls, folder: str | PathLike[str]) -> Self:
        """A store to read; ArchiveMissing where there is none."""
        path = Path(folder).absolute()
        about, damage = described(path)
        store = cls(path, about, LocalFiles(), None)
        store.damaged += damage
        return store

    @classmethod
    def take_over(cls, folder: str | PathLike[str], *, files: Files | None = None) -> Self:
        """A store whose owner has ended, owned by this process from now on.

        Raises:
            ArchiveMissing: There is none.
            StoreInUse: Another process records there.
            DestinationError: The system refuses.
        """
        path = Path(folder).absolute()
        files = LocalFiles() if files is None else files
        about, damage = described(path)
        ownership = _take(path, about)
        try:
            about = msgspec.structs.replace(about, pid=os.getpid(), host=socket.gethostname())
            write_about(path, about, files)
            store = cls(path, about, files, ownership)
            store.damaged += damage
            for leftover in store._shelf.leftovers():
                with contextlib.suppress(OSError):
                    files.remove(leftover)
        except BaseException:
            ownership.release()
            raise
        return store

    def close(self) -> None:
        """Let go of the folder, which another process can then take over."""
        if self._ownership is not None:
            self._ownership.release()

    @property
    def owned(self) -> bool:
        """Whether this process may write."""
        return self._ownership is not None and self._ownership.held

    @property
    def in_use(self) -> bool:
        """Whether any process records here now."""
        return self.owned or is_owned(self.folder / LOCK)

    @property
    def size(self) -> int:
        """The bytes of all files; ArchiveMissing where the folder is gone."""
        if self._size is None or not self.owned:
            self._size = self._shelf.size()
        return self._size

    def packs(self) -> Iterator[tuple[int, Pack]]:
        """Each pack with its number, in the order of their states; one that cannot be read is told and left out."""
        for name, pack in self._readable():
            yield name.number, pack

    def reader(self) -> StoreReader:
        """What reads the packs' blobs, until it is closed."""
        return StoreReader(self._shelf, self._catalogue, self.damaged)

    def lender(self) -> Lender:
        """What lends compressed chunks to an archive."""
        return Lender(self.reader(), self._catalogue)

    def crate(self, folder: Path) -> CrateWriter:
        """What packs values for another process; what the packs that are written by now hold is not copied."""
        self._catalogue_all()
        return CrateWriter(folder, self._shelf, self._catalogue)

    def writer(self, *, bandwidth: float = BANDWIDTH, sync: bool = False) -> PackWriter:
        """A new pack, whose place is after those of all earlier calls; several may be written at the same time.

        Args:
            bandwidth: Bytes per second that decide on compression.
            sync: Whether `PackWriter.commit` waits until the pack has reached the device.
        """
        self._check_owned()
        self._catalogue_all()
        with self._lock:
            name = PackName.single(self._next)
            self._next += 1
            self._pending.add(name.number)
        pack = PackFile(self.folder, name, self._files, bandwidth)
        return PackWriter(pack, self._catalogue, sync=sync, done=self._done)

    def merge_due(self) -> list[int]:
        """The numbers of packs that should be merged now; none most of the time."""
        with self._lock:
            return [name.number for name in due(self._names, self._pending | self._broken)]

    def merge(self, numbers: list[int], wanted: Callable[[Kept], bool]) -> Written:
        """Put neighbouring packs together into one with a new number.

        Args:
            numbers: The packs, of which none is being written.
            wanted: Says of which units the bytes stay.

        Raises:
            UsageError: The packs are not neighbours, or there are none.
            DestinationError: The system refuses; all is as it was.
            ArchiveError: A pack cannot be read; all is as it was.
        """
        self._check_owned()
        self._catalogue_all()
        with self._merging:
            names, merged = self._range(numbers)
            try:
                with Merge(self._shelf, names, wanted) as merge:
                    out = merge.write(merged, self._catalogue, self._files)
            except ArchiveError:
                self._spot_broken(names)
                raise
            finally:
                self._look()
            out.file.settle()
            for name in merge.removable:
                with contextlib.suppress(OSError):  # who takes the store over removes what stays behind
                    self._files.remove(self._shelf.path(name))
            self._catalogue.forget(merge.removable)
            self._look()
            return Written(merged.number, out.file.end)

    def _range(self, numbers: list[int]) -> tuple[list[PackName], PackName]:
        with self._lock:
            self._names = outermost(self._shelf.names())
            names = [name for name in self._names if name.number in set(numbers)]
            first = self._names.index(names[0]) if names else 0
            if len(names) != len(set(numbers)) or names != self._names[first : first + len(names)] or not names:
                raise UsageError(f"The packs {numbers} are not neighbours in {self.folder}.")
            merged = PackName(names[0].first, names[-1].last, self._next)
            if any(merged.first <= number <= merged.last for number in self._pending):
                raise UsageError(f"Of the packs {numbers}, or between them, one is being written.")
            self._next += 1
            return names, merged

    def _done(self, name: PackName, size: int) -> None:
        if not size and self._shelf.path(name).exists():  # interrupted when it had its name
            with contextlib.suppress(ArchiveError):
                self._catalogue.add(name, self._shelf.load(name))
                size = self._shelf.path(name).stat().st_size
        with self._lock:
            self._pending.discard(name.number)
            if size:
                self._names = sorted({*self._names, name})
                self._size = None if self._size is None else self._size + size

    def _look(self) -> None:
        with self._lock, contextlib.suppress(ArchiveError):  # a folder that is gone is told by the next writer
            self._names = outermost(self._shelf.names())
            self._size = None

    def _readable(self) -> list[tuple[PackName, Pack]]:
        found = self._shelf.readable(self._shelf.load, self.damaged)
        for name, pack in found:
            if not self._catalogue.has(name):
                self._catalogue.add(name, pack)
        return found

    def _catalogue_all(self) -> None:
        """Know the chunks of all packs, and remove those files that merged packs replaced and nothing needs."""
        with self._cataloguing:
            if self._catalogued:
                return
            names = self._shelf.names()
            top = set(outermost(names))
            found = top if all(map(self._catalogue.has, top)) else {name for name, _ in self._readable()}
            self._broken = {name.number for name in top - found}
            for name in sorted(set(names) - found - top, reverse=True):
                self._sort_out(name)
            self._catalogued = True

    def _sort_out(self, name: PackName) -> None:
        """Remove a pack that was merged into another one, unless it holds chunks that are needed."""
        try:
            pack = self._shelf.load(name)
        except ArchiveError as error:
            self.damaged.append(str(error))
            return
        held = {bytes.fromhex(chunk.digest) for chunk in pack.chunks if chunk.at is not None}
        if self.damaged or held & self._catalogue.missing():
            self._catalogue.add_replaced(name, pack)
            return
        with contextlib.suppress(OSError):
            self._files.remove(self._shelf.path(name))

    def _spot_broken(self, names: list[PackName]) -> None:
        """Note which packs cannot be read, so that no merge is tried with them again."""
        broken = set()
        for name in names:
            try:
                self._shelf.load(name)
            except ArchiveError:
                broken.add(name.number)
        self._broken |= broken or {name.number for name in names}

    def _check_owned(self) -> None:
        if not self.owned:
            raise StoreInUse(f"{self.folder} can only be read by this process. Take it over to write to it.")


def _check_new(folder: Path) -> None:
    if (folder / FILE).exists():
        raise DestinationExists(f"{folder} holds a session's past already. Take it over, or choose another name.")


def _take(folder: Path, about: About) -> Ownership:
    for _ in range(_TRIES):
        try:
            return Ownership(folder / LOCK)
        except StoreInUse:  # for an instant perhaps, by one who looks whether there is an owner
            time.sleep(_BETWEEN_TRIES)
        except OSError as error:
            raise refused(str(folder), error) from error
    raise StoreInUse(
        f"{folder} is recorded by process {about.pid} on {about.host}. End that session first, or only read from here."
    )
