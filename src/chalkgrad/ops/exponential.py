"""Exponentials and logarithms."""

import math

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import implements
from .attach import attach, attach_both
from .choice import where
from .examples import drawn, drawn_pairs

__all__ = [
    "entr", "exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2", "logit", "xlog1py",
    "xlogy",
]


@implements(np.exp)
@primitive
def exp(x):
    """e to the power x.

    x (...) -> y (...)
    """
    y = np.exp(x)
    return y


@exp.backward
def exp_backward(grad_y, y):
    """The exponential is its own derivative."""
    grad_x = grad_y * y
    return grad_x


@exp.examples
def exp_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, -2, 2)


@implements(np.exp2)
@primitive
def exp2(x):
    """2 to the power x.

    x (...) -> y (...)
    """
    y = np.exp2(x)
    return y


@exp2.backward
def exp2_backward(grad_y, y):
    """2ˣ = exp(x log 2), so ∂y/∂x = y log 2."""
    grad_x = grad_y * (y * math.log(2))
    return grad_x


@exp2.examples
def exp2_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, -2, 2)


@implements(np.expm1)
@primitive
def expm1(x):
    """e to the power x, less 1, exact also near x = 0.

    x (...) -> y (...)
    """
    y = np.expm1(x)
    return y


@expm1.backward
def expm1_backward(grad_y, y):
    """∂y/∂x = eˣ = y + 1."""
    grad_x = grad_y * (y + 1)
    return grad_x


@expm1.examples
def expm1_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, -2, 2)


@implements(np.log)
@primitive
def log(x):
    """Natural logarithm.

    x (...) -> y (...)
    """
    y = np.log(x)
    return y


@log.backward
def log_backward(grad_y, x):
    """∂y/∂x = 1/x."""
    grad_x = grad_y / x
    return grad_x


@log.examples
def log_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, 0.5, 3)


@implements(np.log2)
@primitive
def log2(x):
    """Logarithm to the base 2.

    x (...) -> y (...)
    """
    y = np.log2(x)
    return y


@log2.backward
def log2_backward(grad_y, x):
    """y = log x / log 2, so ∂y/∂x = 1 / (x log 2)."""
    grad_x = grad_y / (x * math.log(2))
    return grad_x


@log2.examples
def log2_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, 0.5, 3)


@implements(np.log10)
@primitive
def log10(x):
    """Logarithm to the base 10.

    x (...) -> y (...)
    """
    y = np.log10(x)
    return y


@log10.backward
def log10_backward(grad_y, x):
    """y = log x / log 10, so ∂y/∂x = 1 / (x log 10)."""
    grad_x = grad_y / (x * math.log(10))
    return grad_x


@log10.examples
def log10_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, 0.5, 3)


@implements(np.log1p)
@primitive
def log1p(x):
    """log(1 + x), exact also near x = 0.

    x (...) -> y (...)
    """
    y = np.log1p(x)
    return y


@log1p.backward
def log1p_backward(grad_y, x):
    """∂y/∂x = 1/(1 + x)."""
    grad_x = grad_y / (1 + x)
    return grad_x


@log1p.examples
def log1p_examples(rng):
    """Rows; one number; none."""
    return drawn(rng, -0.5, 3)


@primitive
def logit(x, *, eps=None):
    """The logarithm of the odds: log(p / (1 - p)) for a probability p = x, which undoes the sigmoid.

    x (...) -> y (...)

    eps  bring x into [eps, 1 - eps] first, so that y is finite
    """
    low  = -math.inf if eps is None else eps
    high =  math.inf if eps is None else 1 - eps
    p = np.clip(x, low, high)
    y = np.log(p / (1 - p))
    return y


@logit.backward
def logit_backward(grad_y, x, p, eps):
    """y = log p - log(1 - p), so ∂y/∂p = 1/p + 1/(1 - p) = 1 / (p (1 - p)); beyond the bounds p does not change."""
    grad_x = grad_y / (p * (1 - p))
    if eps is not None:
        grad_x = grad_x * (p == x)
    return grad_x


@logit.examples
def logit_examples(rng):
    """Rows; one number; none; outside of the bounds."""
    return [*drawn(rng, 0.2, 0.8), (np.array([0.0, 0.2, 1.0]), {"eps": 0.1})]


@implements(np.logaddexp)
@primitive
def logaddexp(a, b):
    """log(exp a + exp b), without overflow: the sum of two probabilities whose logarithms are known.

    a (...), b (...) -> y (...)
    """
    y = np.logaddexp(a, b)
    return y


@logaddexp.backward
def logaddexp_backward(grad_y, a, b):
    """
    1. ∂y/∂a = exp a / (exp a + exp b): the share of a in the sum
    2. that is 1 / (1 + exp(b - a)) = (1 + tanh((a - b) / 2)) / 2, which cannot overflow
    3. ∂y/∂b is the rest of the share
    """
    share = (1 + np.tanh((a - b) / 2)) / 2
    grad_a = grad_y * share
    grad_b = grad_y * (1 - share)
    return grad_a, grad_b


@logaddexp.examples
def logaddexp_examples(rng):
    """Both repeated; a number and rows; what float32 cannot raise e to."""
    return [*drawn_pairs(rng, -2, 2), (100 + rng.standard_normal(3), rng.standard_normal(3))]


@implements(np.logaddexp2)
@primitive
def logaddexp2(a, b):
    """log₂(2ᵃ + 2ᵇ), without overflow.

    a (...), b (...) -> y (...)
    """
    y = np.logaddexp2(a, b)
    return y


@logaddexp2.backward
def logaddexp2_backward(grad_y, a, b):
    """∂y/∂a = 2ᵃ / (2ᵃ + 2ᵇ): the share of a in the sum, as in logaddexp with a log 2 and b log 2; b has the rest."""
    share = (1 + np.tanh((a - b) * (math.log(2) / 2))) / 2
    grad_a = grad_y * share
    grad_b = grad_y * (1 - share)
    return grad_a, grad_b


@logaddexp2.examples
def logaddexp2_examples(rng):
    """Both repeated; a number and rows; what float32 cannot raise 2 to."""
    return [*drawn_pairs(rng, -2, 2), (150 + rng.standard_normal(3), rng.standard_normal(3))]


@primitive
def xlogy(a, b):
    """a log b, and 0 where a is 0: what cannot happen adds nothing to an entropy, though its logarithm is infinite.

    a (...), b (...) -> y (...)
    """
    none  = a == 0
    log_b = np.log(np.where(none & (b <= 0), 1, b))
    y     = a * np.where(none & np.isinf(log_b), 0, log_b)
    return y


@xlogy.backward
def xlogy_backward(grad_y, a, b, log_b):
    """∂y/∂a = log b, but 0 where a is 0 and log b does not exist; ∂y/∂b = a/b."""
    grad_a = grad_y * log_b
    grad_b = grad_y * (a / b)
    return grad_a, grad_b


@xlogy.examples
def xlogy_examples(rng):
    """Both repeated; a number and rows; 0 log 2."""
    return [*drawn_pairs(rng, 1, 2), (np.zeros(2), np.full(2, 2.0))]


def entr(input):
    """-x log x, what a probability adds to an entropy: 0 for x = 0, and -∞ below.

    >>> from chalkgrad import tensor
    >>> entr(tensor([0.0, 0.5, 1.0]))
    tensor([0.    , 0.3466, 0.    ])
    """
    return where(input < 0, -math.inf, 0 - xlogy(input, input))


def xlog1py(input, other):
    """x log(1 + y), and 0 where x is 0.

    >>> from chalkgrad import tensor
    >>> xlog1py(tensor([0.0, 2.0]), tensor([-1.0, 1.0]))
    tensor([0.    , 1.3863])
    """
    none = input == 0
    return where(none & (other == other), 0.0, input * log1p(where(none, 0.0, other)))


attach_both(exp, exp2, expm1, log, log10, log1p, log2, logit, xlogy)
attach(logaddexp=logaddexp, logaddexp2=logaddexp2)
