"""The processes that record and restore rows of kinds: ``python -m elastictm.testing.kinds_child record FOLDER FILE``.

The rows to go through come in as a JSON list of their names; for each, a line of JSON is added to a file of results.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import gc
import importlib
import importlib.metadata
import json
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell

import elastictm as tm
from elastictm.extension import find, load, unload
from elastictm.ids import is_variable
from elastictm.planning.alternatives import planned
from elastictm.testing.kinds import Kind, plain, rows_of

_BEFORE: Final = "other = [1, 2]\nbystander = {'a': other}"
_IDLE: Final = ("1 + 1", "y = 2", "other", "pass")
_SECONDS: Final = 60


class _Row:
    """One row on its way through a fresh session of the shell."""

    def __init__(self, row: Kind, shell: InteractiveShell) -> None:
        self.row = row
        self._shell = shell
        self.found: dict[str, Any] = {"id": row.id}

    def record(self, archive: Path) -> None:
        """Make, change, look and save."""
        row, found = self.row, self.found
        self._cell(_BEFORE)
        self._cell(row.make)
        if row.change:
            found["changed"] = self._cell(row.change)
        else:
            self._cell("del x")
            found["changed"] = self._cell(row.make)
        found["idle"] = [name for code in _IDLE for name in self._cell(code) if name != "y"]
        found["read"] = self._cell("x is None")
        with warnings.catch_warnings(record=True) as raised:
            warnings.simplefilter("always")
            report = tm.save(archive, bandwidth="1GB/s", policy="store-all")
        found["warnings"] = [str(warning.message) for warning in raised if warning.category is not ResourceWarning]
        found["outcome"], found["reason"] = self._outcome(report.to_json())
        self._look()
        found["errors"] = [str(error) for error in self._session.recorder.errors]

    def restore(self, archive: Path) -> None:
        """Restore, and look again."""
        report = tm.restore(archive, trust=True).to_json()
        self.found["outcome"], self.found["reason"] = self._outcome(report)
        self.found["notes"] = report["notes"]
        self.found["present"] = "x" in self._shell.user_ns
        if self.found["present"]:
            self.found["idle"] = [name for code in _IDLE for name in self._cell(code) if name != "y"]
            self.found["read"] = self._cell("x is None")
            self._look()

    def _look(self) -> None:
        kind = type(self._shell.user_ns["x"])
        self.found["type"] = f"{kind.__module__}.{kind.__qualname__}"
        self.found["facts"] = plain(self._answer(self.row.facts))
        if self.row.alias:
            self.found["alias"] = self._answer(self.row.alias) is True

    @property
    def _session(self) -> Any:
        settings = find(self._shell)
        assert settings is not None  # noqa: S101 - for the type checker
        return settings.session

    def _cell(self, code: str) -> list[str]:
        """Run a cell; the names that recording says it wrote."""
        outcome = self._shell.run_cell(code, store_history=True)
        error = outcome.error_before_exec or outcome.error_in_exec
        if error is not None:
            raise AssertionError(f"the cell raised {type(error).__name__}: {error}\n{code}")
        names = (str(record.name) for record in self._session.history.runs[-1].writes)
        return [name for name in names if is_variable(name)]

    def _answer(self, code: str) -> Any:
        """The value of the last expression of some code, run beside the cells."""
        scope = dict(self._shell.user_ns)
        tree = ast.parse(code)
        last = tree.body.pop()
        if not isinstance(last, ast.Expr):
            raise AssertionError(f"the last line must be an expression: {code}")  # noqa: TRY004 - the row is wrong
        exec(compile(tree, "facts", "exec"), scope)  # noqa: S102 - a test's code
        return eval(compile(ast.Expression(last.value), "facts", "eval"), scope)  # noqa: S307 - likewise

    def finish(self) -> None:
        """End what the row left running, in whatever state it is."""
        if self.row.finish:
            with contextlib.suppress(Exception):
                self._answer(self.row.finish + "\nNone")

    @staticmethod
    def _outcome(report: dict[str, Any]) -> tuple[str, str]:
        entry = next(entry for entry in report["variables"] if entry["name"] == "x")
        return entry["outcome"], entry["reason"]


def main(phase: str, folder: str, *files: str) -> None:
    """Go through rows of files."""
    HistoryManager.enabled = False
    # Going through all that is installed takes longer than all the rest, and nothing is installed meanwhile.
    for name in ("packages_distributions", "version"):
        known = functools.cache(getattr(importlib.metadata, name))
        for module in map(importlib.import_module, ("importlib.metadata", "elastictm.session.environment")):
            if hasattr(module, name):
                setattr(module, name, known)
    restoring = importlib.import_module("elastictm.session.restoring")
    # What can be loaded is to be loaded, however quick its cells are.
    setattr(restoring, "planned", lambda draw: planned(draw, "store-all"))  # noqa: B010 - for the type checker
    rows = {row.id: row for row in rows_of(*map(Path, files))}
    names: list[str] = json.load(sys.stdin)
    every = list(rows)
    shell = InteractiveShell.instance()
    gc.freeze()
    with (Path(folder) / f"{phase}.jsonl").open("a", encoding="utf-8") as results:
        for name in names:
            results.write(json.dumps(_gone_through(phase, rows[name], shell, Path(folder) / str(every.index(name)))))
            results.write("\n")
            results.flush()
    sys.stdout.flush()
    # What rows left running must not keep the process.
    os._exit(0)


def _gone_through(phase: str, row: Kind, shell: InteractiveShell, folder: Path) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    os.chdir(folder)
    load(shell)
    settings = find(shell)
    assert settings is not None  # noqa: S101 - for the type checker
    # A crowded machine must not change what is found.
    settings.recording_floor = 600.0
    # What comes of a kind shall not hang on whether a state before the save was looked at.
    settings.session.saving(False)
    going = _Row(row, shell)
    archive = folder / "saved.tm"
    try:
        with _alarm():
            if phase == "record":
                exec(row.before, {})  # noqa: S102 - a test's code
                going.record(archive)
            else:
                exec(row.between, {})  # noqa: S102 - likewise
                going.restore(archive)
    except BaseException as error:  # noqa: BLE001 - whatever a row raises is its result
        going.found["failure"] = f"{phase}: {''.join(traceback.format_exception(error))[-3000:]}"
    finally:
        going.finish()
        unload(shell)
        shell.reset(new_session=True)
        gc.collect()
    return going.found


@contextlib.contextmanager
def _alarm() -> Iterator[None]:
    """Raise in the main thread where something hangs."""

    def ring(*_: object) -> None:
        raise TimeoutError(f"nothing happened for {_SECONDS} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


if __name__ == "__main__":
    main(*sys.argv[1:])
