"""Special functions under PyTorch's names: of probability and entropy, and other names for what stands elsewhere."""

from .nn.functional import log_softmax, softmax
from .nn.functional import sigmoid as expit
from .ops import digamma, erf, erfc, erfinv, exp2, expm1, log1p, logit, logsumexp, polygamma, round, sinc, xlogy
from .ops import digamma as psi
from .ops import lgamma as gammaln
from .ops import mvlgamma as multigammaln
from .ops.error_function import erfcx, log_ndtr, ndtr, ndtri
from .ops.exponential import entr, xlog1py

__all__ = [
    "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammaln", "log1p", "log_ndtr",
    "log_softmax", "logit", "logsumexp", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round", "sinc",
    "softmax", "xlog1py", "xlogy",
]
