"""Estimators of scikit-learn: parameters first, then what fitting has made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from elastictm.model.texts import clean
from elastictm.values.contrasts.facts import Facts, Kind, Line, Look
from elastictm.values.contrasts.instances import attributes, mapped
from elastictm.values.contrasts.words import listed

LIBRARY: Final = "sklearn.base"


def kinds(base: Any) -> Mapping[type, Kind]:
    """The kinds of estimators."""
    return {base.BaseEstimator: Kind(_facts)}


def _facts(before: Any, after: Any, look: Look) -> Facts:
    """What differs; attributes are looked at, because parameters would be asked from a user's own method."""
    old, new = (_parted(attributes(each)) for each in (before, after))
    told: list[Line] = []
    if not old[1] and new[1]:
        told.append(Line("is fitted now"))
    elif old[1] and not new[1]:
        told.append(Line("is not fitted any more"))
    else:
        told += mapped(old[1], new[1], look, "attribute").lines
    told += mapped(old[0], new[0], look, "parameter").lines
    parts = []
    for word, one, other in (("parameters", old[0], new[0]), ("fitted", old[1], new[1])):
        pairs = list(mapped(one, other, look, word).parts)
        differing = [part for part in pairs if look.same(part.before, part.after) is False]
        if len(differing) > 1:
            names = [clean(part.step.removeprefix(".")) for part in differing]
            told.append(Line(f"{word} that differ: {listed(names, len(names))}"))
        parts += differing
    return Facts(tuple(told), parts)


def _parted(found: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parameters, and what fitting has made, which has a name that ends with an underscore or begins with one."""
    made = {name for name in found if name.endswith("_") or name.startswith("_")}
    shown = {name: inner for name, inner in found.items() if name in made and name != "_sklearn_version"}
    return {name: inner for name, inner in found.items() if name not in made}, shown
