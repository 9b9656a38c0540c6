"""The history in the forms of other programs."""

from __future__ import annotations

import inspect
import json
import re

import networkx as nx
import pytest

from elastictm.errors import UsageError
from elastictm.model.graph import HistoryGraph
from elastictm.views.exports import to_dot, to_json


def test_networkx_reads_the_json_as_the_same_graph(session):
    """What a program reads back is what to_networkx gives in the session, attributes included."""
    data = json.loads(json.dumps(to_json(session)))
    word = "edges" if "edges" in inspect.signature(nx.node_link_graph).parameters else "link"
    read = nx.node_link_graph(data, **{word: "links"})
    graph = HistoryGraph(session).to_networkx()
    assert dict(read.nodes(data=True)) == dict(graph.nodes(data=True))
    assert set(read.edges) == set(graph.edges)


def test_json_carries_a_schema_number(session):
    """A reader can tell which form it has before it."""
    assert to_json(session)["graph"] == {"schema": 1}


def test_names_restrict_both(session):
    """With names only their lineage is exported, with the files that its cells read."""
    nodes = to_json(session, ["clean"])["nodes"]
    assert ["file", "/data/a.csv"] in [node["id"] for node in nodes]
    assert ["cell", 4] not in [node["id"] for node in nodes]
    assert "other" not in to_dot(session, ["clean"])
    assert "file" not in to_dot(session, ["other"])


@pytest.mark.parametrize("export", [to_json, to_dot])
def test_an_unknown_name_is_a_usage_error(session, export):
    """Both forms refuse a name that never was."""
    with pytest.raises(UsageError):
        export(session, ["nothing_like_it"])


def test_dot_has_a_line_for_each_node_and_link(session):
    """Every node and edge of the graph stands in the text, between braces."""
    graph = HistoryGraph(session).to_networkx()
    lines = to_dot(session).splitlines()
    assert lines[0] == "digraph history {"
    assert lines[-1] == "}"
    assert sum(" -> " in line for line in lines) == graph.number_of_edges()
    assert sum(re.match(r'  "[^"]+" \[', line) is not None for line in lines) == graph.number_of_nodes()


def test_quotes_and_backslashes_stay_inside_their_labels(history_of, make_run):
    """Source with quotes and backslashes cannot end a label early."""
    text = to_dot(history_of(make_run(1, 'x = "a\\n"; y = "', writes=["x"])))
    label = next(line for line in text.splitlines() if line.startswith('  "cell:1"'))
    assert r"x = \"a\\n\"; y = \"" in label
    assert len(re.findall(r'(?<!\\)(?:\\\\)*"', label)) % 2 == 0
