"""Transformer: an encoder that reads one sequence, and a decoder that writes another.

It was made for translation (Vaswani et al. 2017, figure 1). Most models since keep one half: BERT the encoder, GPT the
decoder, without its memory, which is the encoder with a causal mask.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from .. import init
from ..module import Module
from .layer_norm import LayerNorm
from .transformer_decoder import TransformerDecoder, TransformerDecoderLayer
from .transformer_encoder import TransformerEncoder, TransformerEncoderLayer

__all__ = ["Transformer"]


class Transformer(Module):
    """An encoder of num_encoder_layers and a decoder of num_decoder_layers, each with a LayerNorm at the end.

    custom_encoder, custom_decoder  modules that take their places

    The other arguments are those of TransformerEncoderLayer. Weights are drawn by xavier_uniform_.

    >>> import chalkgrad as cg
    >>> model = Transformer(8, 2, 1, 1, dim_feedforward=16, batch_first=True)
    >>> model(cg.randn(4, 7, 8), cg.randn(4, 5, 8)).shape
    (4, 5, 8)
    """

    def __init__(
        self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
        dim_feedforward: int = 2048, dropout: float = 0.1, activation: str | Callable[[Tensor], Tensor] = "relu",
        custom_encoder: Module | None = None, custom_decoder: Module | None = None, layer_norm_eps: float = 1e-5,
        batch_first: bool = False, norm_first: bool = False, bias: bool = True, dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        norm: Any = {"eps": layer_norm_eps, "bias": bias, "dtype": dtype}
        each = (
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, dtype)
        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*each), num_encoder_layers, LayerNorm(d_model, **norm))
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*each), num_decoder_layers, LayerNorm(d_model, **norm))
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights of all maps."""
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self, src: Tensor, tgt: Tensor, src_mask: Tensor | None = None, tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None, tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Tensor:
        """src (batch, s, d_model), tgt (batch, l, d_model), as batch_first says, or unbatched -> y like tgt.

        The masks are those of MultiheadAttention: True where not to look, or floats that are added to the scores.

        Raises ShapeError unless both have d_model features and are of one batch.
        """
        axis = 0 if self.batch_first else 1
        if src.ndim != tgt.ndim or src.ndim not in (2, 3) or {src.shape[-1], tgt.shape[-1]} != {self.d_model} or (
                src.ndim == 3 and src.shape[axis] != tgt.shape[axis]):
            raise ShapeError(f"Transformer: src and tgt are of one batch, axis {axis}, and have {self.d_model} "
                             f"features, "
                             f"but src has shape {src.shape} and tgt {tgt.shape}.")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        y: Tensor = self.decoder(
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return y

    @staticmethod
    def generate_square_subsequent_mask(sz: int, dtype: Any = np.float32) -> Tensor:
        """Make the causal mask (sz, sz): 0 where a position may look, -∞ behind it.

        >>> Transformer.generate_square_subsequent_mask(2)
        tensor([[  0., -inf],
                [  0.,   0.]])
        """
        return Tensor(np.triu(np.full((sz, sz), -math.inf, dtype), 1))
