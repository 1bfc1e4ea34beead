"""Heads: several attentions side by side, each of which looks for something else.

One softmax can look at one thing at a time. So queries, keys and values are mapped by learned weights to several
smaller spaces, each head attends in its own, and what the heads bring is mixed by a last layer (Vaswani et al. 2017,
section 3.2.2). What MultiheadAttention and its functional form do between the inputs and that last layer stands here.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ...ops.choice import where
from ...ops.constant import zeros_like
from ...ops.shape import cat
from .attention import attend, draw_kept
from .linear import linear

__all__ = ["Look", "Projection", "blocked", "check_mask", "heads", "look_around"]


@primitive
def heads(x, *, count):
    """Cut queries, keys and values apart, and each into its heads.

    x (b, l, c) -> q (b, h, l, e), k (b, h, l, e), v (b, h, l, e)

    They were computed side by side: c is 3 · h · e, in this order, and h is `count`. Nothing is copied.

    Source: Vaswani et al. 2017, section 3.2.2; one matrix product for the three is faster than one for each.

    >>> q, k, v = heads(np.arange(6.0).reshape(1, 1, 6), count=2)
    >>> q.tolist(), v.tolist()
    ([[[[0.0]], [[1.0]]]], [[[[4.0]], [[5.0]]]])
    """
    parts = x.reshape(*x.shape[:-1], 3, count, x.shape[-1] // (3 * count))
    cut = parts.shape
    parts = np.transpose(parts, (2, 0, 3, 1, 4))
    q = parts[0]
    k = parts[1]
    v = parts[2]
    return q, k, v


@heads.backward
def heads_backward(grad_q, grad_k, grad_v, cut):
    """Every number of x went to one place, and its gradient comes back from there."""
    grads = np.empty_like(grad_q, shape=cut)
    grads[:, :, 0] = np.swapaxes(grad_q, 1, 2)
    grads[:, :, 1] = np.swapaxes(grad_k, 1, 2)
    grads[:, :, 2] = np.swapaxes(grad_v, 1, 2)
    grad_x = grads.reshape(*cut[:2], math.prod(cut[2:]))
    return grad_x


@heads.examples
def heads_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Two heads; one."""
    return [(rng.standard_normal((2, 3, 12)), {"count": 2}), (rng.standard_normal((1, 1, 3)), {"count": 1})]


class Projection(NamedTuple):
    """The maps of queries, keys and values.

    weights     one for the three, (3 · c, c), or a tuple of three
    bias        (3 · c), or None
    extra       a key and a value, (1, 1, c) each, that stand behind all others, or None
    zero        whether a key and a value of zeros stand behind all others
    heads       how many heads there are
    """

    weights: Tensor | tuple[Tensor, Tensor, Tensor]
    bias: Tensor | None
    extra: tuple[Tensor, Tensor] | None
    zero: bool
    heads: int


class Look(NamedTuple):
    """Where queries may look, in PyTorch's sense: masks are booleans, True where not, or floats to add to the scores.

    mask          (l, s) or (b · h, l, s), or None
    padding       (b, s), or None
    is_causal     no query looks at a key that stands after it, whatever the masks say
    dropout_p     the probability with which a share is dropped
    need_weights  whether the shares are returned
    """

    mask: Tensor | None
    padding: Tensor | None
    is_causal: bool
    dropout_p: float
    need_weights: bool


def look_around(
    name: str, inputs: list[Tensor], projection: Projection, look: Look,
    static: tuple[Tensor | None, Tensor | None] = (None, None),
) -> tuple[Tensor, Tensor | None]:
    """Let every query attend to the keys, in heads; return what they bring, (b, l, c), and the shares, (b, h, l, s).

    inputs  queries, keys and values, (b, positions, features) each; or one Tensor, which is all three
    static  keys and values (b · h, s, e) that were computed before, instead of those of the inputs
    """
    q, k, v = _projected(inputs, projection)
    b, h, length, e = q.shape
    k, v = (own if given is None else given.reshape(b, h, -1, e) for own, given in zip((k, v), static, strict=True))
    more = projection.zero + (projection.extra is not None)  # keys behind the others, which everybody may look at
    mask = _mask(name, look, q, k, more)
    if projection.extra is not None:
        k, v = (cat([x, more.reshape(1, h, 1, e).expand(b, h, 1, e)], 2)
                for x, more in zip((k, v), projection.extra, strict=True))
    if projection.zero:
        k, v = (cat([x, zeros_like(x[:, :, :1])], 2) for x in (k, v))
    kept = draw_kept(q, k, look.dropout_p, None) if look.dropout_p > 0 else None
    options = {"scale": 1 / math.sqrt(e), "is_causal": look.is_causal and not more, "dropout_p": look.dropout_p}
    if look.need_weights:
        weights = attend(q, k, None, mask, kept, **options)
        y = weights @ v
    else:
        weights, y = None, attend(q, k, v, mask, kept, **options)
    return y.swapaxes(1, 2).reshape(b, length, h * e), weights


def _projected(inputs: list[Tensor], projection: Projection) -> tuple[Tensor, Tensor, Tensor]:
    """Map queries, keys and values, (b, positions, ...), to (b, h, positions, e)."""
    weights, bias, count = projection.weights, projection.bias, projection.heads
    if len(inputs) == 1 and isinstance(weights, Tensor):
        q, k, v = heads(linear(inputs[0], weights, bias), count=count)
        return q, k, v
    features = (weights if isinstance(weights, Tensor) else weights[0]).shape[1]
    thirds = [slice(i * features, (i + 1) * features) for i in range(3)]
    each = [weights[third] for third in thirds] if isinstance(weights, Tensor) else weights
    biases = [None if bias is None else bias[third] for third in thirds]
    inputs = inputs if len(inputs) == 3 else inputs * 3
    q, k, v = (_cut(linear(*given), count) for given in zip(inputs, each, biases, strict=True))
    return q, k, v


def _cut(x: Tensor, count: int) -> Tensor:
    batch, length, features = x.shape
    y: Tensor = x.reshape(batch, length, count, features // count).swapaxes(1, 2)
    return y


# -------------------------------------------------------------------------------------------------------------- masks


def blocked(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    """Make one mask of two: booleans, True where not to look, or floats to add to the scores.

    >>> from chalkgrad import tensor
    >>> blocked(tensor([True, False, False]), tensor([False, False, True]))
    tensor([ True, False,  True])
    >>> blocked(tensor([True, False, False]), tensor([2.0, 2.0, 3.0]))
    tensor([-inf,   2.,   3.])
    """
    if one is None or other is None:
        return other if one is None else one
    if one.dtype == other.dtype == bool:
        neither: Tensor = one | other
        return neither
    if one.dtype == bool:
        one, other = other, one
    added: Tensor = where(other, -math.inf, one) if other.dtype == bool else one + other
    return added


def _mask(name: str, look: Look, q: Tensor, k: Tensor, more: int) -> Tensor | None:
    """Bring both masks to (b, h, l, s), where an axis may have the size 1, and make them one, as `attend` reads it."""
    batch, count, length, _ = q.shape
    size = k.shape[2]
    mask, padding = look.mask, look.padding
    if mask is not None:
        check_mask(name, "attn_mask", mask, [(length, size), (batch * count, length, size)])
        if mask.ndim == 3:
            mask = mask.reshape(batch, count, length, size)
    if padding is not None:
        check_mask(name, "key_padding_mask", padding, [(batch, size), *[(size,)] * (batch == 1)])
        padding = padding.reshape(batch, 1, 1, size)
    if more and look.is_causal:
        mask = blocked(mask, Tensor(np.triu(np.ones((length, size), bool), 1)))
    mask = blocked(mask, padding)
    if mask is not None and more:
        mask = cat([mask, zeros_like(mask[..., :1]).expand(*mask.shape[:-1], more)], -1)
    return ~mask if mask is not None and mask.dtype == bool else mask


def check_mask(name: str, which: str, mask: Tensor, shapes: list[tuple[int, ...]]) -> None:
    """Raise ShapeError unless a mask has one of the shapes, and TypeError unless it holds booleans or floats."""
    if mask.shape not in shapes:
        raise ShapeError(f"{name}: {which} has shape {mask.shape}, but {' or '.join(map(str, shapes))} was expected.")
    if mask.dtype.kind not in "bf":
        raise TypeError(f"{name}: {which} is {mask.dtype}; it holds booleans, True where not to look, or floats to add "
                        "to the scores. Try: mask.bool().")
