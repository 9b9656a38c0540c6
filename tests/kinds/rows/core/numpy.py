"""Values of numpy."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

ROWS = (
    Kind(
        "array and a view of it",
        "numpy",
        make="import numpy as np\nx = np.arange(6.0)\nz = x[2:4]",
        change="x[0] = np.nan",
        facts="(x.tolist(), x.dtype.str, x.shape)",
        alias="(z.fill(9.0), x[2] == 9.0)[1].item()",
        compared="dtype, shape and elements",
    ),
)
