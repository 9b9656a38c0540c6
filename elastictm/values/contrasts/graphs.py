"""Graphs of networkx: nodes and edges that came and went, and the data on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from elastictm.values.contrasts.containers import key_text, tokens
from elastictm.values.contrasts.facts import Facts, Kind, Look, Part, lines
from elastictm.values.contrasts.words import count, listed
from elastictm.values.kinds import type_name

LIBRARY: Final = "networkx"

_COMPARED: Final = 200_000
"""Edges."""


def kinds(networkx: Any) -> Mapping[type, Kind]:
    """The kinds of graphs."""
    return {networkx.Graph: Kind(_facts, _title)}


def _title(graph: Any) -> str:
    return f"{type_name(graph)} of {count(len(graph), 'node')}"


def _facts(before: Any, after: Any, look: Look) -> Facts:
    told = [*_came_and_went("node", list(before._node), list(after._node))]  # noqa: SLF001 - a user may have overridden the rest
    if max(before.number_of_edges(), after.number_of_edges()) > _COMPARED:
        look.leave("the edges of a graph")
    else:
        told += _came_and_went("edge", list(before.edges), list(after.edges))
    parts = [
        Part(".graph", before.graph, after.graph),
        Part(".nodes", before._node, after._node),  # noqa: SLF001 - as above
        Part(".adj", before._adj, after._adj),  # noqa: SLF001 - as above
    ]
    if any(told):
        # The dicts would tell the same again.
        parts = parts[:1]
    return Facts(lines(*told), parts)


def _came_and_went(what: str, before: list[Any], after: list[Any]) -> list[str]:
    old, new = (dict(zip(tokens(items), items, strict=True)) for items in (before, after))
    found = []
    for verb, here, there in (("added", new, old), ("removed", old, new)):
        names = [key_text(item) for token, item in here.items() if token not in there]
        if names:
            found.append(f"{count(len(names), what)} {verb}: {listed(names, len(names))}")
    return found
