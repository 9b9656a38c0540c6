"""What runs have of the user's own modules: the sources where they lack the files, and what cells changed inside."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from elastictm.ids import Name
from elastictm.session.futures.order import Attribute
from elastictm.values.kinds import ATOMS
from elastictm.values.modules import class_attributes, data, origin

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from elastictm.model.records import Refusal
    from elastictm.session.alterations import Alteration
    from elastictm.session.first_imports import FirstImports
    from elastictm.session.recorder import Recorder
    from elastictm.storage import manifest as m
    from elastictm.storage.crate import CrateWriter

_MISSING: Final[Any] = object()

_HOLDERS: Final = (list, tuple, set)
_FEW: Final = 10_000
"""Items of a container that are looked at."""

_SECONDS: Final = 2.0
"""How long somebody waits, once for each module, until it is known what the cell that imported it did to it."""


@dataclass(frozen=True, slots=True)
class OwnModulesThere:
    """Own modules as a run has them; it imports them anew.

    ``values`` are those of attributes, by the names that they have on the way, and ``attributes`` are what to do with
    them there; ``notes`` tell what is not as it is here.
    """

    values: Mapping[Name, Any]
    attributes: tuple[Attribute, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(
        cls, recorder: Recorder, variables: Mapping[Name, Any], reads: Iterable[Name], imports: FirstImports
    ) -> OwnModulesThere:
        """Find what a run that reads some variables needs besides them.

        That is what cells changed inside modules, those of libraries too, and what own modules have in common with the
        variables; which files were edited since is told.
        """
        from elastictm.session.alterations import alterations  # noqa: PLC0415 - few sessions have modules of their own
        from elastictm.session.editions import Editions  # noqa: PLC0415 - likewise
        from elastictm.session.first_imports import told  # noqa: PLC0415 - likewise

        history, modules = recorder.history, recorder.modules
        values: dict[Name, Any] = {}
        attributes: list[Attribute] = []
        at_once = imports.looked_at(history, modules, _SECONDS)
        notes = [f"in a run, {note.partition(': it')[0]}" for note in Editions.of(history.runs, modules).notes]
        notes += told(at_once)
        for altered in alterations(history, variables, modules, at_once):
            if not altered.names:
                notes.append(f"what was changed inside {altered.module} is not known by name: a run has it as imported")
            for path in dict.fromkeys(_paths(altered, modules.altered_parts(altered.module))):
                key, value = Name(f"{altered.module}: {path}"), _value(altered.module, path)
                if path.endswith("()"):
                    notes.append(f"what was changed inside {altered.module}.{path} is not there in a run")
                    continue
                if value is not _MISSING:
                    values[key] = value
                attributes.append(Attribute(altered.module, path, there=value is not _MISSING, key=key))
        for module, name, value in _common(modules.names(), _objects(variables[name] for name in reads)):
            if (key := Name(f"{module}: {name}")) not in values:
                values[key] = value
                attributes.append(Attribute(module, name, there=True, key=key))
        return cls(values, tuple(attributes), tuple(notes))

    def without(self, refused: Mapping[Name, Refusal]) -> OwnModulesThere:
        """The same without what cannot be copied, which is told."""
        lost = [each for each in self.attributes if each.key in refused]
        told = (
            f"{a.module}.{a.name} cannot be copied: a run has it as imported ({refused[Name(a.key)].reason})"
            for a in lost
        )
        return OwnModulesThere(
            {key: value for key, value in self.values.items() if key not in refused},
            tuple(each for each in self.attributes if each not in lost),
            (*self.notes, *told),
        )


def sources(recorder: Recorder, source: str, crate: CrateWriter) -> tuple[m.OwnModule, ...]:
    """The own modules that are loaded, or that a cell imports, put into a crate."""
    from elastictm.session.baggage import pack  # noqa: PLC0415 - few sessions have modules of their own
    from elastictm.session.editions import Editions  # noqa: PLC0415 - likewise

    editions = Editions.of(recorder.history.runs, recorder.modules)
    return pack(recorder.modules.names(), [source], editions.texts).put(crate.put)


def brought_about(attributes: Iterable[Attribute], values: Mapping[str, Any]) -> Iterator[str]:
    """In a run: have modules as cells left them; yields a line for each attribute that could not be set."""
    for each in attributes:
        try:
            __import__(each.module)
            holder, name = _holder(each.module, each.name)
            if each.there:
                setattr(holder, name, values[each.key])
            else:
                with suppress(AttributeError):
                    delattr(holder, name)
        except Exception as error:  # noqa: BLE001 - a module may raise anything; it is told
            yield f"{each.module}.{each.name} is as imported: {type(error).__name__}: {error}"


def _paths(altered: Alteration, parts: Collection[str]) -> Iterator[str]:
    """The attributes of a module to bring, those of classes too; with parentheses what a function keeps inside."""
    for name in altered.names:
        inside = [part for part in parts if part.startswith((f"{name}.", f"{name}("))]
        value = vars(sys.modules.get(altered.module) or object).get(name)
        if name not in parts and not inside and origin(value) == altered.module and _is_definition(value):
            inside = [f"{name}()"]  # it is there under its name, so what changed is inside
        if name in parts or not inside:
            yield name
            continue
        for part in inside:
            if part.endswith("()") and isinstance(value, type):
                yield from (f"{name}.{attribute}" for attribute in class_attributes(value))
            else:
                yield part


def _objects(values: Iterable[Any]) -> frozenset[int]:
    """The identities of those that can change in place, and are no function, class or module."""
    plain = ATOMS | {FunctionType, ModuleType}
    return frozenset(id(value) for value in values if type(value) not in plain and not isinstance(value, type))


def _common(modules: Iterable[str], objects: Collection[int]) -> Iterator[tuple[str, str, Any]]:
    """What own modules hold that variables are as well, or that has such an object in it."""
    for module in modules:
        for name, value in data(sys.modules[module]).items():
            if name.endswith("()"):
                continue
            held = value.values() if type(value) is dict else value if type(value) in _HOLDERS else ()
            if id(value) in objects or (len(held) <= _FEW and any(id(item) in objects for item in held)):
                yield module, name, value


def _is_definition(value: Any) -> bool:
    return isinstance(value, type) or type(value) is FunctionType


def _holder(module: str, path: str) -> tuple[Any, str]:
    """What has an attribute: the module, or a class in it; and the last part of the attribute's name."""
    holder: Any = sys.modules[module]
    *classes, name = path.split(".")
    for each in classes:
        holder = getattr(holder, each)
    return holder, name


def _value(module: str, path: str) -> Any:
    try:
        holder, name = _holder(module, path)
    except (KeyError, AttributeError):
        return _MISSING
    return vars(holder).get(name, _MISSING)
