"""Values of pyarrow."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

ROWS = (
    Kind(
        "table",
        "pyarrow",
        make="import pyarrow as pa\nx = [pa.table({'a': [1, 2], 'b': ['u', None]})]",
        change="x[0] = x[0].append_column('c', [[1.5, 2.5]])",
        facts="(x[0].to_pydict(), str(x[0].schema))",
        compared="columns, schema",
    ),
    Kind(
        "array",
        "pyarrow",
        make="import pyarrow as pa\nx = [pa.array([1, None, 3], pa.int16())]",
        change="x.append(x[0].slice(1))",
        facts="[(a.to_pylist(), str(a.type)) for a in x]",
        compared="elements, type",
    ),
    Kind(
        "chunked array",
        "pyarrow",
        make="import pyarrow as pa\nx = [pa.chunked_array([[1], [2, 3]])]",
        change="x.append(1)",
        facts="(x[0].to_pylist(), x[0].num_chunks)",
        compared="elements, chunks",
    ),
    Kind(
        "schema",
        "pyarrow",
        make="import pyarrow as pa\nx = [pa.schema([('a', pa.int64())], metadata={'k': 'v'})]",
        change="x.append(1)",
        facts="(str(x[0]), x[0].metadata)",
        compared="fields, metadata",
    ),
    Kind(
        "dictionary array",
        "pyarrow",
        make="import pyarrow as pa\nx = [pa.array(['a', 'b', 'a']).dictionary_encode()]",
        change="x.append(1)",
        facts="(x[0].to_pylist(), str(x[0].type))",
        compared="elements, type",
    ),
    Kind(
        "nested array",
        "pyarrow",
        make="import pyarrow as pa\nx = [pa.array([{'a': [1]}, None])]",
        change="x.append(1)",
        facts="(x[0].to_pylist(), str(x[0].type))",
        compared="elements, type",
    ),
    Kind(
        "record batch",
        "pyarrow",
        make="import pyarrow as pa\nx = [pa.record_batch({'a': [1, 2]})]",
        change="x.append(1)",
        facts="x[0].to_pydict()",
        compared="columns",
    ),
    Kind(
        "array over memory of numpy",
        "pyarrow",
        make="import numpy as np, pyarrow as pa\nz = np.arange(4)\nx = pa.array(z)",
        change="z[0] = 9",
        facts="x.to_pylist()",
        compared="elements",
        alias="(z.fill(5), x.to_pylist() == [5] * 4)[1]",
    ),
    Kind(
        "buffer",
        "pyarrow",
        make="import pyarrow as pa\nx = [pa.py_buffer(b'abc')]",
        change="x.append(1)",
        facts="(x[0].to_pybytes(), x[0].size)",
        compared="bytes",
    ),
    Kind(
        "scalar",
        "pyarrow",
        make="import pyarrow as pa\nx = [pa.scalar(3, pa.int8())]",
        change="x.append(2)",
        facts="(x[0].as_py(), str(x[0].type))",
        compared="value, type",
    ),
    Kind(
        "reader",
        "pyarrow",
        make="import pyarrow as pa\nx = pa.table({'a': [1]}).to_reader()",
        facts="x.read_all().to_pydict()",
        compared="rows",
        outcome="rerun",
        quiet=False,
        reason="cannot be converted",
    ),
)
