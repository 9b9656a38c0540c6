"""A shell that nobody sits at: what its cells put out goes into a log."""

from __future__ import annotations

import os
import select
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import TextIOBase
from typing import Any, Final

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from elastictm.session.futures.output import Event, OutputLog
from elastictm.values.reducers.files import standard

_READ_AT_ONCE: Final = 65536


class SandboxShell(InteractiveShell):  # type: ignore[misc]
    """A shell of a process that runs cells aside."""

    log: OutputLog | None = None

    def tell(self, event: Event) -> None:
        """Have an event in the log of the cell that runs; nowhere between cells."""
        if self.log is not None:
            for stream in (sys.stdout, sys.stderr):
                if isinstance(stream, Stream):
                    stream.flush()
            self.log.add(event)

    def init_display_pub(self) -> None:
        """Displays go into the log."""
        self.display_pub = _Publisher(parent=self, shell=self)

    def init_displayhook(self) -> None:
        """So do results."""
        super().init_displayhook()
        self.displayhook = _Hook(parent=self, shell=self)
        self.display_trap.hook = self.displayhook

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        self.tell(Event("error", etype.__name__, _text(evalue), tuple(stb)))

    def init_builtins(self) -> None:
        """What asks somebody is refused."""
        super().init_builtins()
        self.builtin_trap.auto_builtins["input"] = self.raw_input

    def raw_input(self, prompt: object = "") -> str:
        """Refuse: nobody could answer."""
        raise StdinNotImplementedError(f"a cell that runs aside cannot ask {str(prompt)!r}: nobody sits there")

    def enable_gui(self, gui: object = None) -> None:
        """Show no windows: figures go into the log."""

    def ask_exit(self) -> None:
        """There is nothing to leave: the cell goes on."""

    def system(self, command: str) -> None:
        """Run a command of the system's; what it puts out is seen by those who read the descriptors."""
        self.system_raw(command)


def _text(error: Any) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a user's exception may raise anything
        return "".join(traceback.format_exception_only(type(error), None)).strip()


class _Publisher(DisplayPublisher):  # type: ignore[misc]
    """Puts displays into the log."""

    def publish(
        self,
        data: Mapping[str, Any],
        metadata: Mapping[str, Any] | None = None,
        source: object = None,  # noqa: ARG002 - likewise
        *,
        transient: Mapping[str, Any] | None = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        """Put one display, or what comes in its place, into the log."""
        name = str((transient or {}).get("display_id", ""))
        self.shell.tell(
            Event("update" if update else "display", data=dict(data), metadata=dict(metadata or {}), display=name)
        )

    def clear_output(self, wait: bool = False) -> None:  # noqa: FBT001, FBT002 - likewise
        """Note that what was put out so far is gone."""
        self.shell.tell(Event("clear", wait=wait))


class _Hook(DisplayHook):  # type: ignore[misc]
    """Puts results into the log."""

    def write_output_prompt(self) -> None:
        """There is none: who plays it back has one."""

    def write_format_data(self, format_dict: Mapping[str, Any], md_dict: Mapping[str, Any] | None = None) -> None:
        """Put the forms of a result into the log."""
        self.shell.tell(Event("result", data=dict(format_dict), metadata=dict(md_dict or {})))

    def finish_displayhook(self) -> None:
        """Nothing follows."""
        self.shell.displayhook._is_active = False  # noqa: SLF001 - as the class it is from does


class Stream(TextIOBase):
    """A standard stream of the sandbox's."""

    def __init__(self, name: str, log: OutputLog) -> None:
        self._name = name
        self._log = log
        self._text: list[str] = []

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """How text is written."""
        return "utf-8"

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Put text into the log, once a line of it is whole."""
        self._text.append(text)
        if "\n" in text:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Put what there is into the log."""
        text, self._text = "".join(self._text), []
        if text:
            self._log.add(Event("stream", self._name, text))

    def fileno(self) -> int:
        """The descriptor, for those who write past Python."""
        return {"stdout": 1, "stderr": 2}[self._name]

    def __reduce__(self) -> tuple[Any, ...]:
        return standard, (self._name,)


class Descriptors:
    """The descriptors 1 and 2 of the process, whose text goes into the log: what C code and other programs write."""

    def __init__(self, shell: SandboxShell) -> None:
        self._shell = shell
        self._marks = {name: threading.Event() for name in ("stdout", "stderr")}
        self._mark = os.urandom(16)
        ends: dict[int, str] = {}
        for number, name in ((1, "stdout"), (2, "stderr")):
            ours, theirs = os.pipe()
            os.dup2(theirs, number)
            os.close(theirs)
            ends[ours] = name
        threading.Thread(target=self._read, args=(ends,), name="elastictm-descriptors", daemon=True).start()

    def close(self) -> None:
        """Wait until all that was written is in the log; what is written later is in none."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.write(number, self._mark)
            self._marks[name].wait(1.0)
            os.dup2(nowhere, number)
        os.close(nowhere)

    def _read(self, ends: dict[int, str]) -> None:
        waiting = select.poll()
        for end in ends:
            waiting.register(end, select.POLLIN)
        while ends:
            for end, _ in waiting.poll():
                name, data = ends[end], os.read(end, _READ_AT_ONCE)
                if not data:
                    waiting.unregister(end)
                    os.close(end)
                    del ends[end]
                    continue
                before, mark, after = data.partition(self._mark)
                if text := before + after:
                    self._shell.tell(Event("stream", name, text.decode("utf-8", "replace")))
                if mark:
                    self._marks[name].set()


def sandbox_shell() -> SandboxShell:
    """The shell of a process that runs cells aside, without the user's profile and without a log of inputs."""
    config = Config()
    config.HistoryManager.enabled = False
    shell: SandboxShell = SandboxShell.instance(config=config)
    return shell


class SandboxStage:
    """The shell of a sandbox as a place where cells run."""

    def __init__(self, shell: SandboxShell) -> None:
        self._shell = shell

    @contextmanager
    def logged(self, log: OutputLog) -> Iterator[None]:
        """All that is put out inside goes into a log."""
        streams, descriptors = (sys.stdout, sys.stderr), Descriptors(self._shell)
        self._shell.log = log
        sys.stdout, sys.stderr = Stream("stdout", log), Stream("stderr", log)
        try:
            yield
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(Exception):  # whatever the cell has put in their place
                    stream.flush()
            descriptors.close()
            sys.stdout, sys.stderr = streams
            self._shell.log = None

    def run(self, source: str, count: int) -> BaseException | None:
        """Run a cell as a user would, under a number; returns what it raised."""
        self._shell.execution_count = count
        result = self._shell.run_cell(source, store_history=True)
        error: BaseException | None = result.error_before_exec or result.error_in_exec
        return error
