"""Recurrent layers and cells."""

from __future__ import annotations

from typing import Any

from .rows import Bad, Row, ints

__all__ = ["BAD", "ROWS"]

SIZES = {"input_size": 4, "hidden_size": 3}
X, STATE, CELL = (5, 2, 4), (1, 2, 3), (2, 3)

OPTIONS: list[dict[str, Any]] = [
    {},
    {"bias": False},
    {"num_layers": 3, "dropout": 1.0},
    {"bidirectional": True},
    {"batch_first": True},
    {"num_layers": 2, "bidirectional": True, "batch_first": True, "bias": False},
]
RELU = {"nonlinearity": "relu"}
PROJECTED = {"proj_size": 2}
BOTH_WAYS = {"num_layers": 2, "bidirectional": True}

ROWS = [
    *[Row("RNN", {**SIZES, **options}, [X], fixed=True) for options in OPTIONS],
    *[Row("RNN", {**SIZES, **options, **RELU}, [X], fixed=True) for options in ({}, BOTH_WAYS)],
    Row("RNN", {**SIZES, **BOTH_WAYS}, [X, (4, 2, 3)], fixed=True),
    Row("RNN", SIZES, [(5, 4)], fixed=True),
    Row("RNN", SIZES, [(5, 4), (1, 3)], fixed=True),
    Row("RNN", SIZES, [(5, 0, 4)], fixed=True),
    *[Row("LSTM", {**SIZES, **options}, [X], fixed=True) for options in OPTIONS],
    *[Row("LSTM", {**SIZES, **options, **PROJECTED}, [X], fixed=True) for options in OPTIONS],
    Row("LSTM", {**SIZES, **BOTH_WAYS}, [X, ((4, 2, 3), (4, 2, 3))], fixed=True),
    Row("LSTM", {**SIZES, **BOTH_WAYS, **PROJECTED}, [X, ((4, 2, 2), (4, 2, 3))], fixed=True),
    Row("LSTM", {**SIZES, **PROJECTED}, [(5, 4), ((1, 2), (1, 3))], fixed=True),
    Row("LSTM", {**SIZES, "batch_first": True}, [(2, 5, 4), (STATE, STATE)], fixed=True),
    Row("LSTM", SIZES, [(5, 4)], fixed=True),
    Row("LSTM", SIZES, [(5, 0, 4)], fixed=True),
    *[Row("GRU", {**SIZES, **options}, [X], fixed=True) for options in OPTIONS],
    Row("GRU", {**SIZES, **BOTH_WAYS}, [X, (4, 2, 3)], fixed=True),
    Row("GRU", SIZES, [(5, 4), (1, 3)], fixed=True),
    Row("GRU", SIZES, [(5, 0, 4)], fixed=True),
    *[
        Row(name, {**SIZES, **options}, inputs)
        for name, state in [("RNNCell", CELL), ("LSTMCell", (CELL, CELL)), ("GRUCell", CELL)]
        for options in ({}, {"bias": False})
        for inputs in ([(2, 4)], [(2, 4), state], [(4,)], [(0, 4)])
    ],
    Row("RNNCell", {**SIZES, **RELU}, [(2, 4), CELL]),
    Row("LSTMCell", SIZES, [(4,), ((3,), (3,))]),
]

BAD = [
    *[
        Bad(name, {"input_size": 4, "hidden_size": size}, (), error, rf"a whole number.*, but {size} came")
        for name in ("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell")
        for size, error in ((0, ValueError), (1.5, TypeError))
    ],
    Bad("RNN", {**SIZES, "nonlinearity": "gelu"}, (), ValueError, "'tanh' or 'relu', but 'gelu' came"),
    Bad("RNN", {**SIZES, "bias": 1}, (), TypeError, "bias is True or False, but 1 came"),
    Bad("RNN", SIZES, [ints(3, *X)], TypeError, "the weights are float32, but int64 came"),
    Bad("GRUCell", SIZES, [ints(3, 2, 4)], TypeError, "the weights are float32, but int64 came"),
    Bad("LSTM", SIZES, [X, (STATE, ints(3, *STATE))], TypeError, "the weights are float32, but int64 came"),
    Bad("RNN", SIZES, [(5, 2, 3)], ValueError, r"the input is \(time, batch, 4\)"),
    Bad("RNN", SIZES, [(0, 2, 4)], ValueError, "has no time steps"),
    Bad("LSTM", {**SIZES, "proj_size": 3}, (), ValueError, "a whole number below hidden_size=3"),
    Bad("LSTM", {**SIZES, "dropout": True, "num_layers": 2}, (), ValueError, "a probability from 0 to 1, but True"),
    Bad("LSTM", SIZES, [X, STATE], TypeError, r"hx is a pair \(h_0, c_0\)"),
    Bad("LSTM", {**SIZES, **PROJECTED}, [X, (STATE, STATE)], ValueError, r"h_0 is .*batch, proj_size\)"),
    Bad("LSTM", {**SIZES, **PROJECTED}, [X, ((1, 2, 2), (1, 2, 2))], ValueError, r"c_0 is .*batch, hidden_size\)"),
    Bad("GRU", SIZES, [X, (1, 3, 3)], ValueError, r"\(1, 2, 3\) for an input \(5, 2, 4\), but \(1, 3, 3\) came"),
    Bad("GRU", SIZES, [(5, 4), STATE], ValueError, "without the batch if the input has none"),
    Bad("RNNCell", {**SIZES, "nonlinearity": "gelu"}, (), ValueError, "'tanh' or 'relu', but 'gelu' came"),
    Bad("RNNCell", SIZES, [(2, 3)], ValueError, r"the input is \(batch, 4\), or \(4\)"),
    Bad("GRUCell", SIZES, [X], ValueError, r"but \(5, 2, 4\) came"),
    Bad("GRUCell", SIZES, [(2, 4), (3,)], ValueError, r"a state is \(2, 3\), but \(3,\) came"),
    Bad("LSTMCell", SIZES, [(2, 4), (2, 3)], TypeError, r"hx is a pair \(h, c\)"),
    Bad("LSTMCell", SIZES, [(2, 4), (CELL, (2, 2))], ValueError, r"a state is \(2, 3\), but \(2, 2\) came"),
]
