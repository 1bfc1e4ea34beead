"""Elementary operations, one family a file. Importing it gives Tensors their operators and methods."""

from .arithmetic import add, divide, floor_divide, matmul, multiply, negative, pow, remainder, subtract
from .blend import addcdiv, addcmul, lerp
from .choice import clamp, masked_fill, maximum, minimum, where
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
    rand_like,
    randint,
    randn,
    randn_like,
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
    chunk,
    concatenate,
    flatten,
    flip,
    movedim,
    pad,
    permute,
    reshape,
    split,
    squeeze,
    stack,
    swapaxes,
    transpose,
    unsqueeze,
)

__all__ = [
    "abs", "add", "addcdiv", "addcmul", "amax", "amin", "arange", "argmax", "argmin", "broadcast_to", "cat", "ceil",
    "chunk", "clamp", "concatenate", "cos", "divide", "empty", "erf", "exp", "expm1", "eye", "flatten", "flip", "floor",
    "floor_divide", "from_numpy", "full", "full_like", "is_floating_point", "is_tensor", "item", "lerp", "linspace",
    "log", "log1p", "logsumexp", "masked_fill", "matmul", "max", "maximum", "mean", "min", "minimum", "movedim",
    "multiply", "negative", "ones", "ones_like", "pad", "permute", "pow", "rand", "rand_like", "randint", "randn",
    "randn_like", "randperm", "remainder", "reshape", "round", "sign", "sin", "split", "sqrt", "squeeze", "stack",
    "std", "subtract", "sum", "swapaxes", "take_along_dim", "tan", "tensor", "tolist", "transpose", "unsqueeze", "var",
    "where", "zeros", "zeros_like",
]
