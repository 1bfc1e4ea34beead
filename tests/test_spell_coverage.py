"""Everything that there is, in tables: each rule, module, optimizer and schedule is spelled to the last bit."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.nn import functional as F
from chalkgrad.optim import lr_scheduler
from chalkgrad.seeding import default_generator

from . import test_optim, test_optim_b
from .oracles import Case, example_cases, weights
from .test_lr_scheduler import SCHEDULERS
from .test_module_classes import CLASSES, ELSEWHERE, MODULES

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the examples of rules hold infinities
Batch = tuple[Any, ...]


def assert_spelled(step: Any, model: nn.Module, optimizers: Any, batches: list[Batch], rates: Any = None) -> Any:
    """Spell a step, and run it and its program side by side; what both return and leave must be the same bits.

    rates  called before every step; returns the learning rates that the program is to take
    """
    cg.spell(step, *batches[0], model=model, optimizer=optimizers, detail="rules")  # which proves itself
    program = cg.spell(step, *batches[0], model=model, optimizer=optimizers)
    params, state = program.start()
    options = {"rng": copy.deepcopy(default_generator())} if program.draws else {}
    for batch in batches:
        expected = step(*(Tensor(array) for array in batch))
        made = program.run(params, state, *(np.copy(array) for array in batch), **options, **(rates() if rates else {}))
        for one, other in zip(listed(made), listed(expected), strict=True):
            identical(one, other)
    for path, tensor in [*model.named_parameters(), *model.named_buffers()]:
        identical((params | state)[path], tensor)
    for optimizer in optimizers if isinstance(optimizers, list) else [optimizers] if optimizers else []:
        for path, parameter in model.named_parameters():
            for key, value in optimizer.state[parameter].items():
                identical(state[f"{path}.{key}"], value)
    return program


def identical(made: Any, expected: Tensor) -> None:
    assert made.dtype == expected.dtype
    np.testing.assert_array_equal(made, expected.data)


def listed(outputs: Any) -> list[Any]:
    """List what a module or a program returns, without the tuples around it, and without what is None."""
    if isinstance(outputs, tuple):
        return [output for each in outputs for output in listed(each)]
    return [] if outputs is None else [outputs]


def total(outputs: Iterable[Tensor]) -> Tensor:
    """A loss on which every output has an influence of its own."""
    loss = cg.zeros()
    for output in outputs:
        loss = loss + (output * output).mean()
    return loss


# ---------------------------------------------------------------------------------------------------------- rules


class Given(nn.Module):
    """The inputs of a rule: a parameter for each that has a derivative, a buffer for every other array."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.inputs = [self.own(x, f"input_{i}", i in case.wanted) for i, x in enumerate(case.inputs)]
        self.options = {name: self.own(value, name) for name, value in case.options.items()}
        ys = listed(case.primitive(*self.inputs, **self.options))
        self.weights = [self.own(weights(y.data), f"weights_{i}") for i, y in enumerate(ys)]

    def own(self, value: Any, name: str, learns: bool = False) -> Any:
        if isinstance(value, tuple):
            return tuple(self.own(each, f"{name}_{i}") for i, each in enumerate(value))
        if not isinstance(value, np.ndarray):
            return value
        if learns:
            self.register_parameter(f"p_{name}", tensor := nn.Parameter(value.copy()))
        else:
            self.register_buffer(f"b_{name}", tensor := Tensor(value))
        return tensor


@pytest.mark.parametrize("case", example_cases())
def test_every_rule_is_spelled(case: Case) -> None:
    model = Given(case.cast(np.float32))

    def step() -> tuple[Tensor, ...]:
        model.zero_grad()
        ys = listed(case.primitive(*model.inputs, **model.options))
        loss = cg.zeros()
        for y, weight in zip(ys, model.weights, strict=True):
            loss = loss + (y * weight).sum()
        if loss.requires_grad:
            loss.backward()
        gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
        with cg.no_grad():
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter.sub_(parameter.grad, alpha=0.01)
        return (loss, *ys, *gradients)

    assert_spelled(step, model, None, [(), (), ()])


# -------------------------------------------------------------------------------------------------------- modules


# Those that test_module_classes.py leaves to others: they return several Tensors, or take one for several inputs.
SEQUENCES: list[tuple[str, dict[str, Any], list[Any]]] = [
    ("RNN", {"input_size": 4, "hidden_size": 3}, [(5, 3, 4)]),
    ("RNN", {"input_size": 4, "hidden_size": 3, "nonlinearity": "relu", "bias": False}, [(5, 4), (1, 3)]),
    ("GRU", {"input_size": 4, "hidden_size": 3, "num_layers": 2, "dropout": 0.25}, [(5, 3, 4), (2, 3, 3)]),
    ("GRU", {"input_size": 4, "hidden_size": 3, "bidirectional": True, "batch_first": True}, [(3, 5, 4)]),
    ("LSTM", {"input_size": 4, "hidden_size": 3}, [(5, 3, 4)]),
    ("LSTM", {"input_size": 4, "hidden_size": 3, "num_layers": 2, "bidirectional": True, "dropout": 0.5}, [(5, 3, 4)]),
    ("MultiheadAttention", {"embed_dim": 4, "num_heads": 2, "batch_first": True}, [(3, 5, 4)] * 3),
    ("MultiheadAttention", {"embed_dim": 4, "num_heads": 2, "kdim": 3, "dropout": 0.25},
     [(5, 2, 4), (3, 2, 3), (3, 2, 4)]),
    ("TransformerEncoderLayer", {"d_model": 4, "nhead": 2, "dim_feedforward": 8}, [(5, 3, 4)]),
    ("TransformerEncoderLayer", {"d_model": 4, "nhead": 2, "dim_feedforward": 8, "norm_first": True,
                                 "activation": F.silu, "dropout": 0.0, "batch_first": True}, [(3, 5, 4)]),
]  # fmt: skip
# Options that the table of test_module_classes.py has no row for.
MORE: list[tuple[str, dict[str, Any], list[Any]]] = [
    ("ReLU", {"inplace": True}, [(4, 3)]),
    ("SiLU", {"inplace": True}, [(4, 3)]),
    ("LeakyReLU", {"negative_slope": 0.1, "inplace": True}, [(4, 3)]),
    ("Dropout", {"p": 0.5, "inplace": True}, [(4, 3)]),
    ("BatchNorm1d", {"num_features": 3, "momentum": None}, [(4, 3, 2)]),
    ("Embedding", {"num_embeddings": 5, "embedding_dim": 3, "padding_idx": 1}, [CLASSES]),
    ("Conv1d", {"in_channels": 2, "out_channels": 2, "kernel_size": 3, "dilation": 2, "padding": 2, "groups": 2},
     [(3, 2, 6)]),
    ("ConvTranspose2d", {"in_channels": 2, "out_channels": 4, "kernel_size": 3, "padding": 1, "output_padding": 1,
                         "stride": 2, "groups": 2}, [(2, 2, 4, 4)]),
    ("CrossEntropyLoss", {"label_smoothing": 0.1, "reduction": "sum"}, [(4, 3), CLASSES]),
    ("NLLLoss", {"ignore_index": 1, "reduction": "none"}, [(4, 3), CLASSES]),
    ("MSELoss", {"reduction": "none"}, [(4, 3), (4, 3)]),
]  # fmt: skip
ALL = [*MODULES, *SEQUENCES, *MORE]
each_module = pytest.mark.parametrize("name, options, shapes", ALL, ids=[f"{row[0]}-{i}" for i, row in enumerate(ALL)])


class Around(nn.Module):
    """A module behind a scale that learns, so that every module has a gradient to hand on."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        super().__init__()
        self.module, self.scale = getattr(nn, name)(**options), nn.Parameter(np.array(0.5, np.float32))

    def forward(self, x: Tensor, *others: Tensor) -> list[Tensor]:
        if x.is_floating_point():
            x = (x * self.scale).sigmoid() * 1  # what a sigmoid remembers must not be changed in place
        return listed(self.module(x, *others))


def draw(shapes: list[Any], count: int) -> list[Batch]:
    rng = np.random.default_rng(1)
    return [tuple(rng.integers(0, 3, 4) if s == CLASSES else rng.random(s, np.float32) for s in shapes)
            for _ in range(count)]


def in_arguments(count: int, body: Callable[..., Any]) -> Callable[..., Any]:
    """Give a step as many arguments as there are inputs, each with a name."""
    return [lambda: body(), lambda x: body(x), lambda x, y: body(x, y), lambda x, y, z: body(x, y, z)][count]


def test_every_module_is_in_the_tables() -> None:
    assert {name for name, _, _ in SEQUENCES} == ELSEWHERE


@each_module
def test_every_module_is_spelled_in_training(name: str, options: dict[str, Any], shapes: list[Any]) -> None:
    model = Around(name, options)
    optimizer = optim.Adam(model.parameters(), 0.01)

    def body(*inputs: Tensor) -> tuple[Tensor, ...]:
        optimizer.zero_grad()
        outputs = model(*inputs)
        loss = total(outputs)
        loss.backward()
        optimizer.step()
        return (loss, *outputs)

    assert_spelled(in_arguments(len(shapes), body), model, optimizer, draw(shapes, 4))


@each_module
def test_every_module_is_spelled_in_evaluation(name: str, options: dict[str, Any], shapes: list[Any]) -> None:
    model = Around(name, options)
    batches = draw(shapes, 4)
    model(*(Tensor(array) for array in batches[3]))  # running averages are to be others than at the start
    model.eval()

    def body(*inputs: Tensor) -> tuple[Tensor, ...]:
        with cg.no_grad():
            return tuple(model(*inputs))

    program = assert_spelled(in_arguments(len(shapes), body), model, None, batches)
    assert "backward" not in str(program) and not program.draws


# ------------------------------------------------------------------------------------------ optimizers, schedules


CASES = [*test_optim.CASES, *test_optim_b.CASES]


def learner() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))


def learning(model: nn.Module, optimizer: optim.Optimizer) -> Callable[[Tensor, Tensor], Tensor]:
    def step(x: Tensor, target: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    return step


def rows(count: int) -> list[Batch]:
    rng = np.random.default_rng(1)
    return [(rng.standard_normal((8, 6), np.float32), rng.integers(0, 3, 8)) for _ in range(count)]


def kinds_in(module: Any, base: type) -> set[str]:
    return {name for name in module.__all__ if inspect.isclass(kind := getattr(module, name)) and issubclass(kind, base)
            and kind is not base}


def test_every_optimizer_and_schedule_is_in_a_table() -> None:
    assert kinds_in(optim, optim.Optimizer) == {name for name, _ in CASES}
    assert kinds_in(lr_scheduler, lr_scheduler.LRScheduler) == {name for name, _ in SCHEDULERS}


@pytest.mark.parametrize("taken", [0, 2])
@pytest.mark.parametrize("name, options", CASES, ids=[*test_optim.NAMES, *test_optim_b.NAMES])
def test_every_optimizer_is_spelled(name: str, options: dict[str, Any], taken: int) -> None:
    model = learner()
    optimizer = getattr(optim, name)(model.parameters(), **options)
    step = learning(model, optimizer)
    if options.get("dampening") and not taken:
        with pytest.raises(cg.SpellError, match="if only the first step is special, take a step before you spell it"):
            cg.spell(step, *rows(1)[0], model=model, optimizer=optimizer)
        return
    for batch in rows(taken):
        step(*(Tensor(array) for array in batch))
    assert_spelled(step, model, optimizer, rows(8))


@pytest.mark.parametrize("name, options", SCHEDULERS)
def test_every_schedule_drives_a_program(name: str, options: dict[str, Any]) -> None:
    model = learner()
    optimizer = optim.SGD([{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.5}], 0.1, 0.9)
    schedule = getattr(lr_scheduler, name)(optimizer, **options)

    def rates() -> dict[str, float]:
        lr, lr_2 = schedule.get_last_lr()  # the step that these are for is over
        schedule.step()
        return {"lr": lr, "lr_2": lr_2}

    assert_spelled(learning(model, optimizer), model, optimizer, rows(12), rates)
