"""Values of plotly, bokeh and altair."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

ROWS = (
    Kind(
        "figure",
        "plotly",
        make="import plotly.graph_objects as go\nx = go.Figure(go.Bar(x=['a'], y=[2]))",
        change="_ = x.add_scatter(y=[1, 2]).update_layout(title='t')",
        facts="__import__('json').dumps(x.to_dict(), sort_keys=True, default=list)",
        compared="description",
    ),
    Kind(
        "trace",
        "plotly",
        make="import plotly.graph_objects as go\nx = go.Scatter(y=[1, 2])",
        change="x.name = 'n'",
        facts="sorted(x.to_plotly_json().items(), key=str)",
        compared="description",
    ),
    Kind(
        "plot",
        "bokeh",
        make="from bokeh.plotting import figure\nx = figure()",
        change="_ = x.line([1, 2], [3, 4])",
        facts="(len(x.renderers), x.renderers[0].data_source.data['x'])",
        compared="renderers, data",
        outcome="rerun",
        quiet=False,
        reason="model of bokeh",
    ),
    Kind(
        "column data",
        "bokeh",
        make="from bokeh.models import ColumnDataSource\nx = ColumnDataSource(data={'a': [1]})",
        change="x.data['a'] = [2]",
        facts="dict(x.data)",
        compared="columns",
        outcome="rerun",
        quiet=False,
        reason="model of bokeh",
    ),
    Kind(
        "chart",
        "altair",
        make="import altair as alt, pandas as pd\nx = alt.Chart(pd.DataFrame({'a': [1], 'b': [2]})).mark_bar()",
        change='x.encoding = x.encode(x="a", y="b").encoding if False else alt.FacetedEncoding(x=alt.X(\'a:Q\'))',
        facts="x.to_dict()",
        compared="description",
    ),
)
