"""Places where a session can live: a Jupyter kernel or a plain IPython shell, each a process with its own folder."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import sysconfig
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any, Final

import elastictm

_SECONDS: Final = 300.0
"""How long a cell may take."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a cell ended: the execution count that it had, and its error if it raised."""

    count: int
    error: str | None


class Place(ABC):
    """A process with an IPython session in it that elastictm records.

    Responsibilities:
    - run cells as a user would, and evaluate expressions without leaving a trace in the session;
    - ask the session to save, to restore, and to describe its variables.
    """

    def __init__(self, folder: Path, home: Path, python: str = sys.executable) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        home.mkdir(parents=True, exist_ok=True)
        self._home = home
        self.log = home / "process.log"
        self._start(folder, environment(home, python), python)
        self.ask("get_ipython().run_line_magic('load_ext', 'elastictm')")

    @abstractmethod
    def _start(self, folder: Path, env: dict[str, str], python: str) -> None: ...

    @abstractmethod
    def run(self, code: str) -> Ran:
        """Run a cell as a user would, with a number and a place in the history."""

    @abstractmethod
    def ask(self, expression: str) -> Any:
        """Evaluate an expression beside the cells; AssertionError if it raises."""

    @abstractmethod
    def close(self) -> None:
        """End the process."""

    def save(self, path: Path, **options: Any) -> dict[str, Any]:
        """Save the session; returns the report."""
        report: dict[str, Any] = self._errand("save", str(path), **options)
        return report

    def restore(self, path: Path, **options: Any) -> dict[str, Any]:
        """Restore an archive; returns the report."""
        report: dict[str, Any] = self._errand("restore", str(path), **options)
        return report

    def portrait(self, *, detail: bool = False) -> dict[str, str]:
        """The portrait of all variables and displayed results."""
        target = self._home / "portrait.json"
        self._errand("look", str(target), detail=detail)
        found: dict[str, str] = json.loads(target.read_text(encoding="utf-8"))
        return found

    def recorder_errors(self) -> list[str]:
        """The errors inside the recorder so far."""
        found: list[str] = self._errand("recorder_errors")
        return found

    def _errand(self, what: str, *arguments: Any, **options: Any) -> Any:
        given = [repr(argument) for argument in arguments] + [f"{name}={value!r}" for name, value in options.items()]
        errands = "__import__('elastictm.testing.errands', fromlist=['errands'])"
        return json.loads(self.ask(f"{errands}.{what}({', '.join(given)})"))


class Kernel(Place):
    """A session in a Jupyter kernel."""

    def _start(self, folder: Path, env: dict[str, str], python: str) -> None:
        from jupyter_client.kernelspec import KernelSpec, KernelSpecManager  # noqa: PLC0415 - a shell needs none of it
        from jupyter_client.manager import KernelManager  # noqa: PLC0415 - likewise

        class Here(KernelSpecManager):  # type: ignore[misc]
            """Knows one kernel, that of the Python asked for."""

            def get_kernel_spec(self, kernel_name: str) -> Any:
                argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
                return KernelSpec(argv=argv, display_name=kernel_name, language="python")

        for last_try in (False, True):
            self._manager = KernelManager(kernel_spec_manager=Here())
            with self.log.open("w") as log:
                self._manager.start_kernel(cwd=str(folder), env=env, stdout=log, stderr=log)
            self._client = self._manager.blocking_client()
            self._client.start_channels()
            try:
                self._client.wait_for_ready(timeout=60)
                break
            except RuntimeError:
                # Another kernel that started at the same time may have been given the same ports.
                self.close()
                if last_try:
                    raise

    def run(self, code: str) -> Ran:
        """Run a cell as a user would, with a number and a place in the history."""
        content = self._execute(code, silent=False)
        error = f"{content['ename']}: {content['evalue']}" if content["status"] == "error" else None
        return Ran(content["execution_count"], error)

    def ask(self, expression: str) -> Any:
        """Evaluate an expression beside the cells; AssertionError if it raises."""
        content = self._execute("", silent=True, user_expressions={"answer": expression})
        answer = content["user_expressions"]["answer"]
        if answer["status"] != "ok":
            raise AssertionError(f"{expression}: {answer['ename']}: {answer['evalue']}\n{''.join(answer['traceback'])}")
        return ast.literal_eval(answer["data"]["text/plain"])

    def _execute(self, code: str, *, silent: bool, user_expressions: dict[str, str] | None = None) -> dict[str, Any]:
        request = self._client.execute(
            code, silent=silent, store_history=not silent, user_expressions=user_expressions, stop_on_error=False
        )
        while True:
            reply = self._client.get_shell_msg(timeout=_SECONDS)
            if reply["parent_header"].get("msg_id") == request:
                break
        try:
            while True:
                self._client.get_iopub_msg(timeout=0)
        except Empty:
            content: dict[str, Any] = reply["content"]
            return content

    def interrupt(self) -> None:
        """Interrupt the kernel and all in its group, as a front end does; any thread may."""
        os.killpg(os.getpgid(self._manager.provisioner.pid), signal.SIGINT)

    def close(self) -> None:
        """End the process."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()


class Console(Place):
    """A session in a plain IPython shell."""

    def _start(self, folder: Path, env: dict[str, str], python: str) -> None:
        command = [python, "-m", "elastictm.testing.console"]
        self._process = subprocess.Popen(  # noqa: S603 - a fixed command
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str) -> Ran:
        """Run a cell as a user would, with a number and a place in the history."""
        reply = self._request({"run": code})
        return Ran(reply["count"], reply["error"])

    def ask(self, expression: str) -> Any:
        """Evaluate an expression beside the cells; AssertionError if it raises."""
        reply = self._request({"ask": expression})
        if reply["error"] is not None:
            raise AssertionError(f"{expression}: {reply['error']}")
        return reply["answer"]

    def _request(self, request: dict[str, str]) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise AssertionError("the console has no pipes")
        stdin.write(json.dumps(request) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise AssertionError(f"the console ended at {request}: {self.log.read_text()[-4000:]}")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def environment(home: Path, python: str = sys.executable) -> dict[str, str]:
    """The environment of a process that belongs to a home of its own and finds this very elastictm."""
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "IPYTHON", "JUPYTER", "MPL"))
    }
    package = Path(elastictm.__file__).parent
    if python != sys.executable:
        # Next to the package may lie others, which are not for that Python.
        package = _linked(package, home / "elastictm-alone")
    if str(package.parent) != sysconfig.get_path("purelib"):
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(package.parent), env.get("PYTHONPATH")]))
    return env | {"HOME": str(home), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


def _linked(package: Path, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    link = folder / package.name
    if not link.exists():
        link.symlink_to(package, target_is_directory=True)
    return link
