"""What a session changed inside modules: a restored session imports them anew, without it."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from elastictm.ids import Name, Version
from elastictm.model.records import CellRun
from elastictm.storage import manifest as m

if TYPE_CHECKING:
    from elastictm.model.history import HistoryView
    from elastictm.session.ambient import OwnModules
    from elastictm.session.first_imports import FirstImport

_CHANGED: Final = "changed what no variable holds: "
_MOST_NAMES: Final = 8


@dataclass(frozen=True, slots=True)
class Alteration:
    """A module whose inside the session changed.

    ``names`` are those whose values an import does not give, as far as that is known; ``cells`` changed it; the values
    of ``variables`` are the module, or come from it.
    """

    module: str
    names: tuple[str, ...]
    cells: tuple[int, ...]
    variables: tuple[str, ...]

    def told(self) -> str:
        """A line of the report."""
        names = ", ".join(self.names[:_MOST_NAMES]) + (", ..." if len(self.names) > _MOST_NAMES else "")
        cells = f" by cell {', '.join(map(str, self.cells))}" if self.cells else ""
        return (
            f"LOST: what the session changed inside the module {self.module} ({names or 'names not known'}){cells}: "
            "a restored session imports it anew; run those cells again there"
        )

    def to_manifest(self) -> m.AlteredModule:
        """The form in an archive."""
        return m.AlteredModule(self.module, self.names, self.cells, self.variables)

    @classmethod
    def of(cls, record: m.AlteredModule) -> Alteration:
        """What an archive says."""
        return cls(record.name, record.changed, record.cells, record.variables)


def hollow_versions(history: HistoryView, altered: tuple[Alteration, ...]) -> dict[Version, str]:
    """The live versions of variables that hold an altered module, each with the module's name."""
    live = history.live
    return {
        live[Name(name)].version: alteration.module
        for alteration in altered
        for name in alteration.variables
        if name in live
    }


def alterations(
    history: HistoryView, values: Mapping[Name, Any], modules: OwnModules, imports: Mapping[str, FirstImport]
) -> tuple[Alteration, ...]:
    """What was changed inside each own module that is loaded, and which attributes of libraries were bound anew.

    ``imports`` are the own modules that their cells used at once.
    """
    found: list[Alteration] = []
    for name in modules.names():
        module = sys.modules[name]
        at_once = imports.get(name)
        changed = modules.altered(name) | set(_against_source(module, modules.source(name)))
        by = set(_changing_cells(history.runs, name, values))
        if at_once is not None and at_once.names:
            changed |= at_once.names
            by.add(int(at_once.n))
        names = tuple(sorted(changed - set(_submodules(module))))
        cells = tuple(sorted(by))
        if names or (cells and modules.is_unclear(name)):
            variables = tuple(sorted(key for key, value in values.items() if _comes_from(value, module)))
            found.append(Alteration(name, names, cells, variables))
    patched = modules.patches.altered({run.n for run in history.runs})
    # What comes from a library is mostly as without these attributes, so cells that use it may run again.
    found += [Alteration(module, names, by_cells, ()) for module, (names, by_cells) in sorted(patched.items())]
    return tuple(found)


def _changing_cells(runs: Iterable[CellRun], name: str, values: Mapping[Name, Any]) -> Iterator[int]:
    whole = {key for key, value in values.items() if type(value) is ModuleType and value.__name__ == name}
    bound: set[str] = set()
    for run in runs:
        written = {record.name for record in run.writes} & whole
        if written & bound or any(
            name in note.removeprefix(_CHANGED).split(", ") for note in run.notes if note.startswith(_CHANGED)
        ):
            yield int(run.n)
        bound |= written


def _comes_from(value: Any, module: ModuleType) -> bool:
    if value is module:
        return True
    kind = type(value)
    return (kind is FunctionType or issubclass(kind, type)) and value.__module__ == module.__name__


def _submodules(module: ModuleType) -> Iterator[str]:
    """Names that importing a part of a package gives it."""
    for name, value in vars(module).items():
        if isinstance(value, ModuleType) and value.__name__ == f"{module.__name__}.{name}":
            yield name


def _against_source(module: ModuleType, text: bytes | None) -> Iterator[str]:
    """The names that the source binds once, to a constant, and that have another value now."""
    try:
        tree = ast.parse(Path(str(module.__file__)).read_bytes() if text is None else text)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    names = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    stores = Counter(node.id for node in names if not isinstance(node.ctx, ast.Load))
    now = vars(module)
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            targets = {target.id for target in statement.targets if isinstance(target, ast.Name)}
            for name in targets & now.keys():
                if stores[name] == 1 and not _same(statement.value.value, now[name]):
                    yield name


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and repr(one) == repr(other)
