"""Lazy modules: layers that learn how large their inputs are from the first one, and then are ordinary layers.

Counting the channels that reach a layer is the tedious part of writing a network. A lazy layer is made without that
number; its parameters keep their places, uninitialized, until the first call, or until a state is loaded.
"""

from __future__ import annotations

from typing import Any, ClassVar

from .module import Module
from .parameter import Uninitialized

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin(Module):
    """What makes a Module lazy: put it before the class of the ordinary one among the bases.

    cls_to_become  the class of the module from its first call on; None if it keeps its own

    A subclass makes its parameters as UninitializedParameter, and gives them their shapes in `initialize_parameters`.

    >>> import chalkgrad as cg
    >>> model = cg.nn.Sequential(cg.nn.LazyLinear(8), cg.nn.ReLU(), cg.nn.LazyLinear(2))
    >>> model(cg.ones(5, 3)).shape
    (5, 2)
    >>> model[0]
    Linear(in_features=3, out_features=8, bias=True)  # 32 parameters
    """

    cls_to_become: ClassVar[type[Module] | None] = None

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes and first values, from what the module is called with."""
        raise NotImplementedError(f"{self._get_name()} has no initialize_parameters, which settles its sizes.")

    def has_uninitialized_params(self) -> bool:
        """Tell whether any parameter or buffer of this module, not of those below, has no shape yet."""
        owned = [*self.parameters(recurse=False), *self.buffers(recurse=False)]
        return any(isinstance(tensor, Uninitialized) for tensor in owned)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.cls_to_become is not None or self.has_uninitialized_params():
            try:
                self.initialize_parameters(*args, **kwargs)
            except AttributeError as error:
                self._tell_of_strangers(error, (*args, *kwargs.values()))
                raise
        if self.has_uninitialized_params():
            raise RuntimeError(f"{self._get_name()}: parameters without a shape are left after initialize_parameters.")
        if self.cls_to_become is None:
            return super().__call__(*args, **kwargs)
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        return self(*args, **kwargs)
