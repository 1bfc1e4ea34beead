"""A session: everything that a run consists of, built from its settings alone, so that it can be built again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import models
from ..data import DataLoader, TensorDataset
from ..engine.tensor import Tensor
from ..nn import Module
from ..optim import SGD, Adam, AdamW, Optimizer
from ..optim.lr_scheduler import StepLR
from ..seeding import manual_seed
from ..spell import Program, spell
from .errors import RunError
from .problem import prepare
from .settings import Settings
from .trainer import Trainer

__all__ = ["Session"]

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "adam": Adam,
    "adamw": AdamW,
    "sgd": lambda params, **options: SGD(params, momentum=0.9, **options),
}


class Session:
    """The data, the model and the trainer that settings describe, before the first step, and that step as a program.

    Raises: RunError if the model does not fit the data.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.problem = prepare(settings.dataset)
        manual_seed(settings.seed)
        self.model = self._build_model()
        make = OPTIMIZERS[settings.optimizer]
        optimizer = make(self.model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)
        self.trainer = Trainer(
            self.model,
            self.problem.loss(),
            optimizer,
            self._loader(),
            sets={"train": self.problem.train, "val": self.problem.val},
            measures={self.problem.measure: self.problem.score},
            scheduler=StepLR(optimizer, settings.lr_step, settings.lr_gamma),
        )
        self.program = self._spell()

    def _build_model(self) -> Module:
        try:
            return models.build(self.settings.model, self.problem.data)
        except ValueError as error:
            raise RunError(str(error)) from None

    def _loader(self) -> DataLoader:
        # A generator of its own, so that all models of one seed see the data in the same order.
        order = np.random.default_rng([self.settings.seed, 1])
        batch_size = self.settings.batch_size
        return DataLoader(TensorDataset(*self.problem.train), batch_size, shuffle=True, generator=order)

    def _spell(self) -> Program:
        """Write out one step of the training as plain NumPy."""

        def step(x: Tensor, target: Tensor) -> Tensor:
            return self.trainer.step(x, target)

        title = f"One training step of {self.settings.model} on {self.settings.dataset}, spelled out in NumPy."
        self.model.train()
        batch = [array[: self.settings.batch_size] for array in self.problem.train]
        return spell(step, *batch, model=self.model, optimizer=self.trainer.optimizer, title=title)

    def step_data(self) -> dict[str, Any]:
        """Return what the spelled step is trained on when it is run alone: the rows of the training split."""
        x, target = self.problem.train
        return {"x": x, "target": target}
