"""What a compiled function returns can be differentiated, as what the function itself returns."""

import copy
import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.law.errors import GradError, SpellError
from chalkgrad.nn import functional as F

from .compiled_models import MODELS, assert_same, batches, state, two_of, undivided


@pytest.fixture(autouse=True)
def one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    undivided(monkeypatch)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("what", ["model", "loss"])
def test_training_outside(name: str, what: str) -> None:
    """Everything but the compiled part is eager: the backward, and the optimizer."""
    model, twin = two_of(name)
    mine, theirs = cg.optim.Adam(model.parameters(), lr=0.01), cg.optim.Adam(twin.parameters(), lr=0.01)

    def loss_of(net: Any, x: cg.Tensor, t: cg.Tensor) -> cg.Tensor:
        return F.cross_entropy(net(x), t)

    fast = cg.compile(model if what == "model" else partial(loss_of, model))
    for number, (x, t) in enumerate(batches(name, 4)):
        ends = []
        for optimizer, run in ((mine, partial(loss_of, fast) if what == "model" else fast),
                               (theirs, partial(loss_of, twin))):
            cg.manual_seed(number)
            optimizer.zero_grad()
            loss = run(x, t)
            loss.backward()
            ends.append(loss.item())
        assert ends[0] == ends[1]
        assert_same(state(model), state(twin))
        mine.step()
        theirs.step()
        assert_same(state(model), state(twin))


@pytest.mark.parametrize("name", MODELS)
def test_without_recording(name: str) -> None:
    model, twin = two_of(name)
    fast = cg.compile(model)
    (x, _), (y, t) = batches(name, 2)
    for net in (model, twin):
        net.eval()
    with cg.no_grad():
        result = fast(x)
        assert not result.requires_grad and np.array_equal(result.data, twin(x).data)
    result = fast(y)
    assert result.requires_grad and np.array_equal(result.data, twin(y).data)
    F.cross_entropy(result, t).backward()
    F.cross_entropy(twin(y), t).backward()
    assert_same(state(model), state(twin))


@pytest.mark.parametrize("name", MODELS)
def test_frozen_parameters(name: str) -> None:
    model, twin = two_of(name)
    fast = cg.compile(model)
    for number, (x, t) in enumerate(batches(name, 3)):
        for net in (model, twin):  # another one is frozen each time
            for i, param in enumerate(net.parameters()):
                param.requires_grad_(i % 3 != number)
        for net in (fast, twin):
            cg.manual_seed(number)
            F.cross_entropy(net(x), t).backward()
        assert_same(state(model), state(twin))


def test_called_twice_before_one_backward() -> None:
    """Each call has what it remembers to itself."""
    model, twin = two_of("dense")
    fast = cg.compile(model)
    for net in (fast, twin):
        cg.manual_seed(5)
        (x, t), (y, u), (z, _) = batches("dense", 3)
        first, second = F.cross_entropy(net(x), t), F.cross_entropy(net(y), u)
        net(z)
        first.backward()
        (second * 2).backward()
    assert_same(state(model), state(twin))


def test_a_graph_is_used_once_unless_it_is_retained() -> None:
    weight = cg.tensor([1.0, 2.0], requires_grad=True)
    fast = cg.compile(lambda: (weight * weight).sum())
    loss = fast()
    loss.backward(retain_graph=True)
    loss.backward()
    assert weight.grad is not None and weight.grad.tolist() == [4.0, 8.0]
    with pytest.raises(GradError, match=r"the compiled .*was freed"):
        loss.backward()


def test_what_is_remembered_is_freed() -> None:
    weight = cg.tensor([1.0, 2.0], requires_grad=True)
    fast = cg.compile(lambda x: (weight * x.exp()).sum())
    fast(cg.tensor([0.0, 1.0]))
    loss = fast(cg.tensor([0.0, 1.0]))
    assert loss.node is not None
    saved = [weakref.ref(value) for value in loss.node.saved if isinstance(value, np.ndarray)]
    assert saved
    loss.backward()
    gc.collect()
    assert not any(value() is not None and value() is not weight.data for value in saved)


def test_gradients_go_on_to_where_arguments_come_from() -> None:
    rng = np.random.default_rng(0)
    one, two = (cg.tensor(rng.standard_normal((3, 4)), requires_grad=True) for _ in range(2))
    weight = cg.tensor(rng.standard_normal((4, 2)), requires_grad=True)

    def function(x: cg.Tensor, *, extra: dict[str, cg.Tensor]) -> cg.Tensor:
        return (x @ weight).tanh() * extra["scale"]

    grads = []
    for call in (cg.compile(function), function):
        scale = two.exp().sum()
        seen: list[Any] = []
        hidden = one * two
        hidden.register_hook(lambda grad, seen=seen: seen.append(grad.data.copy()))
        result = call(hidden, extra={"scale": scale})
        result.retain_grad()
        (result * result).sum().backward()
        grads.append([*(tensor.grad.data for tensor in (one, two, weight, result)), *seen])
        for tensor in (one, two, weight):
            tensor.grad = None
    assert all(np.array_equal(mine, theirs) for mine, theirs in zip(*grads, strict=True))
    assert len(grads[0]) == 5


def test_one_after_the_other() -> None:
    """Two compiled functions, which share a parameter, and eager operations between them."""
    ends = []
    for wrap in (cg.compile, lambda function: function):
        weight = cg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        one, two = wrap(lambda x, weight=weight: x @ weight), wrap(lambda h, weight=weight: (h @ weight.T).tanh())
        x = cg.tensor([[0.1, 0.2]], requires_grad=True)
        for _ in range(2):
            loss = (two(one(x) * 0.1) + one(x)).sum()
            loss.backward()
        ends.append([loss.item(), x.grad.tolist(), weight.grad.tolist()])
    assert ends[0] == ends[1]


def test_a_backward_in_another_thread() -> None:
    weight = cg.tensor(np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64), requires_grad=True)
    fast = cg.compile(lambda x: (x @ weight).tanh().exp().sum())
    xs = [cg.tensor(np.random.default_rng(i).standard_normal((64, 64)).astype(np.float32), requires_grad=True)
          for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = [*pool.map(lambda x: cg.autograd.grad(fast(x), x)[0], xs)]
    for x, grad in zip(xs, found, strict=True):
        (expected,) = cg.autograd.grad((x @ weight).tanh().exp().sum(), x)
        assert np.array_equal(grad.data, expected.data)


def test_classes_that_are_computed() -> None:
    """They are checked in the forward; out of range, the error is that of the function."""
    table = cg.tensor(np.arange(6, dtype=np.float32).reshape(3, 2), requires_grad=True)

    def function(x: cg.Tensor, t: cg.Tensor) -> cg.Tensor:
        return F.cross_entropy(F.embedding(x + 1, table) * 2, t * 1)

    ends = []
    for call in (cg.compile(function), function):
        table.grad = None
        for x, t in (([0, 1, -1], [1, 0, 0]), ([1, 1, 1], [0, 1, 1])):
            call(cg.tensor(x), cg.tensor(t)).backward()
        with pytest.raises(IndexError):
            call(cg.tensor([0, 1, 2]), cg.tensor([1, 0, 0]))
        ends.append(table.grad.tolist())
    assert ends[0] == ends[1]


def test_the_same_tensor_twice() -> None:
    x = cg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    cg.compile(lambda a, b: (a * b * b).sum())(x, x).backward()
    assert x.grad is not None and x.grad.tolist() == [3.0, 12.0, 27.0]


def test_grad_leaves_gradients_alone() -> None:
    x, y = cg.tensor([1.0, 2.0], requires_grad=True), cg.tensor([3.0, 4.0], requires_grad=True)
    fast = cg.compile(lambda a, b: (a * b).sum())
    (found,) = cg.autograd.grad(fast(x, y), x)
    assert found is not None and found.tolist() == [3.0, 4.0] and x.grad is None and y.grad is None


def test_second_derivatives_are_refused() -> None:
    x = cg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(GradError, match=r"first derivatives only.*`function`"):
        cg.autograd.grad(cg.compile(lambda a: (a * a * a).sum())(x), x, create_graph=True)


def test_a_graph_from_outside_cannot_be_spelled() -> None:
    x = cg.tensor([1.0, 2.0], requires_grad=True)
    loss = cg.compile(lambda a: (a * a).sum())(x)

    def step() -> cg.Tensor:
        loss.backward(retain_graph=True)
        return loss

    with pytest.raises(SpellError, match="was called before this step"):
        cg.compile(step)()


@pytest.mark.parametrize("changed", ["argument", "parameter", "result"])
def test_changes_in_place_are_noticed(changed: str) -> None:
    weight, x = cg.tensor([1.0, 2.0], requires_grad=True), cg.tensor([3.0, 4.0])
    fast = cg.compile(lambda x: (x * weight).exp() * weight)
    names = {"argument": "x", "parameter": "weight", "result": "result 0"}
    if changed == "result":
        fast = cg.compile(lambda x: (x * weight).exp())
    for _ in range(2):
        result = fast(x)
        with cg.no_grad():
            {"argument": x, "parameter": weight, "result": result}[changed].add_(1)
        with pytest.raises(GradError, match=f"`{names[changed]}` was changed in place"):
            result.sum().backward()


def test_changes_of_what_is_not_remembered_are_free() -> None:
    """As in eager mode, the bias may change before the backward."""
    weight, bias = cg.tensor([1.0, 2.0], requires_grad=True), cg.tensor([0.0, 0.0], requires_grad=True)
    loss = cg.compile(lambda x: (x * weight + bias).sum())(cg.tensor([3.0, 4.0]))
    with cg.no_grad():
        bias.add_(1)
        weight.add_(1)
    loss.backward()
    assert weight.grad is not None and weight.grad.tolist() == [3.0, 4.0]


class Heads(nn.Module):
    """Two heads, and a layer that nobody uses."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.one, self.two, self.idle = (nn.Linear(7, 7) for _ in range(4))

    def forward(self, x: cg.Tensor) -> dict[str, Any]:
        h = self.body(x).relu()
        return {"one": self.one(h), "rest": (self.two(h), h, 3)}


@pytest.mark.parametrize("used", [("one",), ("two",), ("h",), ("one", "two"), ("h", "one", "two")])
def test_outputs_that_are_not_used(used: tuple[str, ...]) -> None:
    """What only they depend on has no gradient, so that an optimizer leaves it alone."""
    cg.manual_seed(0)
    model = Heads()
    twin = copy.deepcopy(model)
    fast = cg.compile(model)
    for number, (x, _) in enumerate(batches("dense", 3)):
        for net in (fast, twin):
            result = net(x)
            found = {"one": result["one"], "two": result["rest"][0], "h": result["rest"][1]}
            assert result["rest"][2] == 3
            sum([(found[name] ** 2).sum() for name in used[: 1 + number]], cg.tensor(0.0)).backward(retain_graph=True)
            found[used[-1]].sum().backward()
        assert_same(state(model), state(twin))
        assert model.idle.weight.grad is None


def test_no_gradient_for_what_is_not_used() -> None:
    x, y = cg.tensor([1.0, 2.0], requires_grad=True), cg.tensor([3.0, 4.0], requires_grad=True)
    cg.compile(lambda a, b: (a.exp().sum(), b.sum())[0])(x, y).backward()
    assert x.grad is not None and y.grad is None


def test_results_that_are_arguments() -> None:
    weight = cg.tensor([1.0, 2.0], requires_grad=True)
    x, y = cg.tensor([3.0, 4.0], requires_grad=True), cg.tensor([5.0, 6.0])
    fast = cg.compile(lambda x, y: (x, [y, weight], x * weight))
    for _ in range(2):
        one, (two, three), product = fast(x, y)
        assert one is x and two is y and three is weight and product is not x
    (one * product).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [6.0, 16.0]


def test_results_that_are_views() -> None:
    """Changes of a view are changes of what it shows, and gradients flow through them."""

    def function(x: cg.Tensor) -> Any:
        h = x * 2
        return x[0], h[:, 1:], h, h.T.reshape(-1), h.detach()

    ends = []
    for call in (cg.compile(function), function):
        x = cg.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
        base = x + 0
        for _ in range(2):
            row, columns, h, flat, apart = call(base)
            columns.mul_(3)
            row.add_(1)
            assert h.tolist()[0] == apart.tolist()[0] and not apart.requires_grad
        (h * h).sum().backward()
        ends.append([base.tolist(), h.tolist(), apart.tolist(), flat.tolist(), x.grad.tolist()])
    assert ends[0] == ends[1]


def test_views_of_what_is_not_returned_share_memory() -> None:
    def function(x: cg.Tensor) -> Any:
        h = x * 2
        return h[0], h[:, 0]

    ends = []
    for call in (cg.compile(function), function):
        x = cg.tensor([[1.0, 2.0], [4.0, 5.0]], requires_grad=True)
        row, column = call(x)
        row.mul_(3)
        column.sum().backward()
        ends.append([row.tolist(), column.tolist(), x.grad.tolist()])
    assert ends[0] == ends[1]


def test_arguments_may_be_changed_in_place() -> None:
    def function(x: cg.Tensor) -> cg.Tensor:
        x.mul_(2)
        x[0].add_(1)
        return x.sum()

    ends = []
    for call in (cg.compile(function), function):
        x = cg.tensor([[1.0, 2.0], [4.0, 5.0]])
        weight = cg.tensor([2.0, 3.0], requires_grad=True)
        seen = [call(x).item() for _ in range(3)]
        ends.append([seen, x.tolist()])
        product = (x * weight).sum()
        call(x)
        with pytest.raises(GradError, match="was changed in place"):
            product.backward()
    assert ends[0] == ends[1]


def test_a_function_may_return_nothing() -> None:
    model, twin = two_of("dense")
    optimizer, other = cg.optim.SGD(model.parameters(), lr=0.1), cg.optim.SGD(twin.parameters(), lr=0.1)

    def step(net: nn.Module, optimizer: Any, x: cg.Tensor, t: cg.Tensor) -> None:
        optimizer.zero_grad()
        F.cross_entropy(net(x), t).backward()
        optimizer.step()

    fast = cg.compile(lambda x, t: step(model, optimizer, x, t))
    for number, (x, t) in enumerate(batches("dense", 3)):
        cg.manual_seed(number)
        assert fast(x, t) is None
        cg.manual_seed(number)
        step(twin, other, x, t)
        assert_same(state(model), state(twin))


def test_deep_graphs() -> None:
    """A chain that is longer than Python's stack is deep."""

    def function(x: cg.Tensor) -> cg.Tensor:
        for _ in range(1200):
            x = x * 1.001
        return x

    ends = []
    for call in (cg.compile(function), function):
        x = cg.tensor([1.0], requires_grad=True)
        call(x).backward()
        ends.append(x.grad.item())
    assert ends[0] == ends[1]
