"""How far numbers lie apart: variances, deviations, and what varies together."""

import numpy as np

from ..engine.primitive import primitive
from ..engine.tape import mode
from ..engine.tensor import implements
from .attach import attach
from .choice import clamp
from .compare import numbers_of
from .reduce import count, mean, reducing, spread, sum

__all__ = ["corrcoef", "cov", "root", "std", "std_mean", "var", "var_mean", "variance"]


@implements(np.var)
@primitive
def variance(x, *, axis=None, ddof=0, keepdims=False):
    """Mean squared distance from the mean, over n - ddof.

    x (...) -> y (*)
    """
    shape = x.shape
    n = max(count(shape, axis) - ddof, 0)
    away = x - x.mean(axis=axis, keepdims=True)
    y = (away * away).sum(axis=axis, keepdims=keepdims) / n
    return y


@variance.backward
def variance_backward(grad_y, away, n, shape, axis, keepdims):
    """∂y/∂xᵢ = 2(xᵢ - mean)/n; what xᵢ does to the mean cancels, since the distances add up to 0."""
    grad_x = spread(grad_y, shape, axis, keepdims) * (2 * away / n)
    return grad_x


@variance.examples
def variance_examples(rng):
    """Everything; columns, kept, over n - 1; two axes, one from the end; one number."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)),),
        (draw((2, 3)), {"axis": 0, "ddof": 1, "keepdims": True}),
        (draw((2, 3, 4)), {"axis": (0, -1)}),
        (draw(()),),
    ]


@primitive
def root(variance):
    """Square root of a variance, the standard deviation.

    variance (...) -> y (...)
    """
    y = np.sqrt(variance)
    return y


@root.backward
def root_backward(grad_y, y):
    """y² = v, so 2y ∂y = ∂v; where nothing varies, y has a corner, and the slope is taken as 0, as in PyTorch."""
    grad_variance = grad_y * (y > 0) / (2 * y + (y == 0))
    return grad_variance


@root.examples
def root_examples(rng):
    """Rows; one number; no variance at all."""
    return [(rng.uniform(0.5, 2, (2, 3)),), (rng.uniform(0.5, 2, ()),), (np.zeros(2),)]


reducing(variance)
implements(np.std)(lambda x, **options: root(variance(x, **options)))


def _correction(dim, unbiased, correction):
    """The axes, and what to take from n: `unbiased`, which may stand in place of the axes, says 1 or 0."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError("unbiased and correction both say what to take from n; give one of them.")
    return dim, 1 if correction is None and unbiased is None else int(unbiased) if correction is None else correction


def var(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """Variance: the mean squared distance from the mean, over n - correction, where the correction is 1 by default.

    Dividing by n - 1 makes up for the distances being measured from the mean of the same numbers (Bessel).

    unbiased  True for a correction of 1, False for 0

    >>> from chalkgrad import tensor
    >>> var(tensor([1.0, 2.0, 3.0])), var(tensor([1.0, 3.0]), correction=0)
    (tensor(1.), tensor(1.))
    """
    dim, ddof = _correction(dim, unbiased, correction)
    return variance(input, axis=dim, ddof=ddof, keepdims=keepdim)


def std(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """Standard deviation: the square root of the variance, which has Bessel's correction by default."""
    return root(var(input, dim, unbiased, keepdim, correction=correction))


def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The variance and the mean."""
    axes, _ = _correction(dim, unbiased, correction)
    return var(input, dim, unbiased, keepdim, correction=correction), mean(input, axis=axes, keepdims=keepdim)


def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The standard deviation and the mean."""
    variance, center = var_mean(input, dim, unbiased, keepdim, correction=correction)
    return root(variance), center


def cov(input, *, correction=1, fweights=None, aweights=None):
    """How variables vary together: the mean product of their distances from their means, for every two rows.

    input (variables, observations) -> y (variables, variables); of one variable, y is a number

    fweights  how often each observation was made
    aweights  how much each observation counts

    >>> from chalkgrad import tensor
    >>> cov(tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.ndim > 2:
        raise ValueError(f"cov: rows of observations were expected, but the shape is {input.shape}.")
    x = input.reshape(1, -1) if input.ndim < 2 else input
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is not None and (given.ndim > 1 or given.numel() != x.shape[1]):
            raise ValueError(f"cov: {name} says one number for each of {x.shape[1]} observations, but its shape is "
                             f"{given.shape}.")
        if given is not None and mode.tape is None and (numbers_of(given) < 0).any():
            raise ValueError(f"cov: {name} holds numbers below 0.")
    if fweights is not None and fweights.dtype.kind == "f":
        raise ValueError(f"cov: fweights counts observations, in integers, but is {fweights.dtype}.")
    weights = aweights if fweights is None else fweights if aweights is None else fweights * aweights
    if weights is None:
        total, n, weights = x.shape[1], x.shape[1] - correction, 1
    else:
        total = sum(weights)
        n = total - correction * (1 if aweights is None else sum(weights * aweights) / total)
    away = x - sum(x * weights, axis=1, keepdims=True) / total
    made = (away * weights) @ away.mT / (clamp(n, min=0) if hasattr(n, "clamp") else max(n, 0))
    return made.squeeze()


def corrcoef(input):
    """How closely variables vary together, from -1 to 1: their covariance over their standard deviations.

    >>> from chalkgrad import tensor
    >>> corrcoef(tensor([[0.0, 1.0, 2.0], [4.0, 2.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    together = cov(input)
    if not together.ndim:
        return together / together
    deviation = together.diagonal() ** 0.5
    return clamp(together / deviation / deviation[:, None], -1, 1)


attach(corrcoef=corrcoef, cov=cov, std=std, var=var)
