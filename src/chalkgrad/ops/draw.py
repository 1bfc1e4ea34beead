"""Random tensors: drawn from the default generator, which `manual_seed` seeds, or from one that is handed in."""

import math

import numpy as np

from ..engine.tape import mode
from ..engine.tensor import Tensor, wrap
from ..seeding import default_generator
from .attach import attach
from .compare import plain
from .constant import sizes_of
from .exponential import exp
from .trigonometry import tan

__all__ = [
    "bernoulli", "draw_bernoulli", "draw_counts", "draw_exponential", "draw_geometric", "draw_integers", "draw_normal",
    "draw_order", "draw_places", "draw_uniform", "multinomial", "normal", "poisson", "rand", "rand_like", "randint",
    "randint_like", "randn", "randn_like", "randperm",
]


def _drawn(draw, generator, *given, requires_grad=False):
    """Make a tensor of random numbers; a spelled program draws them from the generator that it is handed."""
    generator = generator or default_generator()
    array = draw(generator, *given)
    if mode.tape is not None:
        mode.tape.record("random", draw, dict(enumerate((generator, *given))), {"y": array})
    return wrap(array, None).requires_grad_(requires_grad)


def draw_uniform(generator, size, dtype):
    """Draw evenly from [0, 1)."""
    return np.asarray(generator.random(size, dtype))


def draw_normal(generator, size, dtype):
    """Draw from the normal distribution with mean 0 and variance 1."""
    return np.asarray(generator.standard_normal(size, dtype))


def draw_integers(generator, low, high, size, dtype):
    """Draw integers evenly from [low, high)."""
    return np.asarray(generator.integers(low, high, size)).astype(dtype)


def draw_order(generator, n):
    """Draw an order of the numbers 0 to n - 1."""
    return generator.permutation(n)


def draw_exponential(generator, size, dtype):
    """Draw from the exponential distribution with mean 1."""
    return np.asarray(generator.standard_exponential(size, dtype))


def draw_geometric(generator, p, size, dtype):
    """Draw how many attempts it takes until one succeeds, each with probability p."""
    return np.asarray(generator.geometric(p, size)).astype(dtype)


def draw_bernoulli(generator, p, size, dtype):
    """Draw 1 with probability p, and 0 otherwise."""
    return np.asarray(generator.random(size) < p).astype(dtype)


def draw_counts(generator, rate, dtype):
    """Draw how much happens where so much happens on average, at any time alike: the Poisson distribution."""
    return np.asarray(generator.poisson(rate)).astype(dtype)


def draw_places(generator, weights, count, replacement):
    """Draw places in each row, with probabilities in proportion to the weights.

    With replacement, a number from [0, 1) falls into the stretch that a place has of the sum of the weights. Without,
    each place waits for a time from the exponential distribution with its weight as the rate, and the first ones are
    taken (Efraimidis & Spirakis 2006).
    """
    weights = weights.astype(np.float64)
    if replacement:
        ends = np.cumsum(weights, axis=-1)
        falls = generator.random((*weights.shape[:-1], count)) * ends[..., -1:]
        return np.minimum((falls[..., None] >= ends[..., None, :]).sum(axis=-1), weights.shape[-1] - 1)
    times = generator.standard_exponential(weights.shape) / np.where(weights > 0, weights, 1)
    return np.argsort(np.where(weights > 0, times, np.inf), axis=-1)[..., :count]


def rand(*size, generator=None, dtype=None, requires_grad=False):
    """Numbers drawn evenly from [0, 1)."""
    return _drawn(draw_uniform, generator, sizes_of(size), np.dtype(dtype or np.float32), requires_grad=requires_grad)


def randn(*size, generator=None, dtype=None, requires_grad=False):
    """Numbers drawn from the normal distribution with mean 0 and variance 1."""
    return _drawn(draw_normal, generator, sizes_of(size), np.dtype(dtype or np.float32), requires_grad=requires_grad)


def rand_like(input, dtype=None, generator=None, requires_grad=False):
    """Numbers drawn evenly from [0, 1), in the shape and dtype of another tensor."""
    return rand(input.shape, generator=generator, dtype=dtype or input.dtype, requires_grad=requires_grad)


def randn_like(input, dtype=None, generator=None, requires_grad=False):
    """Numbers drawn from the normal distribution, in the shape and dtype of another tensor."""
    return randn(input.shape, generator=generator, dtype=dtype or input.dtype, requires_grad=requires_grad)


def randint(low, high=None, size=None, generator=None, dtype=None, requires_grad=False):
    """Integers drawn evenly from [low, high); from [0, high), if one number is given, and then the size.

    >>> from chalkgrad import manual_seed
    >>> generator = manual_seed(0)
    >>> randint(10, (3,)), randint(5, 7, (3,)).min() >= 5
    (tensor([8, 6, 5]), tensor(True))
    """
    if isinstance(high, tuple | list):
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if size is None:
        raise TypeError("randint: a size is needed, as in randint(0, 10, (2, 3)).")
    kind = np.dtype(dtype or np.int64)
    return _drawn(draw_integers, generator, low, high, tuple(size), kind, requires_grad=requires_grad)


def randint_like(input, low, high=None, dtype=None, requires_grad=False):
    """Integers drawn evenly from [low, high), or from [0, low), in the shape and dtype of another tensor."""
    low, high = (0, low) if high is None else (low, high)
    return randint(plain(low), plain(high), input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def randperm(n, generator=None, dtype=None):
    """The numbers 0 to n - 1 in a random order."""
    order = _drawn(draw_order, generator, n)
    return order if dtype is None else order.to(dtype)


def normal(mean=0.0, std=1.0, size=None, *, generator=None, dtype=None, requires_grad=False):
    """Numbers drawn from the normal distribution: each with a mean and a standard deviation of its own, or of a size.

    Raises ValueError for a standard deviation below 0.

    >>> from chalkgrad import tensor
    >>> normal(tensor([1.0, 2.0]), 0.0), normal(0, 1, (2, 3)).shape
    (tensor([1., 2.]), (2, 3))
    """
    like = [value for value in (mean, std) if isinstance(value, Tensor)]
    if not isinstance(std, Tensor) and std < 0:
        raise ValueError(f"normal: a standard deviation is 0 or more, but {std} came.")
    if size is None and not like:
        raise TypeError("normal: of two numbers, a size is needed too, as in normal(0, 1, (2, 3)).")
    shape = np.broadcast_shapes(*(value.shape for value in like)) if size is None else sizes_of((size,))
    z = randn(shape, generator=generator, dtype=dtype or (like[0].dtype if like else None))
    return (z * plain(std) + plain(mean)).requires_grad_(requires_grad)


def bernoulli(input, p=None, *, generator=None):
    """1 with the probability that each element of the input says, or with probability p, and 0 otherwise.

    Raises ValueError for what is no probability.

    >>> from chalkgrad import tensor
    >>> bernoulli(tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    p = plain(input if p is None else p)
    if mode.tape is None and not np.all((np.asarray(p) >= 0) & (np.asarray(p) <= 1)):
        raise ValueError("bernoulli: a probability is a number from 0 to 1, but others came.")
    return _drawn(draw_bernoulli, generator, p, input.shape, input.dtype)


def poisson(input, generator=None):
    """How much happens where `input` happens on average, at any time alike.

    Raises ValueError for a rate below 0.
    """
    if mode.tape is None and (input.data < 0).any():
        raise ValueError("poisson: a rate is 0 or more, but others came.")
    return _drawn(draw_counts, generator, plain(input), input.dtype)


def multinomial(input, num_samples, replacement=False, *, generator=None):
    """Places drawn from each row, with probabilities in proportion to the numbers in it.

    Raises ValueError for a row that nothing can be drawn from, or not so much; TypeError unless it holds floats.

    >>> from chalkgrad import tensor
    >>> multinomial(tensor([0.0, 3.0, 0.0]), 4, replacement=True)
    tensor([1, 1, 1, 1])
    """
    if input.ndim not in (1, 2):
        raise ValueError(f"multinomial: the weights are a row or rows, but their shape is {input.shape}.")
    if input.dtype.kind != "f":
        raise TypeError(f"multinomial: the weights are floats, but {input.dtype} came; x.float() makes them.")
    weights = input.data
    if mode.tape is None and not ((weights >= 0).all() and np.isfinite(weights).all()):
        raise ValueError("multinomial: weights are 0 or more, but others came.")
    least = 1 if replacement else num_samples
    if num_samples < 1 or (mode.tape is None and ((weights > 0).sum(axis=-1) < least).any()):
        raise ValueError(f"multinomial: {num_samples} places cannot be drawn from rows with so few above 0; draw at "
                         "least 1, or with replacement=True.")
    return _drawn(draw_places, generator, weights, num_samples, replacement)


def _check(name, holds, condition):
    if not holds:
        raise ValueError(f"{name}: {condition} was expected.")


def _normal(self, mean=0.0, std=1.0, *, generator=None):
    """Write numbers drawn from the normal distribution over this tensor."""
    _check("normal_", std >= 0, f"a standard deviation of 0 or more, not {std},")
    return self.become(randn_like(self, generator=generator) * std + mean)


def _uniform(self, a=0.0, to=1.0, *, generator=None):
    """Write numbers drawn evenly from [a, to) over this tensor."""
    _check("uniform_", a <= to, f"a range that goes up, not from {a} to {to},")
    return self.become(rand_like(self, generator=generator) * (to - a) + a)


def _exponential(self, lambd=1.0, *, generator=None):
    """Write numbers drawn from the exponential distribution with mean 1/lambd over this tensor."""
    _check("exponential_", lambd > 0, f"a rate above 0, not {lambd},")
    return self.become(_drawn(draw_exponential, generator, self.shape, self.dtype) / lambd)


def _log_normal(self, mean=1.0, std=2.0, *, generator=None):
    """Write numbers over this tensor whose logarithms are drawn from the normal distribution."""
    _check("log_normal_", std > 0, f"a standard deviation above 0, not {std},")
    return self.become(exp(randn_like(self, generator=generator) * std + mean))


def _cauchy(self, median=0.0, sigma=1.0, *, generator=None):
    """Write numbers drawn from the Cauchy distribution over this tensor: the tangent of an angle drawn evenly."""
    _check("cauchy_", sigma > 0, f"a width above 0, not {sigma},")
    return self.become(tan((rand_like(self, generator=generator) - 0.5) * math.pi) * sigma + median)


def _geometric(self, p, *, generator=None):
    """Write over this tensor how many attempts it takes until one succeeds, each with probability p."""
    _check("geometric_", 0 < p < 1, f"a probability between 0 and 1, not {p},")
    return self.become(_drawn(draw_geometric, generator, p, self.shape, self.dtype))


def _bernoulli(self, p=0.5, *, generator=None):
    """Write 1 with probability p, and 0 otherwise, over this tensor."""
    return self.become(bernoulli(self, p, generator=generator))


def _random(self, low=0, to=None, *, generator=None):
    """Write integers drawn evenly from [low, to) over this tensor; up to the largest that its dtype holds exactly."""
    if to is None:
        low, to = (0, low) if low else (0, _largest(self.dtype) + 1)
    return self.become(_drawn(draw_integers, generator, low, to, self.shape, self.dtype))


def _largest(dtype):
    """The largest of the integers that a dtype holds without a gap."""
    if dtype.kind == "f":
        return 2 ** (np.finfo(dtype).nmant + 1)
    return 1 if dtype.kind == "b" else np.iinfo(dtype).max - 1


attach(
    bernoulli=bernoulli, bernoulli_=_bernoulli, cauchy_=_cauchy, exponential_=_exponential, geometric_=_geometric,
    log_normal_=_log_normal, multinomial=multinomial, normal_=_normal, random_=_random, uniform_=_uniform,
)
