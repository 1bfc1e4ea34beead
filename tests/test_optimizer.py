"""What all optimizers share: steps, groups, states, misuse in words."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from chalkgrad import Tensor, optim, tensor
from chalkgrad.spell.tape import Tape, taping

from .tables.optimizers import Options, each_optimizer


def leaf(*shape: int) -> Tensor:
    return Tensor(np.ones(shape), requires_grad=True)


def with_gradients(*params: Tensor) -> list[Tensor]:
    for param in params:
        param.grad = Tensor(np.ones(param.shape))
    return list(params)


# -------------------------------------------------------------------------------------------------------- the steps


def test_parameters_without_a_gradient_stay() -> None:
    moved, still = leaf(2), leaf(2)
    optimizer = optim.AdamW([*with_gradients(moved), still], weight_decay=0.5)
    optimizer.step()
    assert still.tolist() == [1, 1] and moved.data[0] < 1
    assert list(optimizer.state) == [moved]


@each_optimizer
def test_no_gradient_is_changed_and_every_change_is_counted(name: str, options: Options) -> None:
    (param,) = with_gradients(leaf(1, 2))
    version = param.version[0]
    getattr(optim, name)([param], **options).step()
    assert param.grad is not None and param.grad.tolist() == [[1, 1]]
    assert param.version[0] > version and param.is_leaf and param.requires_grad


@pytest.mark.parametrize("name, options", [("SGD", {"momentum": np.float64(0.9)}), ("Adam", {"eps": np.float64(1e-8)})])
def test_options_from_numpy_keep_float32(name: str, options: Options) -> None:
    """A float64 scalar makes float32 arrays float64 on the way, and other roundings show it."""
    params = [Tensor(np.full(1000, 0.3, np.float32), requires_grad=True) for _ in range(2)]
    for param, number in zip(params, (np.float64, float)):
        optimizer = getattr(optim, name)([param], **{key: number(value) for key, value in options.items()})
        optimizer.param_groups[0]["lr"] = number(0.1)
        for _ in range(3):
            param.grad = Tensor(np.linspace(-1, 1, 1000, dtype=np.float32))
            optimizer.step()
    assert params[0].tolist() == params[1].tolist()


def test_a_closure_computes_the_loss() -> None:
    x = tensor(3.0, requires_grad=True)
    optimizer = optim.SGD([x], lr=0.25)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = x * x
        loss.backward()
        return loss

    assert [optimizer.step(closure).item() for _ in range(3)] == [9.0, 2.25, 0.5625]
    assert optimizer.step() is None


def test_zero_grad() -> None:
    param, bare = with_gradients(leaf(2))[0], leaf(1)
    optimizer = optim.SGD([param, bare])
    optimizer.zero_grad(set_to_none=False)
    assert param.grad is not None and param.grad.tolist() == [0, 0] and bare.grad is None
    optimizer.zero_grad()
    assert param.grad is None


def test_a_learning_rate_in_a_tensor_is_read_at_every_step() -> None:
    rate, (param,) = tensor(0.5), with_gradients(leaf(1))
    optimizer = optim.SGD([param], lr=rate)
    optimizer.step()
    assert param.tolist() == [0.5]
    rate.fill_(0.25)
    optimizer.step()
    assert param.tolist() == [0.25]


def test_an_update_is_on_the_tape() -> None:
    params = with_gradients(leaf(2), leaf(3))
    with taping(Tape()) as tape:
        optim.Adam(params, lr=0.5).step()
    updates = [call for call in tape.calls if call.kind == "update"]
    assert [call.given["lr"] for call in updates] == [0.5] * 2
    assert updates[1].given["param"] is params[1].data


# ------------------------------------------------------------------------------------------------ groups and states


def test_names() -> None:
    optimizer = optim.SGD([("weight", leaf(2)), ("bias", leaf(1))])
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    saved = optimizer.state_dict()
    saved["param_groups"][0]["param_names"] = ["a", "b"]
    optimizer.load_state_dict(saved)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]


def test_a_group_is_added_and_the_dict_that_it_came_in_is_left_alone() -> None:
    group = {"params": (param for param in [leaf(2)]), "lr": 0.5, "name": "head"}
    optimizer = optim.SGD([leaf(1)])
    optimizer.add_param_group(group)
    assert set(group) == {"params", "lr", "name"}
    assert [each["lr"] for each in optimizer.param_groups] == [1e-3, 0.5]
    assert optimizer.state_dict()["param_groups"][1]["params"] == [1]


def test_a_saved_state_is_a_copy() -> None:
    (param,) = with_gradients(leaf(2))
    optimizer = optim.Adam([param])
    optimizer.step()
    saved = optimizer.state_dict()
    optimizer.load_state_dict(saved)
    optimizer.step()
    assert saved["state"][0]["step"].item() == 1
    assert optimizer.state[param]["step"].item() == 2


def test_a_pickled_optimizer_goes_on() -> None:
    (param,) = with_gradients(leaf(2))
    optimizer = optim.Adam([param])
    optimizer.step()
    again = pickle.loads(pickle.dumps(optimizer))
    optimizer.step()
    again.step()
    assert again.param_groups[0]["params"][0].tolist() == param.tolist()


def test_the_state_takes_the_dtype_of_the_parameter() -> None:
    param = tensor([1.0, 2.0], requires_grad=True)
    optimizer = optim.Adam([param])
    state = {"step": 3, "exp_avg": np.zeros(2), "exp_avg_sq": [0.0, 1.0]}
    optimizer.load_state_dict({"state": {0: state}, "param_groups": [{"params": [0], "lr": 0.5}]})
    assert {name: str(value.dtype) for name, value in optimizer.state[param].items()} == dict.fromkeys(state, "float32")
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_repr() -> None:
    text = """SGD (
Parameter Group 0
    dampening: 0
    lr: 0.1
    maximize: False
    momentum: 0
    nesterov: False
    weight_decay: 0
)"""
    assert repr(optim.SGD([leaf(1)], lr=0.1)) == text


# ----------------------------------------------------------------------------------------------------------- misuse


def adam_state(**changes: Any) -> Options:
    state = {"step": 1, "exp_avg": np.zeros(2), "exp_avg_sq": np.zeros(2), **changes}
    return {"state": {0: state}, "param_groups": [{"params": [0]}]}


def loads(saved: Options) -> Callable[[], None]:
    """Load a state into an Adam that has made a step, and see that a refusal changes nothing."""

    def load() -> None:
        (param,) = with_gradients(leaf(2))
        optimizer = optim.Adam([param])
        optimizer.step()
        before = repr(optimizer.state_dict())
        try:
            optimizer.load_state_dict(saved)
        finally:
            assert repr(optimizer.state_dict()) == before

    return load


def loads_adafactor() -> None:
    state = {"row_var": np.ones((2, 1)), "step": 1}
    optim.Adafactor([leaf(2, 3)]).load_state_dict({"state": {0: state}, "param_groups": [{"params": [0]}]})


def step_with_gradient(grad: Any) -> None:
    good, bad = with_gradients(leaf(2), leaf(3))
    bad.grad = grad
    try:
        optim.SGD([good, bad]).step()
    finally:
        assert good.tolist() == [1, 1]


def add_twice() -> None:
    param = leaf(2)
    optim.SGD([param]).add_param_group({"params": [leaf(1), param]})


SGD, Adam = optim.SGD, optim.Adam
MISUSE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: SGD([]), ValueError, r"SGD got no parameters. Was model.parameters\(\) read once already\?"),
    (lambda: SGD(leaf(1)), TypeError, r"takes a list of Tensors or of dicts, .* but got a Tensor"),
    (lambda: SGD({"params": [leaf(1)]}), TypeError, "but got a dict"),
    (lambda: SGD(3), TypeError, "but got a int"),
    (lambda: SGD({leaf(1)}), TypeError, "a set has no order"),
    (lambda: SGD([{"params": {leaf(1)}}]), TypeError, "a set has no order"),
    (lambda: SGD([np.ones(2)]), TypeError, r"parameter 0 is a ndarray. Give model.parameters\(\)"),
    (lambda: SGD([leaf(1), {"params": []}]), TypeError, "parameter 1 is a dict"),
    (lambda: SGD([{"params": [leaf(1)]}, leaf(1)]), TypeError, "takes a group as a dict with `params`"),
    (lambda: SGD([{"lr": 0.1}]), TypeError, "takes a group as a dict with `params`"),
    (lambda: SGD([2 * leaf(1)]), ValueError, "made by an operation, and only leaves keep a gradient"),
    (lambda: SGD([leaf(1)] * 2), ValueError, r"parameter 1, of shape \(1,\), came twice"),
    (add_twice, ValueError, r"parameter 1, of shape \(2,\), came twice"),
    (lambda: SGD([("a", leaf(1)), leaf(1)]), ValueError, "name all or none"),
    (lambda: SGD([leaf(1)], lr=-0.1), ValueError, "lr is -0.1, but a number of at least 0 was expected"),
    (lambda: SGD([leaf(1)], lr=float("nan")), ValueError, "lr is nan"),
    (lambda: SGD([leaf(1)], lr=tensor([0.1, 0.2])), ValueError, r"lr is tensor\(\[0.1, 0.2\]\), but a number"),
    (lambda: SGD([leaf(1)], lr=tensor(-0.5)), ValueError, "lr is -0.5, but a number"),
    (lambda: SGD([leaf(1)], momentum=tensor(0.1)), ValueError, r"momentum is tensor\(0.1\), but a number"),
    (lambda: SGD([leaf(1)], momentum=-1), ValueError, "momentum is -1"),
    (lambda: SGD([leaf(1)], momentum=0.9, dampening="x"), ValueError, "dampening is 'x'"),
    (lambda: SGD([leaf(1)], weight_decay=-1), ValueError, "weight_decay is -1"),
    (lambda: SGD([leaf(1)], nesterov=True), ValueError, "nesterov needs a momentum above 0 and no dampening"),
    (lambda: SGD([{"params": [leaf(1)], "lr": -1}]), ValueError, "lr is -1"),
    (lambda: SGD([{"params": [leaf(1)], "momentun": 1}]), TypeError, "`momentun`. Did you mean `momentum`?"),
    (lambda: SGD([leaf(1)], betas=(0.9, 0.9)), TypeError, "SGD has no option `betas`. Known: lr, momentum"),
    (lambda: SGD([leaf(1)], fused=True), TypeError, "fused=True chooses a kernel of PyTorch's"),
    (lambda: SGD([leaf(1)], foreach=True), TypeError, "foreach=True chooses"),
    (lambda: Adam([leaf(1)], capturable=True), TypeError, "capturable=True chooses"),
    (lambda: Adam([leaf(1)], differentiable=True), TypeError, "differentiable=True chooses"),
    (lambda: optim.AdamW([leaf(1)], decoupled_weight_decay=False), ValueError, "take the class that you mean"),
    (lambda: SGD([{"params": [("a", leaf(1))]}, {"params": [leaf(1)]}]), ValueError, "some groups have names"),
    (lambda: Adam([leaf(1)], betas=(0.9, 1.0)), ValueError, "beta2 is 1.0, but a number of at least 0 and below 1"),
    (lambda: Adam([leaf(1)], betas=0.9), ValueError, "betas is 0.9, but a pair of numbers"),
    (lambda: Adam([leaf(1)], eps=-1), ValueError, "eps is -1"),
    (lambda: step_with_gradient(Tensor(np.ones(2))), ValueError, r"shape \(3,\) has the gradient tensor"),
    (lambda: step_with_gradient(np.ones(3)), ValueError, "must be a Tensor of the same shape"),
    (lambda: optim.Optimizer(with_gradients(leaf(1)), {}).step(), NotImplementedError, "Optimizer has no update"),
    (lambda: optim.RMSprop([leaf(1)], alpha=1.0), ValueError, "alpha is 1.0, but a number of at least 0 and below 1"),
    (lambda: optim.RMSprop([leaf(1)], momentum=-1), ValueError, "RMSprop: momentum is -1"),
    (lambda: optim.RMSprop([leaf(1)], rho=0.9), TypeError, "RMSprop has no option `rho`"),
    (lambda: optim.NAdam([leaf(1)], betas=(0.9, 1.0)), ValueError, "NAdam: beta2 is 1.0"),
    (lambda: optim.NAdam([leaf(1)], momentum_decay=-1), ValueError, "NAdam: momentum_decay is -1"),
    (lambda: optim.NAdam([leaf(1)], amsgrad=True), TypeError, "NAdam has no option `amsgrad`"),
    (lambda: optim.Adagrad([leaf(1)], lr_decay=-1), ValueError, "Adagrad: lr_decay is -1"),
    (lambda: optim.Adagrad([leaf(1)], initial_accumulator_value=-1), ValueError, "initial_accumulator_value is -1"),
    (lambda: optim.Adadelta([leaf(1)], rho=1.1), ValueError, "rho is 1.1, but a number of at least 0 and at most 1"),
    (lambda: optim.Rprop([leaf(1)], etas=(1.0, 0.5)), ValueError, "a number between 0 and 1 and one above 1"),
    (lambda: optim.Rprop([leaf(1)], step_sizes=3), ValueError, "step_sizes is 3, but a pair"),
    (lambda: optim.ASGD([leaf(1)], lambd=-1), ValueError, "ASGD: lambd is -1"),
    (lambda: optim.Adamax([leaf(1)], betas=(0.0, 1.0)), ValueError, "Adamax: beta2 is 1.0"),
    (lambda: optim.RAdam([leaf(1)], weight_decay=-1), ValueError, "RAdam: weight_decay is -1"),
    (lambda: optim.Adafactor([leaf(1)], eps=(-1e-30, 1e-3)), ValueError, r"eps\[0\] is -1e-30"),
    (lambda: optim.Adafactor([leaf(1)], eps=1e-3), ValueError, "eps is 0.001, but a pair"),
    (lambda: optim.Adafactor([leaf(1)], d=0.0), ValueError, "d is 0.0, but a number of at least 1"),
    (lambda: optim.Adafactor([leaf(1)], beta2_decay=0.8), ValueError, "beta2_decay is 0.8, but a number of at most 0"),
    (lambda: optim.Muon([leaf(1)]), ValueError, r"a parameter of shape \(1,\) came; give what is no matrix to AdamW"),
    (lambda: optim.Muon([leaf(1, 1)], adjust_lr_fn="x"), ValueError, "adjust_lr_fn is 'x', but one of"),
    (lambda: optim.Muon([leaf(1, 1)], ns_steps=100), ValueError, "ns_steps is 100, but .* below 100"),
    (lambda: optim.Muon([leaf(1, 1)], ns_coefficients=(1, 2)), ValueError, "but three numbers were expected"),
    (lambda: optim.Lion([leaf(1)], betas=(1.0, 0.9)), ValueError, "Lion: beta1 is 1.0"),
    (lambda: optim.Lion([leaf(1)], eps=1e-8), TypeError, "Lion has no option `eps`"),
    (lambda: optim.LAMB([leaf(1)], eps=-1), ValueError, "LAMB: eps is -1"),
    (lambda: optim.LARS([leaf(1)], trust_coefficient=-1), ValueError, "LARS: trust_coefficient is -1"),
    (loads_adafactor, ValueError, "lacks `col_var` of parameter 0"),
    (loads({}), ValueError, "lacks `state, param_groups`"),
    (loads({"state": {}, "param_groups": []}), ValueError, r"has groups of \[1\] parameters, .* to load has \[\]"),
    (loads({"state": {}, "param_groups": [{"params": [0, 1]}]}), ValueError, r"\[1\] parameters, .* has \[2\]"),
    (loads({"state": {}, "param_groups": [{"params": [0], "momentum": 0}]}), TypeError, "no option `momentum`"),
    (loads({"state": {}, "param_groups": [{"params": [0], "fused": True}]}), TypeError, "fused=True"),
    (loads({"state": {}, "param_groups": [{"params": [0], "lr": -1}]}), ValueError, "lr is -1"),
    (loads({"state": {7: {}}, "param_groups": [{"params": [0]}]}), ValueError, "parameter 7, which is in no group"),
    (loads({"state": {0: {"step": 1}}, "param_groups": [{"params": [0]}]}), ValueError, "lacks `exp_avg, exp_avg_sq`"),
    (loads(adam_state(exp_avg=np.zeros(3))), ValueError, r"`exp_avg` of parameter 0 has shape \(3,\)"),
    (loads(adam_state(step=np.zeros(2))), ValueError, r"`step` of parameter 0 has shape \(2,\)"),
]


@pytest.mark.parametrize("misuse, error, words", MISUSE, ids=[words[:40] for _, _, words in MISUSE])
def test_misuse_is_answered_in_words(misuse: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        misuse()
