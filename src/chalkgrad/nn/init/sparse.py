"""Sparse weights: every unit listens to a few others, however many there are."""

from __future__ import annotations

import math

import numpy as np

from ...engine.tape import no_grad
from ...engine.tensor import Tensor, wrap
from ...seeding import default_generator
from .draws import normal_

__all__ = ["sparse_"]


def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: np.random.Generator | None = None
) -> Tensor:
    """Fill a matrix with normal numbers, and set a share of every column to zero.

    sparsity  the share of zeros in a column, which is rounded up

    1. A sum over k inputs has the variance k · Var w · Var x: with k fixed and the rest zero, it does not depend on how
       many inputs there are, and w may be large.
    2. So units differ, and do not saturate together.

    Raises ValueError for what is no matrix, or for a share that is not between 0 and 1.

    Source: Martens 2010, section 5.

    >>> import chalkgrad as cg
    >>> w = sparse_(cg.empty(10, 4), sparsity=0.75)
    >>> (w.data == 0).sum(axis=0).tolist()
    [8, 8, 8, 8]
    """
    if tensor.ndim != 2:
        raise ValueError(f"sparse_ fills a matrix, but this tensor has shape {tensor.shape}.")
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparse_: sparsity is {sparsity}, but a share from 0 to 1 was expected.")
    generator = generator or default_generator()
    normal_(tensor, 0.0, std, generator)
    order = generator.random(tensor.shape).argsort(axis=0)  # a random order of the rows, for every column
    kept = order >= math.ceil(sparsity * tensor.shape[0])
    with no_grad():
        tensor.copy_(wrap(tensor.data * kept, None))
    return tensor
