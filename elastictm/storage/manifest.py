"""The manifest: what an archive holds, as typed records that are JSON in the file's footer.

An archive may come from anywhere, so decoding checks types and bounds here and references in `checks`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from elastictm.storage.checks import check
from elastictm.storage.codec import Codec
from elastictm.storage.layout import MOST_FOOTER

_Record = TypeVar("_Record", bound=Struct)

MOST = 2**62
"""Largest number that a manifest may hold: sizes and offsets in bytes, counts, keys."""

MOST_CHUNK = 16 * 2**20
"""Largest size in bytes that a chunk may have, so that reading one never takes more memory."""

Count = Annotated[int, Meta(ge=0, le=MOST)]
Seconds = Annotated[float, Meta(ge=0)]
ChunkSize = Annotated[int, Meta(ge=1, le=MOST_CHUNK)]
HexDigest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Chunk(Struct, frozen=True, omit_defaults=True):
    """Bytes in the chunk area: ``stored`` bytes from ``offset`` of the file, ``size`` bytes of content.

    ``digest`` is the BLAKE3-256 of the content in hexadecimal.
    ``seal`` is that of the stored bytes where they differ from the content, so that no compressed byte is unwatched.
    """

    offset: Count
    stored: ChunkSize
    size: ChunkSize
    codec: Codec
    digest: HexDigest
    seal: HexDigest | None = None


class Blob(Struct, frozen=True, omit_defaults=True):
    """The bytes ``[start, start + size)`` of the concatenated contents of these chunks, given by index."""

    chunks: tuple[Count, ...]
    start: Count
    size: Count


NOTHING = Blob((), 0, 0)
"""No bytes at all."""


class Placement(Struct, frozen=True, omit_defaults=True):
    """The bytes ``[offset, offset + size)`` of a memory segment, given by its index in the unit."""

    segment: Count
    offset: Count
    size: Count


class Unit(Struct, frozen=True, omit_defaults=True):
    """One frozen value: a pickle stream and its out-of-band buffers, each a slice of a memory segment.

    ``names`` are the variables that it holds; ``definitions`` are keys of the definitions that it refers to.
    ``modules`` are the libraries that the stream names, ``shaped`` those of them whose objects look as they decide.
    """

    stream: Blob
    segments: tuple[Blob, ...] = ()
    buffers: tuple[Placement, ...] = ()
    names: tuple[str, ...] = ()
    definitions: tuple[Count, ...] = ()
    modules: tuple[str, ...] = ()
    shaped: tuple[str, ...] = ()


class Definition(Struct, frozen=True, omit_defaults=True):
    """A function or class of the session, in a unit of its own that others refer to by ``key``."""

    key: Count
    unit: Unit


class ShippedFile(Struct, frozen=True, omit_defaults=True):
    """A file that a cell reads when it runs again.

    ``path`` is relative to ``folder``, which the session worked in; the folder that it began in is left out.
    """

    path: str
    blob: Blob
    folder: str = ""


class OwnModule(Struct, frozen=True, omit_defaults=True):
    """A module or package of the user's own, found in ``folder`` there; its files by their paths below that."""

    name: str
    folder: str
    files: tuple[ShippedFile, ...]


class AlteredModule(Struct, frozen=True, omit_defaults=True):
    """A module inside which the session changed these names, in these cells, which importing it does not bring back.

    ``variables`` hold the module, or what comes from it.
    """

    name: str
    changed: tuple[str, ...] = ()
    cells: tuple[Count, ...] = ()
    variables: tuple[str, ...] = ()


class Entry(Struct, frozen=True, omit_defaults=True):
    """One variable as it stood after cell run ``n``, and what became of it; ``unit`` is an index into the units.

    ``astray`` says that something outside of recorded cells had changed it, so that its bytes alone are trusted.
    ``flaw`` tells what the value in the unit comes back without.
    """

    name: str
    n: Count
    kind: str
    outcome: Literal["stored", "rerun", "lost"]
    reason: str = ""
    path: str = ""
    bytes: Count = 0
    seconds: Seconds = 0.0
    unit: Count | None = None
    fingerprint: str | None = None
    astray: bool = False
    flaw: str = ""


class Environment(Struct, frozen=True, omit_defaults=True):
    """The machine that wrote the archive; ``program`` is the version of elastictm, ``packages`` theirs by name.

    ``libraries`` maps the modules that variables and cells use to the packages that they come from; None: unknown.
    """

    python: str
    implementation: str
    platform: str
    program: str
    packages: dict[str, str]
    directory: str
    import_path: tuple[str, ...] = ()
    hash_seed: Annotated[str, Meta(pattern=r"\A[0-9]{1,10}\Z")] | None = None
    libraries: dict[str, str] | None = None


class Past(Struct, frozen=True, omit_defaults=True):
    """The session's past: each of its packs as JSON, with chunks that the archive holds.

    ``states`` is how many there are to go to, ``bytes`` what their chunks take.
    """

    packs: tuple[Blob, ...]
    states: Count
    bytes: Count


class KeptRun(Struct, frozen=True, omit_defaults=True):
    """A run of a future: how it ended, as JSON, what it put out, and the list of the crate with its results.

    All are empty where it had not ended.
    """

    answer: Blob = NOTHING
    output: Blob = NOTHING
    results: Blob = NOTHING


class KeptFuture(Struct, frozen=True, omit_defaults=True):
    """A cell that ran aside: what is known of it, as JSON, the list of the crate with what it read, and its runs.

    ``taken`` are the variables that the session has taken of it.  The blobs of crates are those of this archive.
    """

    name: str
    record: Blob
    inputs: Blob
    runs: tuple[KeptRun, ...]
    taken: tuple[str, ...] = ()


class Manifest(Struct, frozen=True, omit_defaults=True):
    """All that an archive says of itself; the writer fills in ``chunks``.

    ``saved_at`` is in seconds since the epoch, ``seconds`` is the time that the save took.
    ``sources`` is a JSON object of source texts by file name, from which code is compiled anew.
    ``generators`` are the states of the global random generators, ``groups`` the alias groups as they were frozen.
    """

    saved_at: Seconds
    environment: Environment
    history: Blob
    execution_count: Count
    entries: tuple[Entry, ...]
    units: tuple[Unit, ...]
    definitions: tuple[Definition, ...]
    sources: Blob = NOTHING
    files: tuple[ShippedFile, ...] = ()
    modules: tuple[OwnModule, ...] = ()
    altered: tuple[AlteredModule, ...] = ()
    imported: tuple[str, ...] = ()
    generators: dict[str, Blob] = field(default_factory=dict)
    groups: tuple[tuple[str, ...], ...] = ()
    cells_rerun: tuple[Count, ...] = ()
    seconds: Seconds = 0.0
    settings: dict[str, Any] = field(default_factory=dict)
    past: Past | None = None
    futures: tuple[KeptFuture, ...] = ()
    chunks: tuple[Chunk, ...] = ()


def encode(manifest: Manifest, area_end: int) -> bytes:
    """The footer of an archive whose chunk area ends at ``area_end``; ValueError where a reader would refuse it."""
    footer = json_of(manifest)
    decode(footer, area_end)
    return footer


def json_of(records: Struct) -> bytes:
    """Records as JSON in UTF-8; ValueError where they cannot be written so."""
    try:
        return msgspec.json.encode(records)
    except UnicodeEncodeError:  # lone surrogates, as in file names that are not UTF-8
        return msgspec.json.encode(_escaped(msgspec.to_builtins(records)))
    except (TypeError, msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"the manifest cannot be written as JSON: {error}") from error


def decode(footer: bytes, area_end: int) -> Manifest:
    """The manifest in a footer whose chunk area ends at ``area_end``; ValueError where it is not a sound one."""
    manifest = record_of(footer, Manifest, "the manifest")
    check(manifest, area_end)
    return manifest


def record_of(footer: bytes, kind: type[_Record], what: str) -> _Record:
    """The record in a footer, its references unchecked; ValueError, naming ``what`` it is, where it is none."""
    if len(footer) > MOST_FOOTER:
        raise ValueError(f"{what} takes {len(footer)} bytes, at most {MOST_FOOTER} are allowed")
    try:
        return msgspec.json.decode(footer, type=kind)
    except (msgspec.MsgspecError, RecursionError, MemoryError) as error:
        raise ValueError(f"{what} is not valid: {error}") from error


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_escaped(key): _escaped(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_escaped(item) for item in value]
    return value
