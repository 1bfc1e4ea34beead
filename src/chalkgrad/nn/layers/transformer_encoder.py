"""The encoder of a transformer: look around, then think it over; and add both to what was there.

Attention brings to every position what it needs from the others; a small network then works on each position alone.
Both only add to their input, which therefore reaches every depth, and a LayerNorm keeps its scale (Vaswani et al. 2017,
section 3.1).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ..activations.gelu import gelu
from ..activations.relu import relu
from ..containers import ModuleList
from ..module import Module
from .dropout import Dropout
from .layer_norm import LayerNorm
from .linear import Linear
from .multihead_attention import MultiheadAttention

__all__ = ["TransformerEncoder", "TransformerEncoderLayer", "activation_of", "check_activation", "copies"]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": relu, "gelu": gelu}


def check_activation(name: str, activation: Any) -> None:
    """Raise ValueError unless it is known, or a function."""
    if activation not in ACTIVATIONS and not callable(activation):
        raise ValueError(f"{name}: activation is 'relu', 'gelu' or a function of a Tensor, but {activation!r} came.")


def activation_of(activation: str | Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Look up an activation that was named."""
    return ACTIVATIONS[activation] if isinstance(activation, str) else activation


def copies(name: str, layer: Any, count: int) -> ModuleList:
    """Make a stack of copies of a layer: all start with the same weights, and none shares them.

    Raises TypeError for what is no Module, ValueError unless there is at least one.
    """
    if not isinstance(layer, Module):
        raise TypeError(f"{name}: the layer to make copies of is a Module, but a {type(layer).__name__} came.")
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"{name}: num_layers is a whole number from 1 up, but {count!r} came.")
    return ModuleList(copy.deepcopy(layer) for _ in range(count))


class TransformerEncoderLayer(Module):
    """x ← norm1(x + attention(x)), then x ← norm2(x + linear2(activation(linear1(x)))).

    d_model          the features of a position
    nhead            the heads of the attention
    dim_feedforward  the width of the network between linear1 and linear2
    dropout          the probability with which shares of the attention, hidden units, and both summands are dropped
    activation       "relu", "gelu", or a function of a Tensor
    layer_norm_eps   the eps of both norms
    batch_first      whether inputs are (batch, positions, features), and not (positions, batch, features)
    norm_first       normalize the input of each summand instead of the sum, which trains deep stacks more easily
    bias             whether the linear maps and the norms add one

    Parts, with PyTorch's names: `self_attn`, `linear1`, `linear2`, `norm1`, `norm2`, and `dropout`, `dropout1`,
    `dropout2`.

    Raises ValueError for an activation that is not known.

    >>> import chalkgrad as cg
    >>> TransformerEncoderLayer(8, nhead=2, dim_feedforward=16, batch_first=True)(cg.randn(4, 5, 8)).shape
    (4, 5, 8)
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = "relu", layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, dtype: Any = np.float32,
    ) -> None:
        super().__init__()
        check_activation("TransformerEncoderLayer", activation)
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype)
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.activation = activation

    def forward(
        self, src: Tensor, src_mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """src (batch, l, d_model), as batch_first says, or (l, d_model) -> y, of the same shape.

        The masks are those of MultiheadAttention: True where not to look, or floats that are added to the scores.
        """
        x = src
        if self.norm_first:
            x = x + self._attended(self.norm1(x), src_mask, src_key_padding_mask, is_causal)
            return x + self._thought_over(self.norm2(x))
        x = self.norm1(x + self._attended(x, src_mask, src_key_padding_mask, is_causal))
        y: Tensor = self.norm2(x + self._thought_over(x))
        return y

    def _attended(self, x: Tensor, mask: Tensor | None, padding: Tensor | None, is_causal: bool) -> Tensor:
        y, _ = self.self_attn(x, x, x, padding, need_weights=False, attn_mask=mask, is_causal=is_causal)
        dropped: Tensor = self.dropout1(y)
        return dropped

    def _thought_over(self, x: Tensor) -> Tensor:
        hidden = self.dropout(activation_of(self.activation)(self.linear1(x)))
        dropped: Tensor = self.dropout2(self.linear2(hidden))
        return dropped


class TransformerEncoder(Module):
    """A stack of encoder layers, copies of one, and a norm behind them.

    encoder_layer         the layer to copy; each copy starts with its weights
    num_layers            how many
    norm                  a module that is called at the end, or None
    enable_nested_tensor  no effect: PyTorch may compute padded batches in another way by it
    mask_check            no effect, likewise

    Raises TypeError for what is no Module, ValueError unless there is at least one layer.

    >>> import chalkgrad as cg
    >>> layer = TransformerEncoderLayer(8, nhead=2, dim_feedforward=16, batch_first=True)
    >>> TransformerEncoder(layer, num_layers=2)(cg.randn(4, 5, 8)).shape
    (4, 5, 8)
    """

    norm: Module | None

    def __init__(
        self, encoder_layer: Module, num_layers: int, norm: Module | None = None, enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = copies("TransformerEncoder", encoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self, src: Tensor, mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """src (batch, l, d_model), as batch_first of the layers says, or (l, d_model) -> y, of the same shape."""
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=bool(is_causal))
        return src if self.norm is None else self.norm(src)
