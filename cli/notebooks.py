"""Reading and writing notebook files."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any, Final

import nbformat
from elastictm_cli import output

from elastictm.errors import UsageError
from elastictm.storage.textfile import write_text

PIPE: Final = "-"
"""Stands for standard input and standard output."""


def read_notebook(path: str) -> Any:
    """A Python notebook, from standard input where the path is ``-``.

    Raises:
        UsageError: there is none, or it is something else.
    """
    try:
        text = sys.stdin.read() if path == PIPE else Path(path).read_text(encoding="utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about cells without ids, which get theirs when they are read
            notebook = nbformat.reads(text, as_version=4)
        cells = notebook.cells
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as error:
        raise UsageError(f"{path} is no notebook: expected the JSON of an .ipynb file") from error
    if not isinstance(cells, list):
        raise UsageError(f"{path} is no notebook: it has no list of cells")
    spec, info = notebook.metadata.get("kernelspec", {}), notebook.metadata.get("language_info", {})
    language = spec.get("language") or info.get("name") or "python"
    if language.lower() not in {"python", "ipython"}:
        raise UsageError(f"{path} is a notebook in {language}, expected one in Python")
    return notebook


def write_notebook(path: str, notebook: Any, *, force: bool) -> None:
    """Write a notebook file, or to standard output where the path is ``-``.

    Raises:
        DestinationError: it cannot be written there; what was there is intact.
    """
    text = nbformat.writes(notebook).rstrip("\n")
    if path == PIPE:
        output.result(text)
    else:
        write_text(path, f"{text}\n", force=force)
