"""BLAKE3-256 digests of bytes and of files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from blake3 import blake3

if TYPE_CHECKING:
    from os import PathLike

_BLOCK = 4 * 2**20


def digest_of(data: bytes | bytearray | memoryview) -> bytes:
    """The digest of bytes, on one core: chunks are worked on side by side, so more threads get in the way."""
    return blake3(data).digest()


def file_digest(path: str | PathLike[str]) -> str:
    """The digest of a file's content in hexadecimal, read in blocks; OSError where the file cannot be read."""
    state = blake3(max_threads=blake3.AUTO)
    block = bytearray(_BLOCK)
    view = memoryview(block)
    with Path(path).open("rb", buffering=0) as file:
        while count := file.readinto(block):
            state.update(view[:count])
    return state.hexdigest()
