"""The only module that knows IPython: a shell seen as a host, and the hooks around its cells."""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from io import StringIO, TextIOBase
from pathlib import Path
from typing import Any, Final

from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell
from traitlets.config import Config

from elastictm.ids import RunNumber
from elastictm.session.cells import FinishedCell
from elastictm.session.census import Census
from elastictm.session.circumstances.shell import ShellSettings
from elastictm.session.holdings import Holding, holdings
from elastictm.session.host import Listener, RunOutcome
from elastictm.values.reducers.files import standard

_LOADING: Final = "get_ipython().run_line_magic('load_ext', 'elastictm')"
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
        streams = _Aside("stdout", collected), _Aside("stderr", collected)
        with _quiet(self.shell, results), redirect_stdout(streams[0]), redirect_stderr(streams[1]):
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
        hooks = _Hooks(self, listener)
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


class _Aside(TextIOBase):
    """Stands for a standard stream while a cell runs again, and leads to it later: handlers of loggers keep it."""

    def __init__(self, name: str, collected: StringIO) -> None:
        self._name = name
        self._collected: StringIO | None = collected

    def end(self) -> None:
        """The cell has run."""
        self._collected = None

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Collect a text, or show it."""
        stream = getattr(sys, self._name) if self._collected is None else self._collected
        written: int = stream.write(text)
        return written

    def flush(self) -> None:
        """Have what was shown be seen."""
        if self._collected is None:
            getattr(sys, self._name).flush()

    def __reduce__(self) -> tuple[Any, ...]:
        return standard, (self._name,)


class _Hooks:
    """What the shell calls before and after each cell."""

    def __init__(self, host: IPythonHost, listener: Listener) -> None:
        self.ear = _Ear()
        self._host = host
        self._listener = listener
        self._announced = False

    def before_any(self) -> None:
        """Any code is about to run, be it in silence."""
        if _is_beside():
            return
        self._announced, self.ear.tree = False, None

    def begin_in_cell(self) -> None:
        """Hear the cell that is running, if hearing it is the first thing that it does: nothing of it was missed."""
        source = _running_cell()
        if source is not None and _begins_by_loading(self._host.shell.transform_cell(source)):
            self._begin(source)

    def before(self, info: ExecutionInfo) -> None:
        """A cell is about to run."""
        self._announced = True
        if info.store_history:
            self._begin(info.raw_cell)

    def _begin(self, source: str) -> None:
        self._host.note_running(running=True)
        self._be_last()
        self._listener.before(source)

    def _be_last(self) -> None:
        """See what the session's own callbacks do after a cell; what libraries do then is no doing of the cell's."""
        registered = self._host.shell.events.callbacks["post_run_cell"]
        if self.after in registered[:-1]:
            place = registered.index(self.after)
            if any(map(self._is_of_session, registered[place + 1 :])):
                registered.append(registered.pop(place))

    def _is_of_session(self, callback: Any) -> bool:
        function = getattr(callback, "__func__", callback)
        return getattr(function, "__globals__", None) is self._host.namespace or type(callback).__module__ == "__main__"

    def after_any(self) -> None:
        """Any code has run: what ran in silence is known by its tree alone."""
        if _is_beside():
            return
        tree = self.ear.tree
        if not self._announced and tree is not None:
            self._listener.unrecorded(lambda: ast.unparse(tree))
        self._announced, self.ear.tree = True, None

    def after(self, result: ExecutionResult) -> None:
        """A cell has run."""
        info = result.info
        if info is None or info.store_history:
            self._host.note_running(running=False)
            self._listener.after(_finished(self._host.shell, result))
        else:
            self._listener.unrecorded(lambda: str(info.raw_cell))


def _is_beside() -> bool:
    """Whether this is no thread that cells run in: messages of widgets are heard beside cells by some kernels."""
    return threading.current_thread() is not threading.main_thread()


class _Ear(ast.NodeTransformer):
    """Hears the code of cells that run in silence, of which no event tells; it changes nothing."""

    tree: ast.AST | None = None

    def visit(self, node: ast.AST) -> ast.AST:
        """Take note of a cell."""
        self.tree = node
        return node


def ignored_paths(shell: InteractiveShell) -> tuple[str, ...]:
    """Folders in which the shell and libraries keep files of their own, this one included."""
    home = os.path.expanduser("~")  # noqa: PTH111 - text is wanted
    own = str(Path(__file__).parents[1])
    folders = [own, shell.ipython_dir, f"{home}/.cache", f"{home}/.config/matplotlib", f"{home}/.local/share/jupyter"]
    return tuple(folder + os.sep for folder in folders if folder)


def _running_cell() -> str | None:
    """What was typed as the cell that is running, if one with a number is; the shell itself tells it to nobody."""
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code.co_name == "run_cell_async" and frame.f_locals.get("store_history"):
            return str(frame.f_locals.get("raw_cell", ""))
        frame = frame.f_back
    return None


def _begins_by_loading(code: str) -> bool:
    """Whether a cell has more to do than to load this extension, and begins with that."""
    try:
        statements = ast.parse(code).body
    except SyntaxError:
        return False
    return len(statements) > 1 and ast.unparse(statements[0]) == _LOADING


def _finished(shell: InteractiveShell, result: ExecutionResult) -> FinishedCell:
    info = result.info
    source = info.raw_cell if info is not None else ""
    code: str | None = getattr(info, "transformed_cell", None)
    if code is None and result.error_before_exec is None:
        code = shell.transform_cell(source)
    count = result.execution_count if result.execution_count is not None else shell.execution_count
    error = result.error_before_exec or result.error_in_exec
    return FinishedCell(RunNumber(count), source, code, error, result.error_before_exec is None)


@contextmanager
def _quiet(shell: InteractiveShell, results: list[Any]) -> Iterator[None]:
    """Show nothing of what runs inside: results go into a list, displays and tracebacks nowhere."""

    class Collecting(DisplayHook):  # type: ignore[misc]
        def __call__(self, result: Any = None) -> None:
            if result is not None and not self.quiet():
                results.append(result)

    hook, shown, publisher = shell.display_trap.hook, shell._showtraceback, shell.display_pub  # noqa: SLF001
    from IPython.core.displaypub import CapturingDisplayPublisher  # noqa: PLC0415 - only re-runs need it

    # Within a running cell the trap is set already, so the interpreter's own hook is set as well.
    outer = sys.displayhook
    sys.displayhook = shell.display_trap.hook = Collecting(shell=shell, cache_size=0)
    shell._showtraceback = lambda *_: None  # noqa: SLF001 - a front end would mark the restoring cell as failed
    shell.display_pub = CapturingDisplayPublisher()
    try:
        yield
    finally:
        shell.display_trap.hook = hook
        sys.displayhook = outer
        shell._showtraceback = shown  # noqa: SLF001
        shell.display_pub = publisher


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
