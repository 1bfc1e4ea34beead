"""Batch norms folded into the layers before them: what PyTorch folds, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import nn

from .pairs import FORWARD, agree

PAIRS = [
    ("Conv1d", {"in_channels": 3, "out_channels": 4, "kernel_size": 3}, "BatchNorm1d", {}, (2, 3, 7)),
    ("Conv2d", {"in_channels": 4, "out_channels": 4, "kernel_size": (3, 1), "groups": 2, "bias": False},
     "BatchNorm2d", {}, (2, 4, 5, 6)),
    ("Conv2d", {"in_channels": 2, "out_channels": 4, "kernel_size": 3, "padding": 1, "padding_mode": "reflect"},
     "BatchNorm2d", {"affine": False}, (2, 2, 5, 6)),
    ("Conv3d", {"in_channels": 2, "out_channels": 4, "kernel_size": 2, "bias": False}, "BatchNorm3d", {"eps": 0.1},
     (2, 2, 3, 4, 3)),
    ("ConvTranspose1d", {"in_channels": 3, "out_channels": 4, "kernel_size": 3}, "BatchNorm1d", {}, (2, 3, 5)),
    ("ConvTranspose2d", {"in_channels": 3, "out_channels": 4, "kernel_size": 2, "stride": 2, "bias": False},
     "BatchNorm2d", {}, (2, 3, 3, 4)),
    ("Linear", {"in_features": 3, "out_features": 4}, "BatchNorm1d", {}, (5, 3)),
    ("Linear", {"in_features": 3, "out_features": 4, "bias": False}, "BatchNorm1d", {}, (5, 3)),
]


def trained(library: Any, kind: str, options: Any, state: Any = None) -> Any:
    """Make a module out of training, with numbers of its own."""
    module = getattr(library.nn, kind)(**options).eval()
    if state is None:
        rng = np.random.default_rng(0)
        state = {key: rng.uniform(0.5, 2, tuple(t.shape)) for key, t in module.state_dict().items()
                 if key != "num_batches_tracked"}
    module.load_state_dict({k: v if library is cg else torch.tensor(v) for k, v in state.items()}, strict=False)
    return module, state


@pytest.mark.parametrize(("kind", "options", "norm", "more", "shape"), PAIRS)
def test_one_layer_does_what_two_did(kind: str, options: Any, norm: str, more: Any, shape: Any) -> None:
    layer, state = trained(cg, kind, options)
    bn, seen = trained(cg, norm, {"num_features": 4, **more})
    x = cg.tensor(np.random.default_rng(1).standard_normal(shape).astype(np.float32))
    before = {key: tensor.data.copy() for key, tensor in layer.state_dict().items()}
    transpose = (True,) if "Transpose" in kind else ()
    name = "fuse_linear_bn_eval" if kind == "Linear" else "fuse_conv_bn_eval"
    fused = getattr(nn.utils, name)(layer, bn, *transpose)
    np.testing.assert_allclose(fused(x).data, bn(layer(x)).data, rtol=1e-4, atol=1e-5)
    for key, array in before.items():
        np.testing.assert_array_equal(layer.state_dict()[key].data, array)
    assert type(fused) is type(layer) and not fused.training
    other = getattr(torch.nn.utils, name)(
        trained(torch, kind, options, state)[0], trained(torch, norm, {"num_features": 4, **more}, seen)[0], *transpose)
    assert list(fused.state_dict()) == list(other.state_dict())
    for key, parameter in fused.named_parameters():
        agree(parameter, other.get_parameter(key), FORWARD, key)
        assert parameter.requires_grad == other.get_parameter(key).requires_grad


def test_groups_of_transposed_convolutions_which_pytorch_cannot_fold() -> None:
    conv, _ = trained(cg, "ConvTranspose2d", {"in_channels": 4, "out_channels": 6, "kernel_size": 2, "groups": 2})
    bn, _ = trained(cg, "BatchNorm2d", {"num_features": 6})
    x = cg.randn(2, 4, 3, 3)
    fused = nn.utils.fuse_conv_bn_eval(conv, bn, transpose=True)
    np.testing.assert_allclose(fused(x).data, bn(conv(x)).data, rtol=1e-4, atol=1e-4)


def test_a_norm_of_one_channel_counts_for_all_outputs() -> None:
    layer, _ = trained(cg, "Linear", {"in_features": 3, "out_features": 4, "bias": False})
    bn, _ = trained(cg, "BatchNorm1d", {"num_features": 1})
    fused, x = nn.utils.fuse_linear_bn_eval(layer, bn), cg.randn(5, 3)
    assert fused.bias.shape == (4,)
    np.testing.assert_allclose(fused(x).data, bn(layer(x).unsqueeze(1)).squeeze(1).data, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("layer", "norm", "transpose", "error", "words"), [
    (nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4).eval(), False, ValueError, "eval"),
    (nn.Conv2d(2, 4, 3).eval(), nn.BatchNorm2d(4), False, ValueError, "eval"),
    (nn.Conv2d(2, 4, 3).eval(), nn.BatchNorm2d(4, track_running_stats=False).eval(), False, ValueError, "averages"),
    (nn.Conv2d(2, 4, 3).eval(), nn.BatchNorm2d(3).eval(), False, cg.ShapeError, "3 channels"),
    (nn.Conv2d(4, 4, 3).eval(), nn.BatchNorm2d(4).eval(), True, ValueError, "transpose=False"),
    (nn.ConvTranspose2d(4, 4, 3).eval(), nn.BatchNorm2d(4).eval(), False, ValueError, "transpose=True"),
    (nn.ConvTranspose2d(2, 4, 3).eval(), nn.BatchNorm2d(3).eval(), True, cg.ShapeError, "in each group"),
])
def test_what_cannot_be_folded(layer: Any, norm: Any, transpose: bool, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        nn.utils.fuse_conv_bn_eval(layer, norm, transpose)
