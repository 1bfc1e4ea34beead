"""One Adam step of the network that everybody starts with: 784-256-128-10, batch 64, ReLU, cross-entropy.

eager     the framework as one uses it
spelled   chalkgrad's spelled step: plain NumPy, not optimized in any way
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["RIVALS", "workloads"]

RIVALS = ["chalkgrad", "spelled", "torch"]
SIZES = (784, 256, 128, 10)


def workloads(rival: str) -> dict[str, tuple[Callable[[], Any], Callable[[], float]]]:
    """Build the step in one framework, from the same numbers."""
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal((64, 784), np.float32), rng.integers(0, 10, 64)
    layers = [(rng.standard_normal((o, i), np.float32) / i**0.5, np.zeros(o, np.float32)) for i, o in
              zip(SIZES, SIZES[1:], strict=False)]
    step = _torch(layers, x, target) if rival == "torch" else _chalkgrad(layers, x, target, rival == "spelled")
    losses: list[float] = []
    return {"mnist-mlp": (step, lambda: losses.append([step() for _ in range(20)][-1]) or float(losses[0]))}


def _torch(layers: Any, x: Any, target: Any) -> Callable[[], Any]:
    import torch

    torch.set_num_threads(1)
    return _step(torch, torch.nn, torch.optim, layers, torch.tensor(x), torch.tensor(target))


def _chalkgrad(layers: Any, x: Any, target: Any, spelled: bool) -> Callable[[], Any]:
    import chalkgrad as cg

    step, model, optimizer = _step(cg, cg.nn, cg.optim, layers, cg.tensor(x), cg.tensor(target), parts=True)
    if not spelled:
        return step
    program = cg.spell(lambda x, target: step(x, target), x, target, model=model, optimizer=optimizer)
    params, state = program.start()
    return lambda: program.run(params, state, x, target)


def _step(framework: Any, nn: Any, optim: Any, layers: Any, x: Any, target: Any, parts: bool = False) -> Any:
    modules: list[Any] = []
    for weight, bias in layers:
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        with framework.no_grad():
            linear.weight.copy_(framework.tensor(weight))
            linear.bias.copy_(framework.tensor(bias))
        modules += [linear, nn.ReLU()]
    model, criterion = nn.Sequential(*modules[:-1]), nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    def step(x: Any = x, target: Any = target) -> Any:
        optimizer.zero_grad()
        loss = criterion(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    return (step, model, optimizer) if parts else step
