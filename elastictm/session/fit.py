"""How an archive fits the environment here: what differs, and what cannot be loaded or run for it."""

from __future__ import annotations

import importlib.util
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

from elastictm.ids import Name, RunNumber, is_variable
from elastictm.model.imports import needed
from elastictm.model.records import Refusal
from elastictm.model.versions import is_other_major, is_other_minor
from elastictm.session.environment import installed, machine
from elastictm.session.saved import Saved
from elastictm.storage import manifest as m

_MOST_NAMED: Final = 8

_COUNTING: Final = frozenset({"attrs", "pillow", "pyarrow"})
"""Packages that count every release in their first number, and read what earlier ones wrote."""

_BY_THE_MINOR: Final = frozenset(
    {
        "scikit-learn",  # an estimator of another version "might lead to breaking code or invalid results": it warns
        "matplotlib",  # a figure remembers its version, and warns under any other one
        "xgboost",  # promises it of saved models, and not of pickled ones
    }
)
"""Packages that do not promise that their objects load in another minor version."""


@dataclass(frozen=True, slots=True)
class Library:
    """A library that an archive uses: the version there, and the one here, None where there is none."""

    module: str
    distribution: str
    there: str
    here: str | None

    @property
    def is_other(self) -> bool:
        """Whether the version here may read objects otherwise."""
        return bool(self.apart)

    @property
    def apart(self) -> str:
        """What the version here is, where it may read objects otherwise, for people; else nothing."""
        name = self.distribution.lower()
        if self.here is None or name in _COUNTING:
            return ""
        if is_other_major(self.there, self.here):
            return "another major version"
        if name in _BY_THE_MINOR and is_other_minor(self.there, self.here):
            return "another minor version, and it does not promise to load objects of others"
        return ""

    def told(self) -> str:
        """The difference, for people."""
        name = f"{self.distribution} {self.there}".rstrip()
        return f"{name} there, {'not installed' if self.here is None else self.here} here"

    def refusal(self) -> str:
        """Why what needs it is not loaded, for people."""
        name = f"{self.distribution} {self.there}".rstrip()
        if self.here is None:
            return f"needs {name}, which is not installed here"
        return f"was saved with {name}, and here is {self.here}, {self.apart}"


@dataclass(frozen=True, slots=True)
class Fit:
    """What is known of a restore before any attempt at it.

    ``units`` cannot be loaded and ``cells`` cannot run here, each with its reason.
    ``differences`` between the environment there and here, those that matter first, a line each.
    """

    units: Mapping[int, Refusal] = field(default_factory=dict)
    cells: Mapping[RunNumber, str] = field(default_factory=dict)
    differences: tuple[str, ...] = ()

    @classmethod
    def of(cls, saved: Saved, *, any_version: bool = False) -> Fit:
        """Compare an archive with what is here; ``any_version`` loads what another version wrote."""
        with _import_path_of(saved.manifest.environment):
            return cls._of(saved, any_version=any_version)

    @classmethod
    def _of(cls, saved: Saved, *, any_version: bool) -> Fit:
        there = saved.manifest.environment
        used = there.libraries or {}
        libraries = {name: _library(name, distribution, there) for name, distribution in used.items()}
        missing = {name: library for name, library in libraries.items() if library.here is None}
        other = {name: library for name, library in libraries.items() if library.is_other}
        units = _touched(saved.manifest, missing, {} if any_version else other)
        noted = units if not any_version else _touched(saved.manifest, missing, other)
        return cls(
            {i: Refusal(", ".join(saved.manifest.units[i].names), found.refusal()) for i, found in units.items()},
            _cells(saved, missing) if missing else {},
            (
                *_machine(there),
                *(_line(library, _names(saved.manifest, noted, library)) for library in missing.values()),
                *(_line(library, _names(saved.manifest, noted, library), any_version) for library in other.values()),
                *_small(there, {library.distribution: library for library in libraries.values()}),
            ),
        )


def additions(there: m.Environment) -> list[str]:
    """The folders that a session had added to its import path, as far as they are here and not on it."""
    return [entry for entry in there.import_path if entry not in sys.path and Path(entry).is_dir()]


@contextmanager
def _import_path_of(there: m.Environment) -> Iterator[None]:
    before = list(sys.path)
    sys.path += additions(there)
    try:
        yield
    finally:
        sys.path[:] = before


def _library(module: str, distribution: str, there: m.Environment) -> Library:
    here = installed(distribution)
    if here is None and _is_here(module):
        # Some libraries are distributed under several names.
        others = packages_distributions().get(module, ())
        here = next((found for other in others if (found := installed(other)) is not None), "")
    return Library(module, distribution, there.packages.get(distribution, ""), here)


def _is_here(module: str) -> bool:
    if module in sys.modules:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _touched(manifest: m.Manifest, missing: Mapping[str, Library], other: Mapping[str, Library]) -> dict[int, Library]:
    """The units that name a missing library, or hold objects of one in another version, definitions included."""
    if not missing and not other:
        return {}
    definitions = {definition.key: definition.unit for definition in manifest.definitions}
    found: dict[int, Library] = {}
    for index, unit in enumerate(manifest.units):
        parts = list(_with_definitions(unit, definitions))
        named = [name for part in parts for name in part.modules if name in missing]
        shaped = [name for part in parts for name in part.shaped if name in other]
        if named:
            found[index] = missing[named[0]]
        elif shaped:
            found[index] = other[shaped[0]]
    return found


def _with_definitions(unit: m.Unit, definitions: Mapping[int, m.Unit]) -> Iterator[m.Unit]:
    yield unit
    waiting, seen = list(unit.definitions), set(unit.definitions)
    while waiting:
        inner = definitions[waiting.pop()]
        yield inner
        waiting += [key for key in inner.definitions if key not in seen]
        seen.update(inner.definitions)


def _cells(saved: Saved, missing: Mapping[str, Library]) -> dict[RunNumber, str]:
    """The cells that ran to their end and import a missing library whatever happens."""
    found: dict[RunNumber, str] = {}
    for run in saved.history.runs:
        gone = sorted(needed(run.code or run.source) & missing.keys()) if run.status == "ok" else ()
        if gone:
            found[run.n] = f"it imports {gone[0]}, which is not installed here"
    return found


def _machine(there: m.Environment) -> Iterator[str]:
    if not there.python:
        yield "which Python, platform and libraries there were is not known"
        return
    if _minor(there.python) != _minor(platform.python_version()):
        yield f"Python {there.python} there, {platform.python_version()} here"
    if there.implementation != platform.python_implementation():
        yield f"{there.implementation} there, {platform.python_implementation()} here"
    if there.platform != machine():
        yield f"{there.platform} there, {machine()} here"


def _minor(python: str) -> list[str]:
    return python.split(".")[:2]


def _names(manifest: m.Manifest, touched: Mapping[int, Library], library: Library) -> list[str]:
    names = (Name(n) for index, found in touched.items() if found == library for n in manifest.units[index].names)
    return [name for name in names if is_variable(name)]


def _line(library: Library, names: list[str], any_version: bool | None = None) -> str:  # noqa: FBT001 - an option, or none
    text = library.told() if library.here is None else f"{library.told()}, {library.apart}"
    if not names:
        return text
    shown = _listed(names, ", ")
    if library.here is None:
        return f"{text}: without it these cannot be loaded: {shown}"
    if any_version:
        return f"{text}: loaded all the same: {shown}"
    return f"{text}: not loaded, unless --any-version (any_version=True) says so: {shown}"


def _small(there: m.Environment, used: Mapping[str, Library]) -> Iterator[str]:
    """What differs besides, in one line; all that matters too, where an archive does not say what it uses."""
    small: list[str] = []
    python = platform.python_version()
    if there.python != python and _minor(there.python) == _minor(python):
        small.append(f"Python {there.python} there, {python} here")
    for name, wanted in sorted(there.packages.items()):
        library = used.get(name) or Library(name, name, wanted, installed(name))
        matters = library.here is None or library.is_other
        if library.here == wanted or (matters and name in used):
            continue
        if matters and there.libraries is None:
            yield library.told()
        else:
            small.append(library.told())
    if small:
        yield f"less important: {_listed(small, '; ')}"


def _listed(items: list[str], between: str) -> str:
    more = len(items) - _MOST_NAMED
    return between.join(items[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
