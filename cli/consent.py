"""Whether an archive may run code here: it was written here, the user says so, or it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from elastictm_cli import output

from elastictm.errors import ArchiveNotTrusted

if TYPE_CHECKING:
    from elastictm.storage.manifest import Manifest


def may_run(manifest: Manifest) -> bool:
    """Ask the user; without a terminal nobody can say yes."""
    if not output.is_terminal():
        return False
    made = f"{manifest.environment.platform}, Python {manifest.environment.python}"
    question = f"This archive was not written here ({made}); restoring it runs code from it. Go on?"
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        return False


def check_trusted(path: str, *, trust: bool) -> Manifest:
    """The manifest of an archive that may run code here.

    Raises:
        ArchiveError: the archive cannot be used, or nobody said that its code may run.
    """
    from elastictm.session.trust import TrustBook  # noqa: PLC0415 - not for --help
    from elastictm.storage.reader import ArchiveReader  # noqa: PLC0415 - not for --help

    with ArchiveReader(path) as reader:
        manifest = reader.manifest
    if not (trust or TrustBook().knows(manifest) or may_run(manifest)):
        raise ArchiveNotTrusted(
            f"{path} was not written here, and restoring it runs code from it: say that it may, with --trust"
        )
    return manifest
