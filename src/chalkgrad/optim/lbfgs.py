"""L-BFGS: Newton's method, with the curvature read off the last steps.

Newton steps by the inverse of the matrix of second derivatives times the gradient, and no network's matrix fits into
memory. How the gradient changed over the last steps says a part of that matrix, which is enough to multiply by: two
loops over a hundred steps at most (Nocedal 1980). The loss must not depend on chance, so it wants all data at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np

from ..engine.tape import enable_grad, mode, no_grad
from ..engine.tensor import Tensor, wrap
from ..law.errors import SpellError
from .optimizer import Group, Optimizer, Params
from .strong_wolfe import Point, strong_wolfe

__all__ = ["LBFGS", "two_loops"]

SEARCHES = (None, "strong_wolfe")
NUMBERS = ("func_evals", "n_iter", "t", "H_diag", "prev_loss")
VECTORS = ("d", "prev_flat_grad")
LISTS = ("old_dirs", "old_stps", "ro")


def two_loops(grad: Any, s: list[Any], y: list[Any], rho: list[float], gamma: float) -> Any:
    """Compute the direction -H g, where H is the inverse of the second derivatives as the last steps tell of it.

    grad   g, as one vector
    s, y   the last steps, and by how much the gradient changed over each
    rho    ρᵢ = 1 / yᵢᵀ sᵢ
    gamma  H before the steps is γ times the identity, γ = sᵀy / yᵀy of the last one

    Source: Nocedal 1980; Nocedal & Wright 2006, Algorithm 7.4, with eq. 7.20 for γ.

    H takes the last change of the gradient back to the step that it came with, H y = s:

    >>> rng = np.random.default_rng(0)
    >>> s = [rng.standard_normal(5) for _ in range(3)]
    >>> y = [rng.standard_normal(5) for _ in range(3)]
    >>> y = [change if change @ step > 0 else -change for change, step in zip(y, s)]
    >>> rho = [1 / (change @ step) for change, step in zip(y, s)]
    >>> np.allclose(two_loops(y[-1], s, y, rho, 0.5), -s[-1])
    True
    """
    q, alpha = -grad, [0.0] * len(s)
    for i in reversed(range(len(s))):
        alpha[i] = rho[i] * float(s[i] @ q)
        q -= alpha[i] * y[i]
    r = gamma * q
    for i in range(len(s)):
        beta = rho[i] * float(y[i] @ r)
        r += (alpha[i] - beta) * s[i]
    return r


class LBFGS(Optimizer):
    """Limited-memory BFGS, with PyTorch's options; `step` takes a closure and makes several iterations.

    lr                how far to step along the direction; 1 is Newton's step
    max_iter          iterations a step
    max_eval          calls of the closure a step, 5/4 max_iter unless given
    tolerance_grad    it is done where no gradient is larger
    tolerance_change  it is done where no parameter changes by more, nor the loss
    history_size      how many of the last steps it remembers
    line_search_fn    None steps by lr; "strong_wolfe" searches along the direction, which makes it dependable

    All parameters are in one group. State, kept with the first of them: `n_iter`, `func_evals`, `d` (direction), `t`
    (length of the step), `old_stps` (s), `old_dirs` (y), `ro`, `H_diag` (γ), `prev_flat_grad`, `prev_loss`.

    >>> from chalkgrad.optim.rosenbrock import rosenbrock_path
    >>> rosenbrock_path(LBFGS, 8, max_iter=5, line_search_fn="strong_wolfe")[::4].round(2).tolist()
    [[-1.5, 2.0], [-0.29, 0.04], [0.94, 0.88]]
    """

    def __init__(
        self, params: Params, lr: float = 1, max_iter: int = 20, max_eval: int | None = None,
        tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
        line_search_fn: str | None = None, **others: Any,
    ) -> None:
        options = {"lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                   "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
                   "history_size": history_size, "line_search_fn": line_search_fn}
        super().__init__(params, options, others)

    def check(self, group: Group) -> None:
        """Raise ValueError for an option that cannot be."""
        for name in ("lr", "max_iter", "max_eval", "tolerance_grad", "tolerance_change", "history_size"):
            self.require(name, group[name])
        if group["line_search_fn"] not in SEARCHES:
            raise ValueError(f"LBFGS: line_search_fn is {group['line_search_fn']!r}, but one of {SEARCHES} was "
                             "expected.")

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Take the parameters; a second group is refused by ValueError, since the direction is one for all."""
        if self.param_groups:
            raise ValueError("LBFGS steps all parameters along one direction, so they are all in one group.")
        super().add_param_group(param_group)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make up to max_iter iterations, and return the loss before them.

        closure  computes the loss and its gradients anew: zero_grad, forward, backward

        Raises TypeError without a closure; SpellError where a step is spelled or compiled.
        """
        if closure is None:
            raise TypeError("LBFGS computes the loss several times a step: give step a closure that calls zero_grad, "
                            "computes the loss, calls its backward, and returns it.")
        if mode.tape is not None:
            raise SpellError("LBFGS looks at losses and slopes to see how to go on, which a program of fixed lines "
                             "cannot. Compile the function that computes the loss, and call it in the closure.")
        self._opt_called = True
        evaluate = enable_grad()(closure)
        first, state = evaluate(), cast("dict[str, Any]", self.state[self._params()[0]])
        state["func_evals"] = state.get("func_evals", 0) + 1
        state.setdefault("n_iter", 0)
        here = Point(0.0, float(first), self._gradient(), 0.0)
        if not np.abs(here.grad).max() <= self.param_groups[0]["tolerance_grad"]:
            self._iterate(evaluate, state, here)
        return first

    def _iterate(self, evaluate: Callable[[], Any], state: dict[str, Any], here: Point) -> None:
        options = self.param_groups[0]
        lr, small = float(options["lr"]), options["tolerance_change"]
        calls = 1
        for iteration in range(1, options["max_iter"] + 1):
            state["n_iter"] += 1
            d = self._direction(state, here.grad)
            # a gradient says nothing of how far to go; every later direction has a length of its own
            t = lr * min(1.0, 1 / float(np.abs(here.grad).sum())) if state["n_iter"] == 1 else lr
            here = here._replace(slope=float(here.grad @ d))
            state |= {"d": wrap(d, None), "t": t, "prev_flat_grad": wrap(here.grad, None), "prev_loss": here.loss}
            if here.slope > -small:
                break
            before, count = here, 0
            if options["line_search_fn"] is not None:
                at = self._along(evaluate, d)
                here, count = strong_wolfe(at, here._replace(t=0.0), t, float(np.abs(d).max()), 1e-9,
                                           options["max_eval"] - calls)
                state["t"] = t = here.t
            self._move(t, d)
            if options["line_search_fn"] is None and iteration < options["max_iter"]:
                here, count = Point(t, float(evaluate()), self._gradient(), 0.0), 1
            calls += count
            state["func_evals"] += count
            if (calls >= options["max_eval"] or np.abs(here.grad).max() <= options["tolerance_grad"]
                    or np.abs(t * d).max() <= small or abs(here.loss - before.loss) < small):
                break

    def _direction(self, state: dict[str, Any], grad: Any) -> Any:
        """Take the last step into the memory, and compute the direction to go."""
        if state["n_iter"] == 1:
            state |= {"old_dirs": [], "old_stps": [], "ro": [], "H_diag": 1.0}
            return -grad
        y, s = grad - state["prev_flat_grad"].data, state["t"] * state["d"].data
        curvature = float(y @ s)
        if curvature > 1e-10:  # where it bends up; elsewhere there is no minimum to step to
            for name, value in (("old_dirs", wrap(y, None)), ("old_stps", wrap(s, None)), ("ro", 1 / curvature)):
                state[name].append(value)
                del state[name][: -self.param_groups[0]["history_size"]]
            state["H_diag"] = curvature / float(y @ y)
        steps, changes = ([tensor.data for tensor in state[name]] for name in ("old_stps", "old_dirs"))
        return two_loops(grad, steps, changes, state["ro"], state["H_diag"])

    def _along(self, evaluate: Callable[[], Any], d: Any) -> Callable[[float], Point]:
        """Return the function that computes the loss some way along d, and leaves the parameters where they are."""
        params = self._params()
        start = [param.data.copy() for param in params]

        def at(t: float) -> Point:
            self._move(t, d)
            loss, grad = float(evaluate()), self._gradient()
            with no_grad():
                for param, values in zip(params, start, strict=True):
                    param.copy_(wrap(values, None))
            return Point(t, loss, grad, float(grad @ d))

        return at

    def _gradient(self) -> Any:
        """Join the gradients of all parameters into one vector."""
        for param in self._params():
            self._check_gradient(param)
        parts = [np.zeros(param.data.size, param.dtype) if param.grad is None else param.grad.data.reshape(-1)
                 for param in self._params()]
        return np.concatenate(parts)

    def _move(self, t: float, d: Any) -> None:
        """Go from where the parameters are t times along d."""
        end = 0
        with no_grad():
            for param in self._params():
                start, end = end, end + param.data.size
                param.add_(wrap(d[start:end].reshape(param.shape), None), alpha=t)

    def _read_state(self, saved: Mapping[str, Any], groups: list[Group]) -> defaultdict[Tensor, dict[str, Any]]:
        """Copy the state, which is one for all parameters; PyTorch's `al` is overwritten before it is read."""
        state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        params = groups[0]["params"]
        number = saved["param_groups"][0]["params"][0]
        like = wrap(np.zeros(sum(param.data.size for param in params), params[0].dtype), None)
        for key in saved["state"]:
            if key != number:
                raise ValueError(f"LBFGS: the state to load speaks of parameter {key}, but it is kept with the first.")
        values = {name: value for name, value in saved["state"].get(number, {}).items() if name != "al"}
        missing = [name for name in (*NUMBERS, *VECTORS, *LISTS) if name not in values]
        if missing and values.get("n_iter", 0):
            raise ValueError(f"LBFGS: the state to load lacks `{', '.join(missing)}`.")
        for name, value in values.items():
            if name in NUMBERS:
                state[params[0]][name] = int(value) if name in NUMBERS[:2] else float(value)
            elif name in VECTORS:
                state[params[0]][name] = self._read(number, name, value, like)
            elif name == "ro":
                state[params[0]][name] = [float(each) for each in value]
            elif name in LISTS:
                state[params[0]][name] = [self._read(number, name, each, like) for each in value]
            else:
                raise ValueError(f"LBFGS: the state to load has `{name}`, which it does not.")
        return state
