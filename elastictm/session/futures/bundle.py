"""Values of a session as a crate: packed for another process, and what such a crate holds of each."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from elastictm.ids import Name, RunNumber
from elastictm.model.history import History
from elastictm.model.records import CellRun, VersionRecord
from elastictm.model.wire import encode_history
from elastictm.session.environment import machine, program_version
from elastictm.session.hash_seed import hash_seed
from elastictm.session.packing import Packer
from elastictm.session.stock import Stock, take_stock_of
from elastictm.storage import manifest as m
from elastictm.values.collecting import no_collections
from elastictm.values.definitions import named_definitions
from elastictm.values.kinds import ATOMS, type_name

if TYPE_CHECKING:
    from elastictm.model.records import SettingsVersion
    from elastictm.session.recorder import Recorder
    from elastictm.storage.crate import CrateWriter


@dataclass(frozen=True, slots=True)
class Bundle:
    """Variables frozen with their bytes, in the groups that share data, and what recording knows of each."""

    stock: Stock
    records: Mapping[Name, VersionRecord]

    def without_refused(self) -> Bundle:
        """The same without what cannot be stored."""
        kept = self.stock.fingerprints()
        return replace(self, records={name: record for name, record in self.records.items() if name in kept})


def bundle(
    names: Iterable[Name],
    recorder: Recorder,
    values: Mapping[Name, Any],
    more: Mapping[Name, Any] = MappingProxyType({}),
) -> Bundle:
    """Freeze variables, and ``more`` values under names of their own, which may share data with the variables."""
    wanted = {name for name in names if name in values}
    groups = [
        [name for name in group.members if name in wanted]
        for group in recorder.variables.groups_of(name for name in values if name in wanted)
    ]
    sharing = {name: value for name, value in more.items() if wanted and may_share(value)}
    if sharing:
        # In one pass what is shared stays so, whoever shares it.
        groups = [[*(name for group in groups for name in group), *sharing]]
        values, more = {**values, **sharing}, {name: value for name, value in more.items() if name not in sharing}
    needed = {key for version in recorder.history.settings.values() for key in version.definitions}
    with no_collections():
        added = recorder.freezer.group(more, named_definitions(values.values()), keep=True)
        needed.update(key for part in added.parts.values() for key in part.definitions)
        stock, _ = take_stock_of(
            groups, values, recorder.variables, recorder.freezer, needed, lambda _: nullcontext(None)
        )
    if more:
        stock = replace(stock, groups=(*stock.groups, added))
    records = {name: recorder.variables[name].record for name in wanted}
    sizes = stock.sizes()
    for name, value in {**sharing, **more}.items():
        records[name] = VersionRecord(name, RunNumber(0), type_name(value), sizes.get(name, (0, 0.0))[0], 0.0)
    return Bundle(stock, records)


def may_share(value: Any) -> bool:
    """Whether a value may share data with another; a list of plain values was made for whoever has it."""
    if type(value) is list:
        return any(type(item) not in ATOMS for item in value)
    return type(value) not in ATOMS


def first_run(bundle: Bundle, recorder: Recorder, now: float) -> CellRun:
    """What a process begins with that is given these variables: versions of cell run 0, and the settings."""
    n = RunNumber(0)
    writes = tuple(replace(record, n=n) for record in bundle.records.values())
    settings: tuple[SettingsVersion, ...] = tuple(recorder.history.settings.values())
    return CellRun(n, "", now, 0.0, writes=writes, settings=settings)


def pack(  # noqa: PLR0913 - what is packed, and from where
    crate: CrateWriter, bundle: Bundle, runs: Sequence[CellRun], recorder: Recorder, *, count: int, now: float
) -> m.Manifest:
    """Put what was frozen into a crate; returns the list of it.

    Raises:
        DestinationError: the system refuses.
    """
    stock = bundle.stock
    packer = Packer(crate.put, stock.definitions, recorder.freezer.around.sources)
    units: dict[Name, int] = {}
    for group in stock.groups:
        if group.unit is not None and group.parts:
            units.update(dict.fromkeys(group.parts, packer.add(group.unit)))
    history = History()
    for run in runs:
        history.append(run)
        for version in run.settings:
            packer.refer(version)
    definitions = packer.definitions()
    return m.Manifest(
        saved_at=now,
        environment=m.Environment(
            platform.python_version(),
            platform.python_implementation(),
            machine(),
            program_version(),
            {},
            "",
            hash_seed=hash_seed(),
        ),
        history=crate.put(encode_history(history)),
        execution_count=count,
        entries=tuple(_entry(record, stock, units) for record in bundle.records.values()),
        units=packer.units,
        definitions=definitions,
        sources=packer.sources(),
        groups=stock.ties,
    )


def _entry(record: VersionRecord, stock: Stock, units: Mapping[Name, int]) -> m.Entry:
    name, refusal = record.name, stock.refusals().get(record.name)
    if refusal is not None:
        return m.Entry(name, record.n, record.kind, "lost", refusal.reason, refusal.path)
    flaw, (size, seconds) = stock.flaws.get(name), stock.sizes()[name]
    return m.Entry(
        name,
        record.n,
        record.kind,
        "stored",
        bytes=size,
        seconds=seconds,
        unit=units[name],
        fingerprint=stock.fingerprints()[name],
        flaw="" if flaw is None else f"{flaw.path} {flaw.reason}",
    )
