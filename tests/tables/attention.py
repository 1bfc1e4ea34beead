"""Attention and transformers."""

from __future__ import annotations

import numpy as np

from .rows import Array, Bad, Named, Row

__all__ = ["BAD", "ROWS"]

HEADS = {"embed_dim": 4, "num_heads": 2}
LAYER = {"d_model": 4, "nhead": 2, "dim_feedforward": 6, "dropout": 0.0}
SILU = Named("nn.functional.silu")
CAUSAL = Array(np.triu(np.ones((5, 5), bool), 1))
FLOATS = Array(np.where(np.triu(np.ones((5, 5), bool), 1), -np.inf, 0.25))
PADDED = Array(np.arange(5) >= np.array([[5], [3], [4]]))  # (3, 5)
FIRST = {**HEADS, "batch_first": True}
THREE = [(3, 5, 4)] * 3

ROWS = [
    Row("MultiheadAttention", FIRST, THREE),
    Row("MultiheadAttention", HEADS, [(5, 3, 4), (2, 3, 4), (2, 3, 4)]),
    Row("MultiheadAttention", HEADS, [(5, 4), (2, 4), (2, 4)], fixed=True),
    Row("MultiheadAttention", {**HEADS, "kdim": 3, "vdim": 4}, [(5, 2, 4), (3, 2, 3), (3, 2, 4)]),
    Row("MultiheadAttention", {**HEADS, "kdim": 3, "vdim": 2, "bias": False}, [(5, 2, 4), (3, 2, 3), (3, 2, 2)]),
    Row("MultiheadAttention", {**FIRST, "add_bias_kv": True}, THREE),
    Row("MultiheadAttention", {**FIRST, "add_zero_attn": True}, THREE),
    Row("MultiheadAttention", {**FIRST, "add_bias_kv": True, "add_zero_attn": True}, THREE,
        {"attn_mask": CAUSAL, "key_padding_mask": PADDED}, fixed=True),
    Row("MultiheadAttention", FIRST, THREE, {"attn_mask": CAUSAL, "is_causal": True, "need_weights": False}),
    Row("MultiheadAttention", FIRST, THREE, {"attn_mask": FLOATS, "average_attn_weights": False}),
    Row("MultiheadAttention", FIRST, THREE, {"key_padding_mask": PADDED}, fixed=True),
    Row("MultiheadAttention", {**FIRST, "dropout": 0.5}, THREE, drawing=True),
    Row("TransformerEncoderLayer", LAYER, [(5, 3, 4)]),
    Row("TransformerEncoderLayer", {**LAYER, "batch_first": True, "norm_first": True, "activation": SILU}, [(3, 5, 4)]),
    Row("TransformerEncoderLayer", {**LAYER, "bias": False, "activation": "gelu"}, [(5, 4)], {"src_mask": CAUSAL},
        fixed=True),
    Row("TransformerEncoderLayer", {**LAYER, "dropout": 0.5}, [(5, 3, 4)], drawing=True),
    Row("TransformerDecoderLayer", LAYER, [(5, 3, 4), (2, 3, 4)]),
    Row("TransformerDecoderLayer", {**LAYER, "batch_first": True, "norm_first": True, "bias": False},
        [(3, 5, 4), (3, 2, 4)], {"tgt_mask": FLOATS, "tgt_is_causal": True, "tgt_key_padding_mask":
                                 Array(np.where(PADDED.values, -np.inf, 0.0))}, fixed=True),
    Row("TransformerDecoderLayer", {**LAYER, "dropout": 0.5}, [(5, 3, 4), (2, 3, 4)], drawing=True),
    Row("TransformerEncoder", {"encoder_layer": Named("nn.TransformerEncoderLayer", LAYER), "num_layers": 2},
        [(5, 3, 4)]),
    Row("TransformerEncoder", {"encoder_layer": Named("nn.TransformerEncoderLayer", {**LAYER, "batch_first": True}),
                               "num_layers": 1, "norm": Named("nn.LayerNorm", {"normalized_shape": 4})}, [(3, 5, 4)],
        {"mask": CAUSAL, "is_causal": True}),
    Row("TransformerDecoder", {"decoder_layer": Named("nn.TransformerDecoderLayer", LAYER), "num_layers": 2},
        [(5, 3, 4), (2, 3, 4)]),
    Row("TransformerDecoder", {"decoder_layer": Named("nn.TransformerDecoderLayer", {**LAYER, "batch_first": True}),
                               "num_layers": 1, "norm": Named("nn.LayerNorm", {"normalized_shape": 4})},
        [(3, 5, 4), (3, 2, 4)], {"tgt_mask": CAUSAL}),
    Row("Transformer", {**LAYER, "num_encoder_layers": 1, "num_decoder_layers": 1}, [(5, 3, 4), (2, 3, 4)]),
    Row("Transformer", {**LAYER, "num_encoder_layers": 1, "num_decoder_layers": 1, "batch_first": True,
                        "norm_first": True, "activation": "gelu"}, [(3, 4, 4), (3, 5, 4)], {"tgt_mask": CAUSAL}),
    Row("GroupedQueryAttention", {"embed_dim": 8, "num_heads": 4, "num_kv_heads": 2}, [(3, 5, 8)], own=True),
    Row("GroupedQueryAttention", {"embed_dim": 8, "num_heads": 2, "num_kv_heads": 1, "dropout": 0.25, "bias": True},
        [(3, 5, 8)], {"is_causal": True}, own=True),
    Row("RotaryEmbedding", {"dim": 4}, [(3, 5, 4)], own=True),
    Row("RotaryEmbedding", {"dim": 4, "base": 100.0, "interleaved": False}, [(2, 3, 5, 4)], {"offset": 2}, own=True),
]  # fmt: skip

BAD = [
    Bad("MultiheadAttention", {"embed_dim": 5, "num_heads": 2}, [], ValueError, "cannot be shared evenly"),
    Bad("MultiheadAttention", {**HEADS, "dropout": 2}, [], ValueError, "probability"),
    Bad("MultiheadAttention", HEADS, [(5, 3, 3)] * 3, ValueError, "4 features was expected"),
    Bad("MultiheadAttention", HEADS, [(5, 3, 4), (2, 3, 4), (3, 3, 4)], ValueError, "every key has one value"),
    Bad("MultiheadAttention", HEADS, [(5, 3, 4), (2, 2, 4), (2, 2, 4)], ValueError, "different batches"),
    Bad("MultiheadAttention", FIRST, THREE, ValueError, "attn_mask has shape", {"attn_mask": Array(np.ones((2, 2)))}),
    Bad("MultiheadAttention", FIRST, THREE, TypeError, "holds booleans", {"attn_mask": Array(np.ones((5, 5), int))}),
    Bad("TransformerEncoderLayer", {**LAYER, "activation": "swish"}, [], ValueError, "'relu', 'gelu' or a function"),
    Bad("TransformerEncoderLayer", LAYER, [(5, 3, 3)], ValueError, "4 features"),
    Bad("TransformerDecoderLayer", {**LAYER, "activation": 3}, [], ValueError, "'relu', 'gelu' or a function"),
    Bad("TransformerDecoderLayer", LAYER, [(5, 3, 4), (2, 2, 4)], ValueError, "different batches"),
    Bad("TransformerEncoder", {"encoder_layer": 3, "num_layers": 2}, [], TypeError, "a Module"),
    Bad("TransformerDecoder", {"decoder_layer": 3, "num_layers": 2}, [], TypeError, "a Module"),
    Bad("Transformer", {**LAYER, "num_encoder_layers": 0}, [], ValueError, "from 1 up"),
    Bad("Transformer", {**LAYER, "num_encoder_layers": 1, "num_decoder_layers": 1}, [(5, 3, 4), (2, 2, 4)], ValueError,
        "of one batch"),
    Bad("GroupedQueryAttention", {"embed_dim": 8, "num_heads": 4, "num_kv_heads": 3}, [], ValueError, "evenly"),
    Bad("GroupedQueryAttention", {"embed_dim": 8, "num_heads": 4, "num_kv_heads": 2, "dropout": -1}, [], ValueError,
        "probability"),
    Bad("GroupedQueryAttention", {"embed_dim": 8, "num_heads": 4, "num_kv_heads": 2}, [(5, 8)], ValueError,
        "positions"),
    Bad("RotaryEmbedding", {"dim": 3}, [], ValueError, "even number"),
    Bad("RotaryEmbedding", {"dim": 4, "base": 0.0}, [], ValueError, "above 0"),
    Bad("RotaryEmbedding", {"dim": 4}, [(2, 5, 6)], ValueError, r"\(..., positions, 4\)"),
]
