"""The shells that there are: the one that runs, and new ones."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


def running_shell() -> InteractiveShell | None:
    """The shell that this process runs, or None."""
    if "IPython" not in sys.modules:
        return None
    return InteractiveShell._instance  # noqa: SLF001 - asking for the instance would make one


def is_attended(shell: InteractiveShell) -> bool:
    """Whether somebody may sit at the shell: programs that run notebooks say that nobody can be asked anything."""
    return bool(getattr(getattr(shell, "kernel", None), "_allow_stdin", True))


def fresh_shell() -> InteractiveShell:
    """A shell for a process that has none, without the user's profile and without a log of inputs."""
    config = Config()
    config.HistoryManager.enabled = False
    return InteractiveShell.instance(config=config)


def ignored_paths(shell: InteractiveShell) -> tuple[str, ...]:
    """Folders in which the shell and libraries keep files of their own, this one included."""
    home = os.path.expanduser("~")  # noqa: PTH111 - text is wanted
    own = str(Path(__file__).parents[2])
    folders = [own, shell.ipython_dir, f"{home}/.cache", f"{home}/.config/matplotlib", f"{home}/.local/share/jupyter"]
    return tuple(folder + os.sep for folder in folders if folder)
