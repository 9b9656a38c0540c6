"""The history in the forms of other programs: Graphviz's DOT, GraphML, and networkx's node-link JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from elastictm.model.graph import HistoryGraph
from elastictm.model.tables import amount, duration
from elastictm.views.ledger import MARKS, first_line, visible
from elastictm.views.lineage import lineage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from elastictm.ids import Name
    from elastictm.model.history import HistoryView

SCHEMA: Final = 1
"""Raised whenever a reader of the older JSON would misunderstand the newer."""


def to_json(history: HistoryView, names: Sequence[Name] = ()) -> dict[str, object]:
    """The history as a dict of plain values, which networkx's ``node_link_graph(..., edges="links")`` reads.

    Raises:
        UsageError: a name was never a variable of this session.
    """
    nodes, links = _graph(history, names)
    return {
        "directed": True,
        "multigraph": False,
        "graph": {"schema": SCHEMA},
        "nodes": [{"id": list(node), **attributes} for node, attributes in nodes],
        "links": [{"source": list(source), "target": list(target)} for source, target in links],
    }


def to_dot(history: HistoryView, names: Sequence[Name] = ()) -> str:
    """The history in Graphviz's DOT language.

    Raises:
        UsageError: a name was never a variable of this session.
    """
    nodes, links = _graph(history, names)
    lines = ["digraph history {", '  graph [rankdir="TB"]', '  node [fontname="monospace", fontsize=10]']
    for node, attributes in nodes:
        style = ", ".join(f"{key}={_quoted(value)}" for key, value in _style(history, attributes))
        lines.append(f"  {_identity(node)} [{style}]")
    lines += [f"  {_identity(source)} -> {_identity(target)}" for source, target in links]
    return "\n".join([*lines, "}", ""])


def to_graphml(history: HistoryView, names: Sequence[Name] = ()) -> str:
    """The history as GraphML, which yEd, Gephi and others read; nodes are named as in DOT.

    Raises:
        UsageError: a name was never a variable of this session.
    """
    import networkx as nx  # noqa: PLC0415 - only this function needs it

    nodes, links = _graph(history, names)
    graph = nx.DiGraph()
    for node, attributes in nodes:
        told = {key: visible(value) if isinstance(value, str) else value for key, value in attributes.items()}
        graph.add_node(visible(_label(node)), **told)
    graph.add_edges_from((visible(_label(source)), visible(_label(target))) for source, target in links)
    return "\n".join(nx.generate_graphml(graph)) + "\n"


_Node = tuple[Any, ...]


def _graph(
    history: HistoryView, names: Sequence[Name]
) -> tuple[list[tuple[_Node, dict[str, Any]]], list[tuple[_Node, _Node]]]:
    """Nodes and edges of the wanted part, in the order of the session."""
    part = lineage(history, names)
    graph = HistoryGraph(history).to_networkx()
    wanted: set[_Node] = {("cell", n) for n in part.runs} | {("version", *version) for version in part.versions}
    wanted |= {node for node in graph if node[0] == "file" and any(cell in wanted for cell in graph.successors(node))}
    nodes = [(node, attributes) for node, attributes in graph.nodes(data=True) if node in wanted]
    return nodes, [(source, target) for source, target in graph.edges if source in wanted and target in wanted]


def _style(history: HistoryView, attributes: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if attributes["kind"] == "cell":
        run = history.run(attributes["n"])
        yield "label", f"[{run.n}] {MARKS[run.status]} {duration(run.seconds)}\n{first_line(run)}"
        yield "shape", "box"
        if run.status != "ok":
            yield "color", "red"
    elif attributes["kind"] == "version":
        yield "label", f"{attributes['name']}@{attributes['n']}\n{attributes['type']}, {amount(attributes['bytes'])}"
        yield "shape", "ellipse"
        yield "style", "bold" if attributes["live"] else "dashed"
    else:
        yield "label", attributes["path"]
        yield "shape", "note"


def _identity(node: _Node) -> str:
    return _quoted(_label(node))


def _label(node: _Node) -> str:
    return ":".join(map(str, node))


def _quoted(text: str) -> str:
    """A quoted string of DOT; within labels a backslash and ``n`` break the line."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
