"""What a test asks of a session from inside its process; every answer is text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

import elastictm as tm
from elastictm.testing.portrait import portrait, shell_variables


def save(path: str, **options: Any) -> str:
    """Save the session; returns the report as JSON."""
    return json.dumps(tm.save(path, **options).to_json())


def restore(path: str, **options: Any) -> str:
    """Restore an archive into the session; returns the report as JSON."""
    return json.dumps(tm.restore(path, trust=True, **options).to_json())


def look(path: str, *, detail: bool = False) -> str:
    """Write the portrait of all variables and displayed results into a file, as JSON; returns their number."""
    shell = InteractiveShell.instance()
    found = portrait(shell_variables(shell), detail=detail, scope=shell.user_ns)
    Path(path).write_text(json.dumps(found), encoding="utf-8")
    return str(len(found))


def recorder_errors() -> str:
    """The errors inside the recorder so far, as JSON."""
    from elastictm.extension import current_session  # noqa: PLC0415 - imports the shell's machinery

    return json.dumps([str(error) for error in current_session().recorder.errors])
