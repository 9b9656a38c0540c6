"""Writing a pack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from elastictm.storage.manifest import Blob
    from elastictm.storage.pack import Pack


@dataclass(frozen=True, slots=True)
class Written:
    """A pack that was written: its sequence number, and how many bytes it takes."""

    sequence: int
    bytes: int


class PackWriter:
    """One pack on its way to the disk, as a context manager; without `commit` it leaves no trace."""

    def __enter__(self) -> Self:
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError

    def put(self, data: object, *, flowing: bool = False) -> Blob:
        """Store the bytes of a buffer."""
        raise NotImplementedError

    def commit(self, pack: Pack) -> Written:
        """Finish the pack under its final name."""
        raise NotImplementedError
