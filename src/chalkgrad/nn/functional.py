"""The functions behind the modules, under PyTorch's names."""

from .activations.gelu import gelu
from .activations.leaky_relu import leaky_relu
from .activations.log_softmax import log_softmax
from .activations.relu import relu
from .activations.sigmoid import sigmoid
from .activations.silu import silu
from .activations.softmax import softmax
from .activations.tanh import tanh
from .layers.adaptive_pool import adaptive_avg_pool1d, adaptive_avg_pool2d
from .layers.attention import scaled_dot_product_attention
from .layers.batch_norm import batch_norm
from .layers.conv1d import conv1d
from .layers.conv2d import conv2d
from .layers.conv_transpose2d import conv_transpose2d
from .layers.dropout import dropout
from .layers.embedding import embedding
from .layers.layer_norm import layer_norm
from .layers.linear import linear
from .layers.pool import avg_pool2d, max_pool2d
from .layers.rms_norm import rms_norm
from .losses.bce import binary_cross_entropy
from .losses.bce_with_logits import binary_cross_entropy_with_logits
from .losses.cross_entropy import cross_entropy
from .losses.l1 import l1_loss
from .losses.mse import mse_loss
from .losses.nll import nll_loss

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "avg_pool2d", "batch_norm", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "conv1d", "conv2d", "conv_transpose2d", "cross_entropy", "dropout", "embedding",
    "gelu", "l1_loss", "layer_norm", "leaky_relu", "linear", "log_softmax", "max_pool2d", "mse_loss", "nll_loss",
    "relu", "rms_norm", "scaled_dot_product_attention", "sigmoid", "silu", "softmax", "tanh",
]
