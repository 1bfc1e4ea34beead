"""The functions behind the modules, under PyTorch's names."""

from ..ops.distance import pdist
from .activations.bent_identity import bent_identity
from .activations.celu import celu, celu_
from .activations.elu import elu, elu_
from .activations.gelu import gelu
from .activations.glu import glu
from .activations.gumbel_softmax import gumbel_softmax
from .activations.hardshrink import hardshrink
from .activations.hardsigmoid import hardsigmoid
from .activations.hardswish import hardswish
from .activations.hardtanh import hardtanh, hardtanh_
from .activations.isrlu import isrlu
from .activations.isru import isru
from .activations.leaky_relu import leaky_relu, leaky_relu_
from .activations.log_softmax import log_softmax
from .activations.logsigmoid import logsigmoid
from .activations.mish import mish
from .activations.plu import plu
from .activations.prelu import prelu
from .activations.relu import relu, relu_
from .activations.relu6 import relu6
from .activations.rrelu import rrelu, rrelu_
from .activations.selu import selu, selu_
from .activations.sigmoid import sigmoid
from .activations.silu import silu
from .activations.softmax import softmax
from .activations.softmin import softmin
from .activations.softplus import softplus
from .activations.softshrink import softshrink
from .activations.softsign import softsign
from .activations.swiglu import swiglu
from .activations.tanh import tanh
from .activations.tanhshrink import tanhshrink
from .activations.threshold import threshold, threshold_
from .layers.adaptive_avg_pool import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from .layers.adaptive_max_pool import (
    adaptive_max_pool1d,
    adaptive_max_pool1d_with_indices,
    adaptive_max_pool2d,
    adaptive_max_pool2d_with_indices,
    adaptive_max_pool3d,
    adaptive_max_pool3d_with_indices,
)
from .layers.affine_grid import affine_grid
from .layers.alpha_dropout import alpha_dropout, feature_alpha_dropout
from .layers.attention import scaled_dot_product_attention
from .layers.avg_pool import avg_pool1d, avg_pool2d, avg_pool3d
from .layers.batch_norm import batch_norm
from .layers.bilinear import bilinear
from .layers.channel_dropout import dropout1d, dropout2d, dropout3d
from .layers.channel_shuffle import channel_shuffle
from .layers.conv1d import conv1d
from .layers.conv2d import conv2d
from .layers.conv3d import conv3d
from .layers.conv_transpose1d import conv_transpose1d
from .layers.conv_transpose2d import conv_transpose2d
from .layers.conv_transpose3d import conv_transpose3d
from .layers.cosine_similarity import cosine_similarity
from .layers.drop_connect import drop_connect
from .layers.dropout import dropout
from .layers.embedding import embedding
from .layers.embedding_bag import embedding_bag
from .layers.fractional_max_pool import (
    fractional_max_pool2d,
    fractional_max_pool2d_with_indices,
    fractional_max_pool3d,
    fractional_max_pool3d_with_indices,
)
from .layers.grid_sample import grid_sample
from .layers.group_norm import group_norm
from .layers.instance_norm import instance_norm
from .layers.interpolate import interpolate, upsample
from .layers.layer_norm import layer_norm
from .layers.linear import linear
from .layers.local_response_norm import local_response_norm
from .layers.lp_pool import lp_pool1d, lp_pool2d, lp_pool3d
from .layers.max_pool import (
    max_pool1d,
    max_pool1d_with_indices,
    max_pool2d,
    max_pool2d_with_indices,
    max_pool3d,
    max_pool3d_with_indices,
)
from .layers.max_unpool import max_unpool1d, max_unpool2d, max_unpool3d
from .layers.maxout import maxout
from .layers.multihead_attention import multi_head_attention_forward
from .layers.normalize import normalize
from .layers.one_hot import one_hot
from .layers.padding import pad
from .layers.pairwise_distance import pairwise_distance
from .layers.pixel_shuffle import pixel_shuffle, pixel_unshuffle
from .layers.rms_norm import rms_norm
from .layers.unfold import fold, unfold
from .losses.bce import binary_cross_entropy
from .losses.bce_with_logits import binary_cross_entropy_with_logits
from .losses.cosine_embedding import cosine_embedding_loss
from .losses.cross_entropy import cross_entropy
from .losses.ctc import ctc_loss
from .losses.dice import dice_loss
from .losses.focal import focal_loss
from .losses.gaussian_nll import gaussian_nll_loss
from .losses.hinge_embedding import hinge_embedding_loss
from .losses.huber import huber_loss
from .losses.info_nce import info_nce_loss
from .losses.kl_div import kl_div
from .losses.l1 import l1_loss
from .losses.linear_cross_entropy import linear_cross_entropy
from .losses.margin_ranking import margin_ranking_loss
from .losses.mse import mse_loss
from .losses.multi_margin import multi_margin_loss
from .losses.multilabel_margin import multilabel_margin_loss
from .losses.multilabel_soft_margin import multilabel_soft_margin_loss
from .losses.nll import nll_loss
from .losses.poisson_nll import poisson_nll_loss
from .losses.smooth_l1 import smooth_l1_loss
from .losses.soft_margin import soft_margin_loss
from .losses.triplet_margin import triplet_margin_loss
from .losses.triplet_margin_with_distance import triplet_margin_with_distance_loss

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices", "affine_grid", "alpha_dropout", "avg_pool1d",
    "avg_pool2d", "avg_pool3d", "batch_norm", "bent_identity", "bilinear", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "celu", "celu_", "channel_shuffle", "conv1d", "conv2d", "conv3d",
    "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "cosine_embedding_loss", "cosine_similarity",
    "cross_entropy", "ctc_loss", "dice_loss", "drop_connect", "dropout", "dropout1d", "dropout2d", "dropout3d",
    "elu", "elu_", "embedding", "embedding_bag", "feature_alpha_dropout", "focal_loss", "fold",
    "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices", "gaussian_nll_loss", "gelu", "glu", "grid_sample", "group_norm",
    "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_", "hinge_embedding_loss",
    "huber_loss", "info_nce_loss", "instance_norm", "interpolate", "isrlu", "isru", "kl_div", "l1_loss",
    "layer_norm", "leaky_relu", "leaky_relu_", "linear", "linear_cross_entropy", "local_response_norm",
    "log_softmax", "logsigmoid", "lp_pool1d", "lp_pool2d", "lp_pool3d", "margin_ranking_loss", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices",
    "max_unpool1d", "max_unpool2d", "max_unpool3d", "maxout", "mish", "mse_loss", "multi_head_attention_forward",
    "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss", "nll_loss", "normalize",
    "one_hot", "pad", "pairwise_distance", "pdist", "pixel_shuffle", "pixel_unshuffle", "plu", "poisson_nll_loss",
    "prelu", "relu", "relu6", "relu_", "rms_norm", "rrelu", "rrelu_", "scaled_dot_product_attention", "selu",
    "selu_", "sigmoid", "silu", "smooth_l1_loss", "soft_margin_loss", "softmax", "softmin", "softplus",
    "softshrink", "softsign", "swiglu", "tanh", "tanhshrink", "threshold", "threshold_", "triplet_margin_loss",
    "triplet_margin_with_distance_loss", "unfold", "upsample",
]
