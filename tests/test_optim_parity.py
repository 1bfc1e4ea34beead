"""Optimizers: the same numbers as PyTorch over every option, its own table of options, and states exchanged."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch.testing._internal.common_optimizers import optim_db

from chalkgrad import Tensor, optim

from .tables.optimizers import CASES, NAMES, OPTIMIZERS, OWN, STATEFUL, Options, each_optimizer

SHAPES = [(3, 4), (5,), (), (2, 3, 2)]
# a difference in the last place or two, where PyTorch fuses a multiplication and an addition
TOLERANCE = {np.float32: 1e-6, np.float64: 1e-14}
each_of_pytorch = pytest.mark.parametrize(
    "name, options", [pytest.param(*case, id=name) for case, name in zip(CASES, NAMES) if case[0] not in OWN]
)
each_stateful = pytest.mark.parametrize("name, options", [case for case in STATEFUL if case[0] not in OWN])


class Twins:
    """The same parameters twice, here and in PyTorch, and the same gradients for both, from a seed."""

    def __init__(self, name: str, options: Options, dtype: Any = np.float64) -> None:
        self.rng, self.dtype, self.tolerance = np.random.default_rng(0), dtype, TOLERANCE[dtype]
        arrays = [self.draw(shape) for shape in SHAPES if name != "Muon" or len(shape) == 2]
        self.ours = [Tensor(array, requires_grad=True) for array in arrays]
        self.theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
        self.optimizer = getattr(optim, name)(self.ours, **_in(Tensor, options))
        self.torch_optimizer = getattr(torch.optim, name)(self.theirs, **options)
        for group in self.torch_optimizer.param_groups:  # the way that is not fused, whose steps are ours
            group.update({"foreach": False} if "foreach" in group else {})

    def draw(self, shape: tuple[int, ...]) -> Any:
        return np.asarray(self.rng.standard_normal(shape), self.dtype)

    def step(self) -> None:
        for ours, theirs in zip(self.ours, self.theirs):
            grad = self.draw(ours.shape)
            ours.grad, theirs.grad = Tensor(grad), torch.tensor(grad)
        self.optimizer.step()
        self.torch_optimizer.step()

    def compare(self) -> None:
        for ours, theirs in zip(self.ours, self.theirs):
            same(ours, theirs, self.dtype, self.tolerance)
            values = self.torch_optimizer.state.get(theirs, {})
            assert list(self.optimizer.state.get(ours, {})) == list(values)
            for name, value in values.items():
                dtype = np.float32 if name in SCALARS else self.dtype
                same(self.optimizer.state[ours][name], value, dtype, max(TOLERANCE[dtype], self.tolerance))


SCALARS = ("step", "mu_product", "eta", "mu")


def _in(kind: Any, options: Options) -> Options:
    """Give options that are tensors of PyTorch's as ours."""
    def ours(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(ours, value))
        return kind(value.numpy()) if isinstance(value, torch.Tensor) else value

    return {name: ours(value) for name, value in options.items()}


def same(ours: Tensor, theirs: torch.Tensor, dtype: Any, tolerance: float) -> None:
    assert ours.dtype == dtype and isinstance(ours.data, np.ndarray) and ours.shape == tuple(theirs.shape)
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=tolerance, atol=tolerance)


BFLOAT16 = torch.Tensor.bfloat16


@pytest.fixture(autouse=True)
def _full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let PyTorch's Muon compute in the dtype of the parameter: in bfloat16 there is little to compare."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda tensor: tensor.clone())


# ----------------------------------------------------------------------------------------------------- the numbers


@pytest.mark.parametrize("dtype", TOLERANCE)
@each_of_pytorch
def test_eight_steps_as_pytorch(name: str, options: Options, dtype: Any) -> None:
    twins = Twins(name, options, dtype)
    for _ in range(8):
        twins.step()
        twins.compare()


SAMPLES = [(info.optim_cls.__name__, sample.kwargs) for info in optim_db for sample in info.optim_inputs_func("cpu")
           if info.optim_cls.__name__ not in ("LBFGS", "SparseAdam")]  # fmt: skip


@pytest.mark.parametrize("name, options", SAMPLES)
def test_the_options_of_pytorchs_own_table(name: str, options: Options) -> None:
    twins = Twins(name, options)
    if isinstance(options.get("lr"), torch.Tensor):  # it computes with the rate in float32
        twins.tolerance = TOLERANCE[np.float32]
    for _ in range(5):
        twins.step()
        twins.compare()


REFUSED = [(info.optim_cls.__name__, each.optimizer_error_input.kwargs, each.optimizer_error_input.desc)
           for info in optim_db for each in info.optim_error_inputs_func("cpu", torch.float32)
           if each.optimizer_error_input.kwargs and info.optim_cls.__name__ != "SparseAdam"]  # fmt: skip


@pytest.mark.parametrize("name, options, why", REFUSED)
def test_what_pytorch_refuses_is_refused(name: str, options: Options, why: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"{name}:? .*(expected|kernel|option)"):
        getattr(optim, name)([Tensor(np.ones((1, 1)), requires_grad=True)], **_in(Tensor, options))


def test_everything_in_pytorchs_table_is_here() -> None:
    names = {info.optim_cls.__name__ for info in optim_db} - {"SparseAdam"}
    assert names == {*OPTIMIZERS, "LBFGS"} - OWN


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name not in OWN])
def test_the_defaults_are_those_of_pytorch(name: str) -> None:
    shape = (1, 1)
    ours = getattr(optim, name)([Tensor(np.ones(shape), requires_grad=True)])
    theirs = getattr(torch.optim, name)([torch.ones(shape, requires_grad=True)])
    assert ours.defaults.items() <= theirs.defaults.items()
    assert not any(theirs.defaults[key] for key in theirs.defaults.keys() - ours.defaults.keys())


def test_muon_in_bfloat16_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.Tensor, "bfloat16", BFLOAT16)
    twins = Twins("Muon", {"lr": 0.1}, np.float32)
    start = twins.ours[0].data.copy()
    twins.step()
    ours, theirs = twins.ours[0].data - start, twins.theirs[0].detach().numpy() - start
    np.testing.assert_allclose(ours, theirs, atol=0.05 * abs(theirs).max())


def test_groups_as_in_pytorch() -> None:
    twins = Twins("SGD", {})
    for module, params in ((optim, twins.ours), (torch.optim, twins.theirs)):
        groups = [{"params": params[:2], "lr": 0.5}, {"params": params[2:], "momentum": 0.5, "weight_decay": 0.1}]
        made = module.SGD(groups, lr=0.25, momentum=0.9)
        setattr(twins, "optimizer" if module is optim else "torch_optimizer", made)
    for _ in range(3):
        twins.step()
        twins.compare()
    twins.optimizer.param_groups[0]["lr"] = twins.torch_optimizer.param_groups[0]["lr"] = 0.125
    twins.step()
    twins.compare()


# -------------------------------------------------------------------------------------------------------- the state


@each_stateful
def test_the_state_goes_on_from_pytorch(name: str, options: Options) -> None:
    twins = Twins(name, options)
    for _ in range(3):
        twins.step()
    saved = copy.deepcopy(twins.torch_optimizer.state_dict())
    for values in saved["state"].values():
        values.update({key: value.numpy() for key, value in values.items()})
    twins.optimizer = getattr(optim, name)(twins.ours)
    twins.optimizer.load_state_dict(saved)
    twins.step()
    twins.compare()


@each_stateful
def test_the_state_goes_on_in_pytorch(name: str, options: Options) -> None:
    """In float32: PyTorch brings single numbers, such as mu_product, to the dtype of the parameter when it loads."""
    twins = Twins(name, options, np.float32)
    for _ in range(3):
        twins.step()
    saved = twins.optimizer.state_dict()
    for values in saved["state"].values():
        values.update({key: torch.tensor(value.data) for key, value in values.items()})
    twins.torch_optimizer = getattr(torch.optim, name)(twins.theirs)
    twins.torch_optimizer.load_state_dict(saved)
    twins.step()
    twins.compare()


@pytest.mark.parametrize("steps", [0, 1])
@each_stateful
def test_the_layout_of_the_state_is_that_of_pytorch(name: str, options: Options, steps: int) -> None:
    twins = Twins(name, options)
    for _ in range(steps):
        twins.step()
    ours, theirs = twins.optimizer.state_dict(), twins.torch_optimizer.state_dict()
    assert list(ours["state"]) == list(theirs["state"])
    for number in ours["state"]:
        assert list(ours["state"][number]) == list(theirs["state"][number])
    for group, other in zip(ours["param_groups"], theirs["param_groups"]):
        assert group.items() <= other.items()
        assert not any(other[key] for key in other.keys() - group.keys())


@pytest.mark.parametrize("name, options", STATEFUL)
def test_large_arrays_take_the_same_steps(name: str, options: Options) -> None:
    """They are updated in blocks where they can be; the counts beside them advance once."""
    shapes = [(1000, 300), (10, 3)] if name not in ("LAMB", "LARS", "Muon", "Adafactor") else [(10, 3), (10, 3)]
    large, small = (Tensor(np.ones(shape), requires_grad=True) for shape in shapes)
    optimizer = getattr(optim, name)([large, small], **options)
    for _ in range(2):
        for param in (large, small):
            param.grad = Tensor(np.full(param.shape, 0.5))
        optimizer.step()
    assert np.ptp(large.data) < 1e-12 and abs(large.data[0, 0] - small.data[0, 0]) < 1e-12
    for key in optimizer.state[small].keys() & {*SCALARS}:
        assert optimizer.state[large][key].item() == optimizer.state[small][key].item()


# ---------------------------------------------------------------------------------------------------------- our own


def lion(p: Any, grads: list[Any], o: Options) -> Any:
    (beta1, beta2), m = o.get("betas", (0.9, 0.99)), 0.0
    for g in grads:
        p = p - o.get("lr", 1e-4) * (np.sign(beta1 * m + (1 - beta1) * g) + o.get("weight_decay", 0) * p)
        m = beta2 * m + (1 - beta2) * g
    return p


def lamb(p: Any, grads: list[Any], o: Options) -> Any:
    (beta1, beta2), m, v = o.get("betas", (0.9, 0.999)), 0.0, 0.0
    for t, g in enumerate(grads, 1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        u = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + o.get("eps", 1e-6)) + o.get("weight_decay", 0) * p
        p = p - o.get("lr", 1e-3) * np.linalg.norm(p) / np.linalg.norm(u) * u
    return p


def lars(p: Any, grads: list[Any], o: Options) -> Any:
    v, decay = 0.0, o.get("weight_decay", 0)
    for g in grads:
        rate = o.get("trust_coefficient", 0.001) * np.linalg.norm(p) / (np.linalg.norm(g) + decay * np.linalg.norm(p))
        v = o.get("momentum", 0.9) * v + o.get("lr", 1e-3) * rate * (g + decay * p)
        p = p - v
    return p


@pytest.mark.parametrize("name, options", [(name, options) for name, options in CASES if name in OWN])
def test_five_steps_of_the_papers_box(name: str, options: Options) -> None:
    rng = np.random.default_rng(0)
    start, grads = rng.standard_normal((3, 4)), [rng.standard_normal((3, 4)) for _ in range(5)]
    param = Tensor(start, requires_grad=True)
    optimizer = getattr(optim, name)([param], **options)
    for grad in grads:
        param.grad = Tensor(-grad if options.get("maximize") else grad)
        optimizer.step()
    box = {"Lion": lion, "LAMB": lamb, "LARS": lars}[name]
    np.testing.assert_allclose(param.data, box(start, grads, options), rtol=1e-12)


@pytest.mark.parametrize("name", ["LAMB", "LARS"])
def test_zeros_can_move(name: str) -> None:
    param = Tensor(np.zeros(2), requires_grad=True)
    param.grad = Tensor(np.array([1.0, -1.0]))
    getattr(optim, name)([param], lr=0.5).step()
    assert param.data[0] < 0 < param.data[1]


@each_optimizer
def test_float32_stays_float32(name: str, options: Options) -> None:
    param = Tensor(np.full((2, 2), 0.3, np.float32), requires_grad=True)
    optimizer = getattr(optim, name)([param], **options)
    for _ in range(2):
        param.grad = Tensor(np.full((2, 2), 0.1, np.float32))
        optimizer.step()
    assert {param.dtype, *(value.dtype for value in optimizer.state[param].values())} == {np.dtype(np.float32)}
