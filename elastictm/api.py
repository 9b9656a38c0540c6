"""The functions that programs and tests call: ``import elastictm as tm``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from elastictm.errors import UsageError
from elastictm.extension import current_session, unload
from elastictm.ids import Name, RunNumber, output_name
from elastictm.magics.words import ask
from elastictm.model.graph import HistoryGraph
from elastictm.model.quantities import parse_bandwidth, parse_size
from elastictm.model.reports import PlanReport, Policy, RestoreReport, SaveReport
from elastictm.session.ipython.shells import running_shell
from elastictm.session.options import Along, SaveOptions, along_of
from elastictm.session.shipping import SHIP_AT_MOST

if TYPE_CHECKING:
    from elastictm.session.futures.handle import FutureHandle


def save(  # noqa: PLR0913 - each is an option of its own
    path: str | PathLike[str],
    *,
    bandwidth: str | float | None = None,
    alpha: float | None = None,
    only: Iterable[str] | None = None,
    exclude: Iterable[str] = (),
    policy: Policy = "optimal",
    allow_effects: bool = False,
    ship_limit: str | int | None = None,
    force: bool = False,
    rehearse: bool = False,
    with_past: bool = False,
    futures: Along = "drop",
) -> SaveReport:
    """Write the session as one archive.

    Args:
        path: The archive to write.
        bandwidth: Bytes per second, or text such as ``100MB/s``; measured if None.
        alpha: Weight of saving against restoring; below 1 favours a fast restore.
        only: Names of the variables to bring along; all if None.
        exclude: Names of variables to leave behind.
        policy: ``optimal``, ``store-all`` or ``rerun-all``.
        allow_effects: Whether cells that write files, use the network or start processes may run again.
        ship_limit: Bytes, or text such as ``100MB``, up to which files that cells read again travel; 0 for none.
        force: Replace the file if there is one.
        rehearse: Restore the archive in a fresh process before it gets its name, and plan with what that teaches.
        with_past: Have the states that ``%past`` lists travel along.
        futures: What becomes of cells that still run aside: ``wait`` until they have ended, ``rerun`` begins them
            again at the target, ``drop`` leaves them behind, and says so; what has ended and was not taken travels.

    Raises:
        UsageError: an option makes no sense, or no session is recorded.
        DestinationError: the archive cannot be written there; what was there is intact.
    """
    session = current_session()
    options = _options(bandwidth, alpha, only, exclude, policy, allow_effects, ship_limit)
    options = replace(options, with_past=with_past, futures=along_of(futures))
    return session.save(Path(path), options, force=force, rehearse=rehearse)


def plan(  # noqa: PLR0913 - each is an option of its own
    *,
    bandwidth: str | float | None = None,
    alpha: float | None = None,
    only: Iterable[str] | None = None,
    exclude: Iterable[str] = (),
    policy: Policy = "optimal",
    allow_effects: bool = False,
    ship_limit: str | int | None = None,
) -> PlanReport:
    """The replication plan that a save would follow, and why; see `save` for the options."""
    return current_session().plan(_options(bandwidth, alpha, only, exclude, policy, allow_effects, ship_limit))


def restore(
    path: str | PathLike[str], *, trust: bool = False, allow_effects: bool = False, any_version: bool = False
) -> RestoreReport:
    """Bring an archive's state into this session.

    Args:
        path: The archive.
        trust: Restoring runs code from the archive; True says that it may.
        allow_effects: Whether cells that write files, use the network or start processes may run again, once.
        any_version: Whether to load what another major version of a library has saved; else its cells run again.

    Raises:
        ArchiveError: the archive cannot be used, or is not trusted.
        RestoreFailed: it stopped half way; the session is as it was.
    """
    return current_session().restore(
        Path(path), trust=trust or ask, allow_effects=allow_effects, any_version=any_version
    )


def past(state: int | str, *, allow_effects: bool = False) -> RestoreReport:
    """Go to a state of this session: a cell's number, a tag, ``undo`` or ``redo``.

    Raises:
        UsageError: there is no such state, or none are kept.
        ArchiveError: what was kept cannot be read.
        RestoreFailed: it stopped half way; the session is as it was.
    """
    return current_session().go(str(state), allow_effects=allow_effects)


def vars(state: int | str) -> Mapping[str, object]:  # noqa: A001 - the name is fixed
    """The variables of a state, each loaded when it is looked at; they share nothing with the session.

    Raises:
        UsageError: there is no such state, or none are kept.
    """
    known = current_session().known_past()
    return known.room().variables(known.find(str(state)))


def ans(n: int) -> object:
    """What cell ``n`` displayed, as it was right after the cell.

    Raises:
        UsageError: there is no such state, or the cell displayed nothing.
    """
    known = current_session().known_past()
    try:
        return known.room().variables(known.find(str(n)))[output_name(n)]
    except KeyError as error:
        raise UsageError(f"cell {n} displayed nothing") from error


def saving(on: bool) -> None:  # noqa: FBT001 - a switch
    """Keep the past from now on, or keep nothing."""
    current_session().saving(on)


def dontsave(*what: object) -> None:
    """Keep no bytes of these objects, or of the variables with these names, from now on."""
    current_session().dontsave(what)


def clear_past(cells: tuple[int, int] | None = None) -> None:
    """Forget the states of a range of cells, both ends included; of all but the one that is here if it is None."""
    chosen = None if cells is None else (RunNumber(cells[0]), RunNumber(cells[1]))
    current_session().clear(chosen)


def future(name: str) -> FutureHandle:
    """A cell that ``%%future`` sent aside.

    Raises:
        UsageError: there is none of this name.
    """
    from elastictm.session.futures.handle import FutureHandle  # noqa: PLC0415 - few sessions have futures

    return FutureHandle(current_session().futures, name)


def history() -> HistoryGraph:
    """The history recorded so far."""
    return HistoryGraph(current_session().recorder.settled())


def unhook() -> None:
    """Stop recording, as ``%unload_ext elastictm`` does."""
    current_session()
    unload(running_shell())


def _options(  # noqa: PLR0913, PLR0917 - the options of a save
    bandwidth: str | float | None,
    alpha: float | None,
    only: Iterable[str] | None,
    exclude: Iterable[str],
    policy: Policy,
    allow_effects: bool,  # noqa: FBT001 - as above
    ship_limit: str | int | None,
) -> SaveOptions:
    weight = current_session().settings().alpha if alpha is None else alpha
    chosen = None if only is None else frozenset(map(Name, _names(only)))
    speed = parse_bandwidth(str(bandwidth)) if bandwidth is not None else None
    limit = SHIP_AT_MOST if ship_limit is None else parse_size(str(ship_limit))
    return SaveOptions(speed, weight, chosen, frozenset(map(Name, _names(exclude))), policy, allow_effects, limit)


def _names(given: Iterable[str]) -> Iterable[str]:
    return [part.strip() for part in given.split(",")] if isinstance(given, str) else given
