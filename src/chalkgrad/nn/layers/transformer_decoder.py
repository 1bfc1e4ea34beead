"""The decoder of a transformer: look back at what was written, look up what was read, then think it over.

A decoder layer is an encoder layer with one attention more, whose queries come from the sequence that is being written
and whose keys and values from the `memory`, what the encoder made of the sequence that was read (Vaswani et al. 2017,
section 3.1). While it is trained, a causal mask hides from every position what it is to say next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ..module import Module
from .dropout import Dropout
from .layer_norm import LayerNorm
from .linear import Linear
from .multihead_attention import MultiheadAttention
from .transformer_encoder import activation_of, check_activation, copies

__all__ = ["TransformerDecoder", "TransformerDecoderLayer"]


class TransformerDecoderLayer(Module):
    """x ← norm1(x + attention(x)), x ← norm2(x + attention(x, memory)), x ← norm3(x + linear2(activation(linear1(x)))).

    The arguments are those of TransformerEncoderLayer; norm_first normalizes the input of each summand.

    Parts, with PyTorch's names: `self_attn`, `multihead_attn`, `linear1`, `linear2`, `norm1` to `norm3`, `dropout`, and
    `dropout1` to `dropout3`.

    Raises ValueError for an activation that is not known.

    >>> import chalkgrad as cg
    >>> layer = TransformerDecoderLayer(8, nhead=2, dim_feedforward=16, batch_first=True)
    >>> layer(cg.randn(4, 5, 8), memory=cg.randn(4, 7, 8)).shape
    (4, 5, 8)
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = "relu", layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        check_activation("TransformerDecoderLayer", activation)
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype)
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm3 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2, self.dropout3 = Dropout(dropout), Dropout(dropout), Dropout(dropout)
        self.activation = activation

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False, memory_is_causal: bool = False,
    ) -> Tensor:
        """tgt (batch, l, d_model), memory (batch, s, d_model), as batch_first says, or unbatched -> y like tgt.

        The masks are those of MultiheadAttention: True where not to look, or floats that are added to the scores.
        """
        x, written = tgt, (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        read = (memory_mask, memory_key_padding_mask, memory_is_causal)
        if self.norm_first:
            x = x + self._looked_back(self.norm1(x), *written)
            x = x + self._looked_up(self.norm2(x), memory, *read)
            return x + self._thought_over(self.norm3(x))
        x = self.norm1(x + self._looked_back(x, *written))
        x = self.norm2(x + self._looked_up(x, memory, *read))
        y: Tensor = self.norm3(x + self._thought_over(x))
        return y

    def _looked_back(self, x: Tensor, mask: Tensor | None, padding: Tensor | None, is_causal: bool) -> Tensor:
        y, _ = self.self_attn(x, x, x, padding, need_weights=False, attn_mask=mask, is_causal=is_causal)
        dropped: Tensor = self.dropout1(y)
        return dropped

    def _looked_up(
        self, x: Tensor, memory: Tensor, mask: Tensor | None, padding: Tensor | None, is_causal: bool
    ) -> Tensor:
        y, _ = self.multihead_attn(
            x, memory, memory, padding, need_weights=False, attn_mask=mask, is_causal=is_causal)
        dropped: Tensor = self.dropout2(y)
        return dropped

    def _thought_over(self, x: Tensor) -> Tensor:
        hidden = self.dropout(activation_of(self.activation)(self.linear1(x)))
        dropped: Tensor = self.dropout3(self.linear2(hidden))
        return dropped


class TransformerDecoder(Module):
    """A stack of decoder layers, copies of one, and a norm behind them.

    decoder_layer  the layer to copy; each copy starts with its weights
    num_layers     how many
    norm           a module that is called at the end, or None

    Raises TypeError for what is no Module, ValueError unless there is at least one layer.

    >>> import chalkgrad as cg
    >>> layer = TransformerDecoderLayer(8, nhead=2, dim_feedforward=16, batch_first=True)
    >>> TransformerDecoder(layer, num_layers=2)(cg.randn(4, 5, 8), cg.randn(4, 7, 8)).shape
    (4, 5, 8)
    """

    norm: Module | None

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = copies("TransformerDecoder", decoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Tensor:
        """Take and return what TransformerDecoderLayer does."""
        for layer in self.layers:
            tgt = layer(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                        tgt_key_padding_mask=tgt_key_padding_mask, memory_key_padding_mask=memory_key_padding_mask,
                        tgt_is_causal=bool(tgt_is_causal), memory_is_causal=memory_is_causal)
        return tgt if self.norm is None else self.norm(tgt)
