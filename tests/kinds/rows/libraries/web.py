"""Values of requests, tqdm and ipywidgets."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

ROWS = (
    Kind(
        "session",
        "requests",
        make="import requests\nx = requests.Session()",
        change="x.headers['k'] = 'v'; x.cookies.set('c', '1', domain='example.org')",
        facts="(dict(x.headers), [(c.name, c.value, c.domain) for c in x.cookies], sorted(x.adapters))",
        compared="headers, cookies",
    ),
    Kind(
        "prepared request",
        "requests",
        make="import requests\nx = requests.Request('GET', 'http://localhost/', params={'a': 1}).prepare()",
        change="x.headers['k'] = 'v'",
        facts="(x.url, dict(x.headers), x.method)",
        compared="address, headers",
    ),
    Kind(
        "response",
        "requests",
        make="import requests\nx = requests.Response()\nx._content = b'abc'\nx.status_code = 200",
        change="x.headers['k'] = 'v'",
        facts="(x.text, x.status_code, dict(x.headers))",
        compared="text, headers",
    ),
    Kind(
        "bar on the terminal",
        "tqdm",
        make="import tqdm\nx = tqdm.tqdm(total=3)",
        change="_ = x.update(1)",
        facts="(x.n, x.total, x.desc)",
        compared="count, total",
        outcome="rerun",
        quiet=False,
        reason="progress bar",
        finish="x.close()",
    ),
    Kind(
        "slider",
        "ipywidgets",
        make="import ipywidgets\nx = ipywidgets.IntSlider(3)",
        change="x.value = 5",
        facts="(x.value, x.max)",
        compared="value, bounds",
        outcome="rerun",
        quiet=False,
        reason="widget",
    ),
    Kind(
        "box of widgets",
        "ipywidgets",
        make="import ipywidgets\nz = ipywidgets.Text('a')\nx = ipywidgets.VBox([z])",
        change="z.value = 'b'",
        facts="[c.value for c in x.children]",
        compared="values",
        alias="x.children[0] is z",
        outcome="rerun",
        quiet=False,
        reason="widget",
    ),
)
