"""The environment of a session: what is recorded of it at a save, and what differs at a restore."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

from elastictm.session.hash_seed import hash_seed
from elastictm.storage.manifest import Environment


def program_version() -> str:
    """The version of elastictm that runs."""
    try:
        return version("elastictm")
    except PackageNotFoundError:
        return "unknown"


def describe_environment() -> Environment:
    """Python, platform, and the distributions of the modules that the session has loaded."""
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        platform=f"{platform.system()}-{platform.machine()}",
        program=program_version(),
        packages=_packages(),
        directory=str(Path.cwd()),
        hash_seed=hash_seed(),
    )


def differences(there: Environment) -> tuple[str, ...]:
    """What differs between the environment of an archive and this one, a line each."""
    found: list[str] = []
    if there.python != platform.python_version():
        found.append(f"Python {there.python} there, {platform.python_version()} here")
    if there.implementation != platform.python_implementation():
        found.append(f"{there.implementation} there, {platform.python_implementation()} here")
    here = f"{platform.system()}-{platform.machine()}"
    if there.platform != here:
        found.append(f"{there.platform} there, {here} here")
    for name, wanted in sorted(there.packages.items()):
        try:
            present = version(name)
        except PackageNotFoundError:
            found.append(f"{name} {wanted} there, not installed here")
            continue
        if present != wanted:
            found.append(f"{name} {wanted} there, {present} here")
    return tuple(found)


def _packages() -> dict[str, str]:
    by_module: Mapping[str, list[str]] = packages_distributions()
    loaded = {name.partition(".")[0] for name in tuple(sys.modules)}
    names = {distribution for module in loaded for distribution in by_module.get(module, ())}
    found: dict[str, str] = {}
    for name in sorted(names):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
