"""MultiheadAttention: several attentions side by side, each of which looks for something else.

One softmax can look at one thing at a time. So queries, keys and values are mapped by learned weights to `num_heads`
smaller spaces, each head attends in its own, and what the heads bring is mixed by a last layer (Vaswani et al. 2017,
section 3.2.2).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...engine.primitive import primitive
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ...ops.choice import where
from .. import init
from ..module import Module, Parameter
from .attention import attend, draw_kept
from .linear import Linear, linear

__all__ = ["MultiheadAttention", "either", "heads"]


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
    parts = x.reshape(*x.shape[:-1], 3, count, -1)
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
    grad_x = grads.reshape(*cut[:2], -1)
    return grad_x


@heads.examples
def heads_examples(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Two heads; one."""
    return [(rng.standard_normal((2, 3, 12)), {"count": 2}), (rng.standard_normal((1, 1, 3)), {"count": 1})]


def either(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    """Make one mask of two, in PyTorch's sense: booleans, True where not to look, or floats to add to the scores.

    The result is in the sense of `attend`: booleans are turned over.

    >>> from chalkgrad import tensor
    >>> either(tensor([True, False]), None)
    tensor([False,  True])
    >>> either(tensor([True, False, False]), tensor([2.0, 2.0, 3.0]))
    tensor([-inf,   2.,   3.])
    """
    if one is None or other is None:
        mask = other if one is None else one
        return ~mask if mask is not None and mask.dtype == bool else mask
    if one.dtype == other.dtype == bool:
        allowed: Tensor = ~(one | other)
        return allowed
    if one.dtype == bool:
        one, other = other, one
    added: Tensor = where(other, -math.inf, one) if other.dtype == bool else one + other
    return added


class MultiheadAttention(Module):
    """Attention in `num_heads` heads of embed_dim / num_heads features each, with PyTorch's parameters and masks.

    embed_dim    the features of queries and of what comes out
    dropout      the probability with which a share is dropped in training
    bias         whether the four maps add one
    kdim, vdim   the features of keys and values, if they are others
    batch_first  whether inputs are (batch, positions, features), and not (positions, batch, features)

    Parameters: `in_proj_weight` (3 · embed_dim, embed_dim) for queries, keys and values, or with kdim or vdim
    `q_proj_weight`, `k_proj_weight`, `v_proj_weight`; `in_proj_bias` (3 · embed_dim); `out_proj`, a Linear.

    Raises ValueError if the heads do not divide the features, and for add_bias_kv and add_zero_attn.

    >>> import chalkgrad as cg
    >>> attend = MultiheadAttention(8, 2, batch_first=True)
    >>> x = cg.randn(4, 5, 8)
    >>> y, weights = attend(x, x, x)
    >>> y.shape, weights.shape
    ((4, 5, 8), (4, 5, 5))
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
        dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        if num_heads < 1 or embed_dim < 1 or embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention: embed_dim={embed_dim} features cannot be shared evenly among "
                             f"num_heads={num_heads} heads.")
        if add_bias_kv or add_zero_attn:
            name = "add_bias_kv" if add_bias_kv else "add_zero_attn"
            raise ValueError(f"MultiheadAttention: {name} is not in this release; leave it out.")
        if not 0 <= dropout <= 1:
            raise ValueError(f"MultiheadAttention: dropout is a probability from 0 to 1, but {dropout!r} came.")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim, self.vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        if self.kdim == self.vdim == embed_dim:
            self.in_proj_weight = Parameter(np.empty((3 * embed_dim, embed_dim), dtype))
        else:
            self.q_proj_weight = Parameter(np.empty((embed_dim, embed_dim), dtype))
            self.k_proj_weight = Parameter(np.empty((embed_dim, self.kdim), dtype))
            self.v_proj_weight = Parameter(np.empty((embed_dim, self.vdim), dtype))
            self.in_proj_weight = None
        self.in_proj_bias = Parameter(np.empty(3 * embed_dim, dtype)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights, all biases zero."""
        for name, parameter in self.named_parameters(recurse=False):
            if name.endswith("weight"):
                init.xavier_uniform_(parameter)
        self.out_proj.reset_parameters()
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
        need_weights: bool = True, attn_mask: Tensor | None = None, average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Let every query attend to the keys; return what it brings, and the shares, or None without need_weights.

        query             (batch, l, embed_dim), as batch_first says, or one sequence (l, embed_dim)
        key, value        (batch, s, kdim), (batch, s, vdim)
        key_padding_mask  (batch, s): booleans, True for keys not to look at, or floats to add to the scores
        need_weights      whether to return the shares; it is faster without
        attn_mask         (l, s) or (batch · num_heads, l, s): booleans, True where not to look, or floats to add
        average_attn_weights  return shares (batch, l, s), the mean over heads, or (batch, num_heads, l, s)
        is_causal         no query looks at a key that stands after it, whatever the masks say

        A query that may look at nothing brings zeros, and the bias of the last layer; PyTorch gives nan for it if the
        shares are asked for.
        """
        single, self_attention = query.ndim == 2, query is key and key is value
        self._check(query, key, value)
        inputs = [query] if self_attention else [query, key, value]
        if single:
            inputs = [x[None] for x in inputs]
        elif not self.batch_first:
            inputs = [x.swapaxes(0, 1) for x in inputs]
        q, k, v = self._projected(inputs)
        mask = self._mask(attn_mask, key_padding_mask, q, k)
        y, weights = self._attend(q, k, v, mask, need_weights, is_causal)
        y = self.out_proj(y.swapaxes(1, 2).reshape(y.shape[0], y.shape[2], self.embed_dim))
        if weights is not None and average_attn_weights:
            weights = weights.mean(1)
        if single:
            return y[0], None if weights is None else weights[0]
        return y if self.batch_first else y.swapaxes(0, 1), weights

    # ---------------------------------------------------------------------------------------------------- the steps

    def _check(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        """Raise ShapeError unless the three fit the layer and each other."""
        for name, x, size in (("query", query, self.embed_dim), ("key", key, self.kdim), ("value", value, self.vdim)):
            if x.ndim not in (2, 3) or x.ndim != query.ndim or x.shape[-1] != size:
                raise ShapeError(f"MultiheadAttention: {name} has shape {x.shape}, but a batch of sequences with "
                                 f"{size} features was expected, or one sequence; query has shape {query.shape}.")
        if key.shape[:-1] != value.shape[:-1]:
            raise ShapeError("MultiheadAttention: every key has one value, but keys have shape "
                             f"{key.shape} and values {value.shape}.")
        batch = slice(0, 1) if self.batch_first else slice(1, 2)
        if query.ndim == 3 and query.shape[batch] != key.shape[batch]:
            raise ShapeError(f"MultiheadAttention: queries {query.shape} and keys {key.shape} are of different "
                             f"batches; batch_first={self.batch_first} says where the batch is.")

    def _projected(self, inputs: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Map queries, keys and values, (batch, positions, ...), to (batch, heads, positions, features of a head)."""
        if len(inputs) == 1 and self.in_proj_weight is not None:
            q, k, v = heads(linear(inputs[0], self.in_proj_weight, self.in_proj_bias), count=self.num_heads)
            return q, k, v
        inputs = inputs if len(inputs) == 3 else inputs * 3
        thirds = [slice(i * self.embed_dim, (i + 1) * self.embed_dim) for i in range(3)]
        weights: list[Tensor]
        if self.in_proj_weight is None:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        else:
            weights = [self.in_proj_weight[third] for third in thirds]
        biases = [None if self.in_proj_bias is None else self.in_proj_bias[third] for third in thirds]
        q, k, v = (self._heads(linear(*each)) for each in zip(inputs, weights, biases))
        return q, k, v

    def _heads(self, x: Tensor) -> Tensor:
        batch, length, features = x.shape
        y: Tensor = x.reshape(batch, length, self.num_heads, features // self.num_heads).swapaxes(1, 2)
        return y

    def _mask(self, attn_mask: Tensor | None, padding: Tensor | None, q: Tensor, k: Tensor) -> Tensor | None:
        """Bring both masks to (batch, heads, l, s), where an axis may have the size 1, and make them one."""
        batch, length, size = q.shape[0], q.shape[2], k.shape[2]
        if attn_mask is not None:
            shapes = [(length, size), (batch * self.num_heads, length, size)]
            self._check_mask("attn_mask", attn_mask, shapes)
            if attn_mask.ndim == 3:
                attn_mask = attn_mask.reshape(batch, self.num_heads, length, size)
        if padding is not None:
            self._check_mask("key_padding_mask", padding, [(batch, size), *[(size,)] * (batch == 1)])
            padding = padding.reshape(batch, 1, 1, size)
        return either(attn_mask, padding)

    def _check_mask(self, name: str, mask: Tensor, shapes: list[tuple[int, ...]]) -> None:
        if mask.shape not in shapes:
            raise ShapeError(f"MultiheadAttention: {name} has shape {mask.shape}, but "
                             f"{' or '.join(map(str, shapes))} was expected.")
        if mask.dtype.kind not in "bf":
            raise TypeError(f"MultiheadAttention: {name} is {mask.dtype}; it holds booleans, True where not to look, "
                            "or floats to add to the scores. Try: mask.bool().")

    def _attend(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, need_weights: bool, is_causal: bool
    ) -> tuple[Tensor, Tensor | None]:
        p = self.dropout if self.training else 0.0
        kept = draw_kept(q, k, p, None) if p > 0 else None
        options = {"scale": 1 / math.sqrt(q.shape[-1]), "is_causal": is_causal, "dropout_p": p}
        if not need_weights:
            return attend(q, k, v, mask, kept, **options), None
        weights = attend(q, k, None, mask, kept, **options)
        return weights @ v, weights
