"""GroupedQueryAttention: several heads of queries look through the same keys and values.

A model that writes word by word keeps the keys and values of all that it has written, and reading them takes most of
its time. With one head of keys for a group of heads of queries there is a fraction to keep, at little loss (Ainslie et
al. 2023); with one for all, it is the multi-query attention of Shazeer (2019).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ..module import Module
from .attention import scaled_dot_product_attention
from .linear import Linear
from .rotary_embedding import RotaryEmbedding

__all__ = ["GroupedQueryAttention"]


class GroupedQueryAttention(Module):
    """Attention of `num_heads` heads of queries over `num_kv_heads` heads of keys and values, in a sequence of its own.

    embed_dim     the features of a position, in and out
    num_heads     heads of queries, of embed_dim / num_heads features each
    num_kv_heads  heads of keys and values; it divides num_heads
    dropout       the probability with which a share is dropped in training
    bias          whether the four maps add one
    rotary        a RotaryEmbedding for a head's features, that turns queries and keys, or None

    Parts: `q_proj`, `k_proj`, `v_proj`, `o_proj`, Linear each.

    Raises ValueError if the heads do not divide the features, or each other.

    >>> import chalkgrad as cg
    >>> attend = GroupedQueryAttention(8, num_heads=4, num_kv_heads=2)
    >>> attend(cg.randn(3, 5, 8), is_causal=True).shape
    (3, 5, 8)
    """

    rotary: RotaryEmbedding | None

    def __init__(
        self, embed_dim: int, num_heads: int, num_kv_heads: int, dropout: float = 0.0, bias: bool = False,
        rotary: RotaryEmbedding | None = None, dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        if min(embed_dim, num_heads, num_kv_heads) < 1 or embed_dim % num_heads or num_heads % num_kv_heads:
            raise ValueError(f"GroupedQueryAttention: embed_dim={embed_dim} features are shared evenly among "
                             f"num_heads={num_heads} heads, and these among num_kv_heads={num_kv_heads}; they cannot "
                             f"be.")
        if not 0 <= dropout <= 1:
            raise ValueError(f"GroupedQueryAttention: dropout is a probability from 0 to 1, but {dropout!r} came.")
        self.embed_dim, self.num_heads, self.num_kv_heads, self.dropout = embed_dim, num_heads, num_kv_heads, dropout
        shared = embed_dim // num_heads * num_kv_heads
        self.q_proj = Linear(embed_dim, embed_dim, bias, dtype)
        self.k_proj, self.v_proj = Linear(embed_dim, shared, bias, dtype), Linear(embed_dim, shared, bias, dtype)
        self.o_proj = Linear(embed_dim, embed_dim, bias, dtype)
        self.rotary = rotary

    def forward(self, x: Tensor, attn_mask: Tensor | None = None, is_causal: bool = False) -> Tensor:
        """x (batch, t, embed_dim) -> y (batch, t, embed_dim).

        attn_mask  repeats to (batch, num_heads, t, t): booleans, True where a query may look, or floats that are added
        is_causal  no query looks at a key that stands after it; instead of attn_mask

        Raises ShapeError for x of another shape.
        """
        if x.ndim != 3 or x.shape[-1] != self.embed_dim:
            raise ShapeError(f"GroupedQueryAttention: x has shape {x.shape}, but (batch, positions, {self.embed_dim}) "
                             f"was "
                             "expected.")
        q = self._heads(self.q_proj(x), self.num_heads)
        k, v = (self._heads(each(x), self.num_kv_heads) for each in (self.k_proj, self.v_proj))
        if self.rotary is not None:
            q, k = self.rotary(q), self.rotary(k)
        y = scaled_dot_product_attention(
            q, k, v, attn_mask, self.dropout if self.training else 0.0, is_causal, enable_gqa=True)
        out: Tensor = self.o_proj(y.swapaxes(1, 2).reshape(x.shape))
        return out

    def _heads(self, x: Tensor, count: int) -> Tensor:
        batch, length, features = x.shape
        y: Tensor = x.reshape(batch, length, count, features // count).swapaxes(1, 2)
        return y

    def extra_repr(self) -> str:
        """Say the sizes."""
        return f"{self.embed_dim}, num_heads={self.num_heads}, num_kv_heads={self.num_kv_heads}"
