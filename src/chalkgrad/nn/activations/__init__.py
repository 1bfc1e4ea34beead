"""Activations: what stands between layers, so that several are more than one."""

from .arctan import ArcTan
from .bent_identity import BentIdentity
from .celu import CELU
from .elu import ELU
from .gelu import GELU
from .glu import GLU
from .hardshrink import Hardshrink
from .hardsigmoid import Hardsigmoid
from .hardswish import Hardswish
from .hardtanh import Hardtanh
from .isrlu import ISRLU
from .isru import ISRU
from .leaky_relu import LeakyReLU
from .log_softmax import LogSoftmax
from .logsigmoid import LogSigmoid
from .mish import Mish
from .plu import PLU
from .prelu import PReLU
from .relu import ReLU
from .relu6 import ReLU6
from .rrelu import RReLU
from .selu import SELU
from .sigmoid import Sigmoid
from .silu import SiLU
from .softmax import Softmax
from .softmax2d import Softmax2d
from .softmin import Softmin
from .softplus import Softplus
from .softshrink import Softshrink
from .softsign import Softsign
from .swiglu import SwiGLU
from .tanh import Tanh
from .tanhshrink import Tanhshrink
from .threshold import Threshold

__all__ = [
    "ArcTan", "BentIdentity", "CELU", "ELU", "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh",
    "ISRLU", "ISRU", "LeakyReLU", "LogSigmoid", "LogSoftmax", "Mish", "PLU", "PReLU", "RReLU", "ReLU", "ReLU6",
    "SELU", "SiLU", "Sigmoid", "Softmax", "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign", "SwiGLU",
    "Tanh", "Tanhshrink", "Threshold",
]
