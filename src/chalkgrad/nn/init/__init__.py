"""How weights start: random, and as large as keeps signals the same size through all layers."""

from .constant import constant_, ones_, zeros_
from .draws import normal_, trunc_normal_, uniform_
from .gain import calculate_gain
from .identity import dirac_, eye_
from .kaiming import kaiming_normal_, kaiming_uniform_
from .lsuv import lsuv_
from .orthogonal import orthogonal_
from .sparse import sparse_
from .xavier import xavier_normal_, xavier_uniform_

__all__ = [
    "calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_", "lsuv_", "normal_", "ones_",
    "orthogonal_", "sparse_", "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_",
]
