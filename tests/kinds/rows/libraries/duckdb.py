"""Values of duckdb."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

ROWS = (
    Kind(
        "connection in memory",
        "duckdb",
        make="import duckdb\nx = duckdb.connect()\n_ = x.execute('create table t as select 1 as a')",
        change="_ = x.execute('insert into t values (2)')",
        facts="x.execute('select * from t order by a').fetchall()",
        compared="rows",
        outcome="rerun",
        quiet=False,
        reason="cannot",
    ),
    Kind(
        "relation",
        "duckdb",
        make="import duckdb\nc = duckdb.connect()\nx = c.sql('select 1 as a')",
        facts="x.fetchall()",
        compared="rows",
        outcome="rerun",
        quiet=False,
        reason="cannot",
    ),
)
