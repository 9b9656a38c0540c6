"""What a shell calls before and after each cell."""

from __future__ import annotations

import ast
import inspect
import threading
from typing import TYPE_CHECKING, Any, Final

from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

from elastictm.ids import RunNumber
from elastictm.session.cells import FinishedCell

if TYPE_CHECKING:
    from elastictm.session.host import Listener
    from elastictm.session.ipython.host import IPythonHost

_LOADING: Final = "get_ipython().run_line_magic('load_ext', 'elastictm')"


class Hooks:
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
