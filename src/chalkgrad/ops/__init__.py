"""Elementary operations, one family a file. Importing it gives Tensors their operators and methods."""

from .arithmetic import add, divide, floor_divide, matmul, multiply, negative, pow, remainder, subtract
from .choice import clamp, maximum, minimum, where
from .constant import (
    arange,
    argmax,
    argmin,
    empty,
    eye,
    from_numpy,
    full,
    full_like,
    is_tensor,
    linspace,
    ones,
    ones_like,
    rand,
    randint,
    randn,
    randperm,
    tensor,
    zeros,
    zeros_like,
)
from .convert import is_floating_point, item, tolist
from .elementwise import abs, ceil, cos, erf, exp, expm1, floor, log, log1p, round, sign, sin, sqrt, tan
from .index import take_along_dim
from .reduce import amax, amin, logsumexp, max, mean, min, std, sum, var
from .shape import (
    broadcast_to,
    cat,
    concatenate,
    flatten,
    flip,
    movedim,
    pad,
    permute,
    reshape,
    squeeze,
    stack,
    swapaxes,
    transpose,
    unsqueeze,
)

__all__ = [
    "abs", "add", "amax", "amin", "arange", "argmax", "argmin", "broadcast_to", "cat", "ceil", "clamp", "concatenate",
    "cos", "divide", "empty", "erf", "exp", "expm1", "eye", "flatten", "flip", "floor", "floor_divide", "from_numpy",
    "full", "full_like", "is_floating_point", "is_tensor", "item", "linspace", "log", "log1p", "logsumexp", "matmul",
    "max", "maximum", "mean", "min", "minimum", "movedim", "multiply", "negative", "ones", "ones_like", "pad",
    "permute", "pow", "rand", "randint", "randn", "randperm", "remainder", "reshape", "round", "sign", "sin", "sqrt",
    "squeeze", "stack", "std", "subtract", "sum", "swapaxes", "take_along_dim", "tan", "tensor", "tolist",
    "transpose", "unsqueeze", "var", "where", "zeros", "zeros_like",
]
