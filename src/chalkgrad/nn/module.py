"""Module: a part of a network that owns its parameters, its buffers and the modules that it is made of."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np

from ..engine.tape import mode
from ..engine.tensor import Tensor
from .arguments import checked
from .hooks import Hook, Hooks, RemovableHandle
from .parameter import Buffer, Parameter, Uninitialized
from .state import IncompatibleKeys, load
from .tree import Tree

__all__ = ["Buffer", "Module", "Parameter"]


class Module(Tree):
    """The base of every layer and every model: make the parts in `__init__`, use them in `forward`.

    Parameters, Buffers and Modules that are assigned to an attribute are registered under its name.

    training  whether the module is being trained; Dropout and BatchNorm behave differently then

    >>> class Scale(Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = Parameter(np.ones(3))
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> Scale()
    Scale()  # 3 parameters
    >>> [name for name, parameter in Scale().named_parameters()]
    ['factor']
    """

    training: bool
    _forward_pre_hooks: Hooks
    _forward_hooks: Hooks

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__init__" in cls.__dict__ and cls.__module__.partition(".")[0] == __name__.partition(".")[0]:
            cls.__init__ = checked(cls.__init__)  # type: ignore[method-assign]  # of ours, which keep their annotations

    def __init__(self) -> None:
        super().__init__()
        self.training = True
        self._forward_pre_hooks, self._forward_hooks = Hooks(), Hooks()

    # --------------------------------------------------------------------------------------------------- calling

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every Module defines its own."""
        raise NotImplementedError(f"{self._get_name()} has no forward; define one that takes what the module is given.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if mode.tape is None and not self._forward_pre_hooks and not self._forward_hooks:
                return self.forward(*args, **kwargs)
            return self._call_with_hooks(args, kwargs)
        except AttributeError as error:
            self._tell_of_strangers(error, (*args, *kwargs.values()))
            raise

    def _tell_of_strangers(self, error: AttributeError, given: tuple[Any, ...]) -> None:
        """Raise TypeError if what lacks an attribute was handed in, and is no Tensor: a list, a number."""
        for value in given:
            if value is error.obj and not isinstance(value, Tensor):
                raise TypeError(f"{self._get_name()} was called with {value!r:.40}, of type {type(value).__name__}, "
                                "where a Tensor was expected. Try: chalkgrad.tensor(...)") from error

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        for hook in list(self._forward_pre_hooks.values()):
            args, kwargs = _replace(args, kwargs, hook(self, args, kwargs), hook.with_kwargs)
        output = self._forward_in_scope(args, kwargs)
        for hook in list(self._forward_hooks.values()):
            replaced = hook(self, args, kwargs, output)
            output = output if replaced is None else replaced
        return output

    def _forward_in_scope(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run forward; a tape, if one is running, files what is computed under the path of this module."""
        tape = mode.tape
        if tape is None:
            return self.forward(*args, **kwargs)
        outer, tape.scope = tape.scope, tape.scopes.get(id(self), tape.scope)
        try:
            return self.forward(*args, **kwargs)
        finally:
            tape.scope = outer

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before every forward; what it returns, if not None, takes the place of args.

        prepend      call it before the hooks that are there, instead of after them
        with_kwargs  call `hook(module, args, kwargs)`, which returns both or None
        """
        return self._forward_pre_hooks.add(Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after every forward; what it returns, if not None, becomes the output.

        prepend      call it before the hooks that are there, instead of after them
        with_kwargs  call `hook(module, args, kwargs, output)`
        """
        return self._forward_hooks.add(Hook(hook, with_kwargs), prepend)

    # --------------------------------------------------------------------------------------------------- changes

    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call `fn` on every module, children before their parents, and return this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Put this module and all below it into training mode, or, with False, out of it."""
        if not isinstance(mode, bool):
            raise ValueError(f"train(mode) takes True or False, but {mode!r} came.")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Self:
        """Put this module and all below it out of training mode: nothing depends on chance or on the batch."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether the parameters are learned; False freezes them."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; with set_to_none=False those that are there become zeros."""
        for parameter in self.parameters():
            if parameter.grad is not None:
                parameter.grad = None if set_to_none else parameter.grad.detach().zero_()

    def to(self, dtype: Any) -> Self:
        """Bring all floats, parameters, buffers and gradients, to float32 or float64.

        Raises TypeError for any other dtype.
        """
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise TypeError(f"A Module computes in float32 or float64, but {np.dtype(dtype)} came.")
        owned: list[Tensor] = [*self.parameters(), *self.buffers()]
        for tensor in [*owned, *(each.grad for each in owned)]:
            if tensor is not None and tensor.dtype.kind == "f" and tensor.dtype != dtype:
                lazy = isinstance(tensor, Uninitialized)  # then there is nothing but a dtype
                tensor.data, tensor.version = np.empty(0, dtype) if lazy else tensor.data.astype(dtype), [0]
        return self

    def double(self) -> Self:
        """Compute in float64."""
        return self.to(np.float64)

    def float(self) -> Self:
        """Compute in float32."""
        return self.to(np.float32)

    # ----------------------------------------------------------------------------------------------------- state

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> dict[str, Tensor]:
        """Return the parameters and persistent buffers by their paths, detached, in the memory of the module.

        prefix     what every path starts with, the dot included
        keep_vars  return the Parameters and buffers themselves
        """
        named = [
            pair
            for path, module in self.named_modules(remove_duplicate=False)
            for kind in ("parameter", "buffer")
            for pair in module._named_tensors((kind,), path, recurse=False, remove_duplicate=False)
        ]
        return {prefix + path: tensor if keep_vars else tensor.detach() for path, tensor in named}

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy values, Tensors or arrays, into the parameters and persistent buffers at their paths.

        strict  refuse a state that lacks a path, or has one that is not known
        assign  take over the memory and the dtype of the values, instead of copying them

        Raises RuntimeError, with all that does not fit, before anything is changed. Returns (missing_keys,
        unexpected_keys).
        """
        return load(self.state_dict(keep_vars=True), state_dict, strict=strict, assign=assign)

    # ------------------------------------------------------------------------------------------------------ text

    def extra_repr(self) -> str:
        """Say what stands between the parentheses of the repr: sizes and options."""
        return ""

    def __repr__(self) -> str:
        count = sum(each.data.size for each in self.parameters() if not isinstance(each, Uninitialized))
        note = f"  # {count:,} parameter{'s' * (count != 1)}" if count else ""
        children = self._child_lines()
        lines = self.extra_repr().splitlines() + children
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({''.join(lines)}){note}"
        body = textwrap.indent("\n".join(lines), "  ")
        return f"{self._get_name()}({note}\n{body}\n)"

    def _child_lines(self) -> list[str]:
        return [f"({name}): {child!r}" for name, child in self._members("module")]


def _replace(args: Any, kwargs: Any, replaced: Any, with_kwargs: bool) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what forward is given after a pre hook has returned `replaced`."""
    if replaced is None:
        return args, kwargs
    if with_kwargs:
        args, kwargs = replaced
        return args, kwargs
    return replaced if isinstance(replaced, tuple) else (replaced,), kwargs
