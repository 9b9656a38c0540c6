"""The settings around a session: what cells changed of them is recorded, and brought back before they run again."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from elastictm.ids import Name
from elastictm.model.records import Refusal, SettingsVersion
from elastictm.session.circumstances.circumstance import Circumstance
from elastictm.values.freeze import Freezer
from elastictm.values.thaw import Frost, Thawer

Settings = Mapping[str, Mapping[str, Any]]
"""The settings that are not as in a fresh process, of each library that has any."""

_NO_BUFFERS: Final = "it holds arrays, which settings have no place for"


class Circumstances:
    """The settings of all libraries that are loaded, and of the process.

    Responsibilities:
    - tell which of them changed since the last look, in a form that a history can keep;
    - bring settings about, and tell what could not be;
    - let no error of a library's out.
    """

    def __init__(self, members: Sequence[Circumstance], failures: Sequence[str] = ()) -> None:
        self._members = {member.name: member for member in members}
        self._last: dict[str, Mapping[str, Any]] = {}
        self.failures = list(failures)

    def anew(self) -> Circumstances:
        """The same for one who has not looked yet."""
        return Circumstances(list(self._members.values()))

    def now(self) -> Settings:
        """All settings that are not as in a fresh process."""
        found = {name: self._look(member) for name, member in self._members.items() if _is_loaded(member)}
        return {name: settings for name, settings in found.items() if settings}

    def changed(self, freezer: Freezer, *, remember: bool = True) -> tuple[SettingsVersion, ...]:
        """The settings of each library that changed since the last call that remembered."""
        found: list[SettingsVersion] = []
        for name, member in self._members.items():
            if not _is_loaded(member):
                continue
            now, last = self._look(member), self._last.get(name, {})
            if not _same(now, last):
                found.append(self._version(member, now, freezer))
                if remember:
                    self._last[name] = now
        return tuple(found)

    @contextmanager
    def unmoved(self) -> Iterator[None]:
        """What this program does meanwhile, such as importing a library of its own, is no change by the session."""
        still = [name for name, member in self._members.items() if _same(self._seen(member), self._last.get(name, {}))]
        yield
        self._last.update((name, self._seen(self._members[name])) for name in still)

    def adopt(self, known: Settings) -> None:
        """Take these settings for those at the last call of ``changed``."""
        self._last = dict(known)

    def apply(self, wanted: Settings, but: Container[str] = ()) -> Mapping[str, Sequence[str]]:
        """Let these settings, and no others, be unlike those of a fresh process; tells of each what could not be done.

        The libraries in ``but`` stay as they are.
        """
        failed: dict[str, Sequence[str]] = {}
        for name in [*self._members, *(name for name in wanted if name not in self._members)]:
            if name in but:
                continue
            settings, member = wanted.get(name, {}), self._members.get(name)
            if member is None:
                failed[name] = ("nothing here knows how to bring them back",)
                continue
            try:
                if settings and not _is_loaded(member):
                    importlib.import_module(member.module)
                if _is_loaded(member) and not _same(self._look(member), settings):
                    failed[name] = member.apply(settings)
            except Exception as error:  # noqa: BLE001 - a library may raise anything; the settings stay, and it is told
                failed[name] = (f"they did not come back: {type(error).__name__}: {error}",)
        return failed

    def unlike(self, wanted: Settings, but: Container[str] = ()) -> dict[str, Sequence[str]]:
        """What is not as wanted in spite of ``apply``, of each library that is not in ``but``.

        What is as in a fresh process is not judged, and neither are lists: some of what is wanted may be in such a
        process already.
        """
        now, found = self.now(), dict[str, Sequence[str]]()
        for name, settings in wanted.items():
            here = {} if name in but else now.get(name, {})
            judged = {key: value for key, value in settings.items() if key in here and type(value) is not list}
            other = [key for key, value in judged.items() if not _same({key: here[key]}, {key: value})]
            if other:
                found[name] = [f"{key} is not what it was" for key in other]
        return found

    def _seen(self, member: Circumstance) -> Mapping[str, Any]:
        return self._look(member) if _is_loaded(member) else {}

    def _look(self, member: Circumstance) -> Mapping[str, Any]:
        try:
            return member.look()
        except Exception as error:  # noqa: BLE001 - a library may raise anything; its settings count as unchanged
            message = f"settings of {member.name} cannot be seen: {type(error).__name__}: {error}"
            if message not in self.failures:
                self.failures.append(message)
            return self._last.get(member.name, {})

    @staticmethod
    def _version(member: Circumstance, settings: Mapping[str, Any], freezer: Freezer) -> SettingsVersion:
        kept, refused = dict(settings), dict[str, str]()
        version = _frozen(member.name, kept, freezer)
        if isinstance(version, Refusal):
            for key, value in settings.items():
                alone = _frozen(member.name, {key: value}, freezer)
                if isinstance(alone, Refusal):
                    refused[key] = alone.reason
                    del kept[key]
            version = _frozen(member.name, kept, freezer)
        texts = {key: text for key, value in kept.items() if (text := member.show(key, value))}
        if isinstance(version, Refusal):
            return SettingsVersion(member.name, refused=dict.fromkeys(settings, version.reason))
        return replace(version, shown=texts, refused=refused)


def thawed(version: SettingsVersion, thawer: Thawer) -> Mapping[str, Any] | Refusal:
    """The settings that a history kept, or why they do not load here."""
    if not version.stream:
        return {}
    name = Name(version.library)
    outcome = thawer.group(Frost((name,), version.stream, (), (), version.definitions))
    if isinstance(outcome, Refusal):
        return outcome
    settings: Mapping[str, Any] = outcome[name]
    return settings


def _frozen(name: str, settings: dict[str, Any], freezer: Freezer) -> SettingsVersion | Refusal:
    if not settings:
        return SettingsVersion(name)
    group = freezer.group({Name(name): settings}, keep=True)
    if group.unit is None or group.refusals:
        return group.refusals[Name(name)]
    if group.unit.segments:
        return Refusal(name, _NO_BUFFERS)
    return SettingsVersion(name, group.unit.stream, group.unit.definitions, group.unit.sources)


def _is_loaded(member: Circumstance) -> bool:
    return not member.module or member.module in sys.modules


def _same(now: Mapping[str, Any], last: Mapping[str, Any]) -> bool:
    """Whether settings are the same; values of which nobody can tell are not."""
    try:
        return bool(now == last) and all(type(value) is type(last[key]) for key, value in now.items())
    except Exception:  # noqa: BLE001 - a setting's own comparison may raise anything; then it counts as changed
        return False
