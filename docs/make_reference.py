"""Writes reference.md from what the program says of itself: ``python docs/make_reference.py``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from elastictm_cli.main import app

import elastictm
from elastictm import extension

PAGE = Path(__file__).parent / "reference.md"

_WIDTH = 100

HEAD = """\
# Reference

This page is written from the docstrings and the command table, by `python docs/make_reference.py`; a test compares.
[What users type](cli.md) tells more of each command and magic, and how their JSON looks.

"""


def reference() -> str:
    """The whole page."""
    return HEAD + "".join((*_functions(), *_magics(), *_commands(), *_settings()))


def _functions() -> Iterator[str]:
    yield "## Python\n\nAfter `import elastictm as tm`, in a session that records.\n\n"
    for name in sorted(elastictm.__all__):
        function = getattr(elastictm, name)
        told = _prose(inspect.getdoc(function) or "")
        yield f"### tm.{name}\n\n```text\n{name}{_signature(function)}\n```\n\n{told}\n\n"


def _signature(function: Any) -> str:
    """The parameters and what comes back; each on a line of its own where they are many."""
    signature = inspect.signature(function)
    parts: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        parts.append(f"{stars}{parameter.name}: {parameter.annotation}{default}")
    end = f" -> {signature.return_annotation}"
    flat = f"({', '.join(parts)}){end}"
    return flat if len(flat) <= _WIDTH else "(\n    " + ",\n    ".join(parts) + f",\n){end}"


def _prose(doc: str) -> str:
    """A docstring in Markdown: its lists of arguments and errors as lists."""
    text = doc.replace("``", "`")
    text = re.sub(r"^(Args|Raises|Returns):\n", r"**\1**\n\n", text, flags=re.MULTILINE)
    return re.sub(r"^    (\w+): ", r"- `\1`: ", text, flags=re.MULTILINE)


def _magics() -> Iterator[str]:
    yield "## Magics\n\n"
    for kind in extension.magics_classes():
        for names in kind.magics.values():
            for name, method in sorted(names.items()):
                doc = getattr(kind, method).__doc__ if isinstance(method, str) else method.__doc__
                yield f"### %{name}\n\n```text\n{inspect.cleandoc(doc)}\n```\n\n"


def _commands() -> Iterator[str]:
    yield "## Commands\n\n"
    table: Any = typer.main.get_command(app)
    for name, command in table.commands.items():
        context = command.make_context(
            name, [], parent=typer.Context(table, info_name="elastictm"), resilient_parsing=True
        )
        context.terminal_width = context.max_content_width = _WIDTH
        yield f"### elastictm {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n\n"


def _settings() -> Iterator[str]:
    yield "## Settings\n\n`%config ElasticTM` shows them in a session.\n\n"
    yield "| setting | kind | default | |\n|---|---|---|---|\n"
    for name, trait in sorted(extension.ElasticTM.class_traits(config=True).items()):
        if name not in {"config", "parent", "log"}:
            yield f"| `{name}` | {type(trait).__name__} | `{trait.default_value!r}` | {trait.help} |\n"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
