"""Attention: every query looks over all keys, and takes the values of those that answer to it.

A dictionary that is asked with a vector: how well a key fits is a scalar product, the softmax makes shares of the fits,
and what comes back is the values mixed in these shares (Bahdanau, Cho & Bengio 2015). Vaswani et al. (2017) built a
whole network of it, the transformer, in which every position of a sequence looks at every other in a single step.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tape import mode
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ...ops.special import largest_along, sum_along
from ...seeding import default_generator
from .dropout import check, keep_mask

__all__ = ["attend", "draw_kept", "not_later", "penalty_of", "scaled_dot_product_attention", "serve_groups"]


def penalty_of(mask, like):
    """Turn a mask into what is added to scores: -∞ where a mask of booleans says no; a mask of floats is that already.

    >>> penalty_of(np.array([True, False]), np.zeros(2))
    array([  0., -inf])
    """
    if mask.dtype != bool:
        return mask
    zero = np.zeros_like(like, shape=())
    return np.where(mask, zero, zero - math.inf)


def not_later(scores):
    """Make the penalty for looking into the future: -∞ where the key stands after the query.

    >>> not_later(np.zeros((2, 3)))
    array([[  0., -inf, -inf],
           [  0.,   0., -inf]])
    """
    length, size = scores.shape[-2:]
    return np.triu(np.full((length, size), -math.inf, scores.dtype), 1)


@primitive
def attend(query, key, value=None, mask=None, kept=None, *, scale, is_causal=False, dropout_p=0.0):
    """Mix the values in the shares that their keys get: y = softmax(scale · q kᵀ + mask) v.

    query (..., l, e), key (..., s, e), value (..., s, v), mask (*), kept (*) -> y (..., l, v)

    value      without values the shares themselves come out, (..., l, s)
    mask       booleans, True where a query may look at a key, or floats that are added to the scores
    kept       where dropout keeps a share; it was drawn to drop each with the probability dropout_p
    is_causal  a query looks at no key that stands after it

    A query that may look at nothing gets zeros.

    Source: Vaswani et al. 2017, eq. 1, in which the scale is 1/√e.

    >>> keys, values = np.eye(2), np.array([[10.0], [20.0]])
    >>> attend(np.array([[0.0, 0.0], [0.0, 9e9]]), keys, values, scale=1)
    array([[15.],
           [20.]])
    """
    q = query * scale
    scores = q @ key.mT
    if mask is not None:
        scores = scores + penalty_of(mask, scores)
    if is_causal:
        scores += not_later(scores)
    # only differences count, so the largest may be taken as 0; where all are -∞, any number will do
    top = np.maximum(largest_along(scores, -1), -1e30)
    scores -= top
    e = np.exp(scores)
    total = np.maximum(sum_along(e, -1), 1e-30)
    p = e / total
    shares = p
    enlarged = 1 / (1 - dropout_p) if dropout_p < 1 else 0
    if kept is not None:
        shares = p * kept
        shares *= enlarged
    if value is None:
        y = shares.copy()  # the shares are remembered, but y is handed out, and may be changed
    else:
        y = shares @ value
    return y


@attend.backward
def attend_backward(grad_y, key, value, kept, y, q, p, shares, scale, enlarged):
    """
    1. y_id = Σ_j p_ij v_jd, so ∂loss/∂v_jd = Σ_i p_ij g_id, and ∂loss/∂p_ij = Σ_d g_id v_jd
    2. p is the softmax of the scores: ∂loss/∂score_ij = p_ij (∂loss/∂p_ij - Σ_m p_im ∂loss/∂p_im)
    3. Σ_m p_im ∂loss/∂p_im = Σ_d g_id Σ_m p_im v_md = Σ_d g_id y_id: a sum over what came out
    4. score_ij = scale Σ_d q_id k_jd + mask_ij: ∂loss/∂q_id = scale Σ_j ∂loss/∂score_ij k_jd, and the same for k
    5. dropout multiplies p by 0 or by 1/(1 - dropout_p) on its way to y, and so ∂loss/∂p on its way back
    """
    grad_value = shares.mT @ grad_y
    if value is None:
        grad_p = grad_y.copy()
    else:
        grad_p = grad_y @ value.mT
    if kept is not None:
        grad_p *= enlarged
        grad_p *= kept
    average = sum_along(grad_y * y, -1)
    grad_scores = grad_p - average
    grad_scores *= p
    grad_query = grad_scores @ key
    grad_query *= scale
    grad_key = grad_scores.mT @ q
    grad_mask = grad_scores
    return grad_query, grad_key, grad_value, grad_mask


@attend.examples
def attend_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Rows; heads, causal; booleans, in one row all False; floats to add; dropout; one set of keys; the shares."""
    draw = rng.standard_normal
    looks = np.array([[True, False, True], [False, False, False]])
    return [
        (draw((2, 4)), draw((3, 4)), draw((3, 5)), {"scale": 0.5}),
        (draw((2, 2, 3, 4)), draw((2, 2, 3, 4)), draw((2, 2, 3, 4)), {"scale": 0.5, "is_causal": True}),
        (draw((2, 4)), draw((3, 4)), draw((3, 4)), looks, {"scale": 1.0}),
        (draw((5, 2, 4)), draw((5, 3, 4)), draw((5, 3, 4)), draw((2, 3)), {"scale": 0.5}),
        (draw((2, 4)), draw((3, 4)), draw((3, 4)), None, rng.random((2, 3)) < 0.5, {"scale": 0.5, "dropout_p": 0.5}),
        (draw((5, 2, 4)), draw((3, 4)), draw((3, 4)), {"scale": 2.0}),
        (draw((2, 4)), draw((3, 4)), None, looks, rng.random((2, 3)) < 0.5, {"scale": 0.5, "dropout_p": 0.5}),
    ]


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False,
    generator: np.random.Generator | None = None,
) -> Tensor:
    """Mix the values in the shares softmax(scale · q kᵀ + mask), of which dropout may drop some.

    query      (..., l, e): l queries
    key        (..., s, e): s keys
    value      (..., s, v): what stands behind each key
    attn_mask  repeats to (..., l, s): booleans, True where a query may look at a key, or floats that are added
    dropout_p  the probability with which a share is dropped, whatever the mode: 0 when not training
    is_causal  a query looks at no key that stands after it; instead of attn_mask
    scale      1/√e if not given: then scores have the variance 1 if queries and keys have
    enable_gqa  the third axis from the end counts heads, and keys and values have fewer: each serves a group of queries
    generator  what the shares to drop are drawn from; the default generator if not given

    A query that may look at nothing gets zeros.

    Raises ValueError for both attn_mask and is_causal, and for a dropout_p outside [0, 1]; TypeError for a mask of
    whole numbers; ShapeError if shapes do not fit, or heads cannot be grouped evenly.

    >>> import chalkgrad as cg
    >>> x = cg.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> scaled_dot_product_attention(x, x, x, is_causal=True)[0]  # the first can look at itself alone
    tensor([1., 0.])
    """
    name = "scaled_dot_product_attention"
    if attn_mask is not None and is_causal:
        raise ValueError(f"{name}: give attn_mask or is_causal=True; a mask can be causal itself, and more.")
    if attn_mask is not None and attn_mask.dtype.kind not in "bf":
        raise TypeError(f"{name}: attn_mask is {attn_mask.dtype}; it holds booleans, True where a query may look, or "
                        "floats to add to the scores. Try: attn_mask.bool().")
    check(dropout_p)
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise ShapeError(f"{name}: query, key and value have at least two axes, (..., positions, features), but they "
                         f"have shapes {query.shape}, {key.shape}, {value.shape}.")
    if enable_gqa and query.ndim > 2:
        key, value = (serve_groups(name, query, x) for x in (key, value))
    kept = draw_kept(query, key, dropout_p, generator) if dropout_p > 0 else None
    scale = 1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale
    y: Tensor = attend(query, key, value, attn_mask, kept, scale=scale, is_causal=is_causal, dropout_p=dropout_p)
    return y


def serve_groups(name: str, query: Tensor, x: Tensor) -> Tensor:
    """Repeat each head of keys or values (..., h/g, s, e) for its group of g heads of queries: (..., h, s, e).

    Raises ShapeError unless every head serves equally many.

    Source: Ainslie et al. 2023, section 2.2.
    """
    heads, served = x.shape[-3] if x.ndim > 2 else 0, query.shape[-3]
    if not heads or served % heads:
        raise ShapeError(f"{name}: {served} heads of queries cannot be shared out evenly among {heads} heads of keys "
                         f"and "
                         f"values; query has shape {query.shape}, these have {x.shape}.")
    repeated = x.unsqueeze(-3).expand(*x.shape[:-2], served // heads, *x.shape[-2:])
    every: Tensor = repeated.reshape(*x.shape[:-3], served, *x.shape[-2:])
    return every


def draw_kept(query: Tensor, key: Tensor, dropout_p: float, generator: np.random.Generator | None) -> Any:
    """Draw which shares dropout keeps, one for each query and key, and tell the tape."""
    source = generator or default_generator()
    shape = (*np.broadcast_shapes(query.shape[:-2], key.shape[:-2]), query.shape[-2], key.shape[-2])
    kept = keep_mask(source, shape, dropout_p)
    if mode.tape is not None:
        mode.tape.record("random", keep_mask, {"generator": source, "shape": shape, "p": dropout_p}, {"mask": kept})
    return kept
