"""How far a run is: a bar on a terminal, lines elsewhere, and what its cells show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from elastictm_cli import output

from elastictm.model.fitting import elided

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from elastictm_cli.resuming import CodeCell


_WIDTH: Final = 48


class Meter:
    """Shows on standard error which of some cells runs.

    With ``lines`` it is one line a cell where there is no terminal for a ``bar``; without both, or ``quiet``, nothing.
    """

    def __init__(self, cells: int, *, bar: bool, lines: bool, quiet: bool) -> None:
        from rich import progress  # noqa: PLC0415 - not for --help

        console = output.messages_console()
        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
        )
        self._cells = cells
        self._begun = 0
        self._bars = bar and not quiet and console.is_terminal
        self._lines = lines and not quiet and not console.is_terminal
        self._progress = progress.Progress(*columns, console=console, transient=True, disable=not self._bars)
        self._task: Any = None

    def __enter__(self) -> Self:
        self._progress.__enter__()
        self._task = self._progress.add_task("starting the kernel", total=self._cells)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.__exit__(kind, error, trace)

    def starting(self, cell: CodeCell) -> None:
        """A cell is about to run."""
        first = cell.source.strip().splitlines()[0][:40]
        self._begun += 1
        self._progress.update(self._task, completed=self._begun - 1)
        self.stage(f"cell {self._begun}: {first}")

    def stage(self, what: str) -> None:
        """Something begins that may take long."""
        self._progress.update(self._task, description=elided(what, _WIDTH).replace("[", r"\["))
        if self._lines:
            output.message(f"{what} ({self._begun} of {self._cells})")

    def log(self, text: str) -> None:
        """A cell shows something."""
        if self._bars:
            self._progress.console.print(text, end="", markup=False, highlight=False)
        else:
            output.piece(text)
