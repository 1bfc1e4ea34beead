"""Orthogonal weights: they turn a signal and leave its length alone, through any number of layers."""

from __future__ import annotations

import numpy as np

from ...engine.tape import no_grad
from ...engine.tensor import Tensor, wrap
from .draws import normal_

__all__ = ["orthogonal_"]


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: np.random.Generator | None = None) -> Tensor:
    """Fill with a random matrix of orthonormal rows or columns, whichever are fewer, times `gain`.

    1. The variance of a signal stays the same on the mean through Xavier's weights, but a product of many random
       matrices stretches some directions and loses the others.
    2. ‖W x‖² = xᵀ Wᵀ W x = ‖x‖² for every x if Wᵀ W = 1, and so for products of such matrices, and for gradients.
    3. Q of a normal matrix A = Q R has orthonormal columns. If R's diagonal is made positive, by signs that move to Q,
       Q is as likely as any other such matrix, since A is as likely as it is turned.

    Axes after the first are taken as one: a convolution's rows are its output channels.

    Raises ValueError for fewer than two axes.

    Source: Saxe, McClelland & Ganguli 2014; Mezzadri 2007, section 5, for the signs.

    >>> import chalkgrad as cg
    >>> w = orthogonal_(cg.empty(3, 2, 2, dtype=np.float64), gain=2.0).data.reshape(3, 4)
    >>> np.allclose(w @ w.T, 4 * np.eye(3))
    True
    """
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_ fills a weight with two or more axes, but this has shape {tensor.shape}.")
    if tensor.data.size == 0:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.data.size // rows
    drawn = normal_(wrap(np.empty((max(rows, columns), min(rows, columns)), tensor.dtype), None), generator=generator)
    q, r = np.linalg.qr(drawn.data)
    q = q * np.sign(np.diagonal(r)) * gain
    with no_grad():
        tensor.copy_(wrap((q.T if rows < columns else q).reshape(tensor.shape).astype(tensor.dtype), None))
    return tensor
