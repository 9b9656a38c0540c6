"""One cell, run on copies in a process that has nothing else: what it reads is unpacked, what it made is packed."""

from __future__ import annotations

import os
import random
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from elastictm.errors import ElasticTMError
from elastictm.ids import is_variable, output_name
from elastictm.session.cells import described
from elastictm.session.futures.bundle import bundle, pack
from elastictm.session.futures.gathering import Gathering
from elastictm.session.futures.order import RESULTS, Answer, Order, derived
from elastictm.session.futures.output import OutputLog
from elastictm.session.futures.own import brought_about
from elastictm.session.futures.peak import Peak
from elastictm.session.host import place, variables
from elastictm.session.unpacking import forget_own
from elastictm.storage.crate import Crate, CrateWriter
from elastictm.values.modules import is_own

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from contextlib import AbstractContextManager

    from elastictm.model.records import CellRun
    from elastictm.session.session import Session

_NUMPY: Final = "numpy.random"
_TORCH: Final = "torch"


class Stage(Protocol):
    """Where cells run: a shell whose output goes into logs."""

    def logged(self, log: OutputLog) -> AbstractContextManager[None]:
        """All that is put out inside goes into a log."""
        ...

    def run(self, source: str, count: int) -> BaseException | None:
        """Run a cell as a user would, under a number; returns what it raised."""
        ...


class Sandbox:
    """Carries out orders in this process, one after the other, with nothing left of those before."""

    def __init__(self, session: Session, stage: Stage) -> None:
        self._session = session
        self._stage = stage
        self._modules = frozenset(sys.modules)

    def carry_out(self, order: Order) -> Answer:
        """Run a cell; what it put out is logged, and what it made packed, in the folder of the run."""
        peak = Peak()
        with self._log(order) as log, self._stage.logged(log):
            try:
                self._prepare(order)
            except ElasticTMError as problem:
                return Answer("failed", 0.0, peak.bytes(), str(problem))
            error = self._stage.run(order.source, order.count)
        run = self._session.history.last
        assert run is not None  # noqa: S101 - a cell has run
        answer = Answer(
            "finished" if error is None else "failed",
            run.seconds,
            peak.bytes(),
            "" if error is None else described(error),
        )
        try:
            return self._with_results(answer, order, run)
        except ElasticTMError as problem:
            return msgspec.structs.replace(answer, status="failed", error=f"its results were not stored: {problem}")

    @contextmanager
    def _log(self, order: Order) -> Iterator[OutputLog]:
        log = OutputLog(Path(order.folder))
        try:
            yield log
        finally:
            log.close()

    def _prepare(self, order: Order) -> None:
        """Have all that the cell reads, and nothing else."""
        self._be_there(order)
        forget_own(self._modules)
        with Crate(Path(order.inputs)) as crate:
            self._session.enter(crate, lambda: self._complete(order))
        # Settings were put back to what they were when this process began.
        self._be_there(order)
        _seed(order.seed)

    @staticmethod
    def _be_there(order: Order) -> None:
        os.chdir(order.directory)
        sys.path[:] = order.import_path

    def _complete(self, order: Order) -> None:
        """Have what earlier runs made, and of some variables the item that is this run's."""
        host, freezer = self._session.host, self._session.recorder.freezer
        objects = {**host.fixtures, **host.singletons}
        for earlier in order.after:
            for name, value in Gathering(earlier, freezer, objects).variables().items():
                place(host, name, value)
        attributes = {each.key: host.namespace.pop(each.key) for each in order.attributes if each.there}
        for line in brought_about(order.attributes, attributes):
            print(line, file=sys.stderr)  # noqa: T201 - a surface: it is in the output of the run
        for key, index in order.chosen.items():
            host.namespace[key] = list(host.namespace[key])[index]

    def _with_results(self, answer: Answer, order: Order, run: CellRun) -> Answer:
        session = self._session
        recorder, values = session.recorder, variables(session.host)
        shown = output_name(order.count)
        written = [record.name for record in run.writes if is_variable(record.name) and record.name in values]
        names = [*written, *(name for name in (shown,) if name in values)]
        made = bundle(names, recorder, values)
        made = replace(made, stock=session.faithful(made.stock, values))
        stock = made.stock
        with CrateWriter(Path(order.folder) / RESULTS) as crate:
            runs = [session.history.runs[0], run] if len(session.history.runs) > 1 else [run]
            crate.commit(pack(crate, made, runs, recorder, count=order.count, now=session.clock.now()))
        stored = stock.fingerprints()
        refused = {str(name): f"{why.path}: {why.reason}" for name, why in stock.refusals().items()}
        return msgspec.structs.replace(
            answer,
            made=tuple(n for n in written if n in stored),
            shown=shown in stored,
            refused=refused,
        )


def libraries(known: Container[str]) -> list[str]:
    """The modules of libraries that are loaded by now, besides those that are known."""
    return [
        name
        for name, module in tuple(sys.modules.items())
        if name not in known and name != "__main__" and isinstance(module, ModuleType) and not is_own(module)
    ]


def _seed(seed: str) -> None:
    """Have the global generators draw streams of this run's own, unless its cell seeds them."""
    random.seed(derived(seed, "random"))
    numpy: Any = sys.modules.get(_NUMPY)
    if numpy is not None:
        part = derived(seed, _NUMPY)
        numpy.seed([part >> shift & 0xFFFFFFFF for shift in (0, 32, 64, 96)])
    torch: Any = sys.modules.get(_TORCH)
    if torch is not None:
        torch.manual_seed(derived(seed, _TORCH) & 0x7FFFFFFFFFFFFFFF)
