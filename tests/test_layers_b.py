"""Normalization, activations and losses: the same numbers as PyTorch over every option, and misuse in words."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import chalkgrad as cg
from chalkgrad import GradError, Tensor
from chalkgrad.engine.backward import grad
from chalkgrad.engine.primitive import Primitive
from chalkgrad.nn.activations import gelu, leaky_relu, log_softmax, sigmoid, softmax, tanh
from chalkgrad.nn.layers import batch_norm, layer_norm
from chalkgrad.nn.losses import bce_with_logits, cross_entropy, l1, mse, nll

FILES = [gelu, leaky_relu, log_softmax, sigmoid, softmax, tanh, batch_norm, layer_norm, bce_with_logits, cross_entropy,
         l1, mse, nll]  # fmt: skip
CLASSES = {name: value for file in FILES for name, value in vars(file).items() if name in file.__all__}
RULES = [value for value in CLASSES.values() if isinstance(value, Primitive)]
DTYPES = [np.float32, np.float64]
# relative and absolute; float32 gradients pass through more roundings than values
FORWARD  = {np.float32: (1e-4, 1e-6), np.float64: (1e-9, 1e-12)}
BACKWARD = {np.float32: (1e-3, 1e-5), np.float64: (1e-9, 1e-12)}

LAYERS: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("LayerNorm", {"normalized_shape": 4}, (3, 4)),
    ("LayerNorm", {"normalized_shape": [4], "eps": 0.1}, (2, 3, 4)),
    ("LayerNorm", {"normalized_shape": (3, 4)}, (2, 3, 4)),
    ("LayerNorm", {"normalized_shape": (2, 3, 4)}, (2, 3, 4)),
    ("LayerNorm", {"normalized_shape": 4, "elementwise_affine": False}, (3, 4)),
    ("LayerNorm", {"normalized_shape": (3, 4), "bias": False}, (2, 3, 4)),
    *[
        (name, {"num_features": 3, **options}, shape)
        for name, shape in [("BatchNorm1d", (5, 3)), ("BatchNorm1d", (2, 3, 4)), ("BatchNorm2d", (2, 3, 2, 4)),
                            ("BatchNorm1d", (1, 3, 2))]
        for options in [{}, {"eps": 0.1}, {"momentum": 0.5}, {"momentum": None}, {"momentum": 0.0}, {"affine": False},
                        {"bias": False}, {"track_running_stats": False}, {"affine": False, "momentum": None}]
    ],
    ("Sigmoid", {}, (3, 4)),
    ("Tanh", {}, (3, 4)),
    ("Tanh", {}, ()),
    ("GELU", {}, (3, 4)),
    ("GELU", {"approximate": "tanh"}, (3, 4)),
    ("LeakyReLU", {}, (3, 4)),
    ("LeakyReLU", {"negative_slope": 1.5}, (3, 4)),
    *[(name, {"dim": dim}, (2, 3, 4)) for name in ("Softmax", "LogSoftmax") for dim in (0, 1, -1)],
]  # fmt: skip
REDUCTIONS = ["none", "mean", "sum"]


def loss_cases() -> Iterator[tuple[str, dict[str, Any], Any, Any]]:
    """Yield a loss, its options, an input and a target; arrays among the options become tensors of either library."""
    rng = np.random.default_rng(1)
    draw, chance = rng.standard_normal, rng.random
    for name, reduction, shape in itertools.product(["MSELoss", "L1Loss"], REDUCTIONS, [(3, 4), ()]):
        yield name, {"reduction": reduction}, draw(shape), draw(shape)
    for reduction, weight, pos_weight in itertools.product(REDUCTIONS, [None, (3, 1), (3, 4)], [None, (4,), ()]):
        sizes = {"weight": weight, "pos_weight": pos_weight}
        options = {key: chance(size) for key, size in sizes.items() if size is not None} | {"reduction": reduction}
        yield "BCEWithLogitsLoss", options, draw((3, 4)), chance((3, 4))
    for shape, reduction, weighted in itertools.product([(4,), (5, 4), (5, 4, 2), (2, 4, 2, 3)], REDUCTIONS, [0, 1]):
        options = {"reduction": reduction} | ({"weight": chance(4)} if weighted else {})
        classes = rng.integers(0, 4, shape[:1] + shape[2:] if len(shape) > 1 else ())
        some_ignored = np.where(classes == 1, -100, classes)
        for target, ignored in [(classes, {}), (classes, {"ignore_index": 1}), (some_ignored, {})]:
            if reduction == "mean" and np.all(target == ignored.get("ignore_index", -100)):
                continue  # the mean of nothing has its own test
            yield "NLLLoss", options | ignored, draw(shape), target
            for label_smoothing in (0.0, 0.1):
                smooth = {"label_smoothing": label_smoothing}
                yield "CrossEntropyLoss", options | ignored | smooth, draw(shape), target
        for label_smoothing in (0.0, 0.1):
            yield "CrossEntropyLoss", options | {"label_smoothing": label_smoothing}, draw(shape), chance(shape)


LOSSES = list(loss_cases())


def loss_name(case: tuple[str, dict[str, Any], Any, Any]) -> str:
    name, options, _, target = case
    said = [f"{key}={np.shape(value) if isinstance(value, np.ndarray) else value}" for key, value in options.items()]
    return "-".join([name, *said, f"{target.dtype.kind}{target.shape}"])


each_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])


def close(ours: Any, theirs: Any, tolerance: tuple[float, float]) -> None:
    """Compare a Tensor with PyTorch's, their dtypes and shapes included; no gradient is as good as zeros."""
    if ours is None or theirs is None:
        assert all(each is None or not np.any(each.detach().numpy()) for each in (ours, theirs))
        return
    assert str(theirs.dtype) == f"torch.{ours.dtype}" and tuple(theirs.shape) == ours.shape
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=tolerance[0], atol=tolerance[1])


def twins(array: Any, dtype: Any) -> tuple[Tensor, torch.Tensor]:
    """The same values as a leaf here and in PyTorch; only floats require a gradient."""
    array = array.astype(dtype) if array.dtype.kind == "f" else array
    is_float = array.dtype.kind == "f"
    return cg.tensor(array, requires_grad=is_float), torch.tensor(array, requires_grad=is_float)


def twin_modules(name: str, options: dict[str, Any], dtype: Any) -> tuple[Any, Any]:
    """The same module here and in PyTorch, with weights that are not all ones and zeros."""
    arrays = {key: value.astype(dtype) for key, value in options.items() if isinstance(value, np.ndarray)}
    ours = CLASSES[name](**options | {key: cg.tensor(value) for key, value in arrays.items()}).to(dtype)
    theirs = getattr(torch.nn, name)(**options | {key: torch.tensor(value) for key, value in arrays.items()})
    rng = np.random.default_rng(2)
    for parameter in ours.parameters():
        parameter.data[:] = 0.5 + rng.random(parameter.shape)
    state = ours.state_dict()
    assert list(state) == list(theirs.state_dict())
    theirs.to(getattr(torch, dtype.__name__)).load_state_dict({k: torch.tensor(v.data) for k, v in state.items()})
    return ours, theirs


# -------------------------------------------------------------------------------------------- the same as PyTorch


@each_dtype
@pytest.mark.parametrize("name, options, shape", LAYERS)
def test_layer_is_as_in_pytorch(name: str, options: dict[str, Any], shape: tuple[int, ...], dtype: Any) -> None:
    rng = np.random.default_rng(3)
    ours, theirs = twin_modules(name, options, dtype)
    assert theirs.extra_repr() == ours.extra_repr()
    for training in (True, True, True, False):
        ours.train(training)
        theirs.train(training)
        (x, torch_x), seed = twins(2 + 3 * rng.standard_normal(shape), dtype), rng.standard_normal(shape).astype(dtype)
        y, torch_y = ours(x), theirs(torch_x)
        close(y, torch_y, FORWARD[dtype])
        y.backward(cg.tensor(seed))
        torch_y.backward(torch.tensor(seed))
        close(x.grad, torch_x.grad, BACKWARD[dtype])
        for key, value in theirs.state_dict().items():
            close(ours.state_dict()[key], value, FORWARD[dtype])
    torch_grads = {key: parameter.grad for key, parameter in theirs.named_parameters()}
    assert torch_grads.keys() == {key for key, _ in ours.named_parameters()}
    for key, parameter in ours.named_parameters():
        close(parameter.grad, torch_grads[key], BACKWARD[dtype])


@each_dtype
@pytest.mark.parametrize("case", LOSSES, ids=map(loss_name, LOSSES))
def test_loss_is_as_in_pytorch(case: tuple[str, dict[str, Any], Any, Any], dtype: Any) -> None:
    name, options, *arrays = case
    ours, theirs = twin_modules(name, options, dtype)
    (x, torch_x), (target, torch_target) = (twins(array, dtype) for array in arrays)
    loss, torch_loss = ours(x, target), theirs(torch_x, torch_target)
    close(loss, torch_loss, FORWARD[dtype])
    loss.backward(cg.ones_like(loss))
    torch_loss.backward(torch.ones_like(torch_loss))
    close(x.grad, torch_x.grad, BACKWARD[dtype])
    close(target.grad, torch_target.grad, BACKWARD[dtype])


@pytest.mark.parametrize("name, options, shape", LAYERS)
def test_layer_has_second_derivatives(name: str, options: dict[str, Any], shape: tuple[int, ...]) -> None:
    ours, theirs = twin_modules(name, options, np.float64)
    x, torch_x = twins(np.random.default_rng(4).standard_normal(shape), np.float64)
    for training in (True, False):
        ours.train(training)
        theirs.train(training)
        second_derivatives_agree(ours(x), [x, *ours.parameters()], theirs(torch_x), [torch_x, *theirs.parameters()])


@pytest.mark.parametrize("case", LOSSES, ids=map(loss_name, LOSSES))
def test_loss_has_second_derivatives(case: tuple[str, dict[str, Any], Any, Any]) -> None:
    name, options, *arrays = case
    ours, theirs = twin_modules(name, options, np.float64)
    (x, torch_x), (target, torch_target) = (twins(array, np.float64) for array in arrays)
    inputs, torch_inputs = ([x, target], [torch_x, torch_target]) if target.requires_grad else ([x], [torch_x])
    second_derivatives_agree(ours(x, target), inputs, theirs(torch_x, torch_target), torch_inputs)


def second_derivatives_agree(y: Tensor, inputs: list[Tensor], torch_y: torch.Tensor, torch_inputs: list[Any]) -> None:
    """Differentiate the gradients, weighed at random, once more; x² is added, since straight lines leave nothing."""
    rng = np.random.default_rng(5)
    seed, pulls = rng.standard_normal(y.shape), [rng.standard_normal(each.shape) for each in inputs]
    first = grad(y, inputs, cg.tensor(seed), create_graph=True)
    torch_first = torch.autograd.grad(torch_y, torch_inputs, torch.tensor(seed), create_graph=True)
    total = sum(((g * pull).sum() for g, pull in zip(first, pulls)), (inputs[0] ** 2).sum())
    torch_pulls = map(torch.tensor, pulls)
    torch_total = sum(((g * pull).sum() for g, pull in zip(torch_first, torch_pulls)), (torch_inputs[0] ** 2).sum())
    second = grad(total, inputs, allow_unused=True)
    torch_second = torch.autograd.grad(torch_total, torch_inputs, allow_unused=True)
    for ours, theirs in zip([*first, *second], [*torch_first, *torch_second]):
        close(ours, theirs, (1e-9, 1e-11))


@each_dtype
@pytest.mark.parametrize("training, momentum", [(True, 0.1), (True, 0.5), (False, 0.1)])
@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 4), (2, 3, 2, 2), (2, 3, 2, 1, 2)])
def test_batch_norm_function(shape: tuple[int, ...], training: bool, momentum: float, dtype: Any) -> None:
    rng = np.random.default_rng(6)
    arrays = [rng.standard_normal(shape), rng.standard_normal(3), rng.random(3), rng.random(3), rng.random(3)]
    pairs = [twins(array, dtype) for array in arrays]
    ours, theirs = [pair[0].detach() for pair in pairs], [pair[1].detach() for pair in pairs]
    y = batch_norm.batch_norm(*ours, training, momentum, 0.01)
    close(y, torch.nn.functional.batch_norm(*theirs, training, momentum, 0.01), FORWARD[dtype])
    for buffer, torch_buffer in zip(ours[1:3], theirs[1:3]):
        close(buffer, torch_buffer, FORWARD[dtype])


# ------------------------------------------------------------------------------------- two ways to the same numbers


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_long_way_is_the_short_way(rule: Primitive) -> None:
    """The rule itself, fed Tensors, takes itself apart into elementary operations."""
    assert rule.make_examples is not None and rule.backward_rule is not None
    for *arrays, options in map(with_options, rule.make_examples(np.random.default_rng(7))):
        wanted = [f"grad_{name}" in rule.backward_rule.returns for name in rule.rule.inputs]
        short, long = (
            [None if a is None else cg.tensor(a, requires_grad=want) for a, want in zip(arrays, wanted)]
            for _ in range(2)
        )
        y, same = first(rule(*short, **options)), first(rule.function(*long, **options))
        np.testing.assert_allclose(y.data, same.data, rtol=1e-12, atol=1e-12)
        seed = cg.tensor(np.random.default_rng(8).standard_normal(y.shape))
        leaves = [[x for x in inputs if x is not None and x.requires_grad] for inputs in (short, long)]
        for ours, other in zip(grad(y, leaves[0], seed), grad(same, leaves[1], seed)):
            np.testing.assert_allclose(ours.data, other.data, rtol=1e-12, atol=1e-12)


def with_options(example: tuple[Any, ...]) -> tuple[Any, ...]:
    return example if isinstance(example[-1], dict) else (*example, {})


def first(outputs: Any) -> Tensor:
    """Return the one output that has a derivative."""
    return outputs if isinstance(outputs, Tensor) else outputs[0]


@pytest.mark.parametrize("method", [
    lambda x: x.relu(), lambda x: x.sigmoid(), lambda x: x.tanh(), lambda x: x.softmax(0), lambda x: x.softmax(dim=1),
    lambda x: x.log_softmax(0), lambda x: x.log_softmax(dim=1),
])  # fmt: skip
def test_tensor_methods(method: Callable[[Any], Any]) -> None:
    x, torch_x = twins(np.linspace(-2, 2, 6).reshape(2, 3), np.float64)
    close(method(x), method(torch_x), FORWARD[np.float64])


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_in_another_dtype(name: str) -> None:
    x, torch_x = twins(np.linspace(-2, 2, 6).reshape(2, 3), np.float32)
    y = getattr(x, name)(1, dtype=np.float64)
    close(y, getattr(torch_x, name)(1, dtype=torch.float64), FORWARD[np.float64])
    y.sum().backward()
    assert x.grad is not None and x.grad.dtype == np.float32


# ------------------------------------------------------------------------------------------------- special values

FAR = [-1000.0, 0.0, 1000.0]
SPECIAL: dict[str, tuple[Callable[..., Tensor], list[Any], Any, Any]] = {
    "sigmoid": (sigmoid.sigmoid, [FAR], [0, 0.5, 1], [0, 0.25, 0]),
    "tanh": (tanh.tanh, [FAR], [-1, 0, 1], [0, 1, 0]),
    "np.tanh": (np.tanh, [FAR], [-1, 0, 1], [0, 1, 0]),
    "gelu": (gelu.gelu, [FAR], [0, 0, 1000], [0, 0.5, 1]),
    "gelu by tanh": (lambda x: gelu.gelu(x, approximate="tanh"), [FAR], [0, 0, 1000], [0, 0.5, 1]),
    "leaky_relu": (lambda x: leaky_relu.leaky_relu(x, 0.5), [FAR], [-500, 0, 1000], [0.5, 0.5, 1]),
    "softmax": (lambda x: softmax.softmax(x, 0), [FAR], [0, 0, 1], [0, 0, 0]),
    "softmax, masked": (lambda x: softmax.softmax(x, 0), [[0.0, -np.inf]], [1, 0], [0, 0]),
    "log_softmax": (lambda x: log_softmax.log_softmax(x, 0), [FAR], [-2000, -1000, 0], [1, 1, -2]),
    "layer_norm": (lambda x: layer_norm.layer_norm(x, (3,)), [[1000.0] * 3], [0, 0, 0], [0, 0, 0]),
    "layer_norm of one": (lambda x: layer_norm.layer_norm(x, (1,)), [[[3.0], [4.0]]], [[0], [0]], [[0], [0]]),
    "cross_entropy": (cross_entropy.cross_entropy, [[FAR, FAR], [0, 2]], 1000, [[-0.5, 0, 0.5], [0, 0, 0]]),
    "cross_entropy, masked": (
        lambda x, t: cross_entropy.cross_entropy(x, t, reduction="sum"),
        [[[0.0, -np.inf], [-np.inf, 0.0]], [0, -100]], 0, [[0, 0], [0, 0]],
    ),
    "nll_loss, ignored": (nll.nll_loss, [[[-np.inf, -1.0], [-1.0, -2.0]], [-100, 1]], 2, [[0, 0], [0, -1]]),
    "bce": (
        lambda x, y: bce_with_logits.binary_cross_entropy_with_logits(x, y, reduction="sum"),
        [[*FAR, -1000.0], [0.0, 0.0, 0.0, 1.0]], 2000 + np.log(2), [0, 0.5, 1, -1],
    ),
    "l1_loss": (l1.l1_loss, [[3.0, 2.0], [3.0, 0.0]], 1, [0, 0.5]),
    "mse_loss": (mse.mse_loss, [[3.0, 2.0], [3.0, 0.0]], 2, [0, 2]),
}  # fmt: skip


@pytest.mark.parametrize("name", SPECIAL)
def test_special_values(name: str) -> None:
    """Nothing overflows, and no warning is given: warnings are errors here."""
    function, inputs, value, slope = SPECIAL[name]
    x, *others = map(cg.tensor, inputs)
    y = function(x.requires_grad_(), *others)
    np.testing.assert_allclose(y.data, value, rtol=1e-6)
    y.sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.data, slope, atol=1e-6)


def test_loss_of_what_is_nearly_sure_is_exact() -> None:
    """The part of x that cancels would swallow it: -log sigmoid(50) is e⁻⁵⁰, to the last bit but one."""
    x = cg.tensor(np.array([50.0, -50.0]))
    losses = bce_with_logits.binary_cross_entropy_with_logits(x, cg.tensor(np.array([1.0, 0.0])), reduction="none")
    np.testing.assert_allclose(losses.data, np.exp(-50), rtol=1e-15)


@pytest.mark.parametrize("loss", [nll.nll_loss, cross_entropy.cross_entropy])
def test_mean_of_nothing_is_no_number(loss: Callable[..., Tensor]) -> None:
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.isnan(loss(cg.zeros(2, 3), cg.tensor([-100, -100])).item())


# ------------------------------------------------------------------------------------------------- running averages


def test_running_averages_are_kept_without_a_graph() -> None:
    norm = batch_norm.BatchNorm1d(1, affine=False)
    with cg.no_grad():
        norm(cg.tensor([[0.0], [2.0]]))
    assert norm.running_mean.tolist() == pytest.approx([0.1])
    assert norm.running_var.tolist() == pytest.approx([1.1])
    assert norm.num_batches_tracked.item() == 1
    norm.reset_parameters()
    assert [norm.running_mean.item(), norm.running_var.item(), norm.num_batches_tracked.item()] == [0, 1, 0]


def test_statistics_of_a_batch_are_no_way_for_gradients() -> None:
    y, mean, var = batch_norm.batch_norm_train(cg.tensor([[0.0], [2.0]], requires_grad=True))
    assert [y.requires_grad, mean.requires_grad, var.requires_grad] == [True, False, False]


@pytest.mark.parametrize("normalize", [
    lambda x: layer_norm.layer_norm(x, (2,)),
    lambda x: batch_norm.batch_norm_train(x)[0],
    lambda x: batch_norm.batch_norm_eval(x, cg.zeros(2), cg.ones(2)),
])  # fmt: skip
def test_changed_output_spoils_no_gradient(normalize: Callable[[Tensor], Tensor]) -> None:
    """Without a weight the output equals what is remembered, but must not be it."""
    grads = []
    for change in (0.0, 5.0):
        x = cg.tensor([[0.0, 2.0], [3.0, 1.0], [1.0, 0.0]], requires_grad=True)
        y = normalize(x)
        y += change
        (y * cg.tensor([[1.0, 2.0], [0.0, 1.0], [1.0, 1.0]])).sum().backward()
        assert x.grad is not None
        grads.append(x.grad.tolist())
    assert grads[0] == grads[1]


# ---------------------------------------------------------------------------------------------------------- misuse

ROWS, PICTURES = cg.zeros(4, 3), cg.zeros(2, 3, 4, 4)
CROSS, NLL, BCE = cross_entropy.cross_entropy, nll.nll_loss, bce_with_logits.binary_cross_entropy_with_logits
MISUSE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: softmax.Softmax(), ValueError, "along which axis"),
    (lambda: softmax.softmax(ROWS), ValueError, "along which axis of (4, 3)"),
    (lambda: softmax.softmax(ROWS, 2), ValueError, "axis 2 is out of bounds"),
    (lambda: log_softmax.LogSoftmax(), ValueError, "along which axis"),
    (lambda: gelu.GELU("erf"), ValueError, "'none' or 'tanh', but 'erf' came"),
    (lambda: gelu.gelu(ROWS, approximate="erf"), ValueError, "'none' or 'tanh', but 'erf' came"),
    (lambda: layer_norm.LayerNorm(()), ValueError, "normalized_shape is empty"),
    (lambda: layer_norm.LayerNorm(4)(ROWS), ValueError, "normalized_shape is (4,), but input has shape (4, 3)"),
    (lambda: layer_norm.layer_norm(ROWS, (3,), cg.ones(1)), ValueError, "weight has shape (1,)"),
    (lambda: batch_norm.BatchNorm1d(3)(cg.zeros(1, 3)), ValueError, "more than 1 value per channel"),
    (lambda: batch_norm.BatchNorm2d(3)(cg.zeros(1, 3, 1, 1)), ValueError, ".eval()"),
    (lambda: batch_norm.BatchNorm1d(3, eps=0.0)(ROWS), ValueError, "it is above 0, not 0.0"),
    (lambda: batch_norm.BatchNorm1d(5)(ROWS), ValueError, "has 3 channels, its second axis, but 5 are expected"),
    (lambda: batch_norm.BatchNorm1d(3)(PICTURES), ValueError, "2 or 3 axes"),
    (lambda: batch_norm.BatchNorm2d(3)(ROWS), ValueError, "4 axes"),
    (lambda: batch_norm.batch_norm(cg.zeros(3), None, None), ValueError, "two axes"),
    (lambda: batch_norm.batch_norm(ROWS, None, None), ValueError, "running_mean and running_var are needed"),
    (lambda: batch_norm.batch_norm(ROWS, None, None, cg.ones(1), training=True), ValueError, "1 are expected"),
    (lambda: mse.MSELoss(reduction="average"), ValueError, "'none', 'mean' or 'sum', but 'average' came"),
    (lambda: mse.mse_loss(cg.zeros(4), cg.zeros(4, 1)), ValueError, "(4,), but target (4, 1)"),
    (lambda: l1.l1_loss(cg.zeros(4), cg.zeros(4, 1)), ValueError, "target.reshape(input.shape)"),
    (lambda: BCE(cg.zeros(2), cg.tensor([0, 1])), TypeError, "target.float()"),
    (lambda: CROSS(ROWS, cg.tensor([0, 1, 2, 3])), IndexError, "target holds 3, but the classes"),
    (lambda: NLL(ROWS, cg.tensor([0, 1, 2, -1])), IndexError, "0 to 2; only ignore_index=-100"),
    (lambda: CROSS(ROWS, cg.tensor([0.0, 1.0, 2.0, 2.0])), TypeError, "target.long()"),
    (lambda: NLL(ROWS, cg.zeros(4, 3)), TypeError, "integers 0 to 2, in shape (4,)"),
    (lambda: CROSS(ROWS, cg.zeros(4, 3).long()), ValueError, "target.argmax(1)"),
    (lambda: CROSS(ROWS, cg.tensor([0, 1])), ValueError, "classes have shape (4,), but target has shape (2,)"),
    (lambda: CROSS(PICTURES, cg.tensor([0, 1])), ValueError, "classes have shape (2, 4, 4)"),
    (lambda: CROSS(cg.tensor(1.0), cg.tensor(0)), ValueError, "each class has one"),
    (lambda: CROSS(ROWS, cg.tensor([0, 1, 2, 2]), cg.ones(4)), ValueError, "one weight for each, in shape (3,)"),
    (lambda: CROSS(ROWS, cg.tensor([0, 1, 2, 2]), label_smoothing=2.0), ValueError, "0 to 1, but 2.0 came"),
    (lambda: CROSS(ROWS, cg.tensor([0, 1, 2, 2]), reduction="average"), ValueError, "'average' came"),
    (lambda: cg.nn.CrossEntropyLoss(label_smoothing=-0.1), ValueError, "0 to 1, but -0.1 came"),
    (lambda: nll.NLLLoss(reduction="average"), ValueError, "'average' came"),
    (lambda: nll.nll_of_each(ROWS, cg.tensor([0, 1, 2, 2]), cg.ones(3).requires_grad_())[0].sum().backward(),
     GradError, "no derivative by `weight`"),
]  # fmt: skip


@pytest.mark.parametrize("call, error, words", MISUSE)
def test_misuse_is_told_in_words(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)
