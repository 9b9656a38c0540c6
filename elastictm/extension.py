"""Switching recording on and off in a shell, and the settings that ``%config ElasticTM`` shows."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.interactiveshell import InteractiveShell
from traitlets import Float, TraitError, Unicode, validate
from traitlets.config import Configurable

from elastictm.errors import UsageError
from elastictm.model.quantities import parse_bandwidth, parse_size
from elastictm.session.ipython.host import IPythonHost
from elastictm.session.ipython.shells import ignored_paths, is_attended, running_shell
from elastictm.session.recorder import SystemClock
from elastictm.session.session import Session
from elastictm.session.stores import Stores
from elastictm.settings import Settings

if TYPE_CHECKING:
    from elastictm.magics.words import SessionMagics


class ElasticTM(Configurable):  # type: ignore[misc]
    """Settings of elastictm, and the session that it records in this shell."""

    recording_share = Float(0.05, help="Part of the session's own run time that recording may take.").tag(config=True)
    recording_floor = Float(0.05, help="Seconds that recording may take for any one cell all the same.").tag(
        config=True
    )
    bandwidth = Unicode("", help="Speed of the way to the target, such as 100MB/s; empty: measured.").tag(config=True)
    alpha = Float(1.0, help="Weight of saving against restoring; below 1 favours a fast restore.").tag(config=True)
    faith_budget = Float(5.0, help="Seconds that a save may take to try out whether doubtful objects load.").tag(
        config=True
    )

    budget = Unicode(
        "", help="Bytes that the past may take on disk, such as 2GB; empty: a tenth of what is free, at most 20GB."
    ).tag(config=True)
    workers = Unicode(
        "", help="How many processes run cells aside at a time (empty: one for each core), dask, or tcp://HOST:PORT."
    ).tag(config=True)
    worker_memory = Unicode("", help="Bytes, such as 4GB, past which a cell that runs aside is ended; empty: none").tag(
        config=True
    )
    notify = Unicode(
        "", help="Command of the system's that is run when a future has ended, with its name and status."
    ).tag(config=True)
    store = Unicode("", help="Folder in which the past is kept; empty: in the user's data folder.").tag(config=True)

    @validate("workers")  # type: ignore[untyped-decorator]
    def _is_number(self, proposal: Any) -> str:
        """Refuse what is neither a number of processes nor a cluster."""
        value = str(proposal["value"])
        number = value.isdecimal() and int(value)
        if value and not number and value != "dask" and "://" not in value:
            raise TraitError(f"workers is a number of processes, dask, or tcp://HOST:PORT, and not {value!r}")
        return value

    @validate("bandwidth", "budget", "worker_memory")  # type: ignore[untyped-decorator]
    def _is_readable(self, proposal: Any) -> str:
        """Refuse at once what would trouble each cell later."""
        value, parse = proposal["value"], parse_bandwidth if proposal["trait"].name == "bandwidth" else parse_size
        try:
            if value:
                parse(value)
        except UsageError as error:
            raise TraitError(str(error)) from None
        return str(value)

    def __init__(self, shell: InteractiveShell, *, keep: bool = True) -> None:
        super().__init__(parent=shell)
        host = IPythonHost(shell)
        stores = Stores(lambda: str(self.store))
        ignored = (*ignored_paths(shell), f"{stores.root}{os.sep}")
        self.session = Session(host, self.settings, SystemClock(), ignored, stores=stores if keep else None)
        self.unhook: Callable[[], None] = host.hook(self.session)

    def settings(self) -> Settings:
        """The settings as they are now."""
        bandwidth = parse_bandwidth(self.bandwidth) if self.bandwidth else None
        return Settings(
            self.recording_share,
            self.recording_floor,
            bandwidth,
            self.alpha,
            self.faith_budget,
            budget=parse_size(self.budget) if self.budget else None,
            workers=self.workers,
            worker_memory=parse_size(self.worker_memory) if self.worker_memory else None,
            notify=self.notify,
        )


def load(shell: InteractiveShell, *, announce: bool = False, keep: bool = True) -> None:
    """Start recording in a shell, and ``announce`` to who is there what is left of earlier sessions; once is enough.

    Only with ``keep`` has the session a past.
    """
    if find(shell) is not None:
        return
    from elastictm.magics.words import tell  # noqa: PLC0415 - needs a shell that records

    settings = ElasticTM(shell, keep=keep)
    shell.configurables.append(settings)
    atexit.register(settings.session.close)
    settings.session.tell = tell
    magics = [kind(shell, settings.session) for kind in magics_classes()]
    shell.register_magics(*magics)
    for surface in _surfaces():
        surface.install(shell, settings.session)
    if announce and is_attended(shell):
        for each in magics:
            each.announce()


def unload(shell: InteractiveShell) -> None:
    """Stop recording and take out everything that ``load`` put in."""
    settings = find(shell)
    if settings is None:
        return
    settings.unhook()
    atexit.unregister(settings.session.close)
    settings.session.close()
    for surface in _surfaces():
        surface.uninstall(shell)
    classes = magics_classes()
    for each in shell.configurables:
        if type(each) in classes:
            each.close()
    # Classes of magics have joined the configurables by themselves.
    shell.configurables[:] = [c for c in shell.configurables if c is not settings and type(c) not in classes]
    manager = shell.magics_manager
    for magics in classes:
        for kind, names in magics.magics.items():
            for name in names:
                manager.magics[kind].pop(name, None)
        manager.registry.pop(magics.__name__, None)


def magics_classes() -> tuple[type[SessionMagics], ...]:
    """The magics that are registered where a session is recorded."""
    from elastictm.magics.future import FutureMagics  # noqa: PLC0415 - likewise
    from elastictm.magics.graph import GraphMagics  # noqa: PLC0415 - only a shell that records needs them
    from elastictm.magics.migrate import MigrateMagics  # noqa: PLC0415 - likewise
    from elastictm.magics.overview import OverviewMagics  # noqa: PLC0415 - likewise
    from elastictm.magics.past import PastMagics  # noqa: PLC0415 - likewise

    return MigrateMagics, GraphMagics, PastMagics, OverviewMagics, FutureMagics


def _surfaces() -> tuple[Any, ...]:
    """What shells get besides magics, and lose again."""
    from elastictm.magics import completing, showing  # noqa: PLC0415 - only a shell that records needs them

    return completing, showing


def find(shell: InteractiveShell) -> ElasticTM | None:
    """The settings, and with them the session, of a shell that records."""
    return next((c for c in shell.configurables if isinstance(c, ElasticTM)), None)


def current_session() -> Session:
    """The session of the running shell.

    Raises:
        UsageError: no shell is running, or it does not record.
    """
    shell: Any = running_shell()
    settings = find(shell) if shell is not None else None
    if settings is None:
        raise UsageError("no session is recorded here: run %load_ext elastictm in IPython or a notebook first")
    return settings.session
