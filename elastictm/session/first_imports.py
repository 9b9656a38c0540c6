"""What cells that import own modules do to them at once: such a module is imported once more, in another process.

The first look at a module is taken when the cell that imports it has ended, and what that cell did besides is in it.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from elastictm.model.import_cells import ImportCell, bound_elsewhere
from elastictm.session import importing
from elastictm.session.child import run_module

if TYPE_CHECKING:
    from elastictm.ids import RunNumber
    from elastictm.model.history import HistoryView
    from elastictm.model.records import CellRun
    from elastictm.session.ambient import OwnModules, Picture

_NO_TIME: Final = "for want of time"
_FAILED: Final = "since importing it by itself fails"
_FORBIDDEN: Final = "since importing it acts on files, processes or the network"
_EDITED: Final = "since its file is not what was imported"


@dataclass(frozen=True, slots=True)
class FirstImport:
    """A module that cell run ``n`` imported and used: the names that it changed, or why that is not known."""

    n: RunNumber
    names: frozenset[str] = frozenset()
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class _Scene:
    """A cell with the modules that it imported, as they were when it had ended; ``end`` is when time is over.

    ``own`` are all modules of the user's own, without the packages' parts.
    """

    run: CellRun
    cell: ImportCell | None
    pictures: Mapping[str, Picture]
    own: Collection[str]
    end: float


class FirstImports:
    """Finds what cells did to the modules that they imported.

    Responsibilities:
    - tell which modules are in question at all;
    - have those imported in a process of their own, within a budget of time, and compare;
    - remember the answers, and that there was no time, until there is more.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[str, tuple[Picture, FirstImport, float]] = {}

    def looked_at(self, history: HistoryView, modules: OwnModules, seconds: float) -> dict[str, FirstImport]:
        """The modules that are in question, with what is known of each."""
        end = self._clock() + seconds
        runs = {run.n: run for run in history.runs if run.n > 0}
        own = {name.partition(".")[0] for name in modules.names()}
        by_cell: dict[RunNumber, dict[str, Picture]] = {}
        found: dict[str, FirstImport] = {}
        for name in sorted(modules.names()):
            first = modules.first(name)
            if (
                first is None
                or modules.was_there(name)
                or first.n not in runs
                or first.spec is not sys.modules[name].__spec__
            ):
                continue
            known = self._known.get(name)
            if known is not None and known[0] is first and (known[1].unknown != _NO_TIME or seconds <= known[2]):
                found[name] = known[1]
            else:
                by_cell.setdefault(first.n, {})[name] = first
        for n, pictures in by_cell.items():
            cell = ImportCell.of(runs[n].code or runs[n].source)
            if cell is not None and not cell.may_use(own):
                answers = dict.fromkeys(pictures, FirstImport(n))
            else:
                answers = self._answers(_Scene(runs[n], cell, pictures, own, end), modules)
            found |= answers
            self._known |= {name: (pictures[name], each, seconds) for name, each in answers.items()}
        return found

    def _answers(self, scene: _Scene, modules: OwnModules) -> dict[str, FirstImport]:
        n = scene.run.n
        found = {name: _unknown(n, name, first) for name, first in scene.pictures.items()}
        names = [name for name, each in found.items() if each is None]
        answer = self._imported(scene, names) if names else {}
        other = _bound_elsewhere(scene.cell, modules)
        differing: dict[str, frozenset[str]] = {}
        if not isinstance(answer, str):
            differing = {
                name: _unlike(scene.pictures[name], fresh, other) for name, fresh in answer.items() if name in names
            }
        again = self._imported(scene, names, in_shell=True) if any(differing.values()) else {}
        for name in names:
            if isinstance(answer, str) or isinstance(again, str):
                reason = answer if isinstance(answer, str) else str(again)
                found[name] = FirstImport(n, unknown=reason)
            elif name not in answer:
                found[name] = FirstImport(n, unknown=_FAILED)
            else:
                # What is another with each import, or in a shell, is no doing of the cell's.
                steady = {key for key in differing[name] if _same(answer[name], again.get(name), key)}
                found[name] = FirstImport(n, frozenset(key.partition(".")[0].removesuffix("()") for key in steady))
        return {name: each for name, each in found.items() if each is not None}

    def _imported(self, scene: _Scene, names: Collection[str], *, in_shell: bool = False) -> dict[str, Any] | str:
        """What modules hold in another process, with or without a shell in it, or why that cannot be said."""
        left = scene.end - self._clock()
        if left <= 0:
            return _NO_TIME
        statements = () if scene.cell is None else scene.cell.imports(scene.own)
        order = {"directory": str(Path.cwd()), "imports": statements, "modules": list(names), "shell": in_shell}
        with tempfile.TemporaryDirectory(prefix="elastictm-") as text:
            folder = Path(text)
            (folder / importing.ORDER).write_text(json.dumps(order), encoding="utf-8")
            try:
                ended = run_module(importing.__name__, folder, text, left)
                answer = json.loads((folder / importing.ANSWER).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                return _FAILED if self._clock() < scene.end else _NO_TIME
        if ended.status is None:
            return _NO_TIME
        return _FORBIDDEN if answer["forbade"] else dict(answer["modules"])


def told(found: Mapping[str, FirstImport]) -> tuple[str, ...]:
    """A line for each module of which it is not known what its cell did to it."""
    return tuple(
        f"not tried out, {each.unknown}, whether cell {each.n} changed the module {name}, which it both imports and "
        "uses: what a cell of its own imports is followed from there"
        for name, each in found.items()
        if each.unknown
    )


def _unknown(n: RunNumber, name: str, first: Picture) -> FirstImport | None:
    """What is known without an import: that it would not tell."""
    if first.digests is None:
        return FirstImport(n, unknown=_NO_TIME)
    try:
        same = first.source is None or Path(str(sys.modules[name].__file__)).read_bytes() == first.source
    except OSError:
        same = False
    return None if same else FirstImport(n, unknown=_EDITED)


def _bound_elsewhere(cell: ImportCell | None, modules: OwnModules) -> frozenset[str]:
    """The names that the cell, or a function of an own module, may have bound to something else."""
    found = frozenset() if cell is None else bound_elsewhere(cell.tree)
    for name in modules.names():
        module = ImportCell.of((modules.source(name) or b"").decode("utf-8", "replace"))
        found |= frozenset() if module is None else bound_elsewhere(module.tree)
    return found


def _unlike(first: Picture, fresh: Mapping[str, Any], other: Collection[str]) -> frozenset[str]:
    """The keys of a picture that another import gives otherwise."""
    digests, bound = fresh["digests"], fresh["bound"]
    found = {
        key
        for key, digest in (first.digests or {}).items()
        if digest is not None and digests.get(key) is not None and digest != digests[key]
    }
    found |= {key for key in (first.digests or {}).keys() - digests.keys() if key.endswith("()")}
    here = importing.told(first.bound)
    # What nobody binds anew is another for another reason: the process, perhaps, or the folder.
    found |= {
        key for key in here.keys() | bound.keys() if here.get(key) != bound.get(key) and key.rpartition(".")[2] in other
    }
    return frozenset(found)


def _same(one: Mapping[str, Any], two: Mapping[str, Any] | None, key: str) -> bool:
    return two is not None and all(one[part].get(key) == two[part].get(key) for part in ("digests", "bound"))
