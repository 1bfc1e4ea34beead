"""MultiheadAttention: attention in several heads, with the maps that lead to them and from them.

Every head looks for something of its own; what they bring is mixed by a last layer (Vaswani et al. 2017, section
3.2.2). How the heads are cut, and the masks read, stands in heads.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from .. import init
from ..module import Module, Parameter
from .heads import Look, Projection, look_around
from .linear import Linear, linear

__all__ = ["MultiheadAttention", "batched", "check_inputs", "multi_head_attention_forward", "returned"]


def multi_head_attention_forward(
    query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int, in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None, bias_k: Tensor | None, bias_v: Tensor | None, add_zero_attn: bool, dropout_p: float,
    out_proj_weight: Tensor, out_proj_bias: Tensor | None, training: bool = True,
    key_padding_mask: Tensor | None = None, need_weights: bool = True, attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Tensor | None = None, k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None, static_k: Tensor | None = None, static_v: Tensor | None = None,
    average_attn_weights: bool = True, is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Do what MultiheadAttention does, with weights that are handed over: query (l, b, c), key (s, b, ...), or
    unbatched.

    bias_k, bias_v      a key and a value (1, 1, c) that stand behind all others
    add_zero_attn       a key and a value of zeros stand behind all others
    static_k, static_v  keys and values (b · num_heads, s, c / num_heads) that were computed before

    The other arguments are those of MultiheadAttention and its forward. Returns (l, b, c) and the shares.

    Raises ShapeError and TypeError as MultiheadAttention does, and ValueError for weights that are missing.

    >>> import chalkgrad as cg
    >>> x, weight = cg.ones(3, 1, 2), cg.eye(2)
    >>> y, shares = multi_head_attention_forward(
    ...     x, x, x, 2, 1, cg.cat([weight] * 3), None, None, None, False, 0.0, weight, None)
    >>> y[0], shares[0, 0]
    (tensor([[1., 1.]]), tensor([0.3333, 0.3333, 0.3333]))
    """
    name = "multi_head_attention_forward"
    separate = (q_proj_weight, k_proj_weight, v_proj_weight)
    weights: Any = separate if use_separate_proj_weight else in_proj_weight
    if weights is None or (use_separate_proj_weight and any(weight is None for weight in separate)):
        raise ValueError(f"{name}: give in_proj_weight, or q_, k_ and v_proj_weight with "
                         f"use_separate_proj_weight=True.")
    if query.shape[-1] != embed_dim_to_check:
        raise ShapeError(f"{name}: embed_dim_to_check is {embed_dim_to_check}, but query has shape {query.shape}.")
    sizes = [weight.shape[1] for weight in weights] if use_separate_proj_weight else [embed_dim_to_check] * 3
    check_inputs(name, (query, key, value), sizes, batch_axis=1)
    extra = None if bias_k is None or bias_v is None else (bias_k, bias_v)
    projection = Projection(weights, in_proj_bias, extra, add_zero_attn, num_heads)
    look = Look(attn_mask, key_padding_mask, is_causal, dropout_p if training else 0.0, need_weights)
    single = query.ndim == 2
    y, shares = look_around(name, batched((query, key, value), 1), projection, look, (static_k, static_v))
    return returned(linear(y, out_proj_weight, out_proj_bias), shares, single, 1, average_attn_weights)


def check_inputs(name: str, inputs: tuple[Tensor, ...], sizes: list[int], batch_axis: int) -> None:
    """Raise ShapeError unless queries, keys and values have so many features, and fit each other."""
    query, key, value = inputs
    for which, x, size in zip(("query", "key", "value"), inputs, sizes, strict=True):
        if x.ndim not in (2, 3) or x.ndim != query.ndim or x.shape[-1] != size:
            raise ShapeError(f"{name}: {which} has shape {x.shape}, but a batch of sequences with {size} features was "
                             f"expected, or one sequence; query has shape {query.shape}.")
    if key.shape[:-1] != value.shape[:-1]:
        raise ShapeError(f"{name}: every key has one value, but keys have shape {key.shape} and values {value.shape}.")
    if query.ndim == 3 and query.shape[batch_axis] != key.shape[batch_axis]:
        raise ShapeError(f"{name}: queries {query.shape} and keys {key.shape} are of different batches; the batch is "
                         f"axis {batch_axis}, which batch_first decides.")


def batched(inputs: tuple[Tensor, ...], batch_axis: int) -> list[Tensor]:
    """Bring the batch to the front; one Tensor is enough if it is queries, keys and values."""
    query, key, value = inputs
    distinct = [query] if query is key and key is value else [query, key, value]
    if query.ndim == 2:
        return [x[None] for x in distinct]
    return distinct if batch_axis == 0 else [x.swapaxes(0, 1) for x in distinct]


def returned(
    y: Tensor, shares: Tensor | None, single: bool, batch_axis: int, average: bool
) -> tuple[Tensor, Tensor | None]:
    """Put the batch where it was, and average the shares over the heads."""
    if shares is not None and average:
        shares = shares.mean(1)
    if single:
        return y[0], None if shares is None else shares[0]
    return y if batch_axis == 0 else y.swapaxes(0, 1), shares


class MultiheadAttention(Module):
    """Attention in `num_heads` heads of embed_dim / num_heads features each, with PyTorch's parameters and masks.

    embed_dim    the features of queries and of what comes out
    dropout      the probability with which a share is dropped in training
    bias         whether the four maps add one
    add_bias_kv    a key and a value that are learned stand behind all others
    add_zero_attn  a key and a value of zeros stand behind all others: a way to look at nothing
    kdim, vdim   the features of keys and values, if they are others
    batch_first  whether inputs are (batch, positions, features), and not (positions, batch, features)

    Parameters: `in_proj_weight` (3 · embed_dim, embed_dim) for queries, keys and values, or with kdim or vdim
    `q_proj_weight`, `k_proj_weight`, `v_proj_weight`; `in_proj_bias` (3 · embed_dim); `bias_k` and `bias_v` (1, 1,
    embed_dim); `out_proj`, a Linear.

    Raises ValueError if the heads do not divide the features, or dropout is no probability.

    >>> import chalkgrad as cg
    >>> attend = MultiheadAttention(8, 2, batch_first=True)
    >>> x = cg.randn(4, 5, 8)
    >>> y, weights = attend(x, x, x)
    >>> y.shape, weights.shape
    ((4, 5, 8), (4, 5, 5))
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
        dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        if num_heads < 1 or embed_dim < 1 or embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention: embed_dim={embed_dim} features cannot be shared evenly among "
                             f"num_heads={num_heads} heads.")
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
        self.bias_k = Parameter(np.empty((1, 1, embed_dim), dtype)) if add_bias_kv else None
        self.bias_v = Parameter(np.empty((1, 1, embed_dim), dtype)) if add_bias_kv else None
        self.add_zero_attn = add_zero_attn
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights, all biases zero, but for the extra key and value, which are drawn too."""
        for name, parameter in self.named_parameters(recurse=False):
            if name.endswith("weight"):
                init.xavier_uniform_(parameter)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)
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
        batch_axis = 0 if self.batch_first else 1
        check_inputs("MultiheadAttention", (query, key, value), [self.embed_dim, self.kdim, self.vdim], batch_axis)
        dropout_p = self.dropout if self.training else 0.0
        look = Look(attn_mask, key_padding_mask, is_causal, dropout_p, need_weights)
        inputs = batched((query, key, value), batch_axis)
        y, shares = look_around("MultiheadAttention", inputs, self._projection(), look)
        return returned(self.out_proj(y), shares, query.ndim == 2, batch_axis, average_attn_weights)

    def _projection(self) -> Projection:
        weights: Any = self.in_proj_weight
        if weights is None:
            weights = self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        extra = None if self.bias_k is None or self.bias_v is None else (self.bias_k, self.bias_v)
        return Projection(weights, self.in_proj_bias, extra, self.add_zero_attn, self.num_heads)
