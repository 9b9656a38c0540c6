"""A restored session in this process: IPython's prompt, one piece of code, or only the plan."""

from __future__ import annotations

import sys
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer
from elastictm_cli import output
from elastictm_cli.consent import check_trusted
from elastictm_cli.losses import check_losses
from IPython.core.interactiveshell import InteractiveShell
from IPython.terminal.interactiveshell import TerminalInteractiveShell
from IPython.terminal.ipapp import TerminalIPythonApp
from traitlets.config import Config

from elastictm.extension import ElasticTM, find, load
from elastictm.model.progress import SILENT

if TYPE_CHECKING:
    from elastictm_cli.options import Permissions

    from elastictm.session.session import Session


class _Shell(TerminalInteractiveShell):  # type: ignore[misc]
    """A shell that shows what goes wrong as a message, and not among results."""

    def _showtraceback(self, etype: type, evalue: BaseException, stb: Any) -> None:  # noqa: ARG002 - IPython's protocol
        if not isinstance(evalue, SystemExit):
            output.message(self.InteractiveTB.stb2text(stb))


def show_plan(archive: str, permissions: Permissions, *, json: bool) -> None:
    """Show what a restore would do here; none of the archive's code runs."""
    config = Config()
    config.HistoryManager.enabled = False
    report = _session(InteractiveShell(config=config)).plan_restore(
        archive, allow_effects=permissions.effects, any_version=permissions.versions
    )
    if json:
        output.json_result(report.to_json())
    else:
        output.shown_result(report)


def restore_here(archive: str, code: str | None, permissions: Permissions, *, json: bool, quiet: bool) -> None:
    """Restore, then run code or open IPython's prompt; with JSON wanted and no code, neither.

    Raises:
        ArchiveError: the archive cannot be used, or nobody said that its code may run.
        RestoreFailed: it stopped half way.
        RestoredWithLosses: variables did not come back, and that was not allowed.
    """
    trusted = check_trusted(archive, trust=permissions.trust)
    app = _app(scripted=code is not None)
    session = _session(app.shell)
    with output.working("restoring", f"nothing was restored; {archive} is as it was", quiet=quiet) as told_of:
        session.progress = told_of
        report = session.restore(
            archive,
            trust=lambda manifest: manifest == trusted,
            allow_effects=permissions.effects,
            any_version=permissions.versions,
            tell=None if json or quiet else _tell_differences,
        )
        session.progress = SILENT
    if json:
        output.json_result(report.to_json())
    elif not quiet:
        # What differs was told before.
        output.shown_message(replace(report, differences=()))
    if code is not None:
        _run(app.shell, code)
    elif not json:
        app.start()
    check_losses(report.to_json(), allowed=permissions.losses, shown=not (json or quiet))


def _tell_differences(differences: tuple[str, ...]) -> None:
    for difference in differences:
        output.message(f"differs: {difference}")


def _app(*, scripted: bool) -> Any:
    """IPython as the user has set it up, with a shell that records."""
    config = Config()
    config.TerminalIPythonApp.display_banner = False
    if scripted:
        config.TerminalIPythonApp.interactive_shell_class = _Shell
        config.HistoryManager.enabled = False
        if not sys.stderr.isatty():
            config.InteractiveShell.colors = "nocolor"
    if not sys.stdin.isatty():
        # Lines that come from a file end without a question that nobody can answer.
        config.TerminalInteractiveShell.confirm_exit = False
    app = TerminalIPythonApp.instance(config=config)
    # Where every session is recorded, what an earlier one left is no matter here.
    app.interact = False
    app.initialize([])
    app.interact = True
    return app


def _session(shell: InteractiveShell) -> Session:
    # Not by its name, which would have it tell of earlier sessions.
    load(shell)
    shell.extension_manager.loaded.add("elastictm")
    settings = find(shell)
    assert isinstance(settings, ElasticTM)  # noqa: S101 - the extension was loaded in the line above
    return settings.session


def _run(shell: InteractiveShell, code: str) -> None:
    """Run code as IPython's own ``-c`` does; where it fails, exit with its status."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="To exit: use")
        result = shell.run_cell(code, store_history=True)
    sys.stdout.flush()
    error = result.error_before_exec or result.error_in_exec
    if isinstance(error, SystemExit):
        status = error.code
        if status is not None and not isinstance(status, int):
            output.message(str(status))
            status = 1
        if status:
            raise typer.Exit(status)
    elif error is not None:
        raise typer.Exit(1)
