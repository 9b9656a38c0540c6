"""Parameters of a run as papermill takes them: words, files, and the cell that sets them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer.core
from elastictm_cli.resuming import tags

from elastictm.errors import UsageError

if TYPE_CHECKING:
    from elastictm.model.records import CellRun

_PAIRS: Final = ("-p", "--parameters", "-r", "--parameters_raw")
"""The options that take a name and a value."""

_HERE: Final = "parameters"
_INJECTED: Final = "injected-parameters"
_HEAD: Final = "# Parameters\n"
_WORDS: Final[Mapping[str, Any]] = {"True": True, "False": False, "None": None}


class PairCommand(typer.core.TyperCommand):
    """A command whose options for parameters take two words, or one with ``=`` between."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the words apart."""
        return super().parse_args(ctx, list(_joined(args)))


def _joined(words: Iterable[str]) -> Iterator[str]:
    left = iter(words)
    for word in left:
        yield word
        if word in _PAIRS and (name := next(left, None)) is not None:
            if name.partition("=")[0].isidentifier() and "=" in name:
                yield name
            elif (value := next(left, None)) is not None:
                yield f"{name}={value}"
            else:
                yield name


def given(files: Sequence[str], typed: Sequence[str], raw: Sequence[str]) -> dict[str, Any]:
    """The values of all parameters: those in words win over those in files, and texts over what looks like a number.

    Raises:
        UsageError: a file cannot be read, or a name is none.
    """
    found: dict[str, Any] = {}
    for path in files:
        found.update(_read(path))
    for words, meaning in ((typed, _meant), (raw, str)):
        for word in words:
            name, equals, value = word.partition("=")
            if not equals:
                raise UsageError(f"the parameter {name} has no value: -p takes a name and a value, as in -p alpha 0.5")
            found[name] = meaning(value)
    for name in found:
        if not isinstance(name, str) or not name.isidentifier():
            raise UsageError(f"{name!r} is no name of a variable, so it cannot be a parameter")
    return found


def inject(notebook: Any, values: Mapping[str, Any]) -> bool:
    """Put a cell that sets parameters into a notebook, in place of one from before or below that tagged parameters.

    Returns whether there is one of these; otherwise the cell comes first.
    """
    return _inject(notebook, _HEAD + "\n".join(f"{name} = {_literal(value)}" for name, value in values.items()))


def inject_again(notebook: Any, runs: Sequence[CellRun]) -> None:
    """Put the cell with parameters that an archived session ran into a notebook that lacks it."""
    ran = next((run.source for run in runs if run.source.startswith(_HEAD)), None)
    if ran is not None and not any(cell.source.rstrip() == ran.rstrip() for cell in notebook.cells):
        _inject(notebook, ran.rstrip())


def _inject(notebook: Any, source: str) -> bool:
    import nbformat.v4 as nb  # noqa: PLC0415 - not for --help

    cell = nb.new_code_cell(source, metadata={"tags": [_INJECTED]})
    if notebook.get("nbformat_minor", 0) < 5:  # noqa: PLR2004 - the first in which cells have ids
        cell.pop("id", None)
    places = {tag: index for index, each in reversed([*enumerate(notebook.cells)]) for tag in tags(each)}
    if _INJECTED in places:
        notebook.cells[places[_INJECTED]] = cell
    else:
        notebook.cells.insert(places[_HERE] + 1 if _HERE in places else 0, cell)
    return bool(places.keys() & {_INJECTED, _HERE})


def _read(path: str) -> Mapping[str, Any]:
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    try:
        found = json.loads(text)
    except ValueError:
        found = _yaml(path, text)
    if not isinstance(found, dict):
        raise UsageError(f"{path} holds no parameters: expected names with their values, in JSON or YAML")
    return found


def _yaml(path: str, text: str) -> Any:
    try:
        import yaml  # noqa: PLC0415 - only a file in YAML needs it
    except ImportError:
        raise UsageError(f"{path} is no JSON, and reading YAML takes PyYAML: pip install pyyaml") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is neither JSON nor YAML: {error}") from error


def _meant(word: str) -> Any:
    if word in _WORDS:
        return _WORDS[word]
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def _literal(value: Any) -> str:
    """Python for a value; what Python has no literal for, such as a date in YAML, is a text."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(each)}" for key, each in value.items()) + "}"
    plain = value is None or isinstance(value, (bool, int, float, str))
    return repr(value if plain else str(value))
