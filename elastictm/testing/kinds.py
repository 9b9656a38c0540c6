"""Kinds of values that sessions hold: a table with a row for each, and what becomes of them in a save and a restore.

Rows of a library share one process that records and one that restores, so that a row costs little.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import itertools
import json
import math
import platform
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from elastictm.testing.places import environment

Outcome = Literal["stored", "rerun", "lost"]

_SECONDS_PER_ROW: Final = 90.0
"""After so long, a row hangs."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value: how it is made and changed, and what must come of it.

    ``make`` is a cell that binds ``x``, and whatever ``alias`` needs; ``change`` is a later cell that changes it in
    place, or else ``x`` is deleted and made once more.
    ``facts`` is code whose last expression gives plain data that tells two values apart; it runs in both sessions after
    everything else was looked at, so it may use up what it looks at.
    ``alias`` is an expression that is true if a change through one name shows in the other; ``before`` runs ahead of
    the session in its folder, ``between`` after the save and ahead of the restore, in the same folder; ``finish`` ends
    what the row left running.
    ``compared`` says in words what the facts are, ``notes`` what a user should know.
    ``quiet`` says that reading the value without changing it must not count as a change, ``still`` that cells that do
    not name it must not either.
    ``restored`` is the outcome of the restore if it is another than that of the save; ``reason`` is then the restore's.
    """

    id: str
    library: str
    make: str
    facts: str
    change: str = ""
    outcome: Outcome = "stored"
    restored: Outcome | None = None
    reason: str = ""
    alias: str = ""
    before: str = ""
    between: str = ""
    finish: str = ""
    compared: str = ""
    notes: str = ""
    module: str = ""
    quiet: bool = True
    still: bool = True

    @property
    def imported(self) -> str:
        """The module that the library is imported as."""
        return self.module or self.library

    @property
    def is_here(self) -> bool:
        """Whether this Python has the library."""
        try:
            return importlib.util.find_spec(self.imported) is not None
        except ModuleNotFoundError:
            return False

    @property
    def version(self) -> str:
        """The version of the library, or of Python for its own modules."""
        if self.library.partition(".")[0] in {*sys.stdlib_module_names, "builtins"}:
            return f"Python {platform.python_version()}"
        return importlib.metadata.version(self.library)


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of one row: what was seen while recording, and while restoring.

    ``failure`` tells that a process did not get to the end of the row; the others are as the processes wrote them.
    """

    recorded: dict[str, Any]
    restored: dict[str, Any]
    failure: str = ""


def rows_of(*files: Path) -> tuple[Kind, ...]:
    """The rows that files of them list as ``ROWS``."""
    return tuple(row for path in files for row in runpy.run_path(str(path))["ROWS"])


def faults(row: Kind, ran: Ran) -> list[str]:
    """What is not as the row says it must be; empty if all is well."""
    if ran.failure:
        return [ran.failure]
    found = [f"recording failed: {error}" for error in ran.recorded["errors"]]
    if "x" not in ran.recorded["changed"]:
        found.append(f"the change of x was not seen, only of {ran.recorded['changed']}")
    found += [f"a save warned: {text}" for text in ran.recorded["warnings"]]
    found += _faults_in("the recorded session", row, ran.recorded)
    found += _faults_in("the restored session", row, ran.restored)
    if ran.restored["present"]:
        found += [
            f"{what} differ: {ran.recorded[what]} before, {ran.restored[what]} after"
            for what in ("type", "facts")
            if ran.recorded[what] != ran.restored[what]
        ]
    elif (row.restored or row.outcome) != "lost":
        found.append("x is not in the restored session")
    return found


def _faults_in(where: str, row: Kind, seen: dict[str, Any]) -> list[str]:
    """What is wrong in either session."""
    found: list[str] = []
    restoring = "notes" in seen
    expected = row.restored or row.outcome if restoring else row.outcome
    if seen["outcome"] != expected:
        found.append(f"{where}: {seen['outcome']} ({seen['reason']}) instead of {expected} {seen.get('notes', '')}")
    tells = restoring if row.restored else expected == "lost" or not restoring
    if tells and row.reason not in seen["reason"]:
        found.append(f"{where}: the reason is {seen['reason']!r} and does not say {row.reason!r}")
    if expected == "lost" and not row.reason:
        found.append(f"{where}: lost, and the row does not say why: {seen['reason']}")
    if row.still and seen.get("idle"):
        found.append(f"{where}: idle cells were taken to change {seen['idle']}")
    if row.quiet and seen.get("read"):
        found.append(f"{where}: reading x was taken to change {seen['read']}")
    if not seen.get("alias", True):
        found.append(f"{where}: the alias does not hold")
    return found


def together(files: Iterable[Path]) -> Iterator[tuple[Path, ...]]:
    """The files whose rows run in the same processes: all of the standard library, one of any other library."""
    for folder, found in itertools.groupby(sorted(files), key=lambda path: path.parent):
        if folder.name == "stdlib":
            yield tuple(found)
        else:
            yield from ((path,) for path in found)


def run_rows(files: tuple[Path, ...], folder: Path) -> dict[str, Ran]:
    """Record and restore all rows of some files whose library is here, in two processes of their own."""
    rows = [row.id for row in rows_of(*files) if row.is_here]
    recorded = _phase("record", files, folder, rows)
    restored = _phase("restore", files, folder, [name for name in rows if "failure" not in recorded[name]])
    return {
        name: Ran(
            recorded[name],
            restored.get(name, {}),
            recorded[name].get("failure", "") or restored[name].get("failure", ""),
        )
        for name in rows
    }


def _phase(phase: str, files: tuple[Path, ...], folder: Path, rows: list[str]) -> dict[str, dict[str, Any]]:
    """One phase over all rows; where a process dies or hangs, the row is blamed and another process goes on."""
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, Any]] = {}
    while waiting := [name for name in rows if name not in found]:
        results = folder / f"{phase}.jsonl"
        results.write_text("")
        log = folder / f"{phase}.log"
        command = [sys.executable, "-m", "elastictm.testing.kinds_child", phase, str(folder), *map(str, files)]
        why = _ended(command, log, json.dumps(waiting), folder, _SECONDS_PER_ROW + len(waiting))
        for line in results.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found[row["id"]] = row
        missing = [name for name in waiting if name not in found]
        if missing:
            tail = log.read_text(encoding="utf-8", errors="replace")[-3000:]
            found[missing[0]] = {"id": missing[0], "failure": f"{phase}: the process {why}\n{tail}"}
    return found


def _ended(command: list[str], log: Path, rows: str, folder: Path, seconds: float) -> str:
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - a fixed command
            command, env=environment(folder / "home"), stdin=subprocess.PIPE, stdout=output, stderr=output, text=True
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(rows, timeout=seconds)
            return f"ended with {process.returncode}"
        process.kill()
        process.wait()
        return f"hung for {seconds:.0f} s"


def plain(value: Any) -> Any:
    """Plain data in a form that JSON keeps: types, order and the bits of numbers included.

    Raises:
        TypeError: it is not plain data.
    """
    kind = type(value)
    if value is None or kind in {bool, str, int}:
        return value
    if isinstance(value, type):
        return ["type", f"{value.__module__}.{value.__qualname__}"]
    if kind not in _FORMS:
        raise TypeError(f"facts are plain data, and {kind.__module__}.{kind.__qualname__} is not: {value!r:.200}")
    return [kind.__name__, *_FORMS[kind](value)]


_FORMS: Final[dict[type, Callable[[Any], Iterable[Any]]]] = {
    float: lambda value: ["nan" if math.isnan(value) else value.hex()],
    complex: lambda value: [plain(value.real), plain(value.imag)],
    bytes: lambda value: [value.hex()],
    bytearray: lambda value: [value.hex()],
    list: lambda value: map(plain, value),
    tuple: lambda value: map(plain, value),
    set: lambda value: sorted(map(plain, value), key=json.dumps),
    frozenset: lambda value: sorted(map(plain, value), key=json.dumps),
    dict: lambda value: ([plain(key), plain(item)] for key, item in value.items()),
}
"""What stands for the values of each type."""
