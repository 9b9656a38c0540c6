"""What the shell's tab key offers after ``elastictm``; nothing in an archive or a past is run for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final

_MOST: Final = 200


def archives(incomplete: str) -> Iterator[str]:
    """Archives, and what lies in a folder that is the only one."""
    yield from _files(incomplete, ".tm")


def notebooks(incomplete: str) -> Iterator[str]:
    """Notebooks, likewise."""
    yield from _files(incomplete, ".ipynb")


def sessions(ctx: Any, incomplete: str) -> Iterator[tuple[str, str]]:
    """The sessions that keep a past, each with the folder or notebook that it is of."""
    for found in _stores(ctx).sessions():
        if found.about.id.startswith(incomplete):
            yield found.about.id, found.about.notebook or found.about.directory


def states(ctx: Any, incomplete: str) -> Iterator[tuple[str, str]]:
    """Tags and states of the session that was named before, with the first lines of their cells."""
    from elastictm.errors import ElasticTMError  # noqa: PLC0415 - not for --help
    from elastictm.session.archivist import Archivist  # noqa: PLC0415 - likewise

    try:
        shown = Archivist(ctx.params.get("store") or "").timeline(
            ctx.params.get("session") or "", 0.0, everything=False
        )
    except (ElasticTMError, OSError):
        return
    for state in reversed(shown.states):
        for word in (*state.tags, str(state.n)):
            if word.startswith(incomplete):
                yield word, state.code


def names(ctx: Any, incomplete: str) -> Iterator[str]:
    """The variables of the archive that was named before."""
    from elastictm.errors import ElasticTMError  # noqa: PLC0415 - not for --help
    from elastictm.ids import Name, is_variable  # noqa: PLC0415 - likewise
    from elastictm.storage.reader import ArchiveReader  # noqa: PLC0415 - likewise

    try:
        with ArchiveReader(ctx.params.get("archive") or "") as reader:
            found = [entry.name for entry in reader.manifest.entries]
    except (ElasticTMError, OSError):
        return
    yield from (name for name in found if name.startswith(incomplete) and is_variable(Name(name)))


def _stores(ctx: Any) -> Any:
    from elastictm.session.stores import Stores  # noqa: PLC0415 - not for --help

    folder = str(ctx.params.get("store") or "")
    return Stores(lambda: folder)


def _files(incomplete: str, ending: str) -> Iterator[str]:
    """Files with an ending.

    A shell takes a single candidate for the whole word and puts a space behind it: a folder that is the only one comes
    with what is in it.
    """
    found = list(_within(incomplete, ending))
    while len(found) == 1 and found[0].endswith("/"):
        inner = list(_within(found[0], ending))
        if not inner:
            break
        found = inner
    yield from found[:_MOST]


def _within(incomplete: str, ending: str) -> Iterator[str]:
    head, start = os.path.split(incomplete)
    try:
        entries = sorted(os.scandir(os.path.expanduser(head) or "."), key=lambda entry: entry.name)  # noqa: PTH111 - what is typed is text
    except OSError:
        return
    for entry in entries:
        if not entry.name.startswith(start) or (entry.name.startswith(".") and not start):
            continue
        if entry.is_dir():
            yield os.path.join(head, entry.name, "")  # noqa: PTH118 - as it is typed
        elif entry.name.endswith(ending):
            yield os.path.join(head, entry.name)  # noqa: PTH118 - as it is typed
