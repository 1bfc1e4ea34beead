"""Parametrizations: a parameter that is computed, by modules, from others that are learned in its place.

    model.weight                                 asks model.parametrizations.weight, which is called and computes it
    model.parametrizations.weight.original       what is learned; original0, original1, ... if there are several

So a weight can be kept symmetric, of one length, or at rank one, whatever layer it is in: no layer needs to know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ...engine.tape import no_grad
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ..containers import ModuleDict, ModuleList
from ..module import Buffer, Module, Parameter
from .computed import Computed, kind_of, let_compute, own, plain_tensor, restore

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "type_before_parametrizations",
]


class ParametrizationList(ModuleList):
    """The modules that compute a tensor, one after the other, and the originals that they compute it from.

    original  the tensor as it was; the right inverses of the modules, if they have any, say what it was made from
    unsafe    do not check that the shape and the dtype stay
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList: at least one module is needed, but none came.")
        super().__init__(modules)
        self.unsafe = unsafe
        with no_grad():
            made = _started(modules, original)
            self.is_tensor = isinstance(made, Tensor)
            parts = [made] if self.is_tensor else list(made)
            if not unsafe:
                _check_same(self._get_name(), original, _computed(modules, parts))
        if self.is_tensor:
            _write(original, made)
            own(self, "original", original)
        else:
            self.ntensors = len(parts)
            for i, part in enumerate(parts):
                own(self, f"original{i}", _like(original, part))

    @property
    def originals(self) -> list[Tensor]:
        """What is learned."""
        return [self.original] if self.is_tensor else [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def forward(self) -> Tensor:
        """Compute the tensor from its originals."""
        return _computed(list(self), self.originals)

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that they make `value`, as far as the right inverses go.

        Raises RuntimeError if a module has none.
        """
        for module in self:
            if not hasattr(module, "right_inverse"):
                raise RuntimeError(f"{module._get_name()} has no right_inverse, so what it makes cannot be assigned.")
        with no_grad():
            made = _inverted(list(self), value)
            for original, part in zip(self.originals, [made] if self.is_tensor else made, strict=True):
                _write(original, part)


def _computed(modules: Sequence[Module], parts: Sequence[Tensor]) -> Tensor:
    """Call the modules one after the other, the first one with all the parts."""
    value: Tensor = modules[0](*parts)
    for module in modules[1:]:
        value = module(value)
    return value


def _inverted(modules: Sequence[Module], value: Any) -> Any:
    """Go back from a tensor to what the modules make it from; those without a right inverse are passed over."""
    for module in reversed(modules):
        if hasattr(module, "right_inverse"):
            value = module.right_inverse(value)
    return value


def _started(modules: Sequence[Module], value: Any) -> Any:
    """Do the same at the start, when a module may say by NotImplementedError that it has no right inverse."""
    for module in reversed(modules):
        with suppress(NotImplementedError):
            value = _inverted([module], value)
    return value


def _write(original: Tensor, made: Tensor) -> None:
    """Let an original have other numbers; it may come to another shape."""
    if made is not original:
        original.data, original.version = made.data.copy(), [0]


def _like(original: Tensor, part: Tensor) -> Tensor:
    """Make a part of an original what the original is: a Parameter, or a Buffer."""
    copied = part.detach().clone()
    return Parameter(copied, original.requires_grad) if isinstance(original, Parameter) else Buffer(copied)


def _check_same(name: str, before: Tensor, made: Any) -> None:
    if not isinstance(made, Tensor):
        raise TypeError(f"{name}: a parametrization makes a Tensor, but an object of type {type(made).__name__} came.")
    if made.shape != before.shape or made.dtype != before.dtype:
        raise ShapeError(f"{name}: the tensor has shape {before.shape} and holds {before.dtype}, but {made.shape} of "
                         f"{made.dtype} was made of it. With unsafe=True it may.")


_kept: dict[tuple[int, str], Tensor] | None = None  # what was computed while `cached` is on


@contextmanager
def cached() -> Iterator[None]:
    """Compute every parametrized tensor only once within the block, however often it is asked for.

    >>> import chalkgrad as cg
    >>> layer = register_parametrization(cg.nn.Linear(3, 2), "weight", cg.nn.Tanh())
    >>> layer.weight is layer.weight
    False
    >>> with cached():
    ...     layer.weight is layer.weight
    True
    """
    global _kept
    outer = _kept
    _kept = {} if outer is None else outer
    try:
        yield
    finally:
        _kept = outer


class _Parametrized(Computed):
    prefix = "Parametrized"

    def get(self, module: Module) -> Tensor:
        known: Module = module.parametrizations[self.name]
        if _kept is None:
            made: Tensor = known()
            return made
        key = id(module), self.name
        if key not in _kept:
            _kept[key] = known()
        return _kept[key]

    def set(self, module: Module, value: Tensor) -> None:
        module.parametrizations[self.name].right_inverse(value)


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Tell whether a tensor of a module is computed, or, without a name, any of them."""
    known = module.__dict__.get("parametrizations")
    if not isinstance(known, ModuleDict):
        return False
    return len(known) > 0 if tensor_name is None else tensor_name in known


def type_before_parametrizations(module: Module) -> type[Module]:
    """Return the class that a module had before any of its tensors was parametrized."""
    return kind_of(module)


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let a module compute a parameter or a buffer of another one, and return the latter.

    parametrization  takes the tensor as it was before and returns it as it is to be. If it has a `right_inverse`, that
                     is asked first what the tensor is made from; it may answer with several tensors
    unsafe           do not check that the shape and the dtype stay

    A second one is computed from what the first one made.

    Raises ValueError if there is no such tensor, ShapeError if the shape or the dtype changes.

    >>> import chalkgrad as cg
    >>> class Symmetric(cg.nn.Module):
    ...     def forward(self, x):
    ...         return (x + x.T) / 2
    >>> layer = register_parametrization(cg.nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all()), list(layer.state_dict())
    (True, ['bias', 'parametrizations.weight.original'])
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        known = module.parametrizations[tensor_name]
        if not unsafe:
            with no_grad():
                before = known()
                _check_same(parametrization._get_name(), before, parametrization(before))
        known.append(parametrization)
        known.unsafe |= unsafe
        return module
    original = plain_tensor("register_parametrization", module, tensor_name)
    made = ParametrizationList([parametrization], original, unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        module.parametrizations = ModuleDict()
    module.parametrizations[tensor_name] = made
    return let_compute(module, _Parametrized(tensor_name))


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Let a tensor be a parameter or a buffer again, and return the module.

    leave_parametrized  it keeps the numbers that are computed; otherwise it becomes its original again, if that is one

    Raises ValueError if the tensor is not parametrized, or has several originals and leave_parametrized is False.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"remove_parametrizations: `{tensor_name}` of {module._get_name()} is not parametrized.")
    known = module.parametrizations[tensor_name]
    if not known.is_tensor and not leave_parametrized:
        raise ValueError("remove_parametrizations: leave_parametrized=False needs one original, but there are several.")
    original = known.originals[0]
    if leave_parametrized:
        with no_grad():
            made = known()
        if known.is_tensor:
            _write(original, made)
        else:
            original = _like(original, made)
    del module.parametrizations[tensor_name]
    if not len(module.parametrizations):
        delattr(module, "parametrizations")
    return restore(module, tensor_name, original)
