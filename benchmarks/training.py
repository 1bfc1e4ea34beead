"""A training step in any framework: the text of a model is written once, and all rivals start from the same numbers.

chalkgrad       eager, as one uses it
spelled         chalkgrad's spelled step: plain NumPy, not optimized in any way
compiled        chalkgrad.compile(step)
torch           eager
torch-compile   torch.compile(step)

JAX, autograd, MyGrad and tinygrad have other names; for them the models are written a second time, in rivals/.
"""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .harness.work import FRAMEWORKS, Missing, Work, Workloads, framework_of

__all__ = ["Array", "Batch", "Task", "compiler_of", "cross_entropy", "images", "started", "steps", "tokens"]

Array = np.ndarray[Any, Any]
Batch = tuple[Array, Array]


class Task(NamedTuple):
    """What is trained: functions that are handed the framework, and the two arrays of a batch.

    model      framework -> module
    batch      what the model is fed with, and what the loss wants besides
    loss       framework, module, and the batch as tensors -> loss
    optimizer  its name, and its options
    """

    model: Callable[[Any], Any]
    batch: Batch
    loss: Callable[[Any, Any, Any, Any], Any]
    optimizer: tuple[str, dict[str, float]]


def images(count: int, channels: int = 1, size: int = 28) -> Batch:
    """Draw images (count, channels, size, size) and their classes, 0 to 9."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((count, channels, size, size), np.float32), rng.integers(0, 10, count)


def tokens(count: int, length: int, vocabulary: int) -> Batch:
    """Draw rows of tokens (count, length), and after each token the next one."""
    rows = np.random.default_rng(0).integers(0, vocabulary, (count, length + 1))
    return rows[:, :-1].copy(), rows[:, 1:].copy()


def cross_entropy(framework: Any, model: Any, x: Any, target: Any) -> Any:
    """Compare scores (..., classes) with classes (...), position by position."""
    scores = model(x)
    return framework.nn.functional.cross_entropy(scores.reshape(-1, scores.shape[-1]), target.reshape(-1))


def steps(rival: str, tasks: dict[str, Task]) -> Workloads:
    """Give for each task what builds its step; the check is the loss after 20 of them."""
    return {name: partial(_work, rival, name, task) for name, task in tasks.items()}


def started(framework: Any, task: Task) -> Any:
    """Build the model and give it its first weights: of the size of a sum of ones; biases are 0, scales of norms 1."""
    model = task.model(framework)
    rng = np.random.default_rng(1)
    start = {}
    for name, param in sorted(model.named_parameters()):
        shape = tuple(param.shape)
        drawn = rng.standard_normal(shape, np.float32) / np.float32(np.prod(shape[1:])) ** 0.5
        flat = np.full(shape, name.endswith("weight"), np.float32)
        start[name] = framework.tensor(drawn.astype(np.float32) if len(shape) > 1 else flat)
    model.load_state_dict(model.state_dict() | start)
    return model


def compiler_of(rival: str) -> Callable[[Any], Any]:
    """Return what a rival does to a function of tensors before it is used: compile it, or nothing."""
    if rival == "torch-compile" and not any(map(shutil.which, ("c++", "g++", "clang++"))):
        raise Missing("torch.compile needs a C++ compiler, and found none")
    if rival in ("compiled", "torch-compile"):
        compiler: Callable[[Any], Any] | None = getattr(framework_of(rival), "compile", None)
        if compiler is None:
            raise Missing("chalkgrad.compile does not exist yet")
        return compiler
    if rival not in ("chalkgrad", "torch"):
        raise Missing
    return lambda function: function


def _work(rival: str, name: str, task: Task) -> Work:
    if rival == "spelled":
        step = _spelled(task)
    elif rival in FRAMEWORKS:
        step = _called(rival, task)
    else:
        step = _foreign(rival, name, task)
    return Work(step, lambda: [float(step().item()) for _ in range(20)][-1])


def _called(rival: str, task: Task) -> Callable[[], Any]:
    """Build the step of a framework with PyTorch's names: eager or compiled, it is called with tensors."""
    compiler = compiler_of(rival)
    framework = framework_of(rival)
    step = compiler(_step(framework, task)[0])
    x, target = (framework.tensor(array) for array in task.batch)
    return lambda: step(x, target)


def _spelled(task: Task) -> Callable[[], Any]:
    framework = framework_of("spelled")
    step, model, optimizer = _step(framework, task)
    program = framework.spell(step, *task.batch, model=model, optimizer=optimizer)
    params, state = program.start()
    return lambda: program.run(params, state, *task.batch)


def _foreign(rival: str, name: str, task: Task) -> Callable[[], Any]:
    """Build the step of a rival with names of its own, which is handed the same first weights."""
    state = started(framework_of("chalkgrad"), task).state_dict()
    adapter = importlib.import_module(f"benchmarks.rivals.with_{rival}")
    step: Callable[[], Any] = adapter.step(name, {path: value.data for path, value in state.items()}, task)
    return step


def _step(framework: Any, task: Task) -> tuple[Callable[[Any, Any], Any], Any, Any]:
    """Write the step as one does in either framework; return it with its model and optimizer."""
    model = started(framework, task)
    name, options = task.optimizer
    optimizer = getattr(framework.optim, name)(model.parameters(), **options)

    def step(x: Any, target: Any) -> Any:
        optimizer.zero_grad()
        loss = task.loss(framework, model, x, target)
        loss.backward()
        optimizer.step()
        return loss

    return step, model, optimizer
