"""Modules as functions of their parameters, so that these can be differentiated by, and mapped over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..engine.tensor import Tensor
from ..law.errors import nearest
from ..ops import stack

__all__ = ["functional_call", "stack_module_state"]


def functional_call(
    module: Any, parameters_and_buffers: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]], args: Any = None,
    kwargs: dict[str, Any] | None = None, *, strict: bool = False,
) -> Any:
    """Call a module with other parameters and buffers, by their paths; its own are there again afterwards.

    strict  raise KeyError unless all parameters and buffers are given

    Raises KeyError for a path that the module does not have. What a module writes into its buffers goes into those
    that were given; a Tensor that stands for many cannot be written into, so under vmap, batch norm is for
    `module.eval()`.

    >>> import chalkgrad as cg
    >>> line = cg.nn.Linear(1, 1)
    >>> functional_call(line, {"weight": cg.tensor([[2.0]]), "bias": cg.tensor([1.0])}, cg.tensor([[3.0]]))
    tensor([[7.]])
    """
    given = parameters_and_buffers if isinstance(parameters_and_buffers, Mapping) else {
        path: tensor for each in parameters_and_buffers for path, tensor in each.items()}
    known = dict([*module.named_parameters(), *module.named_buffers()])
    for path in given:
        if path not in known:
            raise KeyError(f"functional_call: there is no parameter or buffer `{path}`. {nearest(path, known)}")
    if strict and known.keys() != given.keys():
        raise KeyError(f"functional_call: strict=True, and {sorted(known.keys() - given.keys())} are missing.")
    with _exchanged(module, given):
        return module(*(() if args is None else args if isinstance(args, tuple) else (args,)), **(kwargs or {}))


@contextmanager
def _exchanged(module: Any, given: Mapping[str, Tensor]) -> Iterator[None]:
    """Let attributes be others for a while; all that are the same tensor change together."""
    own = dict([*module.named_parameters(), *module.named_buffers()])
    places = [(owner.__dict__, name, own[path], tensor) for path, tensor in given.items()
              for owner in module.modules() for name, value in owner.__dict__.items() if value is own[path]]
    try:
        for attributes, name, _, tensor in places:
            attributes[name] = tensor
        yield
    finally:
        for attributes, name, before, _ in places:
            attributes[name] = before


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Stack the parameters, and the buffers, of several models of one build: for an ensemble under vmap.

    >>> import chalkgrad as cg
    >>> parameters, buffers = stack_module_state([cg.nn.Linear(3, 2) for _ in range(5)])
    >>> {path: tensor.shape for path, tensor in parameters.items()}
    {'weight': (5, 2, 3), 'bias': (5, 2)}
    """
    models = list(models)
    if not models or any(type(model) is not type(models[0]) for model in models):
        raise ValueError("stack_module_state: it takes one or more models of one class, "
                         f"but {[type(model).__name__ for model in models]} came.")
    named = [(dict(model.named_parameters()), dict(model.named_buffers())) for model in models]
    parameters = {path: stack([each[path] for each, _ in named]).detach().requires_grad_() for path in named[0][0]}
    return parameters, {path: stack([each[path] for _, each in named]).detach() for path in named[0][1]}
