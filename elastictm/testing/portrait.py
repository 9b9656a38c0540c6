"""A portrait of a session's values: text that is equal for equal values, in another process, folder or Python version.

It owes nothing to the way in which values are saved, so it can judge that.  What counts: exact types, contents, order,
attributes, the state of generators and files, code; which objects and which memory variables have in common.
What does not: addresses, hashes, what a memoised function remembers, what is inside generators, locks and handles.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping
from itertools import permutations
from typing import Any, Final

from elastictm.testing import (
    portrait_arrow,
    portrait_code,
    portrait_lightgbm,
    portrait_matplotlib,
    portrait_numpy,
    portrait_pandas,
    portrait_patsy,
    portrait_polars,
    portrait_scipy,
    portrait_stdlib,
    portrait_sympy,
)
from elastictm.testing.portrait_walk import Look, Memory, Shown, Walk, digest

_LIBRARIES: Final = (
    portrait_numpy,
    portrait_pandas,
    portrait_matplotlib,
    portrait_arrow,
    portrait_scipy,
    portrait_patsy,
    portrait_sympy,
    portrait_polars,
    portrait_lightgbm,
)


def portrait(
    namespace: Mapping[str, Any], *, detail: bool = False, scope: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Describe every variable of a namespace.

    Args:
        namespace: The variables by name.
        detail: Give all lines of each description instead of their digest.
        scope: The session's namespace, which its functions have as their globals; that of the main module if None.

    Returns:
        For each name the description, then a line ``~other ...`` for each variable that it has objects or memory in
        common with.
    """
    shell = scope if scope is not None else vars(sys.modules["__main__"])
    walk = _walk({id(namespace): "session", id(shell): "session"})
    shown = {name: walk.show(namespace[name]) for name in sorted(namespace)}
    for each in shown.values():
        each.lines += _memory_within(each) + _bases_within(each)
    ties = _Ties(shown).found
    described: dict[str, str] = {}
    for name, each in shown.items():
        text = "\n".join(each.lines)
        body = text if detail else f"{text.partition(chr(10))[0][:60]!r} {digest(text.encode(errors='surrogatepass'))}"
        lines = [f"~{other} {_shortened(found, detail=detail)}" for other, found in sorted(ties[name].items())]
        described[name] = "\n".join([body, *lines])
    return described


def differences(
    before: Mapping[str, str], after: Mapping[str, str], *, without: Collection[str] = ()
) -> dict[str, str]:
    """What differs between two portraits, for each variable concerned; ``without`` names variables to leave out."""
    found: dict[str, str] = {}
    for name in sorted(before.keys() | after.keys()):
        if name in without:
            continue
        if name not in after:
            found[name] = "missing"
        elif name not in before:
            found[name] = "not there before"
        else:
            difference = _difference(_parted(before[name], without), _parted(after[name], without))
            if difference:
                found[name] = difference
    return found


def shell_variables(shell: Any) -> dict[str, Any]:
    """The user's variables in an IPython shell, and displayed results under names such as ``Out[3]``."""
    own = {"In", "Out", "exit", "quit", "get_ipython", "open"}
    hidden = shell.user_ns_hidden
    found = {
        name: value
        for name, value in shell.user_ns.items()
        if not name.startswith("_") and name not in own and not (name in hidden and hidden[name] is value)
    }
    return found | {f"Out[{n}]": value for n, value in shell.user_ns.get("_oh", {}).items()}


def _walk(scopes: Mapping[int, str]) -> Walk:
    table: dict[type, Look] = portrait_stdlib.looks() | portrait_code.looks()
    loaded = [(library, sys.modules[library.LIBRARY]) for library in _LIBRARIES if library.LIBRARY in sys.modules]
    for library, module in loaded:
        table |= library.looks(module)
    if any(library is portrait_pandas for library, _ in loaded):
        table[portrait_pandas.Block] = portrait_pandas.block_look

    def text_of(value: Any, _walk: Walk) -> str | None:
        text = portrait_stdlib.atom_text(value)
        for library, module in loaded if text is None else ():
            text = library.text(value, module)
            if text is not None:
                break
        return text

    return Walk(table, text_of, portrait_stdlib.reduced, scopes)


def _difference(before: tuple[str, dict[str, str]], after: tuple[str, dict[str, str]]) -> str:
    if before[0] != after[0]:
        return "differs"
    ties = sorted(other for other in before[1].keys() | after[1].keys() if before[1].get(other) != after[1].get(other))
    return f"shares other data with {', '.join(ties)}" if ties else ""


def _parted(description: str, without: Collection[str]) -> tuple[str, dict[str, str]]:
    lines = description.split("\n")
    body = [line for line in lines if not line.startswith("~")]
    ties = (line[1:].partition(" ") for line in lines if line.startswith("~"))
    return "\n".join(body), {other: found for other, _, found in ties if other not in without}


def _shortened(lines: Iterable[str], *, detail: bool) -> str:
    text = " ".join(sorted(lines))
    return text if detail else digest(text.encode())


def _clusters(spans: Iterable[tuple[Memory, Any]]) -> list[list[tuple[Memory, Any]]]:
    """Spans that overlap, together; those of one keeper do not count as overlapping."""
    found: list[list[tuple[Memory, Any]]] = []
    active: dict[int | None, tuple[int, int]] = {}
    parent: dict[int, int] = {}
    ordered = sorted(spans, key=lambda span: (span[0].start, -span[0].stop))
    for index, (memory, _) in enumerate(ordered):
        parent[index] = index
        active = {keeper: last for keeper, last in active.items() if last[0] > memory.start}
        for keeper, (_, other) in active.items():
            if keeper is None or keeper != memory.keeper:
                parent[_root(parent, index)] = _root(parent, other)
        if memory.keeper not in active or active[memory.keeper][0] < memory.stop:
            active[memory.keeper] = (memory.stop, index)
    groups: dict[int, list[tuple[Memory, Any]]] = {}
    for index, span in enumerate(ordered):
        groups.setdefault(_root(parent, index), []).append(span)
    found += [group for group in groups.values() if len(group) > 1]
    return found


def _root(parent: dict[int, int], index: int) -> int:
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = parent[index]
    return index


def _memory_within(shown: Shown) -> list[str]:
    lines: list[str] = []
    for cluster in _clusters(shown.memory):
        members = sorted((number, memory.start) for memory, number in cluster)
        anchor, start = members[0]
        lines += [f"memory of #{number} is that of #{anchor} {there - start:+d}" for number, there in members[1:]]
    return sorted(lines)


def _bases_within(shown: Shown) -> list[str]:
    return [f"base of #{n} is #{shown.numbers[base]}" for n, base in shown.bases if base in shown.numbers]


class _Ties:
    """For each variable, and each other that it has objects or memory in common with, what that is."""

    def __init__(self, shown: Mapping[str, Shown]) -> None:
        self.found: dict[str, dict[str, set[str]]] = {name: {} for name in shown}
        holders: dict[int, list[tuple[str, int]]] = {}
        for name, each in shown.items():
            for key, number in each.shared.items():
                holders.setdefault(key, []).append((name, number))
        for held in holders.values():
            for one, other in permutations(held, 2):
                self._add(one, other, "=")
        for name, each in shown.items():
            for number, base in each.bases:
                for other in holders.get(base, ()):
                    self._add((name, number), other, " lies in ")
        spans = [(memory, (name, number)) for name, each in shown.items() for memory, number in each.memory]
        for cluster in _clusters(spans):
            self._meet(cluster)

    def _meet(self, cluster: Iterable[tuple[Memory, tuple[str, int]]]) -> None:
        first: dict[str, tuple[int, int]] = {}
        for memory, (name, number) in cluster:
            first[name] = min(first.get(name, (number, memory.start)), (number, memory.start))
        for (one, (at, start)), (other, (there, begin)) in permutations(first.items(), 2):
            self._add((one, at), (other, there), f"{begin - start:+d}")

    def _add(self, one: tuple[str, int], other: tuple[str, int], how: str) -> None:
        if one[0] != other[0]:
            self.found[one[0]].setdefault(other[0], set()).add(f"#{one[1]}{how}#{other[1]}")
