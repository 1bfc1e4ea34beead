"""Activations: what stands between layers, so that several are more than one."""

from .gelu import GELU
from .leaky_relu import LeakyReLU
from .log_softmax import LogSoftmax
from .relu import ReLU
from .sigmoid import Sigmoid
from .silu import SiLU
from .softmax import Softmax
from .tanh import Tanh

__all__ = ["GELU", "LeakyReLU", "LogSoftmax", "ReLU", "SiLU", "Sigmoid", "Softmax", "Tanh"]
