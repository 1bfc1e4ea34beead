"""The loop: epochs of steps, with a measurement after each."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import DataLoader
from ..engine.tape import no_grad
from ..engine.tensor import Tensor, wrap
from ..nn import Module
from ..optim import Optimizer
from ..optim.lr_scheduler import LRScheduler
from ..seeding import default_generator
from .errors import Diverged

__all__ = ["Callback", "Record", "Trainer"]

Array = NDArray[Any]
Record = dict[str, float]
ROWS = 1000  # measured at once: enough to be fast, few enough for memory


class Callback:
    """What happens beside the training: a subclass defines what it wants to do at which moment."""

    def on_batch_end(self, trainer: Trainer) -> None:
        """After a step."""

    def on_epoch_end(self, trainer: Trainer, record: Record) -> None:
        """After an epoch was measured; `record` is what was found."""


class Trainer:
    """Trains a model: step after step, epoch after epoch.

    loss       a module of outputs and targets
    loader     batches (x, target) of arrays; its generator decides their order
    sets       pairs of arrays (x, y) by name, such as "train" and "val", that are measured after each epoch
    measures   functions of outputs and targets by name, such as {"accuracy": accuracy}
    scheduler  changes the learning rate after each epoch

    epoch      the number of epochs that are done
    history    what was measured after each: {"epoch": 1, "lr": 0.1, "train_loss": 0.35, "train_accuracy": 0.91, ...}
    """

    def __init__(
        self,
        model: Module,
        loss: Module,
        optimizer: Optimizer,
        loader: DataLoader,
        *,
        sets: Mapping[str, tuple[Array, Array]],
        measures: Mapping[str, Callable[[Array, Array], float]],
        scheduler: LRScheduler | None = None,
    ) -> None:
        self.model, self.loss, self.optimizer, self.loader = model, loss, optimizer, loader
        self.sets, self.measures, self.scheduler = sets, measures, scheduler
        self.epoch = 0
        self.history: list[Record] = []

    def step(self, x: Tensor, target: Tensor) -> Tensor:
        """One training step: forward, backward, update. Returns the loss before the update."""
        loss: Tensor = self.loss(self.model(x), target)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss

    def fit(self, epochs: int, callbacks: Sequence[Callback] = ()) -> None:
        """Train until `epochs` are done in all, those of before included.

        Raises: Diverged if the loss is no longer a number.
        """
        while self.epoch < epochs:
            self._train(callbacks)
            record = self._measure()
            if self.scheduler is not None:
                self.scheduler.step()
            self.epoch += 1
            self.history.append(record)
            for callback in callbacks:
                callback.on_epoch_end(self, record)

    def _train(self, callbacks: Sequence[Callback]) -> None:
        self.model.train()
        # What has grown beyond all numbers is told in words, once, when the epoch is measured.
        with np.errstate(over="ignore", invalid="ignore"):
            for x, target in self.loader:
                self.step(wrap(x, None), wrap(target, None))
                for callback in callbacks:
                    callback.on_batch_end(self)

    def _measure(self) -> Record:
        lr = self.optimizer.param_groups[0]["lr"]
        record: Record = {"epoch": self.epoch + 1, "lr": lr}
        for name, (x, y) in self.sets.items():
            record |= {f"{name}_{key}": value for key, value in self.evaluate(x, y).items()}
        if not all(math.isfinite(value) for value in record.values()):
            raise Diverged(
                f"The training fell apart in epoch {self.epoch + 1}: the loss is no longer a number. "
                f"The learning rate, {lr:g}, is probably too large; try a tenth of it."
            )
        return record

    def evaluate(self, x: Array, y: Array) -> Record:
        """Measure the loss and the measures on rows, x (n, ...) and y (n, ...)."""
        with np.errstate(over="ignore", invalid="ignore"), no_grad():
            outputs = self.predict(x)
            loss = self.loss(wrap(outputs, None), wrap(y, None)).item()
        return {"loss": loss, **{name: measure(outputs, y) for name, measure in self.measures.items()}}

    @no_grad()
    def predict(self, x: Array) -> Array:
        """Compute the model's outputs for rows, x (n, ...), as it is used after training: without dropout."""
        self.model.eval()
        parts = [self.model(wrap(x[i : i + ROWS], None)).data for i in range(0, len(x), ROWS)]
        return np.concatenate(parts)

    def state_dict(self) -> dict[str, Any]:
        """Return all that the rest of the training depends on, so that it can go on as if nothing had happened."""
        return {
            "epoch": self.epoch,
            "history": list(self.history),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            # the one decides the order of the data, the other what dropout hides
            "generators": [copy.deepcopy(generator.bit_generator.state) for generator in self._generators()],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` returned, or that was read back from a checkpoint."""
        self.model.load_state_dict(state["model"])
        # JSON knows no numbers as keys
        memory = {int(number): values for number, values in state["optimizer"]["state"].items()}
        self.optimizer.load_state_dict({**state["optimizer"], "state": memory})
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state["scheduler"])
        for generator, saved in zip(self._generators(), state["generators"], strict=True):
            generator.bit_generator.state = saved
        self.epoch, self.history = state["epoch"], list(state["history"])

    def _generators(self) -> list[np.random.Generator]:
        own = self.loader.generator
        return [default_generator(), *([] if own is None else [own])]
