"""Losses: how wrong a prediction is, as one number."""

from .adaptive_log_softmax import AdaptiveLogSoftmaxWithLoss
from .bce import BCELoss
from .bce_with_logits import BCEWithLogitsLoss
from .cosine_embedding import CosineEmbeddingLoss
from .cross_entropy import CrossEntropyLoss
from .ctc import CTCLoss
from .dice import DiceLoss
from .focal import FocalLoss
from .gaussian_nll import GaussianNLLLoss
from .hinge_embedding import HingeEmbeddingLoss
from .huber import HuberLoss
from .info_nce import InfoNCELoss
from .kl_div import KLDivLoss
from .l1 import L1Loss
from .linear_cross_entropy import LinearCrossEntropyLoss
from .margin_ranking import MarginRankingLoss
from .mse import MSELoss
from .multi_margin import MultiMarginLoss
from .multilabel_margin import MultiLabelMarginLoss
from .multilabel_soft_margin import MultiLabelSoftMarginLoss
from .nll import NLLLoss
from .poisson_nll import PoissonNLLLoss
from .smooth_l1 import SmoothL1Loss
from .soft_margin import SoftMarginLoss
from .triplet_margin import TripletMarginLoss
from .triplet_margin_with_distance import TripletMarginWithDistanceLoss

__all__ = [
    "AdaptiveLogSoftmaxWithLoss", "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CosineEmbeddingLoss",
    "CrossEntropyLoss", "DiceLoss", "FocalLoss", "GaussianNLLLoss", "HingeEmbeddingLoss", "HuberLoss",
    "InfoNCELoss", "KLDivLoss", "L1Loss", "LinearCrossEntropyLoss", "MSELoss", "MarginRankingLoss",
    "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss", "NLLLoss", "PoissonNLLLoss",
    "SmoothL1Loss", "SoftMarginLoss", "TripletMarginLoss", "TripletMarginWithDistanceLoss",
]
