"""A shell seen as a host."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO
from typing import Any, Final

from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

from elastictm.session.census import Census
from elastictm.session.circumstances.shell import ShellSettings
from elastictm.session.holdings import Holding, holdings
from elastictm.session.host import Listener, RunOutcome
from elastictm.session.ipython.hooks import Hooks
from elastictm.session.ipython.quiet import Aside, quiet

_OWN: Final = re.compile(r"(_{1,3}|_i{1,3}|_i?\d+|_[iod]h|_exit_code|In|Out)$")
_MODULE_ATTRIBUTES: Final = frozenset(
    {
        "__annotations__",
        "__builtin__",
        "__builtins__",
        "__doc__",
        "__file__",
        "__loader__",
        "__name__",
        "__nonzero__",
        "__package__",
        "__session__",
        "__spec__",
        "__warningregistry__",
    }
)

_FIXTURES: Final = ("_oh", "_ih", "_dh", "exit", "get_ipython", "open")


class IPythonHost:
    """An IPython shell as the host of a session."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self._cell_running = False
        self._holdings = holdings()
        self._census = Census(_OWN.match)

    @property
    def namespace(self) -> dict[str, Any]:
        """The user's namespace itself."""
        namespace: dict[str, Any] = self.shell.user_ns
        return namespace

    @property
    def outputs(self) -> dict[int, Any]:
        """The cache of displayed results, by execution count."""
        outputs: dict[int, Any] = self.shell.user_ns.get("_oh", {})
        return outputs

    @property
    def execution_count(self) -> int:
        """The number that the next cell gets; while one runs, its own number is taken already."""
        # Some versions of IPython count on before a cell runs, others after it; the number of its result is sure.
        count: int = self.shell.displayhook.prompt_count + 1 if self._cell_running else self.shell.execution_count
        return count

    @property
    def singletons(self) -> Mapping[str, Any]:
        """The shell, by the name that stands for it in streams."""
        return {"shell": self.shell}

    @property
    def fixtures(self) -> Mapping[str, Any]:
        """The histories of inputs, results and folders, and the functions that IPython puts into the namespace."""
        held = self.shell.user_ns_hidden  # users may have other things under these names
        return {name: held[name] for name in _FIXTURES if name in held}

    @property
    def circumstances(self) -> tuple[ShellSettings, ...]:
        """The settings of IPython."""
        return (ShellSettings(self.shell),)

    @property
    def holdings(self) -> tuple[Holding, ...]:
        """What libraries hold of the session's objects."""
        return self._holdings

    @property
    def callbacks(self) -> tuple[Any, ...]:
        """What is registered for IPython's events."""
        return tuple(callback for registered in self.shell.events.callbacks.values() for callback in registered)

    def names(self) -> Iterable[str]:
        """The names in the namespace, in the order in which they came, without those that the shell numbers."""
        return self._census.names(self.namespace)

    def is_own(self, name: str) -> bool:
        """Whether an entry of the namespace is IPython's and not the user's."""
        hidden = self.shell.user_ns_hidden
        if name in _MODULE_ATTRIBUTES:
            return True
        if name in hidden and hidden[name] is self.shell.user_ns.get(name):
            return True
        return _OWN.match(name) is not None

    def transform(self, text: str) -> str:
        """Python for the text of a cell."""
        transformed: str = self.shell.transform_cell(text)
        return transformed

    def run(self, source: str, count: int, outputs: Mapping[int, Any]) -> RunOutcome:
        """Run a cell again, unseen by recording, under the number that it had, and keep what it would have shown."""
        collected = StringIO()
        results: list[Any] = []
        streams = Aside("stdout", collected), Aside("stderr", collected)
        with quiet(self.shell, results), redirect_stdout(streams[0]), redirect_stderr(streams[1]):
            before, shown = self.shell.execution_count, dict(self.outputs)
            self.shell.execution_count = count
            self.show(outputs)
            try:
                result = self._run(source)
            finally:
                self.shell.execution_count = before
                self.show(shown)
                for stream in streams:
                    stream.end()
        error = result.error_before_exec or result.error_in_exec
        return RunOutcome(error, collected.getvalue(), tuple(results[-1:]))

    def _run(self, source: str) -> ExecutionResult:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self.shell.run_cell(source, store_history=False)
        if not self.shell.should_run_async(source, transformed_cell=self.transform(source)):
            return self.shell.run_cell(source, store_history=False)
        # A loop that is running cannot be entered again, so a cell that awaits gets a loop of its own beside it.
        box: list[ExecutionResult] = []
        coroutine = self.shell.run_cell_async(source, store_history=False, transformed_cell=self.transform(source))
        begun: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []
        over = threading.Event()

        async def run() -> None:
            task = asyncio.ensure_future(coroutine)
            begun.append((asyncio.get_running_loop(), task))
            box.append(await task)

        def work() -> None:
            with suppress(asyncio.CancelledError):
                asyncio.run(run())
            over.set()

        thread = threading.Thread(target=work, name="elastictm-cell")
        thread.start()
        try:
            over.wait()
        except KeyboardInterrupt:
            # It must not go on in a namespace that is put back.
            for loop, task in begun:
                loop.call_soon_threadsafe(task.cancel)
            thread.join()
            raise
        thread.join()
        return box[0]

    def show(self, outputs: Mapping[int, Any]) -> None:
        """Have these displayed results, and no others, in the cache and under its names."""
        namespace = self.shell.user_ns
        namespace["_oh"].clear()
        namespace["_oh"].update(outputs)
        for name in [name for name in namespace if re.match(r"_\d+$", name)]:
            del namespace[name]
        namespace.update({f"_{n}": value for n, value in outputs.items()})
        recent = [outputs[n] for n in sorted(outputs, reverse=True)[:3]]
        for name, value in zip(("_", "__", "___"), [*recent, "", "", ""], strict=False):
            namespace[name] = value
            setattr(self.shell.displayhook, name, value)
            # The shell takes a name whose value is not this one for the user's own, and no longer binds it.
            self.shell.user_ns_hidden[name] = value

    def resume(self, sources: Mapping[int, tuple[str, str]], outputs: Mapping[int, Any], execution_count: int) -> None:
        """Continue the numbering, inputs (as typed, and as Python) and outputs of another session."""
        shell = self.shell
        given = [sources.get(n, ("", "")) for n in range(execution_count)]
        typed, inputs = ([texts[form].rstrip("\n") for texts in given] for form in (0, 1))
        shell.history_manager.input_hist_raw[:] = typed
        shell.user_ns["_ih"][:] = inputs
        if shell.history_manager.enabled and execution_count < self.execution_count:
            # In IPython's own log of inputs, numbers rise within a session.
            shell.history_manager.writeout_cache()
            shell.history_manager.new_session()
        self.show(outputs)
        for name in [name for name in shell.user_ns if re.match(r"_i\d+$", name)]:
            del shell.user_ns[name]
        shell.user_ns.update({f"_i{n}": text for n, text in enumerate(typed) if text})
        last = [text for text in typed if text][::-1]
        for name, text in zip(("_i", "_ii", "_iii"), [*last, "", "", ""], strict=False):
            shell.user_ns[name] = text
            setattr(shell.history_manager, name, text)
        shell.history_manager._i00 = last[0] if last else ""  # noqa: SLF001 - the next cell becomes _i from it
        if self._cell_running:
            # Where IPython counts on when the cell that restores ends, it has one less to say until then.
            execution_count -= 1 - (shell.execution_count - shell.displayhook.prompt_count)
        shell.execution_count = execution_count

    def hook(self, listener: Listener) -> Callable[[], None]:
        """Tell of every cell of the shell; returns what takes the hooks out again."""
        hooks = Hooks(self, listener)
        events = {
            "pre_run_cell": hooks.before,
            "post_run_cell": hooks.after,
            "pre_execute": hooks.before_any,
            "post_execute": hooks.after_any,
        }
        for event, handler in events.items():
            self.shell.events.register(event, handler)
        self.shell.ast_transformers.append(hooks.ear)
        hooks.begin_in_cell()

        def unhook() -> None:
            for event, handler in events.items():
                self.shell.events.unregister(event, handler)
            self.shell.ast_transformers.remove(hooks.ear)

        return unhook

    def note_running(self, *, running: bool) -> None:
        """Take note of whether a cell with a number is running: its number is taken then."""
        self._cell_running = running
