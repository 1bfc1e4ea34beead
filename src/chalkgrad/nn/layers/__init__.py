"""Layers: what a network learns with."""

from .batch_norm import BatchNorm1d, BatchNorm2d
from .conv2d import Conv2d
from .dropout import Dropout
from .embedding import Embedding
from .flatten import Flatten
from .layer_norm import LayerNorm
from .linear import Linear
from .pool import AvgPool2d, MaxPool2d

__all__ = [
    "AvgPool2d", "BatchNorm1d", "BatchNorm2d", "Conv2d", "Dropout", "Embedding", "Flatten", "LayerNorm", "Linear",
    "MaxPool2d",
]
