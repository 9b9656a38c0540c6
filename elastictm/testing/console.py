"""An IPython shell without a kernel, run by another process: ``python -m elastictm.testing.console``.

Requests come in as JSON, a line each, and replies go out likewise: ``{"run": code}`` runs a cell,
``{"ask": expression}`` evaluates beside the cells.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from IPython.core.interactiveshell import InteractiveShell


def main() -> None:
    """Serve requests until the input ends."""
    # Whatever cells print goes to standard error, so that replies stay readable.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    shell = InteractiveShell.instance()
    for line in sys.stdin:
        request = json.loads(line)
        reply = _run(shell, request["run"]) if "run" in request else _ask(shell, request["ask"])
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def _run(shell: InteractiveShell, code: str) -> dict[str, Any]:
    result = shell.run_cell(code, store_history=True)
    error = result.error_before_exec or result.error_in_exec
    return {"count": result.execution_count, "error": None if error is None else f"{type(error).__name__}: {error}"}


def _ask(shell: InteractiveShell, expression: str) -> dict[str, Any]:
    try:
        return {"answer": eval(expression, shell.user_global_ns, shell.user_ns), "error": None}  # noqa: S307 - a test's
    except Exception as error:  # noqa: BLE001 - the one who asks raises it again
        return {"answer": None, "error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    main()
