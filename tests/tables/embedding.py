"""Embedding and EmbeddingBag."""

from __future__ import annotations

from .rows import Array, Bad, Row, ints

__all__ = ["BAD", "ROWS"]

SIZES = {"num_embeddings": 7, "embedding_dim": 3}
WORDS, LINE = ints(7, 4, 5), ints(7, 6)
OFFSETS = {"offsets": Array([0, 2, 2, 5])}
ENDS = {"offsets": Array([0, 2, 6])}
FACTORS = {"per_sample_weights": Array([0.5, 1.0, -2.0, 0.0, 3.0, 0.1])}

ROWS = [
    Row("Embedding", SIZES, [WORDS]),
    Row("Embedding", SIZES, [ints(7)]),
    Row("Embedding", SIZES, [ints(7, 0, 2)]),
    Row("Embedding", {**SIZES, "padding_idx": 2}, [WORDS]),
    Row("Embedding", {**SIZES, "padding_idx": -1, "scale_grad_by_freq": True}, [WORDS]),
    Row("Embedding", {**SIZES, "max_norm": 1.0}, [WORDS]),
    Row("Embedding", {**SIZES, "max_norm": 0.5, "norm_type": 1.0, "padding_idx": 0}, [WORDS]),
    Row("Embedding", {**SIZES, "max_norm": 0.5, "norm_type": float("inf")}, [LINE]),
    *[
        Row("EmbeddingBag", {**SIZES, "mode": mode, **options}, inputs, call, fixed=True)
        for mode in ("sum", "mean", "max")
        for options, inputs, call in [
            ({}, [WORDS], {}),
            ({"padding_idx": 2}, [WORDS], {}),
            ({}, [LINE], OFFSETS),
            ({"padding_idx": -3, "max_norm": 1.0}, [LINE], OFFSETS),
            ({"include_last_offset": True}, [LINE], ENDS),
        ]
    ],
    Row("EmbeddingBag", SIZES, [ints(7, 0)], {"offsets": Array([0, 0])}, fixed=True),
    Row("EmbeddingBag", {**SIZES, "mode": "max"}, [ints(7, 0)], {"offsets": Array([0, 0])}, fixed=True),
    Row("EmbeddingBag", {**SIZES, "mode": "sum"}, [LINE], OFFSETS | FACTORS, fixed=True),
    Row("EmbeddingBag", {**SIZES, "mode": "sum", "padding_idx": 1}, [LINE], OFFSETS | FACTORS, fixed=True),
    Row("EmbeddingBag", {**SIZES, "scale_grad_by_freq": True}, [ints(3, 2, 4, low=2)], fixed=True),
    Row("EmbeddingBag", {**SIZES, "max_norm": 0.5, "norm_type": 1.0, "mode": "sum"}, [WORDS]),
]

BAD = [
    Bad("Embedding", {**SIZES, "padding_idx": 7}, (), ValueError, "padding_idx=7 is no row of a table of 7 rows"),
    Bad("Embedding", {**SIZES, "embedding_dim": -1}, (), ValueError, "0 or more rows and features, but 7 and -1 came"),
    Bad("Embedding", {**SIZES, "sparse": True}, (), ValueError, "there are no sparse gradients here"),
    Bad("Embedding", SIZES, [ints(9, 3, low=7)], IndexError, "the table has 7 rows"),
    Bad("Embedding", {**SIZES, "max_norm": 1.0}, [ints(0, 3, low=-3)], IndexError, "numbered from 0 to 6"),
    Bad("Embedding", SIZES, [(2, 3)], TypeError, "whole numbers, but float32 came"),
    Bad("EmbeddingBag", {**SIZES, "padding_idx": -8}, (), ValueError, "padding_idx=-8 is no row"),
    Bad("EmbeddingBag", {**SIZES, "sparse": True}, (), ValueError, "there are no sparse gradients here"),
    Bad("EmbeddingBag", {**SIZES, "mode": "median"}, (), ValueError, "'sum', 'mean' or 'max', but 'median' came"),
    Bad("EmbeddingBag", {**SIZES, "mode": "max", "scale_grad_by_freq": True}, [WORDS], ValueError, "mode 'sum' or"),
    Bad("EmbeddingBag", SIZES, [ints(9, 2, 3, low=7)], IndexError, "the table has 7 rows"),
    Bad("EmbeddingBag", SIZES, [LINE], ValueError, r"\(m\) with offsets.* none came"),
    Bad("EmbeddingBag", SIZES, [WORDS], ValueError, r"\(b, n\) without.* offsets \(4,\) came", OFFSETS),
    Bad("EmbeddingBag", SIZES, [LINE], ValueError, "begins with 0", {"offsets": Array([1, 2])}),
    Bad("EmbeddingBag", SIZES, [LINE], ValueError, "never falls", {"offsets": Array([0, 3, 2])}),
    Bad("EmbeddingBag", SIZES, [LINE], ValueError, "ends at 6 or before", {"offsets": Array([0, 7])}),
    Bad("EmbeddingBag", SIZES, [LINE], TypeError, "offsets is a list of whole numbers", {"offsets": Array([0.0, 2.0])}),
    Bad("EmbeddingBag", SIZES, [LINE], ValueError, "go with mode 'sum', but mode is 'mean'", OFFSETS | FACTORS),
    Bad("EmbeddingBag", {**SIZES, "mode": "sum"}, [WORDS], ValueError, "shaped like the input", FACTORS),
    Bad("EmbeddingBag", {**SIZES, "include_last_offset": True}, [LINE], ValueError, "ends with 6", OFFSETS),
]
