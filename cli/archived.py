"""What the command line reads of an archive without restoring it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from elastictm.errors import ArchiveDamaged

if TYPE_CHECKING:
    from elastictm.model.history import History
    from elastictm.storage.manifest import Manifest


def read_archive(path: str) -> tuple[Manifest, History, int]:
    """The manifest, the history and the size in bytes of an archive; nothing in it is unpickled.

    Raises:
        ArchiveError: it cannot be used.
    """
    from elastictm.model.wire import decode_history  # noqa: PLC0415 - not for --help
    from elastictm.storage.reader import ArchiveReader  # noqa: PLC0415 - not for --help

    with ArchiveReader(path) as reader:
        data = reader.read(reader.manifest.history)
        try:
            return reader.manifest, decode_history(data), reader.size
        except ValueError as error:
            raise ArchiveDamaged(f"{path} is damaged: {error}.") from error
