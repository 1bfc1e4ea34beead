"""Layers: what a network learns with."""

from .adaptive_pool import AdaptiveAvgPool1d, AdaptiveAvgPool2d
from .batch_norm import BatchNorm1d, BatchNorm2d
from .conv1d import Conv1d
from .conv2d import Conv2d
from .conv_transpose2d import ConvTranspose2d
from .dropout import Dropout
from .embedding import Embedding
from .flatten import Flatten
from .gru import GRU
from .layer_norm import LayerNorm
from .linear import Linear
from .lstm import LSTM
from .multihead_attention import MultiheadAttention
from .pool import AvgPool2d, MaxPool2d
from .rms_norm import RMSNorm
from .rnn import RNN
from .transformer import TransformerEncoderLayer

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AvgPool2d", "BatchNorm1d", "BatchNorm2d", "Conv1d", "Conv2d",
    "ConvTranspose2d", "Dropout", "Embedding", "Flatten", "GRU", "LSTM", "LayerNorm", "Linear", "MaxPool2d",
    "MultiheadAttention", "RMSNorm", "RNN", "TransformerEncoderLayer",
]
