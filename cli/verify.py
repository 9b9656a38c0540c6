"""``elastictm verify``: every byte of an archive is checked, and none of its code runs."""

from __future__ import annotations

from elastictm_cli import output
from elastictm_cli.options import Archive, Json, Quiet


def verify(archive: Archive, *, json: Json = False, quiet: Quiet = False) -> None:
    """Check every byte of an archive; none of its code runs."""
    from elastictm.storage.reader import ArchiveReader  # noqa: PLC0415 - not for --help
    from elastictm.views.progress import ProgressBar  # noqa: PLC0415 - not for --help

    console = None if quiet else output.messages_console()
    with ArchiveReader(archive) as reader, ProgressBar("verifying", console) as bar:
        size = reader.size
        reader.verify(None if quiet else lambda done: bar(done, size))
    if json:
        output.json_result({"path": archive, "sound": True, "bytes": size})
    elif not quiet:
        output.result(f"{archive}: every byte is as it was written")
