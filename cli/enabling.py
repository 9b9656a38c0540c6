"""``elastictm enable`` and ``disable``: every session is recorded from now on, or none by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from elastictm_cli import output
from elastictm_cli.options import Quiet

from elastictm.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def enable(
    *,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="The IPython profile; default if not given.", show_default=False)
    ] = None,
    kernelspec: Annotated[
        bool,
        typer.Option("--kernelspec", help="Install a kernel, Python 3 (elastictm), and leave profiles alone."),
    ] = False,
    user: Annotated[bool, typer.Option("--user", help="Install the kernel for the user, for all servers.")] = False,
    sys_prefix: Annotated[
        bool, typer.Option("--sys-prefix", help="Install the kernel in this Python's environment alone.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Record every session of IPython and of its kernels from now on, with no typing."""
    from elastictm_cli import homes  # noqa: PLC0415 - not for --help

    if kernelspec and profile is not None:
        raise UsageError("--kernelspec installs a kernel whatever the profile: give it without --profile")
    if (user or sys_prefix) and not kernelspec:
        raise UsageError("--user and --sys-prefix say where a kernel goes: they need --kernelspec")
    if user and sys_prefix:
        raise UsageError("--user and --sys-prefix exclude each other")
    if kernelspec:
        place, new = homes.enable_kernel(user=user or not (sys_prefix or homes.in_environment()))
        done = "the kernel Python 3 (elastictm) is there from now on, and records every session"
    else:
        name = profile or "default"
        place, new = homes.enable_profile(name)
        done = f"every session of the profile {name} is recorded from its next start on"
    if not quiet:
        output.message(f"{done}: {place}" if new else f"enabled already: {place}")
        if new:
            output.message("elastictm disable takes that back; what is recorded stays, and elastictm sessions lists it")


def disable(
    *,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this IPython profile.", show_default=False)
    ] = None,
    kernelspec: Annotated[bool, typer.Option("--kernelspec", help="Only the kernel.")] = False,
    quiet: Quiet = False,
) -> None:
    """Take back what enable did, in all profiles and for the kernel; files of others stay as they are."""
    from elastictm_cli import homes  # noqa: PLC0415 - not for --help

    if kernelspec and profile is not None:
        raise UsageError("--profile and --kernelspec exclude each other; without both, everything is disabled")
    gone: list[Path] = []
    if not kernelspec:
        gone += homes.disable_profiles(profile)
    if profile is None:
        gone += homes.disable_kernels()
    if not quiet:
        for place in gone:
            output.message(f"removed {place}")
        if not gone:
            output.message("nothing was enabled" + (f" in the profile {profile}" if profile else ""))
