"""Spelled steps: the eager numbers to the last bit, text that is read as a diff, files that run alone."""

from __future__ import annotations

import ast
import copy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn, optim
from chalkgrad.nn import functional as F
from chalkgrad.seeding import default_generator

RNG = np.random.default_rng(0)


class MLP(nn.Module):
    """Two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.relu, self.fc2 = nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        return self.fc2(self.relu(self.fc1(x)))


class CNN(nn.Module):
    """Everything that a small network for images has."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm1, self.relu1 = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()
        self.pool1, self.dropout, self.flatten = nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten()
        self.fc = nn.Linear(4 * 4 * 4, 3)

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        x = self.pool1(self.relu1(self.norm1(self.conv1(x))))
        return self.fc(self.dropout(self.flatten(x)))


class Block(nn.Module):
    """A residual block, whose input reaches the loss by two ways."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.up, self.gelu, self.down = nn.LayerNorm(6), nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 6)

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        return x + self.down(self.gelu(self.up(self.norm(x))))


class Gated(nn.Module):
    """Operations outside of modules: a comparison, slices, a change in place, a sum of branches."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 6)

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        y = self.fc(x)
        y = y * (y > -0.5) + cg.where(x > 0, y, -y) ** 2
        y[:, 0] = y[:, 1] * 2
        y += x.max(1, keepdim=True).values
        return y[:, :3] / (1 + y[:, [3, 3, 5]].abs().mean())


class Tied(nn.Module):
    """A word's row in the embedding also scores it: one weight, used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.block = nn.Embedding(3, 6), Block()

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        return self.block(self.embedding(x)).mean(1) @ self.embedding.weight.T


class LeNet(nn.Module):
    """LeNet-5, with tanh and averages."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.tanh1, self.pool1 = nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2)
        self.conv2, self.tanh2, self.pool2 = nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)
        self.flatten, self.fc1, self.tanh3 = nn.Flatten(), nn.Linear(400, 120), nn.Tanh()
        self.fc2, self.tanh4, self.fc3 = nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        x = self.pool1(self.tanh1(self.conv1(x)))
        x = self.pool2(self.tanh2(self.conv2(x)))
        x = self.tanh3(self.fc1(self.flatten(x)))
        return self.fc3(self.tanh4(self.fc2(x)))


class Reader(nn.Module):
    """A language model: an LSTM of two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(11, 8), nn.Linear(8, 11)
        self.lstm = nn.LSTM(8, 8, num_layers=2, batch_first=True)

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        y, _ = self.lstm(self.embedding(x))
        return self.head(y)


class Attention(nn.Module):
    """A block of a GPT."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(8), nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm2, self.up, self.gelu, self.down = nn.LayerNorm(8), nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8)

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        h = self.norm1(x)
        x = x + self.attn(h, h, h, need_weights=False, is_causal=True)[0]
        return x + self.down(self.gelu(self.up(self.norm2(x))))


class GPT(nn.Module):
    """Two blocks; a token's row in the embedding also scores it."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(11, 8), nn.Parameter(cg.zeros(5, 8))
        self.blocks, self.norm = nn.Sequential(Attention(), Attention()), nn.LayerNorm(8)

    def forward(self, x: cg.Tensor) -> cg.Tensor:
        return self.norm(self.blocks(self.tokens(x) + self.positions)) @ self.tokens.weight.T


class Case(NamedTuple):
    """A step to spell: a model, an optimizer, a loss, and how to draw a batch."""

    model: Callable[[], nn.Module]
    optimizer: Callable[[Any], optim.Optimizer]
    loss: Callable[[cg.Tensor, cg.Tensor], cg.Tensor]
    x: Callable[[], Any]
    target: Callable[[], Any]


def rows() -> Any:
    return RNG.standard_normal((8, 6), np.float32)


def images() -> Any:
    return RNG.random((8, 1, 8, 8), np.float32)


def words() -> Any:
    return RNG.integers(0, 3, (8, 4))


def digits() -> Any:
    return RNG.random((4, 1, 28, 28), np.float32)


def letters() -> Any:
    return RNG.integers(0, 11, (4, 5))


def ten() -> Any:
    return RNG.integers(0, 10, 4)


def classes() -> Any:
    return RNG.integers(0, 3, 8)


def numbers() -> Any:
    return RNG.standard_normal((8, 3), np.float32)


def flags() -> Any:
    return (RNG.random((8, 3)) < 0.5).astype(np.float32)


def next_letter(scores: cg.Tensor, target: cg.Tensor) -> cg.Tensor:
    return F.cross_entropy(scores.flatten(0, 1), target.flatten())


CE = nn.CrossEntropyLoss()
CASES = {
    "mlp_adam": Case(MLP, lambda p: optim.Adam(p, 0.01), CE, rows, classes),
    "mlp_sgd": Case(MLP, lambda p: optim.SGD(p, 0.1, momentum=0.9), CE, rows, classes),
    "mlp_sgd_nesterov": Case(MLP, lambda p: optim.SGD(p, 0.1, 0.9, 0, 1e-3, True), CE, rows, classes),
    "mlp_sgd_plain": Case(MLP, lambda p: optim.SGD(p, 0.1), nn.MSELoss(), rows, numbers),
    "mlp_adamw": Case(MLP, lambda p: optim.AdamW(p, 0.01), nn.L1Loss(), rows, numbers),
    "mlp_bce": Case(MLP, lambda p: optim.Adam(p, 0.01, amsgrad=True), nn.BCEWithLogitsLoss(), rows, flags),
    "cnn_adam": Case(CNN, lambda p: optim.Adam(p, 0.01), CE, images, classes),
    "cnn_sgd": Case(CNN, lambda p: optim.SGD(p, 0.1, momentum=0.9), CE, images, classes),
    "gated": Case(Gated, lambda p: optim.SGD(p, 0.1), CE, rows, classes),
    "tied_adam": Case(Tied, lambda p: optim.Adam(p, 0.01), CE, words, classes),
    "lenet_adam": Case(LeNet, lambda p: optim.Adam(p, 0.001), CE, digits, ten),
    "lstm_adam": Case(Reader, lambda p: optim.Adam(p, 0.01), next_letter, letters, letters),
    "gpt_adamw": Case(GPT, lambda p: optim.AdamW(p, 0.01), next_letter, letters, letters),
    "sequential": Case(lambda: nn.Sequential(Block(), nn.Tanh(), nn.Linear(6, 3), nn.LogSoftmax(-1)),
                       lambda p: optim.Adam(p, 0.01), nn.NLLLoss(), rows, classes),
}


def make(case: Case) -> tuple[Any, nn.Module, optim.Optimizer]:
    cg.manual_seed(0)
    model = case.model()
    optimizer = case.optimizer(model.parameters())

    def step(x: cg.Tensor, target: cg.Tensor) -> cg.Tensor:
        optimizer.zero_grad()
        loss = case.loss(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    return step, model, optimizer


def spelled(name: str, detail: str = "statements") -> tuple[cg.Program, Any, nn.Module, optim.Optimizer]:
    case = CASES[name]
    step, model, optimizer = make(case)
    title = f"A step of {name}."
    program = cg.spell(step, case.x(), case.target(), model=model, optimizer=optimizer, title=title, detail=detail)
    return program, step, model, optimizer


DETAILS = pytest.mark.parametrize("detail", ["statements", "rules"])


@DETAILS
@pytest.mark.parametrize("name", CASES)
def test_a_spelled_step_gives_the_eager_numbers_to_the_last_bit(name: str, detail: str) -> None:
    program, step, model, optimizer = spelled(name, detail)
    params, state = program.start()
    rng = copy.deepcopy(default_generator())
    options = {"rng": rng} if program.draws else {}
    for i in range(40):
        x, target, lr = CASES[name].x(), CASES[name].target(), 0.01 / (1 + i % 3)
        optimizer.param_groups[0]["lr"] = lr
        loss = step(cg.Tensor(x), cg.Tensor(target))
        assert program.run(params, state, x, target, lr=lr, **options) == loss.data
    for path, parameter in model.named_parameters():
        np.testing.assert_array_equal(params[path], parameter.data, strict=True)
        for key, value in optimizer.state[parameter].items():
            np.testing.assert_array_equal(state[f"{path}.{key}"], value.data, strict=True)
    for path, buffer in model.named_buffers():
        if path in state:
            np.testing.assert_array_equal(state[path], buffer.data, strict=True)


@DETAILS
@pytest.mark.parametrize("name", CASES)
def test_a_saved_step_runs_alone_and_its_loss_falls(name: str, detail: str, tmp_path: Path) -> None:
    """In a process where chalkgrad cannot be imported."""
    case, program = CASES[name], spelled(name, detail)[0]
    data = {name: np.concatenate([draw() for _ in range(4)]) for name, draw in (("x", case.x), ("target", case.target))}
    program.save(tmp_path / "step.py", data=data)
    text = (tmp_path / "step.py").read_text()
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import)]
    imported = {alias.name for node in imports for alias in node.names}
    assert imported <= {"numpy", "math", "functools"}
    alone = "import runpy, sys; sys.modules['chalkgrad'] = None; runpy.run_path('step.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", alone], cwd=tmp_path, capture_output=True, text=True, check=True)
    losses = [float(line.split()[-1]) for line in done.stdout.splitlines()]
    assert len(losses) == 10
    assert losses[-1] < losses[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step.npz", "step.py"]


def test_saving_without_data_writes_the_text_alone(tmp_path: Path) -> None:
    program = spelled("mlp_adam")[0]
    program.save(tmp_path / "step.py")
    assert (tmp_path / "step.py").read_text() == str(program)


def test_spelling_leaves_everything_as_it_was() -> None:
    case = CASES["cnn_adam"]
    step, model, optimizer = make(case)
    step(cg.Tensor(case.x()), cg.Tensor(case.target()))
    before = copy.deepcopy((model.state_dict(), optimizer.state_dict(), default_generator().bit_generator.state))
    grads = [parameter.grad for parameter in model.parameters()]
    cg.spell(step, case.x(), case.target(), model=model, optimizer=optimizer)
    after = model.state_dict(), optimizer.state_dict(), default_generator().bit_generator.state
    assert repr(before) == repr(after)
    assert all(parameter.grad is grad for parameter, grad in zip(model.parameters(), grads, strict=True))


def test_a_step_is_spelled_from_where_training_stands() -> None:
    case = CASES["mlp_adam"]
    step, model, optimizer = make(case)
    for _ in range(3):
        step(cg.Tensor(case.x()), cg.Tensor(case.target()))
    program = cg.spell(step, case.x(), case.target(), model=model, optimizer=optimizer)
    params, state = program.start()
    assert state["fc1.weight.step"] == 3
    x, target = case.x(), case.target()
    assert program.run(params, state, x, target) == step(cg.Tensor(x), cg.Tensor(target)).data


def test_every_group_of_parameters_has_its_own_rate() -> None:
    def groups(parameters: Any) -> optim.Optimizer:
        first, *others = parameters
        return optim.SGD([{"params": [first], "lr": 0.1}, {"params": others, "weight_decay": 0.01}], 0.1, momentum=0.9)

    case = CASES["mlp_sgd"]._replace(optimizer=groups)
    step, model, optimizer = make(case)
    program = cg.spell(step, case.x(), case.target(), model=model, optimizer=optimizer)
    assert "def step(params, state, x, target, *, lr=0.1, lr_2=0.1):" in str(program)
    params, state = program.start()
    for lr in (0.2, 0.05):
        x, target = case.x(), case.target()
        optimizer.param_groups[1]["lr"] = lr
        assert program.run(params, state, x, target, lr_2=lr) == step(cg.Tensor(x), cg.Tensor(target)).data
    for path, parameter in model.named_parameters():
        np.testing.assert_array_equal(params[path], parameter.data)


def test_a_program_without_an_update_is_an_evaluation() -> None:
    model = MLP()
    x, target = rows(), classes()
    program = cg.spell(lambda x, target: CE(model(x), target), x, target, model=model)
    assert "backward" not in str(program)
    assert program.run(*program.start(), x, target) == CE(model(cg.Tensor(x)), cg.Tensor(target)).data


def test_the_arguments_are_guarded_at_entry() -> None:
    program = spelled("mlp_adam")[0]
    params, state = program.start()
    with pytest.raises(ValueError, match=r"spelled for x \(8, 6\) float32, but \(7, 6\) float32 came"):
        program.run(params, state, rows()[:7], classes())


def refused(change: Callable[[Any, nn.Module, optim.Optimizer], Any], optimizer: Any = None) -> str:
    case = CASES["mlp_adam"] if optimizer is None else CASES["mlp_adam"]._replace(optimizer=optimizer)
    step, model, made = make(case)
    with pytest.raises(cg.SpellError) as caught:
        cg.spell(change(step, model, made), case.x(), case.target(), model=model, optimizer=made)
    return str(caught.value)


OUTSIDE = np.ones((8, 6), np.float32)
MISUSE = {
    "an array from outside": (lambda step, model, made: lambda x, target: CE(model(x * OUTSIDE), target),
                              None, "shape (8, 6) that is neither an argument of the step"),
    "no tensor returned": (lambda step, model, made: lambda x, target: step(x, target).shape,
                           None, "it returned tuple"),
    "a number read off": (lambda step, model, made: lambda x, target: step(x, target) * float(x.mean()),
                          None, "reads a number off a Tensor of shape ()"),
    "another first step": (lambda step, model, made: step, lambda p: optim.SGD(p, 0.1, momentum=0.9, dampening=0.5),
                           "dampening was 0.0 in the first step and 0.5 in the second"),
}


@pytest.mark.parametrize("name", MISUSE)
def test_what_cannot_be_frozen_is_said_in_words(name: str) -> None:
    change, optimizer, words = MISUSE[name]
    assert words in refused(change, optimizer)
