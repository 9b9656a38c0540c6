"""Cutting data into chunks, preparing them, and remembering which are stored.

Blobs under `SMALL` bytes are gathered into shared chunks of at most `GATHERED` bytes.
Larger ones are cut every `CHUNK` bytes; raw chunks of one blob follow each other in the file, so that it can be mapped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from elastictm.storage.codec import Codec, compress
from elastictm.storage.digest import digest_of
from elastictm.storage.manifest import Blob, Chunk
from elastictm.storage.overlap import overlapped

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALL = 64 * 2**10
"""Blobs under this many bytes share chunks."""

GATHERED = 2**20
"""Most bytes in a shared chunk; also the least for which a blob is mapped rather than read."""

_SOME = 8
"""Chunks of a blob that are asked for what is likely to hold for all of them."""

CHUNK = 4 * 2**20
"""Most bytes in a chunk of a large blob: what a small change in a large array costs; a multiple of the page."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A chunk's content digest and the bytes to store; ``seal`` is the digest of those bytes if they differ."""

    size: int
    digest: bytes
    payload: bytes
    codec: Codec
    seal: bytes | None = None

    def at(self, offset: int) -> Chunk:
        """The chunk that this becomes when its payload is stored at ``offset`` of the file."""
        seal = None if self.seal is None else self.seal.hex()
        return Chunk(offset, len(self.payload), self.size, self.codec, self.digest.hex(), seal)


def flat(data: object) -> memoryview:
    """The bytes of a buffer in the order in which they lie in memory; a copy only where they are not contiguous."""
    view = memoryview(data)  # type: ignore[arg-type]
    if not view.nbytes:
        return memoryview(b"")
    if not view.c_contiguous:
        return memoryview(view.tobytes(order="A"))
    return view.cast("B")


def cut(data: memoryview) -> list[memoryview]:
    """Slices of at most `CHUNK` bytes, in order."""
    return [data[i : i + CHUNK] for i in range(0, data.nbytes, CHUNK)]


def prepare(data: memoryview, *, compressed: bool) -> Prepared:
    """Copy, digest and perhaps compress one chunk's content.

    The copy makes digest and payload agree even while another thread writes to the buffer.
    """
    return prepare_copy(bytes(data), compressed=compressed)


def prepare_copy(content: bytes, *, compressed: bool) -> Prepared:
    """Digest and perhaps compress one chunk's content."""
    digest = digest_of(content)
    if compressed:
        packed = compress(content)
        if len(packed) < len(content):
            return Prepared(len(content), digest, packed, "zstd", digest_of(packed))
    return Prepared(len(content), digest, content, "raw")


def some(indices: Sequence[int]) -> Sequence[int]:
    """A few of many chunks, from all over them."""
    return indices[:: max(1, len(indices) // _SOME)]


class Digested(Protocol):
    """A chunk of any kind."""

    @property
    def digest(self) -> str:
        """The digest of its content in hexadecimal."""
        ...


Item = TypeVar("Item", bound=Digested)


class ChunkTable(Generic[Item]):
    """The chunks of a file that is being written.

    Responsibilities:
    - give each chunk its index, also before it is stored;
    - find a stored chunk by the digest of its content.
    """

    def __init__(self) -> None:
        self._chunks: list[Item | None] = []
        self._by_digest: dict[bytes, int] = {}

    def reserve(self) -> int:
        """An index for a chunk that will be filled in later."""
        self._chunks.append(None)
        return len(self._chunks) - 1

    def fill(self, index: int, chunk: Item) -> None:
        """State which chunk a reserved index stands for."""
        self._chunks[index] = chunk
        self._by_digest.setdefault(bytes.fromhex(chunk.digest), index)

    def find(self, digest: bytes) -> int | None:
        """The index of a stored chunk with this content, or None."""
        return self._by_digest.get(digest)

    def known_bytes(self, pieces: Sequence[memoryview]) -> int:
        """How many bytes of the pieces need not be stored, because they are or because an earlier piece is equal."""
        seen: set[bytes] = set()
        known = 0
        for piece, digest in zip(pieces, overlapped(digest_of, pieces), strict=True):
            if digest in self._by_digest or digest in seen:
                known += piece.nbytes
            seen.add(digest)
        return known

    def chunks(self) -> tuple[Item, ...]:
        """All chunks by index; ValueError while a reserved one is not filled in."""
        filled = tuple(chunk for chunk in self._chunks if chunk is not None)
        if len(filled) != len(self._chunks):
            raise ValueError(f"{len(self._chunks) - len(filled)} reserved chunks were not stored")
        return filled


class Gatherer(Generic[Item]):
    """Small blobs on their way into a shared chunk; equal ones are kept once.

    Where chunks of ``usual`` bytes are asked for, the blobs' contents say where they end: one blob more or less then
    changes one chunk and not all that follow.
    """

    def __init__(self, table: ChunkTable[Item], most: int = GATHERED, usual: int | None = None) -> None:
        self._table = table
        self._most = most
        self._usual = usual
        self._content = bytearray()
        self._index = 0
        self._blobs: dict[bytes, Blob] = {}
        self._ends = False

    def is_full(self, size: int) -> bool:
        """Whether the chunk must be taken before ``size`` more bytes are added."""
        return self._ends or len(self._content) + size > self._most

    def add(self, data: memoryview) -> Blob:
        """Copy a small blob's bytes, for which there must be room."""
        content = bytes(data)
        digest = digest_of(content)
        if digest not in self._blobs:
            if not self._content:
                self._index = self._table.reserve()
            self._blobs[digest] = Blob((self._index,), len(self._content), len(content))
            self._content += content
            self._ends = self._usual is not None and int.from_bytes(digest[:8], "little") % self._usual < len(content)
        return self._blobs[digest]

    def take(self) -> tuple[int, bytes] | None:
        """The reserved index and content of the shared chunk, which then starts anew; None if it is empty."""
        if not self._content:
            return None
        content = bytes(self._content)
        self._content.clear()
        self._ends = False
        return self._index, content
