"""Elementary operations, one family a file. Importing it gives Tensors their operators and methods."""

from .arithmetic import (
    add,
    div,
    divide,
    floor_divide,
    fmod,
    matmul,
    mul,
    multiply,
    neg,
    negative,
    positive,
    remainder,
    rsub,
    sub,
    subtract,
    true_divide,
)
from .axes import (
    adjoint,
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_shapes,
    broadcast_tensors,
    moveaxis,
    ravel,
    swapdims,
    t,
    unflatten,
)
from .blend import addcdiv, addcmul, lerp
from .choice import clamp, clamp_max, clamp_min, clip, fmax, fmin, masked_fill, maximum, minimum, nan_to_num
from .compare import (
    all,
    allclose,
    any,
    argmax,
    argmin,
    bincount,
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    count_nonzero,
    eq,
    equal,
    gcd,
    ge,
    greater,
    greater_equal,
    gt,
    heaviside,
    is_nonzero,
    isclose,
    isfinite,
    isinf,
    isnan,
    isneginf,
    isposinf,
    isreal,
    lcm,
    le,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    ne,
    nextafter,
    not_equal,
    signbit,
)
from .constant import (
    arange,
    as_tensor,
    asarray,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    is_tensor,
    linspace,
    logspace,
    ones,
    ones_like,
    scalar_tensor,
    tensor,
    zeros,
    zeros_like,
)
from .convert import detach, is_complex, is_floating_point, is_signed, item, numel, tolist
from .diagonal import (
    diag,
    diag_embed,
    diagflat,
    diagonal,
    diagonal_scatter,
    trace,
    tril,
    tril_indices,
    triu,
    triu_indices,
)
from .distance import cdist, pdist
from .draw import (
    bernoulli,
    multinomial,
    normal,
    poisson,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
)
from .dtype import can_cast, clone, fill, promote_types, result_type
from .einsum import einsum, tensordot
from .error_function import erf, erfc, erfinv
from .exponential import exp, exp2, expm1, log, log1p, log2, log10, logaddexp, logaddexp2, logit, xlogy
from .extremes import amax, amin, aminmax, cummax, cummin, max, min
from .gamma import digamma, lgamma, mvlgamma, polygamma
from .gather import (
    gather,
    index_add,
    index_copy,
    index_fill,
    index_put,
    index_select,
    put,
    select_scatter,
    slice_scatter,
    take,
)
from .hyperbolic import acosh, arccosh, arcsinh, arctanh, asinh, atanh, cosh, sinh
from .index import take_along_dim
from .inverse import cholesky_inverse, cholesky_solve, inverse, logdet, slogdet
from .join import (
    block_diag,
    cartesian_prod,
    column_stack,
    combinations,
    concat,
    dstack,
    hstack,
    meshgrid,
    row_stack,
    vstack,
)
from .layout import is_same_size
from .matrices import matrix_exp, matrix_power, pinverse, qr, svd
from .matrix_norm import renorm
from .moments import corrcoef, cov, std, std_mean, var, var_mean
from .norms import dist, norm
from .order import histc, median, mode, nanmedian, nanquantile, quantile
from .pick import argwhere, isin, masked_scatter, masked_select, nonzero, unravel_index, where
from .powers import float_power, frexp, hypot, ldexp, pow, reciprocal, rsqrt, sqrt, square
from .product import (
    addbmm,
    addmm,
    addmv,
    addr,
    baddbmm,
    bmm,
    chain_matmul,
    cross,
    dot,
    ger,
    inner,
    kron,
    mm,
    mv,
    outer,
    vdot,
)
from .reduce import logsumexp, mean, nanmean, nansum, prod, sum
from .scan import cumprod, cumsum, cumulative_trapezoid, diff, logcumsumexp, trapezoid, trapz
from .scatter import index_reduce, scatter, scatter_add, scatter_reduce
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
from .slopes import gradient
from .sort import argsort, bucketize, kthvalue, msort, searchsorted, sort, topk, unique, unique_consecutive
from .split import chunk, dsplit, hsplit, narrow, select, split, split_with_sizes, tensor_split, unbind, vsplit
from .steps import abs, absolute, ceil, copysign, fix, floor, frac, round, sgn, sign, trunc
from .tile import fliplr, flipud, repeat_interleave, roll, rot90, tile
from .triangle import cholesky
from .trigonometry import (
    acos,
    arccos,
    arcsin,
    arctan,
    arctan2,
    asin,
    atan,
    atan2,
    cos,
    deg2rad,
    rad2deg,
    sin,
    sinc,
    tan,
)

__all__ = [
    "abs", "absolute", "acos", "acosh", "add", "addbmm", "addcdiv", "addcmul", "addmm", "addmv", "addr", "adjoint",
    "all", "allclose", "amax", "amin", "aminmax", "any", "arange", "arccos", "arccosh", "arcsin", "arcsinh",
    "arctan", "arctan2", "arctanh", "argmax", "argmin", "argsort", "argwhere", "as_tensor", "asarray", "asin",
    "asinh", "atan", "atan2", "atanh", "atleast_1d", "atleast_2d", "atleast_3d", "baddbmm", "bernoulli", "bincount",
    "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "block_diag", "bmm", "broadcast_shapes", "broadcast_tensors", "broadcast_to", "bucketize", "can_cast",
    "cartesian_prod", "cat", "cdist", "ceil", "chain_matmul", "cholesky", "cholesky_inverse", "cholesky_solve",
    "chunk", "clamp", "clamp_max", "clamp_min", "clip", "clone", "column_stack", "combinations", "concat",
    "concatenate", "copysign", "corrcoef", "cos", "cosh", "count_nonzero", "cov", "cross", "cummax", "cummin",
    "cumprod", "cumsum", "cumulative_trapezoid", "deg2rad", "detach", "diag", "diag_embed", "diagflat", "diagonal",
    "diagonal_scatter", "diff", "digamma", "dist", "div", "divide", "dot", "dsplit", "dstack", "einsum", "empty",
    "empty_like", "eq", "equal", "erf", "erfc", "erfinv", "exp", "exp2", "expm1", "eye", "fill", "fix", "flatten",
    "flip", "fliplr", "flipud", "float_power", "floor", "floor_divide", "fmax", "fmin", "fmod", "frac", "frexp",
    "from_numpy", "full", "full_like", "gather", "gcd", "ge", "ger", "gradient", "greater", "greater_equal", "gt",
    "heaviside", "histc", "hsplit", "hstack", "hypot", "index_add", "index_copy", "index_fill", "index_put",
    "index_reduce", "index_select", "inner", "inverse", "is_complex", "is_floating_point", "is_nonzero",
    "is_same_size", "is_signed", "is_tensor", "isclose", "isfinite", "isin", "isinf", "isnan", "isneginf",
    "isposinf", "isreal", "item", "kron", "kthvalue", "lcm", "ldexp", "le", "lerp", "less", "less_equal", "lgamma",
    "linspace", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2", "logcumsumexp", "logdet", "logical_and",
    "logical_not", "logical_or", "logical_xor", "logit", "logspace", "logsumexp", "lt", "masked_fill",
    "masked_scatter", "masked_select", "matmul", "matrix_exp", "matrix_power", "max", "maximum", "mean", "median",
    "meshgrid", "min", "minimum", "mm", "mode", "moveaxis", "movedim", "msort", "mul", "multinomial", "multiply",
    "mv", "mvlgamma", "nan_to_num", "nanmean", "nanmedian", "nanquantile", "nansum", "narrow", "ne", "neg",
    "negative", "nextafter", "nonzero", "norm", "normal", "not_equal", "numel", "ones", "ones_like", "outer", "pad",
    "pdist", "permute", "pinverse", "poisson", "polygamma", "positive", "pow", "prod", "promote_types", "put", "qr",
    "quantile", "rad2deg", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm",
    "ravel", "reciprocal", "remainder", "renorm", "repeat_interleave", "reshape", "result_type", "roll", "rot90",
    "round", "row_stack", "rsqrt", "rsub", "scalar_tensor", "scatter", "scatter_add", "scatter_reduce",
    "searchsorted", "select", "select_scatter", "sgn", "sign", "signbit", "sin", "sinc", "sinh", "slice_scatter",
    "slogdet", "sort", "split", "split_with_sizes", "sqrt", "square", "squeeze", "stack", "std", "std_mean", "sub",
    "subtract", "sum", "svd", "swapaxes", "swapdims", "t", "take", "take_along_dim", "tan", "tensor",
    "tensor_split", "tensordot", "tile", "tolist", "topk", "trace", "transpose", "trapezoid", "trapz", "tril",
    "tril_indices", "triu", "triu_indices", "true_divide", "trunc", "unbind", "unflatten", "unique",
    "unique_consecutive", "unravel_index", "unsqueeze", "var", "var_mean", "vdot", "vsplit", "vstack", "where",
    "xlogy", "zeros", "zeros_like",
]
