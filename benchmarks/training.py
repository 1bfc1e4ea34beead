"""A training step in any framework: the text of a model is written once, and all rivals start from the same numbers.

chalkgrad   eager, as one uses it
spelled     chalkgrad's spelled step: plain NumPy, not optimized in any way
torch       eager
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["RIVALS", "Batch", "Task", "cross_entropy", "images", "steps", "tokens"]

RIVALS = ["chalkgrad", "spelled", "torch"]
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


def steps(rival: str, tasks: dict[str, Task]) -> dict[str, tuple[Callable[[], Any], Callable[[], float]]]:
    """Build one step of each task; the check is the loss after 20 of them."""
    if rival == "torch":
        import torch as framework

        framework.set_num_threads(1)
    else:
        import chalkgrad as framework  # type: ignore[no-redef]
    built = {name: _step(framework, task, spelled=rival == "spelled") for name, task in tasks.items()}
    return {name: (step, lambda step=step: _last(step)) for name, step in built.items()}


def _last(step: Callable[[], Any], count: int = 20) -> float:
    return [float(step().item()) for _ in range(count)][-1]


def _step(framework: Any, task: Task, spelled: bool) -> Callable[[], Any]:
    model = task.model(framework)
    model.load_state_dict(model.state_dict() | _start(framework, model))
    name, options = task.optimizer
    optimizer = getattr(framework.optim, name)(model.parameters(), **options)

    def step(x: Any, target: Any) -> Any:
        optimizer.zero_grad()
        loss = task.loss(framework, model, x, target)
        loss.backward()
        optimizer.step()
        return loss

    if spelled:
        program = framework.spell(step, *task.batch, model=model, optimizer=optimizer)
        params, state = program.start()
        return lambda: program.run(params, state, *task.batch)
    x, target = (framework.tensor(array) for array in task.batch)
    return lambda: step(x, target)


def _start(framework: Any, model: Any) -> dict[str, Any]:
    """Draw the weights, whose size is that of a sum of ones; biases are 0, and the scales of norms 1."""
    rng = np.random.default_rng(1)
    start = {}
    for name, param in sorted(model.named_parameters()):
        shape = tuple(param.shape)
        drawn = rng.standard_normal(shape, np.float32) / np.float32(np.prod(shape[1:])) ** 0.5
        flat = np.full(shape, name.endswith("weight"), np.float32)
        start[name] = framework.tensor(drawn.astype(np.float32) if len(shape) > 1 else flat)
    return start
