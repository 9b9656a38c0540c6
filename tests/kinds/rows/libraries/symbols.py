"""Values of sympy."""

from __future__ import annotations

from elastictm.testing.kinds import Kind

ROWS = (
    Kind(
        "expression",
        "sympy",
        make="import sympy\nx = [sympy.symbols('a') ** 2]",
        change="x.append(x[0].diff())",
        facts="[sympy.srepr(e) for e in x]",
        compared="text",
    ),
    Kind(
        "matrix",
        "sympy",
        make="import sympy\nx = sympy.zeros(2, 2)",
        change="x[0, 0] = sympy.pi",
        facts="x.tolist() and sympy.srepr(x)",
        compared="elements",
    ),
    Kind(
        "function made of an expression",
        "sympy",
        make="import sympy\na = sympy.symbols('a')\nx = sympy.lambdify(a, sympy.sin(a))",
        change="x.note = 1",
        facts="(float(x(1.0)), x.note)",
        compared="result",
    ),
    Kind(
        "assumptions",
        "sympy",
        make="import sympy\nx = {sympy.Symbol('p', positive=True): 1}",
        change="x[sympy.Symbol('n', integer=True)] = 2",
        facts="[(str(k), k.is_positive, k.is_integer, v) for k, v in x.items()]",
        compared="symbols, assumptions",
    ),
)
