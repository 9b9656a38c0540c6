"""Containers of the standard library."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

ROWS = (
    Kind(
        "list",
        "builtins",
        make="x = [1, [2.5, None], 'three']\nz = x[1]",
        change="x[1].append(4)",
        facts="x",
        alias="(z.append(9), x[1][-1] == 9)[1]",
        compared="items, nested ones too",
    ),
    Kind(
        "deque with a bound",
        "collections",
        make="from collections import deque\nx = deque([1, 2, 3], maxlen=3)",
        change="x.append(4)",
        facts="(list(x), x.maxlen)",
        compared="items and bound",
    ),
    Kind(
        "generator",
        "builtins",
        make="x = (n for n in [1, 2])",
        change="next(x)",
        facts="list(x)",
        outcome="rerun",
        quiet=False,
        compared="what is left of it",
    ),
)
