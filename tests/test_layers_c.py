"""Convolutions of rows, transposed ones, adaptive averages: the same as PyTorch, spelled alike, misuse in words."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import nn, optim
from chalkgrad.nn.functional import adaptive_avg_pool1d, adaptive_avg_pool2d, conv1d, conv2d, conv_transpose2d
from chalkgrad.nn.layers.channels import channel_sums, for_each
from chalkgrad.nn.layers.columns import as_kernels, columns_of, convolve, paint, pieces, portions
from chalkgrad.nn.layers.geometry import geometry_of
from chalkgrad.nn.layers.windows import as_images, as_rows, in_rows

from .test_layers_a import FORWARD, close, each_dtype, gradients_agree, second_derivatives_agree, twins

# PyTorch says that an even kernel needs a copy of the row
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")

narrow, wide = {"in_channels": 2, "out_channels": 4}, {"in_channels": 16, "out_channels": 12}
Layer = tuple[str, dict[str, Any], tuple[int, ...]]
ROWS = [
    {"kernel_size": 3},
    {"kernel_size": 1, "bias": False},
    {"kernel_size": 9},
    {"kernel_size": (2,), "stride": (3,), "padding": (1,)},
    {"kernel_size": 3, "padding": 2, "dilation": 2},
    {"kernel_size": 4, "padding": "same", "dilation": (2,)},
    {"kernel_size": 3, "padding": "valid", "groups": 2},
    {"kernel_size": 3, "stride": 2, "padding": 3, "dilation": 3, "groups": 2},
]
TRANSPOSED = [
    {"kernel_size": 3},
    {"kernel_size": 1, "bias": False},
    {"kernel_size": 4, "stride": 2, "padding": 1},
    {"kernel_size": (2, 3), "stride": (3, 2), "padding": (0, 1)},
    {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1},
    {"kernel_size": 2, "stride": (3, 2), "padding": (4, 3), "output_padding": (2, 0)},
    {"kernel_size": (3, 1), "dilation": (2, 3), "output_padding": (1, 2)},
    {"kernel_size": 3, "stride": 2, "groups": 2},
    {"kernel_size": (3, 2), "stride": (1, 2), "padding": (2, 0), "dilation": (2, 1), "output_padding": 1, "groups": 2},
]
LAYERS: list[Layer] = [
    *[("Conv1d", {**size, **options}, (3, size["in_channels"], 9)) for size in (narrow, wide) for options in ROWS],
    ("Conv1d", {**narrow, "kernel_size": 3}, (2, 7)),
    ("Conv1d", {**narrow, "kernel_size": 3}, (0, 2, 7)),
    ("Conv1d", {"in_channels": 6, "out_channels": 12, "kernel_size": 3, "groups": 6}, (2, 6, 5)),
    *[
        ("ConvTranspose2d", {**size, **options}, (3, size["in_channels"], 4, 5))
        for size in (narrow, wide)
        for options in TRANSPOSED
    ],
    ("ConvTranspose2d", {**narrow, "kernel_size": 3}, (2, 4, 5)),
    ("ConvTranspose2d", {"in_channels": 16, "out_channels": 1, "kernel_size": 4, "stride": 2}, (3, 16, 4, 5)),
    ("ConvTranspose2d", {"in_channels": 36, "out_channels": 2, "kernel_size": 3, "stride": (2, 1), "padding": (1, 2),
                         "dilation": (1, 2), "output_padding": 1, "groups": 2}, (2, 36, 4, 5)),
    ("ConvTranspose2d", {"in_channels": 6, "out_channels": 1, "kernel_size": (1, 2), "stride": 3, "output_padding": 2},
     (0, 6, 3, 2)),
    ("ConvTranspose2d", {**wide, "kernel_size": 3}, (0, 16, 4, 5)),
    ("ConvTranspose2d", {"in_channels": 6, "out_channels": 12, "kernel_size": 3, "groups": 6}, (2, 6, 3, 2)),
    *[("AdaptiveAvgPool1d", {"output_size": size}, shape) for size in (1, 3, 8, 10) for shape in [(2, 3, 8), (3, 8)]],
    *[
        ("AdaptiveAvgPool2d", {"output_size": size}, shape)
        for size in [1, 2, 3, 5, (5, 3), (None, 4), (7, None), (1, 6), (9, 10)]
        for shape in [(2, 3, 7, 6), (3, 5, 5)]
    ],
]


def twin_modules(name: str, options: dict[str, Any], dtype: Any) -> tuple[Any, Any]:
    """The same module here and in PyTorch, with the same weights."""
    ours, theirs = getattr(nn, name)(**options).to(dtype), getattr(torch.nn, name)(**options)
    state = ours.state_dict()
    shapes = {key: tuple(value.shape) for key, value in theirs.state_dict().items()}
    assert {key: value.shape for key, value in state.items()} == shapes
    theirs.to(getattr(torch, dtype.__name__)).load_state_dict({k: torch.tensor(v.data) for k, v in state.items()})
    return ours, theirs


# -------------------------------------------------------------------------------------------- the same as PyTorch


@each_dtype
@pytest.mark.parametrize("name, options, shape", LAYERS)
def test_layer_is_as_in_pytorch(name: str, options: dict[str, Any], shape: tuple[int, ...], dtype: Any) -> None:
    ours, theirs = twin_modules(name, options, dtype)
    assert ours.extra_repr() == theirs.extra_repr()
    x, torch_x = twins(np.random.default_rng(3).standard_normal(shape), dtype)
    y, torch_y = ours(x), theirs(torch_x)
    close(y, torch_y, FORWARD[dtype])
    gradients_agree(y, [x, *ours.parameters()], torch_y, [torch_x, *theirs.parameters()], dtype)


@pytest.mark.parametrize("name, options, shape", LAYERS)
def test_layer_has_second_derivatives(name: str, options: dict[str, Any], shape: tuple[int, ...]) -> None:
    ours, theirs = twin_modules(name, options, np.float64)
    x, torch_x = twins(np.random.default_rng(4).standard_normal(shape))
    second_derivatives_agree(ours(x), [x, *ours.parameters()], theirs(torch_x), [torch_x, *theirs.parameters()])


@pytest.mark.parametrize("stride, dilation", [((1, 1), (1, 1)), ((2, 3), (1, 1)), ((1, 2), (2, 1)), ((2, 4), (3, 2))])
@pytest.mark.parametrize("kernel", [(1, 1), (2, 3), (3, 2)])
@pytest.mark.parametrize("padding", [(0, 0), (2, 1)])
def test_columns_are_those_of_pytorch_and_painting_is_the_way_back(
    kernel: Any, stride: Any, dilation: Any, padding: Any
) -> None:
    """The columns are PyTorch's `unfold`, in any slice of places; and ⟨convolve x, s⟩ = ⟨x, paint s⟩."""
    rng = np.random.default_rng(9)
    x, weight = rng.standard_normal((5, 3, 7, 9)), rng.standard_normal((4, 3, *kernel))
    geometry = geometry_of(x.shape[1:], weight.shape, stride, padding, dilation, groups=1)
    p, q = geometry[-1]
    unfolded = torch.nn.functional.unfold(torch.tensor(x), kernel, dilation, padding, stride)
    expected = unfolded.numpy().reshape(5, 3, *kernel, p, q).transpose(4, 2, 3, 1, 5, 0)  # (p, kh, kw, c, q, n)
    for across in (slice(0, q), slice(0, 1), slice(q // 2, q)):
        columns = columns_of(as_rows(x), 1, geometry, across)
        assert np.array_equal(columns.ravel(), expected[..., across, :].ravel())
    kernels = as_kernels(weight, 1)
    sums = rng.standard_normal((5, 4, p, q))
    painted = paint(sums, kernels, (7, 9), geometry)
    assert painted.shape == x.shape
    np.testing.assert_allclose((convolve(x, kernels, None, geometry) * sums).sum(), (x * painted).sum(), rtol=1e-12)


def test_images_are_handed_on_as_rows() -> None:
    """What comes out of a convolution lies in memory row by row, and is not copied again."""
    images = conv2d(np.ones((3, 2, 5, 6)), np.ones((4, 2, 3, 3)))
    assert as_rows(images).flags.c_contiguous and np.shares_memory(as_rows(images), images)
    assert np.shares_memory(in_rows(images), images) and np.array_equal(as_images(as_rows(images)), images)
    across = np.ascontiguousarray(images)
    assert as_rows(in_rows(across)).flags.c_contiguous and np.array_equal(in_rows(across), images)


@pytest.mark.parametrize("order", [*itertools.permutations(range(4))], ids=str)
def test_channels_are_met_however_images_lie(order: tuple[int, ...]) -> None:
    """All orders of the axes in memory, for arrays and for Tensors."""
    rng = np.random.default_rng(12)
    x = rng.standard_normal([(5, 3, 6, 4)[axis] for axis in order]).transpose(np.argsort(order))
    channels, row = np.arange(1.0, 4), np.arange(1.0, 4).reshape(1, 3, 1, 1)
    assert x.shape == (5, 3, 6, 4) and np.array_equal(x * for_each(channels, x), x * row)
    assert (x * for_each(channels, x)).strides == x.strides
    np.testing.assert_allclose(channel_sums(x), x.sum(axis=(0, 2, 3)))
    np.testing.assert_allclose(channel_sums(x, x * row), (x * x * row).sum(axis=(0, 2, 3)))
    np.testing.assert_allclose(channel_sums(cg.tensor(x), cg.tensor(x * row)).data, channel_sums(x, x * row))
    assert np.array_equal((cg.tensor(x) * for_each(cg.tensor(channels), cg.tensor(x))).data, x * row)


@pytest.mark.parametrize("name, options, channels", [
    ("Conv1d", {"kernel_size": 31}, 66), ("Conv2d", {"kernel_size": 5, "padding": 2}, 199),
    ("ConvTranspose2d", {"kernel_size": 5, "stride": 2}, 400),
])  # fmt: skip
def test_places_that_are_worked_through_in_portions(name: str, options: Any, channels: int) -> None:
    """More columns than are made at once, so that there are several portions, the last of them smaller."""
    ours, theirs = twin_modules(name, {**options, "in_channels": channels, "out_channels": 10}, np.float64)
    shape = (7, channels, 250) if name == "Conv1d" else (7, channels, 20, 21)
    x, torch_x = twins(np.random.default_rng(5).standard_normal(shape))
    y, torch_y = ours(x), theirs(torch_x)
    close(y, torch_y, FORWARD[np.float64])
    gradients_agree(y, [x, *ours.parameters()], torch_y, [torch_x, *theirs.parameters()], np.float64)


def test_portions_cover_the_places() -> None:
    for q, c in itertools.product(range(1, 6), [0, 1, 2**9, 2**12, 2**18]):
        geometry = ((3, 3), (1, 1), (1, 1), ((0, 0), (0, 0)), (2**5, q))
        slices = portions(np.broadcast_to(0.0, (34, c, q + 2, 3)), 1, geometry)
        assert [i for some in slices for i in range(some.start, some.stop)] == list(range(q))


def test_pieces_divide_the_columns() -> None:
    for length, work in itertools.product([0, 1, 7, 64, 192, 896, 1024, 8191], [0, 1, 150, 2304, 9216, 36864]):
        size = pieces(length, work)
        assert length % size == 0 and (size == max(length, 1) or (size >= 64 and size * work <= 10**6))


@pytest.mark.parametrize("count", range(1, 14))
def test_windows_of_every_size_are_as_in_pytorch(count: int) -> None:
    for size in range(1, 14):
        x, torch_x = twins(np.random.default_rng(6).standard_normal((2, 3, size)))
        y, torch_y = adaptive_avg_pool1d(x, count), torch.nn.functional.adaptive_avg_pool1d(torch_x, count)
        close(y, torch_y, FORWARD[np.float64])
        gradients_agree(y, [x], torch_y, [torch_x], np.float64)


def test_a_nan_stays_in_its_windows() -> None:
    x = np.array([[np.nan, 1.0, np.inf, 2.0, 4.0]])
    np.testing.assert_array_equal(adaptive_avg_pool1d(cg.tensor(x), 3).data, [[np.nan, np.inf, 3.0]])


def test_the_transposed_convolution_is_the_gradient_of_the_convolution() -> None:
    """⟨conv2d(x), y⟩ = ⟨x, conv_transpose2d(y)⟩, with an output padding for the rows that no kernel reached."""
    rng = np.random.default_rng(7)
    x, weight, y = map(rng.standard_normal, [(2, 4, 8, 7), (6, 2, 3, 2), (2, 6, 4, 3)])
    options: dict[str, Any] = {"stride": (2, 3), "padding": (1, 1), "groups": 2}
    forth, back = conv2d(x, weight, **options), conv_transpose2d(y, weight, output_padding=(1, 1), **options)
    np.testing.assert_allclose((forth * y).sum(), (x * back).sum(), rtol=1e-12)


def test_options_may_come_by_position() -> None:
    rng, functional = np.random.default_rng(8), torch.nn.functional
    (x, torch_x), (w, torch_w) = twins(rng.random((1, 2, 6, 6))), twins(rng.random((2, 3, 3, 3)))
    (row, torch_row), (v, torch_v) = twins(rng.random((1, 2, 9))), twins(rng.random((4, 1, 3)))
    more = (None, 3, 1, 1, 2, 2)
    for ours, theirs in [
        (conv_transpose2d(x, w, *more), functional.conv_transpose2d(torch_x, torch_w, *more)),
        (conv1d(row, v, None, 2, 1, 2, 2), functional.conv1d(torch_row, torch_v, None, 2, 1, 2, 2)),
        (adaptive_avg_pool2d(x, (2, 4)), functional.adaptive_avg_pool2d(torch_x, (2, 4))),
    ]:
        close(ours, theirs, FORWARD[np.float64])


# ----------------------------------------------------------------------------------------------------- spelled


class Rows(nn.Module):
    """A small network for rows."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.relu1 = nn.Conv1d(2, 4, 3, padding="same", dilation=2), nn.ReLU()
        self.conv2, self.pool = nn.Conv1d(4, 4, 3, stride=2, groups=2), nn.AdaptiveAvgPool1d(3)
        self.flatten, self.fc = nn.Flatten(), nn.Linear(12, 3)

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        return self.fc(self.flatten(self.pool(self.conv2(self.relu1(self.conv1(x))))))


class Growing(nn.Module):
    """A small decoder, and what tells its images apart."""

    def __init__(self) -> None:
        super().__init__()
        self.up1, self.relu1 = nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1), nn.ReLU()
        self.up2, self.pool = nn.ConvTranspose2d(4, 3, 4, 2, 1), nn.AdaptiveAvgPool2d((1, 1))
        self.flatten = nn.Flatten()

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        return self.flatten(self.pool(self.up2(self.relu1(self.up1(x)))))


@pytest.mark.parametrize("make, shape", [(Rows, (6, 2, 12)), (Growing, (6, 2, 3, 3))])
def test_a_spelled_step_gives_the_eager_numbers_to_the_last_bit(make: Callable[[], nn.Module], shape: Any) -> None:
    cg.manual_seed(0)
    rng, model, entropy = np.random.default_rng(9), make(), nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), 0.01)

    def step(x: cg.Tensor, target: cg.Tensor) -> cg.Tensor:
        optimizer.zero_grad()
        loss = entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    batch = rng.standard_normal(shape, np.float32), rng.integers(0, 3, shape[0])
    program = cg.spell(step, *batch, model=model, optimizer=optimizer)
    params, state = program.start()
    for _ in range(10):
        batch = rng.standard_normal(shape, np.float32), rng.integers(0, 3, shape[0])
        assert program.run(params, state, *batch, lr=0.01) == step(*map(cg.tensor, batch)).data
    assert max(map(len, str(program).splitlines())) <= 120


# ------------------------------------------------------------------------------------------------- misuse in words

image, row = cg.ones(1, 4, 5, 5), cg.ones(1, 4, 5)
MISUSE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: conv1d(row, cg.ones(2, 3, 3)), cg.ShapeError, "x has 4 channels, but the kernels of weight see 3"),
    (lambda: conv1d(row, cg.ones(2, 4, 7)), cg.ShapeError, "the kernel spans 7 pixels, but the image has 5"),
    (lambda: conv1d(row, cg.ones(2, 4, 1, 3)), cg.ShapeError, r"weight +\(o, c/groups, k\) = \(2, 4, 1, 3\)"),
    (lambda: conv1d(row, cg.ones(2, 4, 3), stride=(1, 2)), cg.ShapeError, r"number from 1 up, but \(1, 2\) came"),
    (lambda: nn.Conv1d(4, 2, 0), ValueError, "kernel_size is a whole number from 1 up"),
    (lambda: nn.Conv1d(4, 2, 3, stride=2, padding="same"), ValueError, "padding='same' keeps the size"),
    (lambda: nn.Conv1d(4, 2, 3, groups=3), ValueError, "groups=3 does not divide 4 channels in, 2 out"),
    (lambda: conv_transpose2d(image, cg.ones(3, 2, 3, 3)), cg.ShapeError, "`c` is 4 in x but 3 in weight"),
    (lambda: conv_transpose2d(image, cg.ones(4, 2, 3, 3), groups=3), cg.ShapeError, "groups=3 does not divide the 4"),
    (lambda: conv_transpose2d(image, cg.ones(4, 2, 3, 3), output_padding=1), cg.ShapeError, "is not below stride"),
    (lambda: conv_transpose2d(image, cg.ones(4, 2, 1, 1), padding=3), cg.ShapeError, "takes all off: the kernels"),
    (lambda: conv_transpose2d(image, cg.ones(4, 2, 3)), cg.ShapeError, "conv_transpose2d"),
    (lambda: nn.ConvTranspose2d(4, 2, 3, padding="same"), ValueError, "padding is a whole number from 0 up"),
    (lambda: nn.ConvTranspose2d(4, 2, 3, groups=4), ValueError, "groups=4 does not divide 4 channels in, 2 out"),
    (lambda: nn.ConvTranspose2d(4, 2, 3, padding_mode="reflect"), ValueError, "no padding_mode='reflect'"),
    (lambda: adaptive_avg_pool2d(image, (1, 2, 3)), ValueError, r"or a tuple of 2 of them, but \(1, 2, 3\)"),
    (lambda: adaptive_avg_pool2d(cg.ones(2, 0, 3), 2), cg.ShapeError, r"with pixels in it, but \(2, 0, 3\)"),
    (lambda: nn.AdaptiveAvgPool2d(-1), ValueError, "a whole number, None, or a tuple of 2 of them, but -1 came"),
    (lambda: nn.AdaptiveAvgPool1d((1, 2)), ValueError, r"output_size is a whole number or None, but \(1, 2\)"),
]


@pytest.mark.parametrize("call, error, words", MISUSE, ids=[words for _, _, words in MISUSE])
def test_misuse_is_explained(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
