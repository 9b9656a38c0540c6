"""``%future`` and ``%%future``."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import line_cell_magic, magics_class

from elastictm.errors import UsageError
from elastictm.magics.boards import Boards
from elastictm.magics.words import Parser, SessionMagics, errors_shown, phrases, tell, words
from elastictm.session.session import Session

if TYPE_CHECKING:
    from elastictm.model.futures import FutureList
    from elastictm.session.futures.future import Future, Run
    from elastictm.session.futures.output import Event

FUTURE = """\
%%future [NAME]             run this cell aside, on copies of the variables that it reads; the prompt is back at once
%future                     list them: waiting, running, finished, failed, cancelled
%future out NAME [CASE]     play back what it put out; --follow watches while it runs
%future take NAME [VAR...]  bring its variables in; --as PREFIX under other names, --force over what was changed here
%future wait NAME           wait until it has ended; --for SECONDS at most
%future cancel NAME         end it, whatever it is doing
%future forget NAME         let go of one that has ended, and of what it made

Options of %%future:
  --each NAME=LIST          run the cell once for each value; what is taken are dicts from the values
  --after OTHER             wait for another future, and see the variables that it made
  --resources NAME=N        where it may run in a cluster, such as gpu=1

For example:
  %%future fit                above a cell that trains a model, and then
  %future take fit model score
How it works: docs/futures.md
"""

_LOOKS: Final = 0.1
"""Seconds between two looks at what a future puts out."""


@magics_class
class FutureMagics(SessionMagics):
    """``%future``, for one session."""

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        super().__init__(shell, session)
        self._boards = Boards(shell, self._table)
        shell.events.register("post_run_cell", self._tell_news)

    def _table(self) -> FutureList:
        return self._session.futures.table()

    def close(self) -> None:
        """Tell no more news."""
        self.shell.events.unregister("post_run_cell", self._tell_news)
        self._boards.close()

    def _tell_news(self, _: object = None) -> None:
        # In a notebook the board below the cell that began it tells that, and no other cell's output does.
        if self._session.has_futures and not self.is_notebook:
            for line in self._session.futures.news():
                tell(line)

    def _changed(self, future: Future, over: bool) -> None:  # noqa: FBT001 - as futures call it
        """A run of a future has begun or ended, in whatever thread."""
        self._boards.change()
        command = self._session.settings().notify
        if over and command:
            from elastictm.session.futures.notices import run_aside  # noqa: PLC0415 - few have such a command

            run_aside([*shlex.split(command), future.name, future.status])

    @line_cell_magic  # type: ignore[untyped-decorator]
    def future(self, line: str, cell: str | None = None) -> None:
        """Run a cell aside, or do something about those that do; see ``FUTURE``."""
        with errors_shown(), self._session.aside():
            if cell is not None:
                self._start(phrases(line), cell)
                return
            given = words(line)
            actions: dict[str, Callable[[list[str]], None]] = {
                "out": self._out,
                "take": self._take,
                "wait": self._wait,
                "cancel": self._cancel,
                "forget": self._forget,
            }
            if not given:
                self._boards.show("", lambda table: table)
            elif given[0] in actions:
                actions[given[0]](given[1:])
            else:
                raise UsageError(f"%future takes {', '.join(actions)} or nothing, not {given[0]!r}; %future? shows how")

    future.__doc__ = FUTURE

    def _start(self, words: list[str], cell: str) -> None:
        parser = Parser("%%future", add_help=False)
        parser.add_argument("name", nargs="?", default="")
        parser.add_argument("--each", action="append", default=[])
        parser.add_argument("--after", action="append", default=[])
        parser.add_argument("--resources", action="append", default=[])
        given = parser.parse_args(words)
        resources = dict(_amount(text) for text in given.resources)
        each = dict(map(_each, given.each))
        self._session.futures.on_change = self._changed
        future = self._session.futures.start(given.name, cell, each=each, after=given.after, resources=resources)
        for note in future.record.notes:
            print(note, file=sys.stderr)  # noqa: T201 - a surface
        if self.is_notebook:
            self._boards.show(future.name, lambda table: table.of(future.name))
            return
        runs = f", {len(future.runs)} times" if future.many else ""
        print(f"{future.name} runs aside{runs}: %future shows how it stands")  # noqa: T201 - a surface

    @property
    def is_notebook(self) -> bool:
        """Whether what is displayed can be changed later."""
        return hasattr(self.shell, "kernel")

    def _out(self, words: list[str]) -> None:
        parser = Parser("%future out", add_help=False)
        parser.add_argument("name")
        parser.add_argument("case", nargs="?", default="")
        parser.add_argument("--follow", action="store_true")
        given = parser.parse_args(words)
        future = self._session.futures.find(given.name)
        chosen = _chosen(future, given.case)
        for index in chosen:
            if future.many and len(chosen) > 1:
                print(f"── {future.runs[index].case}")  # noqa: T201 - a surface
            self._play(future, index, follow=given.follow)

    def _play(self, future: Future, index: int, *, follow: bool) -> None:
        run, reader = future.runs[index], future.output(index)
        while True:
            over = run.over.is_set()
            for event in reader.new():
                self._show(event)
            if over or not follow:
                break
            time.sleep(_LOOKS)
        if run.why and run.answer is None:
            print(f"{future.name} has {run.status}: {run.why}")  # noqa: T201 - a surface

    def _show(self, event: Event) -> None:
        match event.kind:
            case "stream":
                stream, other = (sys.stderr, sys.stdout) if event.name == "stderr" else (sys.stdout, sys.stderr)
                other.flush()
                stream.write(event.text)
            case "error":
                # Each stream has a buffer of its own: what was said before stands before it.
                sys.stdout.flush()
                sys.stderr.write("\n".join(event.lines) + "\n")
                sys.stderr.flush()
            case "clear":
                self.shell.display_pub.clear_output(wait=event.wait)
            case "display" | "update" | "result":
                sys.stdout.flush()
                transient = {"display_id": event.display} if event.display else {}
                self.shell.display_pub.publish(
                    dict(event.data), dict(event.metadata), transient=transient, update=event.kind == "update"
                )

    def _take(self, words: list[str]) -> None:
        parser = Parser("%future take", add_help=False)
        parser.add_argument("name")
        parser.add_argument("variables", nargs="*")
        parser.add_argument("--as", dest="prefix", default="")
        parser.add_argument("--force", action="store_true")
        given = parser.parse_args(words)
        taken = self._session.futures.take(given.name, given.variables, given.prefix, force=given.force)
        print("\n".join([f"{given.name} brought in {', '.join(taken.names)}", *taken.notes]))  # noqa: T201 - a surface

    def _wait(self, words: list[str]) -> None:
        parser = Parser("%future wait", add_help=False)
        parser.add_argument("name")
        parser.add_argument("--for", dest="seconds", type=float)
        given = parser.parse_args(words)
        try:
            future = self._session.futures.wait(given.name, given.seconds)
        except TimeoutError as error:
            raise UsageError(str(error)) from None
        print(f"{future.name} {future.verdict}")  # noqa: T201 - a surface

    def _cancel(self, words: list[str]) -> None:
        print(self._session.futures.cancel(_one(words, "cancel")))  # noqa: T201 - a surface

    def _forget(self, words: list[str]) -> None:
        print(self._session.futures.forget(_one(words, "forget")))  # noqa: T201 - a surface


def _each(text: str) -> tuple[str, str]:
    name, sign, expression = text.partition("=")
    if not sign or not name.isidentifier():
        raise UsageError(f"--each takes a name and a list, such as --each alpha=[0.1, 1, 10], not {text!r}")
    return name, expression


def _amount(text: str) -> tuple[str, float]:
    name, sign, number = text.partition("=")
    try:
        return name, float(number if sign else 1)
    except ValueError:
        raise UsageError(
            f"--resources takes what a worker has and how much of it, such as gpu=1, not {text!r}"
        ) from None


def _one(words: list[str], action: str) -> str:
    if len(words) != 1:
        raise UsageError(f"%future {action} takes the name of one future, not {' '.join(words) or 'nothing'}")
    return words[0]


def _chosen(future: Future, case: str) -> list[int]:
    """The runs that are meant: all, or that with this text or number."""
    found = [i for i, run in enumerate(future.runs) if not case or _is_called(run, case, i)]
    if not found:
        known = "; ".join(run.case for run in future.runs) if future.many else "it runs once"
        raise UsageError(f"{future.name} has no run {case!r}: {known}")
    return found


def _is_called(run: Run, case: str, index: int) -> bool:
    return case in {run.case, run.case.partition("=")[2], str(index + 1)}
