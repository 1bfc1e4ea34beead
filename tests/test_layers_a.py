"""Convolution, pooling, dropout, embedding: the same numbers as PyTorch over every option, and misuse in words."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import Tensor
from chalkgrad.engine.backward import grad
from chalkgrad.nn.layers import conv2d as conv2d_file
from chalkgrad.nn.layers.avg_pool import AvgPool2d, avg_pool2d
from chalkgrad.nn.layers.conv2d import Conv2d, conv2d
from chalkgrad.nn.layers.dropout import Dropout, drop, dropout
from chalkgrad.nn.layers.embedding import Embedding, embedding
from chalkgrad.nn.layers.flatten import Flatten
from chalkgrad.nn.layers.max_pool import MaxPool2d, max_pool2d
from chalkgrad.nn.layers.windows import crop, pad
from chalkgrad.spell.tape import Tape, taping

# PyTorch says that an even kernel needs a copy of the image
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")

DTYPES = [np.float32, np.float64]
# relative and absolute; float32 gradients pass through more roundings than values
FORWARD  = {np.float32: (1e-4, 1e-6), np.float64: (1e-9, 1e-12)}
BACKWARD = {np.float32: (1e-3, 1e-5), np.float64: (1e-9, 1e-12)}
each_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])

narrow, wide = {"in_channels": 2, "out_channels": 4}, {"in_channels": 8, "out_channels": 6}
LAYERS: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    *[
        ("Conv2d", {**size, **options}, (batch, size["in_channels"], 7, 6))
        for size, batch in [(narrow, 3), (wide, 3)]
        for options in [
            {"kernel_size": 3},
            {"kernel_size": 3, "bias": False},
            {"kernel_size": 1},
            {"kernel_size": (7, 6)},
            {"kernel_size": (2, 3), "padding": (1, 2)},
            {"kernel_size": (3, 2), "stride": (2, 1)},
            {"kernel_size": 2, "stride": 3, "padding": 1},
            {"kernel_size": 3, "dilation": (3, 2)},
            {"kernel_size": 3, "padding": "valid"},
            {"kernel_size": 3, "padding": "same"},
            {"kernel_size": (4, 3), "padding": "same", "dilation": (1, 2)},
            {"kernel_size": 3, "groups": 2},
            {"kernel_size": (3, 2), "stride": (1, 2), "padding": (3, 0), "dilation": (2, 1), "groups": 2},
        ]
    ],
    ("Conv2d", {**narrow, "kernel_size": 3}, (1, 2, 5, 5)),
    ("Conv2d", {**wide, "kernel_size": 3}, (1, 8, 3, 3)),
    ("Conv2d", {**narrow, "kernel_size": 3}, (2, 5, 5)),
    ("Conv2d", {**wide, "kernel_size": 3, "padding": 1}, (8, 4, 5)),
    ("Conv2d", {**narrow, "kernel_size": 3}, (0, 2, 5, 5)),
    ("Conv2d", {**wide, "kernel_size": 3}, (0, 8, 5, 5)),
    ("Conv2d", {"in_channels": 6, "out_channels": 12, "kernel_size": 3, "groups": 6}, (2, 6, 5, 4)),
    ("Conv2d", {"in_channels": 36, "out_channels": 6, "kernel_size": 1, "groups": 2}, (2, 36, 3, 3)),
    *[
        (name, options, shape)
        for shape in [(2, 3, 7, 6), (3, 7, 6), (1, 1, 6, 9)]
        for name, options in [
            *[
                (name, options)
                for name in ("MaxPool2d", "AvgPool2d")
                for options in [
                    {"kernel_size": 2},
                    {"kernel_size": (3, 2)},
                    {"kernel_size": 2, "stride": 3},
                    {"kernel_size": 3, "stride": (1, 2)},
                    {"kernel_size": 3, "stride": 2, "padding": 1},
                    {"kernel_size": (2, 3), "stride": 2, "padding": (0, 1), "ceil_mode": True},
                ]
            ],
            ("MaxPool2d", {"kernel_size": 2, "dilation": (3, 2)}),
            ("MaxPool2d", {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True}),
            ("AvgPool2d", {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}),
            ("AvgPool2d", {"kernel_size": 3, "divisor_override": 2}),
        ]
    ],
    ("Flatten", {}, (2, 3, 4)),
    ("Flatten", {"start_dim": 0, "end_dim": 1}, (2, 3, 4)),
]  # fmt: skip
CLASSES = {"Conv2d": Conv2d, "MaxPool2d": MaxPool2d, "AvgPool2d": AvgPool2d, "Flatten": Flatten}


def close(ours: Any, theirs: Any, tolerance: tuple[float, float]) -> None:
    """Compare a Tensor with PyTorch's, their dtypes and shapes included."""
    assert str(theirs.dtype) == f"torch.{ours.dtype}" and tuple(theirs.shape) == ours.shape
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=tolerance[0], atol=tolerance[1])


def twins(array: Any, dtype: Any = np.float64) -> tuple[Tensor, torch.Tensor]:
    """The same values as a leaf here and in PyTorch."""
    array = np.asarray(array).astype(dtype)
    return cg.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)


def twin_modules(name: str, options: dict[str, Any], dtype: Any) -> tuple[Any, Any]:
    """The same module here and in PyTorch, with the same weights."""
    ours, theirs = CLASSES[name](**options).to(dtype), getattr(torch.nn, name)(**options)
    state = ours.state_dict()
    assert list(state) == list(theirs.state_dict())
    theirs.to(getattr(torch, dtype.__name__)).load_state_dict({k: torch.tensor(v.data) for k, v in state.items()})
    return ours, theirs


def gradients_agree(y: Tensor, inputs: list[Tensor], torch_y: Any, torch_inputs: list[Any], dtype: Any) -> None:
    seed = np.random.default_rng(5).standard_normal(y.shape).astype(dtype)
    first = grad(y, inputs, cg.tensor(seed), retain_graph=True)
    torch_first = torch.autograd.grad(torch_y, torch_inputs, torch.tensor(seed), retain_graph=True)
    for ours, theirs in zip(first, torch_first):
        close(ours, theirs, BACKWARD[dtype])


def second_derivatives_agree(y: Tensor, inputs: list[Tensor], torch_y: Any, torch_inputs: list[Any]) -> None:
    """Differentiate the gradients of Σ y³, weighed at random, once more: so the gradient of y varies as well."""
    pulls = [np.random.default_rng(5).standard_normal(each.shape) for each in inputs]
    first = grad((y**3).sum(), inputs, create_graph=True)
    torch_first = torch.autograd.grad((torch_y**3).sum(), torch_inputs, create_graph=True)
    total = sum((g * pull).sum() for g, pull in zip(first, pulls))
    torch_total = sum((g * torch.tensor(pull)).sum() for g, pull in zip(torch_first, pulls))
    second, torch_second = grad(total, inputs), torch.autograd.grad(torch_total, torch_inputs)
    for ours, theirs in zip([*first, *second], [*torch_first, *torch_second]):
        close(ours, theirs, (1e-9, 1e-10))


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


@pytest.mark.parametrize("padding, dilation", [(0, 1), (0, 2), (1, 1), (1, 2)])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
def test_windows_hang_out_as_in_pytorch(kernel: int, stride: int, padding: int, dilation: int) -> None:
    """All image sizes with `ceil_mode`, in pixels of 0, 1 and 2, so that most windows have ties."""
    rng, tried = np.random.default_rng(6), 0
    for size, rule, counted in itertools.product(range(1, 10), (max_pool2d, avg_pool2d), (True, False)):
        options: dict[str, Any] = {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": True}
        options |= {"dilation": dilation} if rule is max_pool2d else {"count_include_pad": counted}
        x, torch_x = twins(rng.integers(0, 3, (2, size, 9)))
        try:
            torch_y = getattr(torch.nn.functional, rule.__name__)(torch_x, **options)
        except RuntimeError:
            with pytest.raises(ValueError, match="kernel"):
                rule(x, **options)
            continue
        y, tried = rule(x, **options), tried + 1
        close(y, torch_y, FORWARD[np.float64])
        if torch_y.isinf().any():
            continue  # a window with gaps may see nothing but padding; PyTorch's backward crashes on it
        gradients_agree(y, [x], torch_y, [torch_x], np.float64)
    assert tried or 2 * padding > kernel


def test_a_nan_wins_its_window() -> None:
    x = np.array([[[1.0, np.nan, 3.0, 4.0]]])
    np.testing.assert_array_equal(max_pool2d(cg.tensor(x), (1, 2)).data, [[[np.nan, 4.0]]])
    assert torch.nn.functional.max_pool2d(torch.tensor(x), (1, 2)).isnan().tolist() == [[[True, False]]]


def test_options_may_come_by_position() -> None:
    rng, functional = np.random.default_rng(7), torch.nn.functional
    (x, torch_x), (w, torch_w) = twins(rng.random((1, 2, 6, 6))), twins(rng.random((4, 1, 3, 3)))
    for ours, theirs in [
        (conv2d(x, w, None, 2, 1, 2, 2), functional.conv2d(torch_x, torch_w, None, 2, 1, 2, 2)),
        (max_pool2d(x, 3, 1, 1, 1, True), functional.max_pool2d(torch_x, 3, 1, 1, 1, True)),
        (avg_pool2d(x, 3, 2, 1, True, False, 4), functional.avg_pool2d(torch_x, 3, 2, 1, True, False, 4)),
    ]:
        close(ours, theirs, FORWARD[np.float64])


def test_layers_in_a_row() -> None:
    """Convolutions hand on images that lie in memory as rows, the batch innermost; what comes next must not care."""
    ours = [Conv2d(1, 6, 3), MaxPool2d(2), Conv2d(6, 8, 3, padding=1), AvgPool2d(2), Conv2d(8, 5, 2), Flatten()]
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(1, 6, 3), torch.nn.MaxPool2d(2), torch.nn.Conv2d(6, 8, 3, padding=1), torch.nn.AvgPool2d(2),
        torch.nn.Conv2d(8, 5, 2), torch.nn.Flatten(),
    ).double()
    for i, layer in enumerate(ours):
        layer.to(np.float64)
        theirs[i].load_state_dict({k: torch.tensor(v.data) for k, v in layer.state_dict().items()})
    x, torch_x = twins(np.random.default_rng(8).standard_normal((3, 1, 12, 14)))
    y = x
    for layer in ours:
        y = layer(y)
    torch_y = theirs(torch_x)
    close(y, torch_y, FORWARD[np.float64])
    parameters = [p for layer in ours for p in layer.parameters()]
    gradients_agree(y, [x, *parameters], torch_y, [torch_x, *theirs.parameters()], np.float64)


# --------------------------------------------------------------------------------- windows, and what is left undone


def test_crop_takes_off_what_pad_puts_on() -> None:
    x = np.ones((2, 3, 4))
    frame = ((1, 2), (0, 3))
    framed = pad(x, frame, -1.0)
    assert framed.shape == (2, 6, 7) and framed.sum() == 2 * (12 - 30)
    assert np.array_equal(crop(framed, frame), x)


def test_a_first_layer_never_computes_the_gradient_of_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = Conv2d(1, 2, 3), cg.ones(2, 1, 5, 5)
    layer(x).sum().backward()

    def stop(*_: Any) -> None:
        raise AssertionError("paint was called")

    monkeypatch.setattr(conv2d_file, "paint", stop)
    layer(x).sum().backward()
    x.requires_grad_()
    with pytest.raises(AssertionError, match="paint"):
        layer(x).sum().backward()


# ------------------------------------------------------------------------------------------------------------- dropout


@each_dtype
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9, 1])
def test_dropout_drops_with_probability_p(p: float, dtype: Any) -> None:
    layer = Dropout(p)
    x, torch_x = twins(np.random.default_rng(11).standard_normal((200, 100)), dtype)
    y = layer(x)
    kept = y.data != 0
    assert abs(kept.mean() - (1 - p)) <= 4 * np.sqrt(p * (1 - p) / kept.size)
    torch_y = torch_x * torch.tensor(kept) * (1 / (1 - p) if p < 1 else 0)
    close(y, torch_y, FORWARD[dtype])
    gradients_agree(y, [x], torch_y, [torch_x], dtype)
    assert not np.array_equal(layer(x).data, y.data) or p == 1
    assert layer.eval()(x) is x


def test_dropout_has_second_derivatives() -> None:
    x, torch_x = twins(np.random.default_rng(12).standard_normal((5, 4)))
    mask = np.random.default_rng(13).random((5, 4)) >= 0.3
    second_derivatives_agree(drop(x, mask, p=0.3), [x], torch_x * torch.tensor(mask) / 0.7, [torch_x])


def test_dropout_draws_from_the_generator_that_it_is_given() -> None:
    x = cg.ones(100)
    cg.manual_seed(1)
    first = dropout(x).data
    other = dropout(x, generator=np.random.default_rng(1)).data
    cg.manual_seed(1)
    assert np.array_equal(first, dropout(x).data) and np.array_equal(first, other)
    assert dropout(x, 0.0) is x and dropout(x, training=False) is x


def test_dropout_tells_the_tape_how_the_mask_was_drawn() -> None:
    generator = np.random.default_rng(2)
    with taping(Tape()) as tape:
        y = dropout(cg.ones(3, 4), 0.25, generator=generator)
    drawn, dropped = (call for call in tape.calls if call.kind != "engine")
    assert (drawn.kind, dropped.kind) == ("random", "forward")
    assert {**drawn.given, "generator": None} == {"generator": None, "shape": (3, 4), "p": 0.25}
    assert drawn.given["generator"] is generator and dropped.given["mask"] is drawn.made["mask"]
    assert np.array_equal(y.data != 0, drawn.made["mask"])


# ----------------------------------------------------------------------------------------------------------- embedding


EMBEDDINGS = [
    (None, np.array([3, 0, 3, 3])),
    (0, np.array([[1, 0, 2], [0, 0, 4]])),
    (-1, np.array([[4], [1], [4]], np.int32)),
    (2, np.array(2)),
    (None, np.zeros((2, 0), np.int64)),
]


@each_dtype
@pytest.mark.parametrize("padding_idx, index", EMBEDDINGS)
def test_embedding_is_as_in_pytorch(padding_idx: int | None, index: Any, dtype: Any) -> None:
    ours = Embedding(5, 3, padding_idx, dtype=dtype)
    theirs = torch.nn.Embedding(5, 3, padding_idx, dtype=getattr(torch, dtype.__name__))
    assert ours.extra_repr() == theirs.extra_repr()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    zero_rows = [i for i, row in enumerate(ours.weight.data) if not row.any()]
    assert zero_rows == [i for i, row in enumerate(theirs.weight.detach()) if not row.any()]
    theirs.load_state_dict({"weight": torch.tensor(ours.weight.data)})
    y, torch_y = ours(cg.tensor(index)), theirs(torch.tensor(index))
    close(y, torch_y, FORWARD[dtype])
    gradients_agree(y, [ours.weight], torch_y, [theirs.weight], dtype)


@pytest.mark.parametrize("padding_idx, index", EMBEDDINGS[:-1])  # PyTorch has none of no rows
def test_embedding_has_second_derivatives(padding_idx: int | None, index: Any) -> None:
    w, torch_w = twins(np.random.default_rng(14).standard_normal((5, 3)))
    torch_y = torch.nn.functional.embedding(torch.tensor(index), torch_w, padding_idx)
    second_derivatives_agree(embedding(index, w, padding_idx), [w], torch_y, [torch_w])


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32])
def test_a_small_integer_can_name_a_row_far_into_the_table(dtype: Any) -> None:
    w = cg.tensor(np.ones((128, 100)), requires_grad=True)
    embedding(cg.tensor(np.array([127, 127], dtype)), w).sum().backward()
    assert w.grad.data[127].tolist() == [2.0] * 100 and w.grad.data.sum() == 200


def test_new_weights_are_spread_as_in_pytorch() -> None:
    table, layer = Embedding(100, 100), Conv2d(8, 50, 3, groups=2)
    bound = 1 / np.sqrt(4 * 9)
    assert abs(table.weight.data.mean()) < 0.05 and abs(table.weight.data.std() - 1) < 0.05
    for parameter in layer.parameters():
        assert 0.9 * bound < abs(parameter.data).max() <= bound


# ---------------------------------------------------------------------------------------------------------- in words


def image() -> Tensor:
    return cg.ones(2, 3, 8, 8)


MISUSE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: conv2d(image(), cg.ones(4, 1, 3, 3)), cg.ShapeError, "x has 3 channels, but .* see 1"),
    (lambda: conv2d(image(), cg.ones(4, 3, 3, 3), groups=2), cg.ShapeError, "see 3 in each of 2 groups"),
    (lambda: conv2d(image(), cg.ones(4, 3, 3, 3), groups=3), cg.ShapeError, "groups=3 does not divide the 4 kernels"),
    (lambda: conv2d(image(), cg.ones(4, 3, 3, 3), groups=0), cg.ShapeError, "groups is a whole number from 1 up"),
    (lambda: conv2d(image(), cg.ones(4, 3, 9, 3)), cg.ShapeError, "kernel spans 9 x 3 pixels, .* 8 x 8"),
    (lambda: conv2d(image(), cg.ones(4, 3, 3, 3), dilation=4), cg.ShapeError, "kernel spans 9 x 9 pixels"),
    (lambda: conv2d(cg.ones(8, 8), cg.ones(4, 3, 3, 3)), cg.ShapeError, "`x` has 2 axes.*\n(.*\n)*.*Try: images are"),
    (lambda: conv2d(image(), cg.ones(4, 3, 3)), cg.ShapeError, "`weight` has 3 axes"),
    (lambda: conv2d(image(), cg.ones(4, 3, 3, 3), cg.ones(5)), cg.ShapeError, "`o` is 4 in weight but 5 in bias"),
    (lambda: conv2d(image(), cg.ones(4, 3, 3, 3), stride=0), cg.ShapeError, "stride is a whole number from 1 up"),
    (lambda: conv2d(image(), cg.ones(4, 3, 3, 3), stride=(1, 1, 1)), cg.ShapeError, r"width\), but \(1, 1, 1\)"),
    (lambda: conv2d(image(), cg.ones(4, 3, 3, 3), padding=-1), cg.ShapeError, "padding is a whole number from 0 up"),
    (lambda: conv2d(image(), cg.ones(4, 3, 3, 3), padding="full"), cg.ShapeError, "'same', 'valid', .* 'full' came"),
    (lambda: conv2d(image(), cg.ones(4, 3, 3, 3), stride=2, padding="same"), cg.ShapeError, "padding='same' keeps"),
    (lambda: conv2d(image(), cg.ones(4, 3, 3, 3), strid=2), TypeError, "Did you mean `stride`"),
    (lambda: Conv2d(3, 4, 3, padding_mode="mirror"), ValueError, "reflect, replicate, circular, but 'mirror' came"),
    (lambda: Conv2d(3, 4, 3, groups=2), ValueError, "groups=2 does not divide 3 channels in, 4 out"),
    (lambda: Conv2d(3, 4, 3, stride=2, padding="same"), ValueError, "padding='same' keeps the size"),
    (lambda: Conv2d(3, 4, 2.5), ValueError, "kernel_size is a whole number .* 2.5 came"),  # type: ignore[arg-type]
    (lambda: max_pool2d(image(), 9), cg.ShapeError, "kernel spans 9 x 9 pixels"),
    (lambda: max_pool2d(image()), TypeError, "kernel_size"),
    (lambda: MaxPool2d(2, padding=2), ValueError, "padding=2 is more than half of the kernel"),
    (lambda: AvgPool2d(2, stride=0), ValueError, "stride is a whole number from 1 up"),
    (lambda: avg_pool2d(image(), 2, divisor_override=0), cg.ShapeError, "divisor_override=0 would divide by zero"),
    (lambda: dropout(image(), 1.5), ValueError, "probability from 0 to 1, but 1.5 came"),
    (lambda: Dropout(-0.1), ValueError, "probability from 0 to 1, but -0.1 came"),
    (lambda: embedding(cg.tensor([1, 5]), cg.ones(5, 2)), IndexError, "holds 5, .* 5 rows, numbered from 0 to 4"),
    (lambda: embedding(cg.tensor([1, -1]), cg.ones(5, 2)), IndexError, "holds -1, .* 5 rows"),
    (lambda: embedding(cg.tensor([1.0]), cg.ones(5, 2)), TypeError, "whole numbers, but float32 came"),
    (lambda: embedding([1, 2], cg.ones(5, 2)), TypeError, "whole numbers, but list came"),
    (lambda: embedding(cg.tensor([True]), cg.ones(5, 2)), TypeError, "whole numbers, but bool came"),
    (lambda: embedding(cg.tensor([1]), cg.ones(5, 2), 5), IndexError, "padding_idx=5 is no row of a table of 5 rows"),
    (lambda: Embedding(5, 2, padding_idx=-6), ValueError, "padding_idx=-6 is no row"),
    (lambda: Embedding(5, 2, sparse=True), ValueError, "there are no sparse gradients here"),
]


@pytest.mark.parametrize("call, error, words", MISUSE, ids=[words for _, _, words in MISUSE])
def test_misuse_is_explained(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
