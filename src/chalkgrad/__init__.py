"""chalkgrad: deep learning that shows its work.

>>> import chalkgrad as cg
>>> x = cg.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> (x**2).sum().backward()
>>> x.grad
tensor([2., 4., 6.])
"""

from . import autograd, data, nn, ops, optim
from ._version import __version__
from .allocator import keep_freed_memory
from .autograd import is_grad_enabled
from .compiler import compile
from .dtypes import bool, float32, float64, int32, int64, uint8
from .engine.primitive import primitive
from .engine.tape import enable_grad, no_grad
from .engine.tensor import Tensor
from .law.errors import GradError, RuleError, ShapeError
from .nn.functional import log_softmax, relu, sigmoid, softmax, tanh
from .ops import (
    abs,
    add,
    addcdiv,
    addcmul,
    amax,
    amin,
    arange,
    argmax,
    argmin,
    broadcast_to,
    cat,
    ceil,
    chunk,
    clamp,
    concatenate,
    cos,
    divide,
    empty,
    erf,
    exp,
    expm1,
    eye,
    flatten,
    flip,
    floor,
    floor_divide,
    from_numpy,
    full,
    full_like,
    is_floating_point,
    is_tensor,
    lerp,
    linspace,
    log,
    log1p,
    logsumexp,
    masked_fill,
    matmul,
    max,
    maximum,
    mean,
    min,
    minimum,
    movedim,
    multiply,
    negative,
    ones,
    ones_like,
    pad,
    permute,
    pow,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    remainder,
    reshape,
    round,
    sign,
    sin,
    split,
    sqrt,
    squeeze,
    stack,
    std,
    subtract,
    sum,
    swapaxes,
    take_along_dim,
    tan,
    tensor,
    transpose,
    unsqueeze,
    var,
    where,
    zeros,
    zeros_like,
)
from .ops.update import update_rule
from .seeding import manual_seed
from .serialization import load, save
from .spell import Program, SpellError, spell

keep_freed_memory()

__all__ = [
    "GradError", "Program", "RuleError", "ShapeError", "SpellError", "Tensor", "__version__", "abs", "add",
    "addcdiv", "addcmul", "amax", "amin", "arange", "argmax", "argmin", "autograd", "bool", "broadcast_to", "cat",
    "ceil", "chunk", "clamp", "compile", "concatenate", "cos", "data", "divide", "empty", "enable_grad", "erf",
    "exp", "expm1", "eye", "flatten", "flip", "float32", "float64", "floor", "floor_divide", "from_numpy", "full",
    "full_like", "int32", "int64", "is_floating_point", "is_grad_enabled", "is_tensor", "lerp", "linspace", "load",
    "log", "log1p", "log_softmax", "logsumexp", "manual_seed", "masked_fill", "matmul", "max", "maximum", "mean",
    "min", "minimum", "movedim", "multiply", "negative", "nn", "no_grad", "ones", "ones_like", "ops", "optim",
    "pad", "permute", "pow", "primitive", "rand", "rand_like", "randint", "randn", "randn_like", "randperm", "relu",
    "remainder", "reshape", "round", "save", "sigmoid", "sign", "sin", "softmax", "spell", "split", "sqrt",
    "squeeze", "stack", "std", "subtract", "sum", "swapaxes", "take_along_dim", "tan", "tanh", "tensor",
    "transpose", "uint8", "unsqueeze", "update_rule", "var", "where", "zeros", "zeros_like",
]
