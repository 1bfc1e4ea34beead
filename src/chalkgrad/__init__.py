"""chalkgrad: deep learning that shows its work.

>>> import chalkgrad as cg
>>> x = cg.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> (x**2).sum().backward()
>>> x.grad
tensor([2., 4., 6.])
"""

from . import autograd, data, func, linalg, nn, ops, optim, special, utils
from ._version import __version__
from .allocator import keep_freed_memory
from .autograd import inference_mode, is_grad_enabled, set_grad_enabled
from .compiler import compile
from .dtypes import (
    bool, double, finfo, float, float32, float64, iinfo, int, int16, int32, int64, int8, long, short, uint8,
)
from .engine.primitive import primitive
from .engine.tape import enable_grad, no_grad
from .engine.tensor import Tensor
from .law.errors import GradError, RuleError, ShapeError
from .linalg import det
from .nn.functional import (
    celu, celu_, hardshrink, log_softmax, prelu, relu, relu_, rrelu, rrelu_, selu, selu_, sigmoid, softmax, tanh,
    threshold, threshold_,
)
from .ops import (
    abs, absolute, acos, acosh, add, addbmm, addcdiv, addcmul, addmm, addmv, addr, adjoint, all, allclose, amax,
    amin, aminmax, any, arange, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, argmax, argmin, argsort,
    argwhere, as_tensor, asarray, asin, asinh, atan, atan2, atanh, atleast_1d, atleast_2d, atleast_3d, baddbmm,
    bernoulli, bincount, bitwise_and, bitwise_left_shift, bitwise_not, bitwise_or, bitwise_right_shift, bitwise_xor,
    block_diag, bmm, broadcast_shapes, broadcast_tensors, broadcast_to, bucketize, can_cast, cartesian_prod, cat,
    cdist, ceil, chain_matmul, cholesky, cholesky_inverse, cholesky_solve, chunk, clamp, clamp_max, clamp_min, clip,
    clone, column_stack, combinations, concat, concatenate, copysign, corrcoef, cos, cosh, count_nonzero, cov,
    cross, cummax, cummin, cumprod, cumsum, cumulative_trapezoid, deg2rad, detach, diag, diag_embed, diagflat,
    diagonal, diagonal_scatter, diff, digamma, dist, div, divide, dot, dsplit, dstack, einsum, empty, empty_like,
    eq, equal, erf, erfc, erfinv, exp, exp2, expm1, eye, fill, fix, flatten, flip, fliplr, flipud, float_power,
    floor, floor_divide, fmax, fmin, fmod, frac, frexp, from_numpy, full, full_like, gather, gcd, ge, ger, gradient,
    greater, greater_equal, gt, heaviside, histc, hsplit, hstack, hypot, index_add, index_copy, index_fill,
    index_put, index_reduce, index_select, inner, inverse, is_complex, is_floating_point, is_nonzero, is_same_size,
    is_signed, is_tensor, isclose, isfinite, isin, isinf, isnan, isneginf, isposinf, isreal, kron, kthvalue, lcm,
    ldexp, le, lerp, less, less_equal, lgamma, linspace, log, log10, log1p, log2, logaddexp, logaddexp2,
    logcumsumexp, logdet, logical_and, logical_not, logical_or, logical_xor, logit, logspace, logsumexp, lt,
    masked_fill, masked_scatter, masked_select, matmul, matrix_exp, matrix_power, max, maximum, mean, median,
    meshgrid, min, minimum, mm, mode, moveaxis, movedim, msort, mul, multinomial, multiply, mv, mvlgamma,
    nan_to_num, nanmean, nanmedian, nanquantile, nansum, narrow, ne, neg, negative, nextafter, nonzero, norm,
    normal, not_equal, numel, ones, ones_like, outer, pad, pdist, permute, pinverse, poisson, polygamma, positive,
    pow, prod, promote_types, put, qr, quantile, rad2deg, rand, rand_like, randint, randint_like, randn, randn_like,
    randperm, ravel, reciprocal, remainder, renorm, repeat_interleave, reshape, result_type, roll, rot90, round,
    row_stack, rsqrt, rsub, scalar_tensor, scatter, scatter_add, scatter_reduce, searchsorted, select,
    select_scatter, sgn, sign, signbit, sin, sinc, sinh, slice_scatter, slogdet, sort, split, split_with_sizes,
    sqrt, square, squeeze, stack, std, std_mean, sub, subtract, sum, svd, swapaxes, swapdims, t, take,
    take_along_dim, tan, tensor, tensor_split, tensordot, tile, topk, trace, transpose, trapezoid, trapz, tril,
    tril_indices, triu, triu_indices, true_divide, trunc, unbind, unflatten, unique, unique_consecutive,
    unravel_index, unsqueeze, var, var_mean, vdot, vsplit, vstack, where, xlogy, zeros, zeros_like,
)
from .ops.update import update_rule
from .seeding import manual_seed
from .serialization import load, save
from .spell import Program, SpellError, spell

keep_freed_memory()

__all__ = [
    "GradError", "Program", "RuleError", "ShapeError", "SpellError", "Tensor", "__version__", "abs", "absolute",
    "acos", "acosh", "add", "addbmm", "addcdiv", "addcmul", "addmm", "addmv", "addr", "adjoint", "all", "allclose",
    "amax", "amin", "aminmax", "any", "arange", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2",
    "arctanh", "argmax", "argmin", "argsort", "argwhere", "as_tensor", "asarray", "asin", "asinh", "atan", "atan2",
    "atanh", "atleast_1d", "atleast_2d", "atleast_3d", "autograd", "baddbmm", "bernoulli", "bincount",
    "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "block_diag", "bmm", "bool", "broadcast_shapes", "broadcast_tensors", "broadcast_to", "bucketize", "can_cast",
    "cartesian_prod", "cat", "cdist", "ceil", "celu", "celu_", "chain_matmul", "cholesky", "cholesky_inverse",
    "cholesky_solve", "chunk", "clamp", "clamp_max", "clamp_min", "clip", "clone", "column_stack", "combinations",
    "compile", "concat", "concatenate", "copysign", "corrcoef", "cos", "cosh", "count_nonzero", "cov", "cross",
    "cummax", "cummin", "cumprod", "cumsum", "cumulative_trapezoid", "data", "deg2rad", "det", "detach", "diag",
    "diag_embed", "diagflat", "diagonal", "diagonal_scatter", "diff", "digamma", "dist", "div", "divide", "dot",
    "double", "dsplit", "dstack", "einsum", "empty", "empty_like", "enable_grad", "eq", "equal", "erf", "erfc",
    "erfinv", "exp", "exp2", "expm1", "eye", "fill", "finfo", "fix", "flatten", "flip", "fliplr", "flipud", "float",
    "float32", "float64", "float_power", "floor", "floor_divide", "fmax", "fmin", "fmod", "frac", "frexp",
    "from_numpy", "full", "full_like", "func", "gather", "gcd", "ge", "ger", "gradient", "greater", "greater_equal",
    "gt", "hardshrink", "heaviside", "histc", "hsplit", "hstack", "hypot", "iinfo", "index_add", "index_copy",
    "index_fill", "index_put", "index_reduce", "index_select", "inference_mode", "inner", "int", "int16", "int32",
    "int64", "int8", "inverse", "is_complex", "is_floating_point", "is_grad_enabled", "is_nonzero", "is_same_size",
    "is_signed", "is_tensor", "isclose", "isfinite", "isin", "isinf", "isnan", "isneginf", "isposinf", "isreal",
    "kron", "kthvalue", "lcm", "ldexp", "le", "lerp", "less", "less_equal", "lgamma", "linalg", "linspace", "load",
    "log", "log10", "log1p", "log2", "log_softmax", "logaddexp", "logaddexp2", "logcumsumexp", "logdet",
    "logical_and", "logical_not", "logical_or", "logical_xor", "logit", "logspace", "logsumexp", "long", "lt",
    "manual_seed", "masked_fill", "masked_scatter", "masked_select", "matmul", "matrix_exp", "matrix_power", "max",
    "maximum", "mean", "median", "meshgrid", "min", "minimum", "mm", "mode", "moveaxis", "movedim", "msort", "mul",
    "multinomial", "multiply", "mv", "mvlgamma", "nan_to_num", "nanmean", "nanmedian", "nanquantile", "nansum",
    "narrow", "ne", "neg", "negative", "nextafter", "nn", "no_grad", "nonzero", "norm", "normal", "not_equal",
    "numel", "ones", "ones_like", "ops", "optim", "outer", "pad", "pdist", "permute", "pinverse", "poisson",
    "polygamma", "positive", "pow", "prelu", "primitive", "prod", "promote_types", "put", "qr", "quantile",
    "rad2deg", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "ravel",
    "reciprocal", "relu", "relu_", "remainder", "renorm", "repeat_interleave", "reshape", "result_type", "roll",
    "rot90", "round", "row_stack", "rrelu", "rrelu_", "rsqrt", "rsub", "save", "scalar_tensor", "scatter",
    "scatter_add", "scatter_reduce", "searchsorted", "select", "select_scatter", "selu", "selu_",
    "set_grad_enabled", "sgn", "short", "sigmoid", "sign", "signbit", "sin", "sinc", "sinh", "slice_scatter",
    "slogdet", "softmax", "sort", "special", "spell", "split", "split_with_sizes", "sqrt", "square", "squeeze",
    "stack", "std", "std_mean", "sub", "subtract", "sum", "svd", "swapaxes", "swapdims", "t", "take",
    "take_along_dim", "tan", "tanh", "tensor", "tensor_split", "tensordot", "threshold", "threshold_", "tile",
    "topk", "trace", "transpose", "trapezoid", "trapz", "tril", "tril_indices", "triu", "triu_indices",
    "true_divide", "trunc", "uint8", "unbind", "unflatten", "unique", "unique_consecutive", "unravel_index",
    "unsqueeze", "update_rule", "utils", "var", "var_mean", "vdot", "vsplit", "vstack", "where", "xlogy", "zeros",
    "zeros_like",
]
