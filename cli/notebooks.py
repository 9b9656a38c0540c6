"""Reading and writing notebook files."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import nbformat

from elastictm.errors import UsageError
from elastictm.storage.textfile import write_text


def read_notebook(path: str) -> Any:
    """A Python notebook.

    Raises:
        UsageError: there is none, or it is something else.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
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
    """Write a notebook file.

    Raises:
        DestinationError: it cannot be written there; what was there is intact.
    """
    write_text(path, nbformat.writes(notebook).rstrip("\n") + "\n", force=force)
