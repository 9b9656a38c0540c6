"""Futures that go along in an archive: what they read, what they made and put out, and how they ended."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from elastictm.errors import ArchiveDamaged
from elastictm.ids import Name
from elastictm.session.futures.future import ANSWER, NAME, Future, Record, made_of
from elastictm.session.futures.order import INPUTS, RESULTS
from elastictm.session.futures.output import OUTPUT
from elastictm.storage import manifest as m
from elastictm.storage.crate import Crate, CrateWriter

if TYPE_CHECKING:
    from elastictm.session.packing import Put
    from elastictm.storage.reader import ArchiveReader

_Read = Callable[[m.Blob], memoryview]


def packed(futures: Iterable[Future], put: Put) -> tuple[m.KeptFuture, ...]:
    """Put futures into an archive; those that have not ended begin again where it is restored."""
    return tuple(_packed(future, put) for future in futures)


def _packed(future: Future, put: Put) -> m.KeptFuture:
    runs: list[m.KeptRun] = []
    for run in future.runs:
        answer, output = ((run.folder / name) for name in (ANSWER, OUTPUT))
        if not run.over.is_set():
            runs.append(m.KeptRun())
            continue
        results = run.folder / RESULTS
        runs.append(
            m.KeptRun(
                put(answer.read_bytes()),
                put(output.read_bytes()) if output.is_file() else m.NOTHING,
                _crate(results, put) if results.is_dir() else m.NOTHING,
            )
        )
    record = put(msgspec.json.encode(future.record))
    return m.KeptFuture(future.name, record, _crate(future.inputs, put), tuple(runs), tuple(sorted(future.taken)))


def _crate(folder: Path, put: Put) -> m.Blob:
    with Crate(folder) as crate:
        return put(m.json_of(_moved(crate.manifest, crate.read, put)))


def unpacked(archive: ArchiveReader, folder: Path) -> Iterator[Future]:
    """The futures of an archive, each in a folder of its own below one.

    Raises:
        ArchiveDamaged: one cannot be read.
        DestinationError: the system refuses.
    """
    for kept in archive.manifest.futures:
        try:
            record = msgspec.json.decode(bytes(archive.read(kept.record)), type=Record)
            _check(record, kept)
            future = made_of(folder / f"{record.name}-{record.n}-{secrets.token_hex(2)}", record)
            _unpack(archive, kept.inputs, future.folder / INPUTS)
            future.write_down()
            for run, told in zip(future.runs, kept.runs, strict=True):
                if told.answer.size:
                    (run.folder / ANSWER).write_bytes(archive.read(told.answer))
                    (run.folder / OUTPUT).write_bytes(archive.read(told.output))
                    if told.results.size:
                        _unpack(archive, told.results, run.folder / RESULTS)
                    run.read_back()
            future.take(map(Name, kept.taken))
        except (ValueError, msgspec.MsgspecError) as error:
            raise ArchiveDamaged(f"{archive.name}: the future {kept.name} is damaged: {error}.") from error
        yield future


def _check(record: Record, kept: m.KeptFuture) -> None:
    """ValueError where the name could be that of another folder, or runs are missing."""
    if not NAME.match(record.name) or len(record.cases) != len(kept.runs):
        raise ValueError(f"it has the name {record.name!r} and {len(kept.runs)} runs of {len(record.cases)}")


def _unpack(archive: ArchiveReader, listed: m.Blob, folder: Path) -> None:
    manifest = m.record_of(bytes(archive.read(listed)), m.Manifest, "the list of a crate")
    with CrateWriter(folder) as crate:
        crate.commit(_moved(manifest, archive.read, crate.put))


def _moved(manifest: m.Manifest, read: _Read, put: Put) -> m.Manifest:
    """The list of a crate whose bytes lie elsewhere now."""

    def blob(old: m.Blob) -> m.Blob:
        return put(read(old)) if old.size else m.NOTHING

    def unit(old: m.Unit) -> m.Unit:
        return replace(old, stream=blob(old.stream), segments=tuple(map(blob, old.segments)))

    return replace(
        manifest,
        history=blob(manifest.history),
        sources=blob(manifest.sources),
        units=tuple(map(unit, manifest.units)),
        definitions=tuple(m.Definition(each.key, unit(each.unit)) for each in manifest.definitions),
    )
