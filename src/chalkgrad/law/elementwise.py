"""Whether statements treat every element of their arrays by itself, so that they may be run on pieces or on a row."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from .memory import root

__all__ = ["ELEMENTWISE", "is_elementwise"]

ELEMENTWISE = {  # functions of NumPy that take `out=`
    "abs", "add", "cos", "divide", "equal", "exp", "expm1", "greater", "greater_equal", "less", "less_equal", "log",
    "log1p", "maximum", "minimum", "multiply", "negative", "not_equal", "sign", "sin", "sqrt", "square",
    "subtract", "tanh",
}
CALLS = {"float", "math.sqrt", *(f"np.{name}" for name in (*ELEMENTWISE, "clip", "ones_like", "where", "zeros_like"))}
LOOKS = (ast.Subscript, ast.MatMult, ast.For, ast.comprehension, ast.Starred, ast.In, ast.NotIn)


def is_elementwise(statements: Iterable[ast.stmt]) -> bool:
    """Tell whether there is arithmetic, and nothing that could see another element, or how many there are.

    `a[...] = b` gives every element its own new value; any other index could pick one.

    >>> is_elementwise(ast.parse("m *= 0.9; m += 0.1 * g; u[...] = np.maximum(0.9 * u, np.abs(g))").body)
    True
    >>> [is_elementwise(ast.parse(text).body) for text in ("m -= g.mean()", "m -= g / g.size", "m[0] = 0", "m @= m")]
    [False, False, False, False]
    """
    return not any(_looks_around(part) for statement in statements for part in ast.walk(statement))


def _looks_around(part: ast.AST) -> bool:
    match part:
        case ast.Subscript(slice=ast.Constant(value=index)):
            return index is not ...
        case ast.Attribute():
            return root(part) not in ("np", "math")  # such as grad.size, which a piece has not
        case ast.Call(func=func, args=args, keywords=keywords):
            called = ast.unparse(func)
            return called not in CALLS or (called == "np.where" and len(args) != 3) or (  # of one, it tells places
                any(keyword.arg not in ("dtype", "out") for keyword in keywords))
        case ast.Assign(targets=[ast.Tuple()], value=value):
            return not isinstance(value, ast.Tuple)
    return isinstance(part, LOOKS)
