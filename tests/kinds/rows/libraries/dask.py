"""Values of dask."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

ROWS = (
    Kind(
        "delayed",
        "dask",
        make="import dask\nx = [dask.delayed(sum)([1, 2])]",
        change="x.append(x[0] + 1)",
        facts="[d.compute(scheduler='sync') for d in x]",
        compared="what it computes",
    ),
    Kind(
        "array",
        "dask",
        make="import dask\nimport numpy as np, dask.array as da\nx = da.from_array(np.arange(6.0), chunks=2)",
        change="x[0] = 9",
        facts="(x.compute(scheduler='sync').tolist(), x.chunks)",
        compared="elements, chunks",
    ),
    Kind(
        "frame",
        "dask",
        make="import dask\nimport pandas as pd, dask.dataframe as dd\nx = dd.from_pandas(pd.DataFrame({'a': [1, 2, 3]}), npartitions=2)",
        change="x['b'] = x['a'] * 2",
        facts="(x.compute(scheduler='sync')['b'].tolist(), x.npartitions)",
        compared="columns, partitions",
    ),
    Kind(
        "bag",
        "dask",
        make="import dask\nimport dask.bag as db\nx = [db.from_sequence([1, 2, 3], npartitions=2)]",
        change="x.append(x[0].map(lambda v: v + 1))",
        facts="[b.compute(scheduler='sync') for b in x]",
        compared="elements",
    ),
)
