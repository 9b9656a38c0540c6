"""Which engine runs cells aside: worker processes of this machine, or a Dask cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from elastictm.session.futures.workers import LocalWorkers, cores

if TYPE_CHECKING:
    from collections.abc import Callable

    from elastictm.session.futures.workers import Engine
    from elastictm.settings import Settings

DASK: Final = "dask"


def engine(settings: Callable[[], Settings]) -> Engine:
    """The engine that the settings name now.

    Raises:
        UsageError: it cannot be had.
    """
    chosen = settings().workers
    if chosen == DASK or "://" in chosen:
        from elastictm.session.futures.cluster import DaskWorkers  # noqa: PLC0415 - an extra that few have

        return DaskWorkers("" if chosen == DASK else chosen, cores())
    return LocalWorkers(lambda: _number(settings().workers), lambda: settings().worker_memory)


def _number(chosen: str) -> int:
    return int(chosen) if chosen.isdecimal() else cores()
