"""The environment of a session, as a save records it."""

from __future__ import annotations

import functools
import os
import platform
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Final

from elastictm.session.hash_seed import hash_seed
from elastictm.storage.manifest import Environment

_REMEMBERED: Final = 1024
"""Distributions whose version is remembered: reading what one says of itself takes half a millisecond."""

_SIGNS: Final = (".dist-info", "egg-info", ".egg", ".egg-link")
"""How the names of what tells of a distribution end."""


@functools.cache
def program_version() -> str:
    """The version of elastictm that runs."""
    try:
        return version("elastictm")
    except PackageNotFoundError:
        return "unknown"


def machine() -> str:
    """Operating system and processor."""
    return f"{platform.system()}-{platform.machine()}"


def describe_environment(used: Iterable[str], home: Path, import_path: tuple[str, ...] = ()) -> Environment:
    """Python, platform, and the distributions of the modules that are loaded.

    Args:
        used: The top-level modules that variables and cells use; those of libraries are recorded as such.
        home: The folder that the session began in.
        import_path: The folders that the session added to its import path.
    """
    where = _places()
    by_module = _by_module(where)
    # Of a name that several distributions share nobody can say which of them is used.
    libraries = {module: by_module[module][0] for module in sorted(used) if len(by_module.get(module, ())) == 1}
    loaded = {name.partition(".")[0] for name in tuple(sys.modules)}
    names = {name for module in loaded for name in by_module.get(module, ())} | set(libraries.values())
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        platform=machine(),
        program=program_version(),
        packages={name: found for name in sorted(names) if (found := _installed(name, where)) is not None},
        directory=str(home),
        import_path=import_path,
        hash_seed=hash_seed(),
        libraries=libraries,
    )


def installed(distribution: str) -> str | None:
    """The version of a distribution that is installed here; None where it is not."""
    return _installed(distribution, _places())


def _places() -> tuple[object, ...]:
    """Where there are distributions, and what changes there when one is installed or removed."""
    entries = ((entry, _changed(entry)) for entry in sys.path)
    return (*map(id, sys.meta_path), *(known for known in entries if _has_distributions(*known)))


def _changed(folder: str) -> int:
    try:
        return os.stat(folder or ".").st_mtime_ns  # noqa: PTH116 - quick, and asked often
    except (OSError, ValueError):
        return 0


@functools.lru_cache(_REMEMBERED)
def _has_distributions(entry: str, _changed: int) -> bool:
    """Whether distributions lie in a folder, or may lie in what is no folder."""
    try:
        return any(name.lower().endswith(_SIGNS) for name in os.listdir(entry or "."))  # noqa: PTH208 - only names
    except OSError:
        return os.path.isfile(entry)  # noqa: PTH113 - as above


@functools.lru_cache(4)
def _by_module(_where: tuple[object, ...]) -> dict[str, list[str]]:
    """The distributions of each top-level module; all of them are read for that, which takes a while."""
    return {module: sorted(set(names)) for module, names in packages_distributions().items()}


@functools.lru_cache(_REMEMBERED)
def _installed(distribution: str, _where: tuple[object, ...]) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
