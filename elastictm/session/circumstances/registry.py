"""The settings that are followed: those known here, and those that packages announce through entry points."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from platformdirs import user_data_path

from elastictm.session.circumstances.circumstance import Circumstance
from elastictm.session.circumstances.interpreter import Interpreter
from elastictm.session.circumstances.learning import ScikitLearn, Torch
from elastictm.session.circumstances.numeric import Numpy
from elastictm.session.circumstances.plots import Matplotlib
from elastictm.session.circumstances.process import EnvironmentVariables, ImportPath, TimeZone, WorkingDirectory
from elastictm.session.circumstances.stdlib import DecimalContext, Locale, Loggers, WarningFilters
from elastictm.session.circumstances.tables import Pandas

GROUP: Final = "elastictm.settings"
"""The entry point group through which a package has its settings followed."""


def registered(of_imports: Container[str]) -> tuple[list[Circumstance], list[str]]:
    """All that is followed besides the shell, and why some that was announced is not.

    ``of_imports`` are the environment variables that libraries set while they are imported.
    """
    found: list[Circumstance] = [
        EnvironmentVariables(of_imports),
        TimeZone(),
        ImportPath(str(user_data_path("elastictm"))),
        WorkingDirectory(),
        Interpreter(),
        WarningFilters(),
        Loggers(),
        DecimalContext(),
        Locale(),
        Numpy(),
        Pandas(),
        Matplotlib(),
        ScikitLearn(),
        Torch(),
    ]
    failures: list[str] = []
    for entry in _announced():
        try:
            make: Callable[[], Circumstance] = entry.load()
            found.append(make())
        except Exception as error:  # noqa: BLE001 - another package's code may raise anything; the failure is told
            failures.append(f"settings of {entry.name} are not followed: {type(error).__name__}: {error}")
    return found, failures


def _announced() -> Iterable[EntryPoint]:
    return entry_points(group=GROUP)
