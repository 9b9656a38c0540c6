"""The records that a history is made of: frozen, slotted, and free of any behaviour that needs a machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from elastictm.ids import DefinitionKey, Fingerprint, Name, RunNumber, Version

Status = Literal["ok", "error", "interrupted", "unparsed"]
"""How a cell run ended."""

STILL_RUNNING: Final = "it was still running"
"""Makes a cell run unrepeatable that had not ended when its session was saved: what else it did is not known."""

BY_NO_CELL: Final = "no recorded cell made this"
"""Makes a cell run unrepeatable that stands for what was changed outside of cells."""

EffectKind = Literal["write", "remove", "rename", "network", "process", "environment", "directory", "path"]
"""What a cell run did outside the namespace."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a value cannot be stored: the path of the inner object that refuses, and its reason."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """What recording knows of one version of one variable.

    ``size`` is in bytes and ``seconds`` is the time to serialise; both are those of the last freeze.
    ``fingerprint`` is None where the value was not looked at or cannot be frozen.
    ``definitions`` are the session's functions and classes that the value refers to.
    ``defines`` is the function or class that the value itself is, where that has no state of its own.
    ``assumed`` marks a version that was taken for written without a look at it.
    """

    name: Name
    n: RunNumber
    kind: str
    size: int
    seconds: float
    fingerprint: Fingerprint | None = None
    refusal: Refusal | None = None
    definitions: tuple[DefinitionKey, ...] = ()
    defines: DefinitionKey | None = None
    assumed: bool = False

    @property
    def version(self) -> Version:
        """The version that this record describes."""
        return Version(self.name, self.n)


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that a cell run read: size in bytes, time of change in nanoseconds, BLAKE3 in hexadecimal.

    ``path`` is absolute; ``relative`` is the path as the cell gave it, where that depended on the working directory.
    """

    path: str
    size: int
    mtime_ns: int
    digest: str | None = None
    relative: str | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that a cell run did outside the namespace."""

    kind: EffectKind
    detail: str


@dataclass(frozen=True, slots=True)
class RandomState:
    """The state of a random generator before a cell run that changed it, in the generator's own byte form.

    It is empty where the cell run loaded the library, and there was none before.
    """

    generator: str
    state: bytes


@dataclass(frozen=True, slots=True)
class SettingsVersion:
    """The settings of a library, or of a part of the process, after a cell run that changed them.

    ``stream`` is a pickle of those that are not as in a fresh process, empty where all are.
    ``definitions`` are the session's functions and classes that it refers to, ``sources`` the texts of their code.
    ``shown`` tells each setting in a few words; ``refused`` holds those that cannot be stored, with the reason.
    """

    library: str
    stream: bytes = b""
    definitions: tuple[DefinitionKey, ...] = ()
    sources: tuple[str, ...] = ()
    shown: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Aside:
    """A cell that ran aside, before another took in what it made; both run again together.

    It was called ``name``, and begun by cell ``n``; ``seed``, in hexadecimal digits, fixes what it draws.
    ``each`` are expressions of lists, by the names that its runs have one item of each under; ``after`` is what it
    waited for.  It took ``seconds``.
    """

    name: str
    n: RunNumber
    source: str
    seed: str
    seconds: float
    each: tuple[tuple[str, str], ...] = ()
    after: tuple[Aside, ...] = ()

    def in_order(self) -> tuple[Aside, ...]:
        """All that ran aside for it, each before those that waited for it."""
        return (*(inner for other in self.after for inner in other.in_order()), self)


@dataclass(frozen=True, slots=True)
class CellRun:
    """One execution of one cell.

    ``source`` is what was typed, ``code`` what IPython made of it (None where it only adds a final newline).
    ``started`` is in seconds since the epoch, ``seconds`` is the duration.
    ``reads`` are versions alive before the run that it could reach; ``writes`` those that it made.
    ``groups`` are the alias groups of two or more versions that the run formed or touched, as they were after it.
    ``created`` are the functions and classes of the session first met after this run.
    ``random`` are states from before it, ``settings`` those that it left behind.
    ``unrepeatable`` holds one reason for each thing that makes a re-run give another result.
    ``notes`` tell what recording assumed, and the errors inside the recorder.
    ``asides`` are cells that ran aside of which it took what they made; without them here, it could only be loaded.
    """

    n: RunNumber
    source: str
    started: float
    seconds: float
    status: Status = "ok"
    code: str | None = None
    error: str | None = None
    reads: tuple[Version, ...] = ()
    writes: tuple[VersionRecord, ...] = ()
    deletes: tuple[Name, ...] = ()
    groups: tuple[tuple[Version, ...], ...] = ()
    created: tuple[DefinitionKey, ...] = ()
    files: tuple[FileRead, ...] = ()
    effects: tuple[Effect, ...] = ()
    random: tuple[RandomState, ...] = ()
    settings: tuple[SettingsVersion, ...] = ()
    unrepeatable: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    asides: tuple[Aside, ...] = ()

    @property
    def rerun_seconds(self) -> float:
        """What running it again is expected to take, with all that runs aside for it."""
        return self.seconds + sum(part.seconds for aside in self.asides for part in aside.in_order())


@dataclass(frozen=True, slots=True)
class Lapse:
    """Variables that did not come back when the session was restored after cell run ``n``."""

    n: RunNumber
    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something learned about a cell run after it ended, such as a re-run that gave another result."""

    n: RunNumber
    text: str
