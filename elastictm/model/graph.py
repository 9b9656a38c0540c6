"""The history as a graph of cell runs, versions and files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from elastictm.ids import Version, is_variable
from elastictm.model.history import HistoryView
from elastictm.model.records import CellRun
from elastictm.model.texts import counted

if TYPE_CHECKING:
    import networkx as nx


class HistoryGraph:
    """A history for programs that look at it: its cell runs, and its graph."""

    def __init__(self, history: HistoryView) -> None:
        self._history = history

    def __repr__(self) -> str:
        runs = sum(run.n > 0 for run in self._history.runs)
        alive = sum(is_variable(name) for name in self._history.live)
        return f"history: {counted(runs, 'cell run')}, {counted(alive, 'variable')} alive"

    @property
    def runs(self) -> Sequence[CellRun]:
        """All cell runs in the order in which they ran."""
        return self._history.runs

    @property
    def live(self) -> frozenset[Version]:
        """The versions that exist after the last cell run."""
        return frozenset(record.version for record in self._history.live.values())

    def to_networkx(self) -> nx.DiGraph:
        """The graph: ``("cell", n)`` reads and writes ``("version", name, n)`` and reads ``("file", path)``.

        Every node has a ``kind``; versions also ``name``, ``n``, ``bytes`` and ``live``, cells ``n``, ``status`` and
        ``seconds``, files ``path``.
        """
        import networkx as nx  # noqa: PLC0415 - only this function needs it

        graph = nx.DiGraph()
        live = self.live
        for run in self._history.runs:
            cell = ("cell", run.n)
            graph.add_node(cell, kind="cell", n=run.n, status=run.status, seconds=run.seconds, source=run.source)
            for version in run.reads:
                graph.add_edge(("version", *version), cell)
            for file in run.files:
                graph.add_node(("file", file.path), kind="file", path=file.path)
                graph.add_edge(("file", file.path), cell)
            for record in run.writes:
                node = ("version", *record.version)
                attributes = {"name": record.name, "n": record.n, "bytes": record.size, "type": record.kind}
                graph.add_node(node, kind="version", live=record.version in live, **attributes)
                graph.add_edge(cell, node)
        return graph
