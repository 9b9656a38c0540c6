"""A crate: values on their way to another process of this machine, in a folder of their own.

It has one pack, with what nobody has stored yet, and links to those packs of a session's store that hold the rest; what
the session stores, merges or removes later is no matter of the crate's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from elastictm.errors import ArchiveDamaged, ArchiveMissing
from elastictm.storage.catalogue import Catalogue
from elastictm.storage.closing import Closing
from elastictm.storage.destination import refused
from elastictm.storage.files import LocalFiles
from elastictm.storage.manifest import Manifest, json_of, record_of
from elastictm.storage.pack import Pack
from elastictm.storage.pack_writer import BANDWIDTH, PackFile, PackWriter
from elastictm.storage.shelf import PackName, Shelf
from elastictm.storage.store_reader import StoreReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from typing_extensions import Self

    from elastictm.storage.manifest import Blob

_PACK: Final = PackName.single(10**9)
"""The crate's own pack; no session has so many."""

_LIST: Final = "crate.json"


class CrateWriter:
    """A crate that is being packed, as a context manager; without `commit` the folder goes again.

    Responsibilities:
    - store what the session's store does not have, and refer to what it has;
    - link the packs that are referred to, so that they stay as long as the crate.
    """

    def __init__(self, folder: Path, store: Shelf | None = None, catalogue: Catalogue | None = None) -> None:
        """Prepare a crate in a new folder; ``catalogue`` knows the chunks of the ``store``."""
        self._folder = folder
        self._store = store
        self._known = _Borrowed(catalogue or Catalogue())
        self._writer: PackWriter | None = None
        self._exits = contextlib.ExitStack()
        self._committed = False

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise refused(str(self._folder), error) from error
        file = PackFile(self._folder, _PACK, LocalFiles(), BANDWIDTH)
        self._writer = self._exits.enter_context(PackWriter(file, self._known, sync=False, done=_ignore))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()
        if not self._committed:
            shutil.rmtree(self._folder, ignore_errors=True)

    def put(self, data: object) -> Blob:
        """Store the bytes of a buffer; DestinationError where they cannot be."""
        assert self._writer is not None  # noqa: S101 - it is entered
        return self._writer.put(data, flowing=isinstance(data, bytes))

    def commit(self, manifest: Manifest) -> None:
        """Close the crate, with what it says of itself.

        Raises:
            DestinationError: the system refuses.
            ArchiveMissing: a pack of the store is gone.
        """
        assert self._writer is not None  # noqa: S101 - it is entered
        self._writer.commit(Pack())
        try:
            for name in self._known.used():
                self._link(name)
            (self._folder / _LIST).write_bytes(json_of(manifest))
        except OSError as error:
            raise refused(str(self._folder), error) from error
        self._committed = True

    def _link(self, name: PackName) -> None:
        assert self._store is not None  # noqa: S101 - a catalogue that knows chunks is that of a store
        source, target = self._store.path(name), self._folder / name.file
        try:
            os.link(source, target)
        except FileNotFoundError as error:
            raise ArchiveMissing(f"{source}, a part of this session's past, is gone.") from error
        except OSError:  # a file system without links
            shutil.copyfile(source, target)


class Crate(Closing):
    """A crate that is unpacked: to its readers an archive, as a context manager.

    ``manifest`` says what it holds; ``name`` is its folder.
    """

    def __init__(self, folder: Path) -> None:
        """Open a crate.

        Raises:
            ArchiveMissing: there is none.
            ArchiveDamaged: what it says of itself cannot be read.
        """
        self.name = str(folder)
        try:
            listed = (folder / _LIST).read_bytes()
        except OSError as error:
            raise ArchiveMissing(f"{folder} holds no crate: {error.strerror}.") from error
        try:
            self.manifest = record_of(listed, Manifest, "the list")
        except ValueError as error:
            raise ArchiveDamaged(f"{folder / _LIST} is damaged: {error}.") from error
        self._reader = StoreReader(Shelf(folder), Catalogue(), [])

    def close(self) -> None:
        """Close the files; what was read stays valid."""
        self._reader.close()

    def raw(self, blob: Blob) -> bool:
        """Whether a blob lies there as it is, and need not be decompressed, as far as some of its chunks tell."""
        return self._reader.raw(_PACK.number, blob)

    def read(self, blob: Blob) -> memoryview:
        """A blob's bytes, in writable memory of the caller's own; ArchiveError where they are not those written."""
        return self._reader.read(_PACK.number, blob)


class _Borrowed(Catalogue):
    """The catalogue of a store for one who writes elsewhere: what is written there is none of the store's."""

    def __init__(self, lent: Catalogue) -> None:
        super().__init__()
        self._lent = lent
        self._referred: set[bytes] = set()

    def used(self) -> set[PackName]:
        """The packs that hold what was referred to."""
        return {name for digest in self._referred if (name := self._lent.where(digest)) is not None}

    def key(self, data: memoryview | bytes) -> bytes:
        """The fast hash of a chunk's content."""
        return self._lent.key(data)

    def quick(self, key: bytes) -> bytes | None:
        """The digest of the content with this fast hash, where it is known."""
        return self._lent.quick(key)

    @contextlib.contextmanager
    def referring(self) -> Iterator[set[bytes]]:
        """A set for `refer`, whose chunks are not dropped while the block lasts."""
        with self._lent.referring() as referred:
            self._referred = referred
            yield referred

    def refer(self, digest: bytes, referred: set[bytes]) -> bool:
        """Whether a chunk is stored; if so, it is added to the set of those that the caller refers to."""
        return self._lent.refer(digest, referred)


def _ignore(_name: PackName, _size: int) -> None:
    pass
