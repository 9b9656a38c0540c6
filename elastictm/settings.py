"""The settings of a session, as plain values; surfaces offer them to users."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user can set.

    ``recording_share`` is the part of the session's own run time that recording may take, ``recording_floor`` the
    seconds that it may take for any one cell all the same.
    ``bandwidth`` is in bytes per second; None means that the destination is probed.
    ``faith_budget`` is the seconds that a save or plan may take to see whether objects of doubtful classes load,
    and again to see what cells did to modules that they import.
    ``keeping_seconds`` is how long freezing a group of variables may take for the sake of the past.
    ``budget`` is how many bytes the past of all sessions may take on disk; None for a part of what is free.
    ``workers`` is how many processes run cells aside at a time, empty for as many as there are cores, ``dask`` for a
    Dask cluster of this machine, or the address of a scheduler; a process of this machine is ended that takes more than
    ``worker_memory`` bytes, None for no limit.  ``notify`` is a command that is run when one has ended.
    ``digest_limit`` is the size in bytes up to which a file that a cell read is digested at once.
    """

    recording_share: float = 0.05
    recording_floor: float = 0.05
    bandwidth: float | None = None
    alpha: float = 1.0
    faith_budget: float = 5.0
    digest_limit: int = 8_000_000
    workers: str = ""
    worker_memory: int | None = None
    notify: str = ""
    keeping_seconds: float = 2.0
    budget: int | None = None
