"""What becomes of settings that live in libraries and in the process, for people and programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from elastictm.model.records import SettingsVersion

_MOST_SHOWN: Final = 4


@dataclass(frozen=True, slots=True)
class SettingsReport:
    """The settings of one library: those that travel, by key, a sentence for each that does not, and remarks."""

    library: str
    settings: Mapping[str, str] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The report as a dict of plain values."""
        return {
            "library": self.library,
            "settings": dict(self.settings),
            "lost": list(self.lost),
            "notes": list(self.notes),
        }


def settings_reports(versions: Iterable[SettingsVersion]) -> tuple[SettingsReport, ...]:
    """What becomes of recorded settings when they are saved."""
    return tuple(
        SettingsReport(
            version.library,
            version.shown,
            tuple(f"settings of {version.library}: {key} is LOST: {why}" for key, why in version.refused.items()),
        )
        for version in versions
        if version.shown or version.refused
    )


def lost_lines(reports: Iterable[SettingsReport]) -> tuple[str, ...]:
    """A line for each setting that does not come back."""
    return tuple(line for report in reports for line in report.lost)


def kept_lines(reports: Iterable[SettingsReport]) -> tuple[str, ...]:
    """A line for each library whose settings come back, with the first few of them, and the remarks."""
    found: list[str] = []
    for report in reports:
        shown = [f"{key}: {text}" for key, text in report.settings.items()]
        more = f" and {len(shown) - _MOST_SHOWN} more" if len(shown) > _MOST_SHOWN else ""
        if shown:
            found.append(f"settings of {report.library}: {', '.join(shown[:_MOST_SHOWN])}{more}")
        found += report.notes
    return tuple(found)
