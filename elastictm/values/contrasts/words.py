"""Values, names and numbers in a few words; no code of a user's class is called for them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from types import FunctionType
from typing import Any, Final

from elastictm.model import texts
from elastictm.model.texts import clean
from elastictm.values.kinds import ATOMS, PRINTED, fixed_types, type_name

WIDTH: Final = 60
"""Characters of one value."""

_LISTED: Final = 5
_QUALNAME: Final = vars(type)["__qualname__"]
_ITEMS: Final = 6
_BITS: Final = 200
_MISSING: Final = frozenset({"NAType", "NaTType"})
_CONTAINERS: Final[dict[type, str]] = {list: "[]", tuple: "()", set: "{}", frozenset: "{}"}


def cut(text: str, width: int = WIDTH) -> str:
    """A text of at most ``width`` characters on one line."""
    return texts.cut(text, width)


def plain(value: Any) -> str | None:
    """A value without inner values, as its type writes it; None for any other one."""
    kind = type(value)
    if kind is int and value.bit_length() > _BITS:
        return f"int of {value.bit_length()} bits"
    if kind is str or kind is bytes:
        return clean(repr(value)) if len(value) <= WIDTH else cut(repr(value[:WIDTH]))
    if kind in ATOMS and kind is not slice:
        return repr(value)
    if kind in PRINTED or (issubclass(kind, fixed_types()) and not kind.__module__.startswith("__")):
        return cut(str(value))
    return str(value) if kind.__name__ in _MISSING and kind.__module__.startswith("pandas.") else None


def small(value: Any) -> str | None:
    """A short container of plain values as Python writes it; None for any other value."""
    brackets = _CONTAINERS.get(type(value))
    if brackets is None or not 0 < len(value) <= _ITEMS:
        return None
    texts = [text for item in value if type(item) in ATOMS and (text := plain(item)) is not None]
    if len(texts) < len(value):
        return None
    comma = "," if brackets == "()" and len(texts) == 1 else ""
    shown = f"{brackets[0]}{', '.join(sorted(texts) if brackets == '{}' else texts)}{comma}{brackets[1]}"
    return shown if len(shown) <= WIDTH else None


def short(value: Any) -> str:
    """A value in a few words: itself where that is short, otherwise its type."""
    return plain(value) or small(value) or _named(value) or type_name(value)


def _named(value: Any) -> str:
    kind = type(value)
    if issubclass(kind, type):
        return f"class {clean(_QUALNAME.__get__(value))}"
    return f"function {clean(value.__qualname__)}" if kind is FunctionType else ""


def count(number: int, what: str, many: str = "") -> str:
    """A number of things, such as ``1 key`` or ``2,000 keys``."""
    return f"{number:,} {what if number == 1 else many or what + 's'}"


def listed(shown: Iterable[str], number: int) -> str:
    """The first few of a number of texts, and how many more there are."""
    first = list(islice(shown, _LISTED))
    more = number - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more > 0 else "")


def arrow(before: str, after: str) -> str:
    """What a value was and what it is, both in a few words."""
    return f"{before}, another one" if before == after else f"{before} → {after}"


def changed(what: str, before: object, after: object) -> str:
    """A fact that was one thing and is another, in one line; empty where it is the same."""
    return "" if before == after else f"{what} {before} → {after}"
