"""Text files that are written besides archives: whole under their final name, or not at all."""

from __future__ import annotations

import os
from contextlib import suppress

from elastictm.errors import DestinationError
from elastictm.storage.destination import destination, refused, temporary_name


def write_text(path: str, text: str, *, force: bool) -> None:
    """Write a text file in UTF-8.

    Raises:
        DestinationError: it cannot be written there; what was there is intact.
    """
    final = destination(path, force=force)
    partial = temporary_name(final)
    try:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")
        os.replace(partial, final)  # noqa: PTH105 - its sibling is named by a path already
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        if isinstance(error, DestinationError):
            raise
        raise refused(path, error) from error
