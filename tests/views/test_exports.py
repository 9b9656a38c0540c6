"""The history in the forms of other programs."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import networkx as nx
import pytest

from elastictm.errors import UsageError
from elastictm.model.graph import HistoryGraph
from elastictm.views.exports import to_dot, to_graphml, to_json


def test_networkx_reads_the_json_as_the_same_graph(session):
    """What a program reads back is what to_networkx gives in the session, attributes included."""
    data = json.loads(json.dumps(to_json(session)))
    word = "edges" if "edges" in inspect.signature(nx.node_link_graph).parameters else "link"
    read = nx.node_link_graph(data, **{word: "links"})
    graph = HistoryGraph(session).to_networkx()
    assert dict(read.nodes(data=True)) == dict(graph.nodes(data=True))
    assert set(read.edges) == set(graph.edges)


def test_a_history_tells_how_much_it_has(session, history_of, make_run):
    """Shown in a session it is one line, in which displayed results are no variables."""
    assert repr(HistoryGraph(session)) == "history: 7 cell runs, 5 variables alive"
    assert repr(HistoryGraph(history_of(make_run(1, "a = 1", writes=["a"])))) == "history: 1 cell run, 1 variable alive"


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


@pytest.mark.parametrize("export", [to_json, to_dot, to_graphml])
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


def test_networkx_reads_the_graphml(session):
    """It has the same nodes and edges, with their attributes, and what XML cannot hold is taken out."""
    graph = nx.parse_graphml(to_graphml(session))
    whole = HistoryGraph(session).to_networkx()
    assert {tuple(node.split(":", 2)) for node in graph} == {tuple(map(str, node)) for node in whole}
    assert graph.number_of_edges() == whole.number_of_edges()
    assert graph.nodes["version:model:5"]["type"] == "Model"


def test_graphml_stands_hostile_sources(history_of, make_run):
    """Markup and control characters in a source do not break it."""
    history = history_of(make_run(1, "x = ']]>\x00<&\ud800\u202e'", writes=["x"]))
    assert nx.parse_graphml(to_graphml(history)).nodes["cell:1"]["source"] == "x = ']]> <&  '"


def test_the_keys_of_the_json_are_those_documented(session):
    """docs/graph.md names every key of every kind of node, and no other."""
    text = (Path(__file__).parents[2] / "docs" / "graph.md").read_text(encoding="utf-8").partition("## The JSON")[2]
    data = to_json(session)
    tops = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", text.partition("Every node")[0], re.MULTILINE)
    assert {key for row in tops for key in re.findall(r"`(\w+)`", row)} == set(data)
    for kind in ("cell", "version", "file"):
        row = re.search(rf"^\| `{kind}` \| [^|]* \| (.*) \|$", text, re.MULTILINE)[1]
        documented = set(re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", row)))
        nodes = [node for node in data["nodes"] if node["kind"] == kind]
        assert nodes
        assert all(set(node) == documented | {"id", "kind"} for node in nodes)
    assert all(set(link) == {"source", "target"} for link in data["links"])
