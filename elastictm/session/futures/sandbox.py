"""One cell, run on copies in a process that has nothing else: what it reads is unpacked, what it made is packed."""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from elastictm.errors import ElasticTMError
from elastictm.ids import Name, is_variable, output_name
from elastictm.session.cells import described
from elastictm.session.futures.bundle import bundle, first_run, pack
from elastictm.session.futures.entering import enter
from elastictm.session.futures.gathering import Gathering
from elastictm.session.futures.order import INPUTS, RESULTS, Answer, Order, derived
from elastictm.session.futures.output import OUTPUT, Event, OutputLog
from elastictm.session.futures.own import brought_about
from elastictm.session.futures.peak import Peak
from elastictm.session.futures.remains import remains
from elastictm.session.host import place, variables
from elastictm.session.unpacking import forget_own, lay_out
from elastictm.storage.crate import Crate, CrateWriter
from elastictm.values.modules import is_own

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
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

    def rehearse(self) -> None:
        """Run a cell of no consequence: what each process does once is done then, and its doubles have it."""
        recorder, here = self._session.recorder, Path.cwd()
        with tempfile.TemporaryDirectory(prefix="elastictm-") as folder:
            inputs = Path(folder) / INPUTS
            with CrateWriter(inputs) as crate:
                found = bundle([], recorder, {}, {Name("x"): [0.5]})
                runs = [first_run(found, recorder, 0.0)]
                crate.commit(pack(crate, found, runs, recorder, count=1, now=0.0))
            self.carry_out(Order(folder, str(inputs), "y = [x]\nprint(y)\ny", 1, "0", folder, tuple(sys.path)))
            os.chdir(here)
        self._modules = frozenset(sys.modules)

    def forget(self) -> None:
        """Leave nothing of a run that this process has carried out itself; its variables go when the next one comes."""
        forget_own(self._modules)

    def prepare(self, order: Order, prelude: Path) -> None:
        """Have what many runs have in common; what that puts out is logged in a folder, as the beginning of each.

        Raises:
            ElasticTMError: it does not load here.
        """
        with self._log(prelude) as log, self._stage.logged(log):
            self._have(order, log)
        self._session.recorder.begin()

    def carry_out(self, order: Order, prelude: Path | None = None) -> Answer:
        """Run a cell; what it put out is logged, and what it made packed, in the folder of the run.

        With a ``prelude``, what it reads was prepared.
        """
        peak = Peak()
        if prelude is not None:
            shutil.copyfile(prelude / OUTPUT, Path(order.folder) / OUTPUT)
        with self._log(Path(order.folder)) as log, self._stage.logged(log):
            try:
                if prelude is None:
                    self._have(order, log)
                self._choose(order)
                if prelude is not None:
                    self._session.history = self._session.recorder.begin_with(frozenset(map(Name, order.chosen)))
            except ElasticTMError as problem:
                return Answer("failed", 0.0, peak.bytes(), str(problem))
            error = self._stage.run(order.source, order.count)
            if sys.platform == "linux" and (left := tuple(remains())):
                log.add(Event("stream", "stderr", f"{', '.join(left)}: ended with the run\n"))
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
    def _log(self, folder: Path) -> Iterator[OutputLog]:
        log = OutputLog(folder)
        try:
            yield log
        finally:
            log.close()

    def _have(self, order: Order, log: OutputLog) -> None:
        """Have all that the cell reads, and nothing else."""
        with Crate(Path(order.inputs)) as crate:
            # What came along is what the session has, whatever lies here under the same name.
            first = [lay_out(crate)] if crate.manifest.modules else []
            self._be_there(order, first)
            enter(self._session, crate)
        # Settings were put back to what they were when this process began.
        self._be_there(order, first)
        host, freezer = self._session.host, self._session.recorder.freezer
        objects = {**host.fixtures, **host.singletons}
        for earlier in order.after:
            for name, value in Gathering(earlier, freezer, objects).variables().items():
                place(host, name, value)
        attributes = {each.key: host.namespace.pop(each.key) for each in order.attributes if each.there}
        for line in brought_about(order.attributes, attributes):
            log.add(Event("stream", "stderr", f"{line}\n"))

    @staticmethod
    def _be_there(order: Order, first: Sequence[str]) -> None:
        os.chdir(order.directory)
        sys.path[:] = [*first, *order.import_path]

    def _choose(self, order: Order) -> None:
        """Have of some variables the item that is this run's, and the generators that are its own."""
        namespace = self._session.host.namespace
        for key, index in order.chosen.items():
            namespace[key] = list(namespace[key])[index]
        _seed(order.seed)

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


def libraries(names: Iterable[str]) -> list[str]:
    """Those of some modules that are of libraries."""
    found = ((name, sys.modules.get(name)) for name in names if name != "__main__")
    return [name for name, module in found if isinstance(module, ModuleType) and not is_own(module)]


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
