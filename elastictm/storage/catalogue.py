"""Which chunks the packs of a store hold, for whoever writes: kept small, as it lives as long as the session."""

from __future__ import annotations

import contextlib
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xxhash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from elastictm.storage.pack import Pack
    from elastictm.storage.shelf import PackName


@dataclass(frozen=True, slots=True)
class Released:
    """The chunks of packs that are merged: those that others refer to, those that may move, those that are dropped."""

    shared: frozenset[bytes]
    moved: frozenset[bytes]
    dropped: Mapping[bytes, PackName]


class Catalogue:
    """Chunks by the digest of their content.

    Responsibilities:
    - say whether a chunk is stored, and in which pack;
    - know content again by a fast hash, whose seed no one else knows;
    - know who refers to chunks of other packs, committed or not, so that merging drops none of these.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._where: dict[bytes, PackName] = {}
        self._quick: dict[bytes, bytes] = {}
        self._foreign: dict[PackName, tuple[bytes, ...]] = {}
        self._open: list[set[bytes]] = []
        self._watched: set[bytes] | None = None
        self._seed = secrets.randbits(64)

    def key(self, data: memoryview | bytes) -> bytes:
        """The fast hash of a chunk's content."""
        return xxhash.xxh3_128_digest(data, self._seed)

    def quick(self, key: bytes) -> bytes | None:
        """The digest of the content with this fast hash, where it is known."""
        return self._quick.get(key)

    def where(self, digest: bytes) -> PackName | None:
        """The pack that holds a chunk, where it is known."""
        return self._where.get(digest)

    def has(self, name: PackName) -> bool:
        """Whether the chunks of a pack are known."""
        return name in self._foreign

    def add(self, name: PackName, pack: Pack, quick: Mapping[bytes, bytes] | None = None) -> None:
        """Take in the chunks of a pack and those of others that it refers to, with the fast hashes of some."""
        digests = [(bytes.fromhex(chunk.digest), chunk.at is not None) for chunk in pack.chunks]
        with self._lock:
            for digest, here in digests:
                if here:
                    self._where.setdefault(digest, name)
            self._foreign[name] = tuple(digest for digest, here in digests if not here)
            self._quick.update(quick or {})

    def forget(self, names: Iterable[PackName]) -> None:
        """Forget packs that are removed; their chunks are others' by now, or nobody's."""
        with self._lock:
            for name in names:
                self._foreign.pop(name, None)

    @contextlib.contextmanager
    def referring(self) -> Iterator[set[bytes]]:
        """A set for `refer`, whose chunks are not dropped while the block lasts."""
        referred: set[bytes] = set()
        with self._lock:
            self._open.append(referred)
        try:
            yield referred
        finally:
            with self._lock:
                self._open = [other for other in self._open if other is not referred]

    def refer(self, digest: bytes, referred: set[bytes]) -> bool:
        """Whether a chunk is stored; if so, it is added to the set of those that the caller refers to."""
        with self._lock:
            if digest not in self._where:
                return False
            referred.add(digest)
            if self._watched is not None:
                self._watched.add(digest)
            return True

    @contextlib.contextmanager
    def watching(self) -> Iterator[set[bytes]]:
        """The chunks that open writers refer to, and those that any will refer to while the block lasts."""
        with self._lock:
            self._watched = set().union(*self._open)
            watched = self._watched
        try:
            yield watched
        finally:
            self._watched = None

    def release(
        self, chunks: AbstractSet[bytes], needed: AbstractSet[bytes], movable: AbstractSet[bytes], inputs: set[PackName]
    ) -> Released:
        """Decide what becomes of the chunks of packs that are merged; nobody can refer to what is dropped any more.

        Args:
            chunks: All chunks of these packs.
            needed: Those that the merged pack refers to.
            movable: Those of them whose content can go into other chunks, unless others refer to them.
            inputs: These packs.
        """
        with self._lock:
            others = set(self._watched or ())
            for name, foreign in self._foreign.items():
                if name not in inputs:
                    others.update(foreign)
            shared = frozenset(chunks & others)
            moved = frozenset(movable - shared)
            unused = (chunks - shared - needed) | moved
            dropped = {digest: self._where.pop(digest) for digest in unused if self._where.get(digest) in inputs}
            if dropped:
                self._quick = {key: digest for key, digest in self._quick.items() if digest not in dropped}
            return Released(shared, moved, dropped)

    def take_back(self, released: Released) -> None:
        """Know again what was dropped, after a merge that failed."""
        with self._lock:
            for digest, name in released.dropped.items():
                self._where.setdefault(digest, name)

    def add_replaced(self, name: PackName, pack: Pack) -> None:
        """Take in the chunks of a pack that a merged one replaces, as far as others do not have them."""
        self.add(name, pack)
        self._foreign[name] = ()

    def missing(self) -> set[bytes]:
        """The chunks to which packs refer and which none is known to hold."""
        with self._lock:
            return set().union(*self._foreign.values()) - self._where.keys()

    def replace(self, inputs: Iterable[PackName], name: PackName, pack: Pack) -> None:
        """Take in a merged pack in place of those that it was merged from."""
        self.add(name, pack)
        with self._lock:
            for chunk in pack.chunks:
                if chunk.at is not None:
                    self._where[bytes.fromhex(chunk.digest)] = name
            for replaced in inputs:
                self._foreign[replaced] = ()
