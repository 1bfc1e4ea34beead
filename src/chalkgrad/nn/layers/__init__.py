"""Layers: what a network learns with."""

from .adaptive_avg_pool import AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d
from .adaptive_max_pool import AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d
from .alpha_dropout import AlphaDropout, FeatureAlphaDropout
from .avg_pool import AvgPool1d, AvgPool2d, AvgPool3d
from .batch_norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from .bilinear import Bilinear
from .cells import GRUCell, LSTMCell, RNNCell
from .channel_dropout import Dropout1d, Dropout2d, Dropout3d
from .channel_shuffle import ChannelShuffle
from .conv1d import Conv1d
from .conv2d import Conv2d
from .conv3d import Conv3d
from .conv_transpose1d import ConvTranspose1d
from .conv_transpose2d import ConvTranspose2d
from .conv_transpose3d import ConvTranspose3d
from .cosine_similarity import CosineSimilarity
from .drop_connect import DropConnect
from .dropout import Dropout
from .embedding import Embedding
from .embedding_bag import EmbeddingBag
from .flatten import Flatten
from .fractional_max_pool import FractionalMaxPool2d, FractionalMaxPool3d
from .group_norm import GroupNorm
from .grouped_query_attention import GroupedQueryAttention
from .gru import GRU
from .identity import Identity
from .instance_norm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from .layer_norm import LayerNorm
from .lazy import (
    LazyConv1d,
    LazyConv2d,
    LazyConv3d,
    LazyConvTranspose1d,
    LazyConvTranspose2d,
    LazyConvTranspose3d,
    LazyLinear,
)
from .lazy_norm import (
    LazyBatchNorm1d,
    LazyBatchNorm2d,
    LazyBatchNorm3d,
    LazyInstanceNorm1d,
    LazyInstanceNorm2d,
    LazyInstanceNorm3d,
)
from .linear import Linear
from .local_response_norm import LocalResponseNorm
from .lp_pool import LPPool1d, LPPool2d, LPPool3d
from .lstm import LSTM
from .max_pool import MaxPool1d, MaxPool2d, MaxPool3d
from .max_unpool import MaxUnpool1d, MaxUnpool2d, MaxUnpool3d
from .maxout import Maxout
from .multihead_attention import MultiheadAttention
from .pads import (
    CircularPad1d,
    CircularPad2d,
    CircularPad3d,
    ConstantPad1d,
    ConstantPad2d,
    ConstantPad3d,
    ReflectionPad1d,
    ReflectionPad2d,
    ReflectionPad3d,
    ReplicationPad1d,
    ReplicationPad2d,
    ReplicationPad3d,
    ZeroPad1d,
    ZeroPad2d,
    ZeroPad3d,
)
from .pairwise_distance import PairwiseDistance
from .pixel_shuffle import PixelShuffle, PixelUnshuffle
from .rms_norm import RMSNorm
from .rnn import RNN
from .rotary_embedding import RotaryEmbedding
from .transformer import Transformer
from .transformer_decoder import TransformerDecoder, TransformerDecoderLayer
from .transformer_encoder import TransformerEncoder, TransformerEncoderLayer
from .unflatten import Unflatten
from .unfold import Fold, Unfold
from .upsampling import Upsample, UpsamplingBilinear2d, UpsamplingNearest2d

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AlphaDropout", "AvgPool1d", "AvgPool2d", "AvgPool3d", "BatchNorm1d", "BatchNorm2d",
    "BatchNorm3d", "Bilinear", "ChannelShuffle", "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d",
    "ConstantPad2d", "ConstantPad3d", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d",
    "ConvTranspose3d", "CosineSimilarity", "DropConnect", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d",
    "Embedding", "EmbeddingBag", "FeatureAlphaDropout", "Flatten", "Fold", "FractionalMaxPool2d",
    "FractionalMaxPool3d", "GRU", "GRUCell", "GroupNorm", "GroupedQueryAttention", "Identity", "InstanceNorm1d",
    "InstanceNorm2d", "InstanceNorm3d", "LPPool1d", "LPPool2d", "LPPool3d", "LSTM", "LSTMCell", "LayerNorm",
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d", "LazyConv3d",
    "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
    "LazyInstanceNorm3d", "LazyLinear", "Linear", "LocalResponseNorm", "MaxPool1d", "MaxPool2d", "MaxPool3d",
    "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d", "Maxout", "MultiheadAttention", "PairwiseDistance", "PixelShuffle",
    "PixelUnshuffle", "RMSNorm", "RNN", "RNNCell", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d",
    "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d", "RotaryEmbedding", "Transformer",
    "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer", "Unflatten",
    "Unfold", "Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]
