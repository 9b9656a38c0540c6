"""Values of networkx."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

ROWS = (
    Kind(
        "graph",
        "networkx",
        make="import networkx as nx\nx = nx.path_graph(3)",
        change="x.add_edge(0, 2, weight=5)",
        facts="(list(x.nodes), list(x.edges(data=True)))",
        compared="nodes, edges",
    ),
    Kind(
        "directed graph",
        "networkx",
        make="import networkx as nx\nx = nx.DiGraph([(1, 2)])",
        change="x.add_edge(2, 1)",
        facts="(list(x.successors(1)), list(x.predecessors(1)))",
        compared="neighbours",
    ),
    Kind(
        "multigraph",
        "networkx",
        make="import networkx as nx\nx = nx.MultiGraph([(1, 2)])",
        change="_ = x.add_edge(1, 2, key='k')",
        facts="list(x.edges(keys=True))",
        compared="edges",
    ),
    Kind(
        "subgraph view",
        "networkx",
        make="import networkx as nx\ng = nx.path_graph(5)\nx = g.subgraph([1, 2, 3])",
        change="g.remove_edge(1, 2)",
        facts="sorted(x.edges)",
        compared="edges",
        alias="(g.add_edge(1, 3), x.has_edge(1, 3))[1]",
    ),
    Kind(
        "view of edges",
        "networkx",
        make="import networkx as nx\ng = nx.path_graph(3)\nx = g.edges",
        change="g.add_edge(0, 2)",
        facts="sorted(x)",
        compared="edges",
        alias="(g.add_edge(7, 8), (7, 8) in x)[1]",
    ),
)
