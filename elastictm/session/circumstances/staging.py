"""The settings that cell runs found, brought about again before each of them runs at the target, and at the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from elastictm.ids import RunNumber
from elastictm.model.records import CellRun, Refusal, SettingsVersion
from elastictm.model.settings_report import SettingsReport
from elastictm.session.circumstances.circumstances import Circumstances, thawed
from elastictm.session.circumstances.process import IMPORT_PATH, WORKING_DIRECTORY, absent_entries
from elastictm.values.thaw import Thawer


class Staging:
    """Walks through a history once, with the settings as they were.

    ``known`` are the settings at the end, ``reports`` tell what became of them.
    """

    def __init__(self, runs: Sequence[CellRun], circumstances: Circumstances, thawer: Thawer) -> None:
        self._runs = deque(runs)
        self._circumstances = circumstances
        self._thawer = thawer
        self._versions: dict[str, SettingsVersion] = {}
        self._thawed: dict[int, Mapping[str, Any] | Refusal] = {}
        self.known: dict[str, Mapping[str, Any]] = {}
        self.reports: tuple[SettingsReport, ...] = ()

    def before(self, n: RunNumber) -> None:
        """Bring about what cell run ``n`` found; where it runs is somebody else's matter."""
        while self._runs and self._runs[0].n < n:
            self._advance()
        self._circumstances.apply(self._settings(), but={WORKING_DIRECTORY})

    def finish(self) -> None:
        """Bring about what the session was left with."""
        while self._runs:
            self._advance()
        self.known = self._settings()
        failed = self._circumstances.apply(self.known)
        # Where the session began is another folder here.
        unlike = self._circumstances.unlike(self.known, but={WORKING_DIRECTORY})
        failed = unlike | {name: told for name, told in failed.items() if told}
        self.reports = tuple(self._report(version, failed) for version in self._versions.values())

    def _advance(self) -> None:
        self._versions.update({version.library: version for version in self._runs.popleft().settings})

    def _settings(self) -> dict[str, Mapping[str, Any]]:
        found = {name: self._of(version) for name, version in self._versions.items()}
        return {name: settings for name, settings in found.items() if settings and not isinstance(settings, Refusal)}

    def _of(self, version: SettingsVersion) -> Mapping[str, Any] | Refusal:
        if id(version) not in self._thawed:
            self._thawed[id(version)] = thawed(version, self._thawer)
        return self._thawed[id(version)]

    def _report(self, version: SettingsVersion, failed: Mapping[str, Sequence[str]]) -> SettingsReport:
        name, settings = version.library, self._of(version)
        lost = [f"settings of {name}: {key} was not stored: {why}" for key, why in version.refused.items()]
        lost += [f"settings of {name}: {why}" for why in failed.get(name, ())]
        if isinstance(settings, Refusal):
            return SettingsReport(name, {}, (f"settings of {name} did not come back: {settings.reason}", *lost))
        notes = absent_entries(settings) if name == IMPORT_PATH else ()
        return SettingsReport(name, version.shown, tuple(lost), tuple(notes))
