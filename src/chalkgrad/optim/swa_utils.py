"""Averaged models: the mean of the parameters along the way is a better model than the one at its end.

SGD with a large rate goes to and fro in a valley, and its mean lies in the middle, where the valley is wide and unseen
examples fare well (Izmailov et al. 2018). A running mean, which fades, also forgets the start.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..engine.tape import mode, no_grad
from ..engine.tensor import Tensor
from ..law.errors import SpellError
from ..nn.layers.batch_norm import _BatchNorm
from ..nn.module import Buffer, Module
from ..ops.constant import tensor_of
from ..ops.update import update_rule
from .lr_scheduler.scheduler import LRScheduler, for_each_group
from .optimizer import Optimizer

__all__ = [
    "AveragedModel", "SWALR", "fade", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn",
    "get_swa_multi_avg_fn", "update_bn",
]

Average = Callable[[Tensor, Tensor, Any], Tensor]
Averages = Callable[[Sequence[Tensor], Sequence[Tensor], Any], Any]


@update_rule
def fade(average, param, *, share):
    """Move a mean towards a new value by a share of the way: θ̄ ← θ̄ + share · (θ - θ̄).

    A share of 1 / (n + 1) makes it the mean of n + 1 values, of 1 - decay a running mean that fades.

    Source: Izmailov et al. 2018, Algorithm 1.

    >>> from chalkgrad import tensor
    >>> mean = tensor([0.0])
    >>> for n, value in enumerate([3.0, 4.0, 8.0]):
    ...     fade(mean, tensor([value]), share=1 / (n + 1))
    >>> mean
    tensor([5.])
    """
    average += share * (param - average)


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """Return the function that computes the running mean decay · θ̄ + (1 - decay) · θ.

    Raises ValueError unless 0 ≤ decay ≤ 1.

    >>> from chalkgrad import tensor
    >>> get_ema_avg_fn(0.75)(tensor([1.0]), tensor([5.0]), 1)
    tensor([2.])
    """
    _check_decay(decay)
    return lambda average, param, count: decay * average + (1 - decay) * param


def get_swa_avg_fn() -> Average:
    """Return the function that computes the mean of count + 1 values: θ̄ + (θ - θ̄) / (count + 1).

    >>> from chalkgrad import tensor
    >>> get_swa_avg_fn()(tensor([2.0]), tensor([5.0]), 2)
    tensor([3.])
    """
    return lambda average, param, count: average + (param - average) / (count + 1)


def get_ema_multi_avg_fn(decay: float = 0.999) -> Averages:
    """Return the function that moves running means, a list of Tensors, towards new values, in place.

    Raises ValueError unless 0 ≤ decay ≤ 1.
    """
    _check_decay(decay)
    return lambda averages, params, count: _fade_all(averages, params, 1 - decay)


def get_swa_multi_avg_fn() -> Averages:
    """Return the function that takes new values into the means of count values, lists of Tensors, in place."""
    return lambda averages, params, count: _fade_all(averages, params, 1 / (float(count) + 1))


class AveragedModel(Module):
    """A copy of a model whose parameters are means of the model's.

    model         is copied into `module`; the copy is called
    avg_fn        avg_fn(mean, value, count) returns the new mean of a parameter; the mean of all values unless given
    multi_avg_fn  multi_avg_fn(means, values, count) changes a list of means in place
    use_buffers   take the mean of buffers as well; else they are those of the model

    State: `n_averaged`, how many values there are in the mean, and that of `module`.

    Raises ValueError for two functions.

    >>> from chalkgrad import tensor
    >>> from chalkgrad.nn import Linear
    >>> model = Linear(1, 1, bias=False)
    >>> mean, ema = AveragedModel(model), AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.5))
    >>> for value in [1.0, 2.0, 6.0]:
    ...     model.load_state_dict({"weight": tensor([[value]])}) and None
    ...     mean.update_parameters(model)
    ...     ema.update_parameters(model)
    >>> x = tensor([[1.0]])
    >>> mean(x).item(), ema(x).item()  # ema: ((1 + 2) / 2 + 6) / 2
    (3.0, 3.75)
    """

    n_averaged: Buffer

    def __init__(
        self, model: Module, avg_fn: Average | None = None, multi_avg_fn: Averages | None = None,
        use_buffers: bool = False,
    ) -> None:
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("AveragedModel takes avg_fn or multi_avg_fn, but both came.")
        super().__init__()
        self.module = copy.deepcopy(model)
        self.n_averaged = Buffer(np.array(0))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the averaged model."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the parameters of the model, as they are now, into the mean.

        Raises ValueError for a model of other shapes, and then changes nothing; SpellError where a step is spelled.
        """
        if mode.tape is not None:
            raise SpellError("AveragedModel looks at how much it has averaged, which a program cannot. Call "
                             "update_parameters after the step, and not in it.")
        ours, theirs = ([*each.parameters(), *each.buffers()] for each in (self.module, model))
        if [tensor.shape for tensor in ours] != [tensor.shape for tensor in theirs]:
            raise ValueError("update_parameters: the model has other parameters than the one that was copied.")
        averaged = len(ours) if self.use_buffers else sum(1 for _ in self.module.parameters())
        with no_grad():
            if self.n_averaged.data == 0:
                _copy_all(ours[:averaged], theirs[:averaged])
            else:
                self._average([t.detach() for t in ours[:averaged]], [t.detach() for t in theirs[:averaged]])
            _copy_all(ours[averaged:], theirs[averaged:])
            self.n_averaged.add_(1)

    def _average(self, averages: list[Tensor], params: list[Tensor]) -> None:
        if self.avg_fn is None:
            (self.multi_avg_fn or get_swa_multi_avg_fn())(averages, params, self.n_averaged)
            return
        for average, param in zip(averages, params, strict=True):
            average.copy_(self.avg_fn(average, param, self.n_averaged).to(average.dtype))


def update_bn(loader: Iterable[Any], model: Module) -> None:
    """Measure the running averages of all BatchNorms anew: those of the means of parameters nobody has seen yet.

    loader  batches, arrays or Tensors; of a tuple or list the first is taken

    >>> from chalkgrad import tensor
    >>> from chalkgrad.nn import BatchNorm1d
    >>> norm = BatchNorm1d(1).eval()
    >>> update_bn([tensor([[1.0], [3.0]]), tensor([[5.0], [7.0]])], norm)
    >>> norm.running_mean, norm.training
    (Buffer containing:
    tensor([4.]), False)
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    momenta, was_training = [norm.momentum for norm in norms], model.training
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the average of all batches
    model.train()
    try:
        with no_grad():
            for batch in loader:
                model(tensor_of(batch[0] if isinstance(batch, tuple | list) else batch))
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        model.train(was_training)


class SWALR(LRScheduler):
    """Bring the rate to that with which parameters are averaged, and keep it there.

    swa_lr           the rate, or a list with one for each group
    anneal_epochs    how long that takes
    anneal_strategy  "cos" along half a cosine, "linear" along a line

    η = swa_lr · α + η₀ · (1 - α), where α goes from 0 to 1.

    Raises ValueError for a number of epochs below 0, or a strategy that is not known.

    Source: Izmailov et al. 2018, section 3.1, where the rate is constant or goes up and down.

    >>> from chalkgrad.optim.lr_scheduler.path import lr_path
    >>> [round(lr, 3) for lr in lr_path(SWALR, 6, swa_lr=0.5, anneal_epochs=4, anneal_strategy="linear")]
    [1.0, 0.875, 0.75, 0.625, 0.5, 0.5]
    >>> [0.5 * alpha + 1.0 * (1 - alpha) for alpha in (0, 0.25, 0.5, 0.75, 1, 1)]
    [1.0, 0.875, 0.75, 0.625, 0.5, 0.5]
    """

    def __init__(
        self, optimizer: Optimizer, swa_lr: float | list[float], anneal_epochs: int = 10,
        anneal_strategy: str = "cos", last_epoch: int = -1,
    ) -> None:
        rates = for_each_group("swa_lr", self.checked(optimizer), swa_lr)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"SWALR: anneal_strategy is {anneal_strategy!r}, but 'cos' or 'linear' was expected.")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"SWALR: anneal_epochs is {anneal_epochs!r}, but a whole number of at least 0 was "
                             "expected.")
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["swa_lr"] = rate
        self.anneal_epochs, self._anneal_strategy = anneal_epochs, anneal_strategy
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the rate of every group from the rate before, which was a mixture of the first and the last one."""
        step = self._step_count - 1 if self.anneal_epochs else max(1, self._step_count - 1)
        before, alpha = self._share(step - 1), self._share(step)
        rates = []
        for group, lr in zip(self.optimizer.param_groups, self.rates(), strict=True):
            last = group["swa_lr"]
            first = last if before == 1 else (lr - before * last) / (1 - before)
            rates.append(last * alpha + first * (1 - alpha))
        return rates

    def _share(self, step: int) -> float:
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t


def _fade_all(averages: Sequence[Tensor], params: Sequence[Tensor], share: float) -> None:
    for average, param in zip(averages, params, strict=True):
        if average.dtype.kind == "f":
            fade(average, param, share=share)
        else:  # a mean of whole numbers is cut off to one
            with no_grad():
                average.copy_((average + share * (param - average)).to(average.dtype))


def _copy_all(targets: Sequence[Tensor], sources: Sequence[Tensor]) -> None:
    for target, source in zip(targets, sources, strict=True):
        target.copy_(source)


def _check_decay(decay: float) -> None:
    if not 0 <= decay <= 1:
        raise ValueError(f"decay is {decay}, but a number from 0 to 1 was expected.")
