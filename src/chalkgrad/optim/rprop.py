"""Rprop: nothing but the sign of the gradient counts, and every parameter finds the length of its own steps.

While a slope keeps its sign the steps grow; when it turns, the step has gone too far, and the next ones are shorter
(Riedmiller & Braun 1993). It needs the gradient of all data: that of a batch turns by chance, see RMSprop.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..ops.constant import full_like
from ..ops.update import update_rule
from .optimizer import Group, Optimizer, Params

__all__ = ["Rprop", "rprop"]


@update_rule
def rprop(param, grad, prev, delta, t, *, eta_minus=0.5, eta_plus=1.2, delta_min=1e-6, delta_max=50, maximize=False):
    """Step by Δ against the sign of the gradient: θ ← θ - sign(g) · Δ, where Δ grows by η⁺ or shrinks by η⁻.

    prev   the gradient before, zeros at first
    delta  Δ, the lengths of the steps
    t      the number of steps, an array without axes

    Source: Riedmiller & Braun 1993, section 3. There a step that went too far is taken back; as in PyTorch it is not,
    but the parameter waits, and so does its Δ at the next step, since the gradient is noted as 0: iRprop⁻ of Igel &
    Hüsken 2000.

    >>> from chalkgrad import tensor, zeros
    >>> param, prev, delta, t = zeros(1), zeros(1), tensor([0.5]), zeros()
    >>> for g in [-7.0, -0.1, 3.0, 3.0]:
    ...     rprop(param, tensor([g]), prev, delta, t, eta_plus=1.5)
    ...     print(param.item(), delta.item())
    0.5 0.5
    1.25 0.75
    1.25 0.375
    0.875 0.375
    """
    g = -grad if maximize else grad
    t += 1
    turn = g * prev
    factor = np.where(turn > 0, eta_plus, np.where(turn < 0, eta_minus, np.ones_like(turn)))
    delta[...] = np.clip(delta * factor, delta_min, delta_max)
    g = np.where(turn < 0, 0, g)
    param -= np.sign(g) * delta
    prev[...] = g


class Rprop(Optimizer):
    """Steps that look at the signs of the gradients alone, with PyTorch's options.

    lr          the length of the first steps
    etas        η⁻ and η⁺: what the length is multiplied by where the gradient turns, and where it does not
    step_sizes  the least and the greatest length
    maximize    go uphill

    State: `step` (t), `prev`, `step_size` (Δ).

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(Rprop, 200, lr=0.01)[::100].round(2).tolist()
    [[-1.5, 2.0], [-1.2, 1.44], [-0.82, 0.68]]
    """

    def __init__(
        self, params: Params, lr: float = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50), *, maximize: bool = False, **others: Any,
    ) -> None:
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize}, others)

    def check(self, group: Group) -> None:
        """Raise ValueError for an option that cannot be."""
        self.require("lr", group["lr"])
        for name in ("etas", "step_sizes"):
            group[name] = self.pair(name, group[name])
        eta_minus, eta_plus = group["etas"]
        if not 0 < eta_minus < 1 < eta_plus:
            raise ValueError(f"Rprop: etas is {group['etas']}, but a number between 0 and 1 and one above 1 were "
                             "expected.")

    def state_names(self, group: Group, param: Tensor) -> list[str]:
        """Name what a parameter of this group has in `state` once it has been updated."""
        return ["step", "prev", "step_size"]

    def start(self, name: str, param: Tensor, group: Group) -> Tensor:
        """Make what `name` in the state of a parameter is before its first update."""
        if name != "step_size":
            return super().start(name, param, group)
        length: Tensor = full_like(param, float(group["lr"]))
        return length

    def update(self, param: Tensor, grad: Tensor, options: Group) -> None:
        """Update one parameter."""
        state = self.memory(param, options)
        (eta_minus, eta_plus), (delta_min, delta_max) = options["etas"], options["step_sizes"]
        rprop(param, grad, state["prev"], state["step_size"], state["step"], eta_minus=eta_minus, eta_plus=eta_plus,
              delta_min=delta_min, delta_max=delta_max, maximize=options["maximize"])
