"""Tensor: an array that remembers how it was made, so that derivatives can flow back through it."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..law.errors import GradError, nearest
from .tape import mode

if TYPE_CHECKING:
    from ..ops.typed import Operations
else:
    Operations = object  # they are attached by chalkgrad.ops

__all__ = ["NUMPY", "Node", "Port", "RemovableHandle", "Tensor", "implements", "wrap"]

NUMPY: dict[Callable[..., Any], Callable[..., Any]] = {}  # NumPy's function -> ours; filled by chalkgrad.ops
F = TypeVar("F", bound=Callable[..., Any])
_numbers = itertools.count()


class Node:
    """One operation that ran: what its backward needs, and the edges that the gradients of its inputs leave by.

    An edge is a Node, or a leaf Tensor. `number` grows with time, so a node's number is above those it depends on.
    """

    __slots__ = ("dtype", "edges", "hooks", "number", "retain", "saved", "shape", "variant", "watched")

    def __init__(self, variant: Any, edges: Sequence[Any], saved: Any, shape: Any, dtype: Any) -> None:
        self.variant, self.edges, self.saved, self.shape, self.dtype = variant, edges, saved, shape, dtype
        self.number = next(_numbers)
        self.watched: Any = ()
        self.hooks: Any = None
        self.retain: Any = None

    def watch(self, inputs: Sequence[Any], *outs: Tensor) -> None:
        """Note the version of every remembered value that its owner could still change in place."""
        self.watched = watched = []
        for name, place in self.variant.watched:
            value = inputs[place]
            if isinstance(value, Tensor):
                watched.append((name, value.version, value.version[0]))
        for name, place in self.variant.watched_outputs:
            watched.append((name, outs[place].version, outs[place].version[0]))

    def __repr__(self) -> str:
        return f"<{self.variant.name if self.variant else 'output'} #{self.number}>"


class Port(Node):
    """One output of a node that has several: it hands its gradient on to its place among theirs."""

    __slots__ = ("count", "place")

    def __init__(self, node: Node, place: int, count: int, shape: Any, dtype: Any) -> None:
        super().__init__(None, [node], (), shape, dtype)
        self.place, self.count = place, count


class RemovableHandle:
    """What registering a hook returns: `remove()` takes the hook away again."""

    def __init__(self, hooks: dict[Any, Any]) -> None:
        self.hooks = hooks

    def remove(self) -> None:
        """Take the hook away; a second time changes nothing."""
        self.hooks.pop(self, None)


class Tensor(Operations):
    """An n-dimensional array with a gradient.

    data           the NumPy array; changes made through it are not seen by the graph
    grad           the gradient that `backward` left, a Tensor of the same shape, or None
    requires_grad  whether operations on it are recorded
    """

    __slots__ = ("__weakref__", "data", "grad", "hooks", "node", "requires_grad", "version", "view_of", "views")
    __hash__ = object.__hash__
    data: Any
    grad: Tensor | None
    node: Node | None
    hooks: dict[RemovableHandle, Callable[[Tensor], Tensor | None]] | None
    view_of: tuple[Tensor, Any, Any] | None  # what this is a view of, the index into it if it is one, and its maker
    views: list[weakref.ref[Tensor]] | None  # the views of this
    version: list[int]  # how often the memory was changed in place: one count for all that share it

    def __init__(self, data: Any, requires_grad: bool = False, *, dtype: Any = None) -> None:
        if isinstance(data, Tensor):
            data = data.data.copy()
        array = np.array(data, dtype=dtype)
        if dtype is None and array.dtype == np.float64 and not isinstance(data, np.ndarray | np.generic):
            array = array.astype(np.float32)  # numbers written in Python are float32, as in PyTorch
        if array.dtype.kind not in "fiub":
            raise TypeError(f"A Tensor holds floats, integers or booleans, but {array.dtype} came: {data!r:.60}.")
        self.data, self.version, self.requires_grad = array, [0], False
        self.node = self.grad = self.hooks = self.view_of = self.views = None
        self.requires_grad_(requires_grad)

    shape = property(attrgetter("data.shape"))
    dtype = property(attrgetter("data.dtype"))
    ndim = property(attrgetter("data.ndim"))
    grad_fn = property(lambda self: self.node)
    is_leaf = property(lambda self: self.node is None)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set whether operations on this leaf are recorded."""
        if requires_grad and self.data.dtype.kind != "f":
            raise TypeError(f"Only floats have gradients, but this tensor is {self.data.dtype}; make it x.float().")
        if self.node is not None and not requires_grad:
            raise GradError("Only a leaf can stop requiring a gradient; use x.detach() for a copy that does not.")
        self.requires_grad = requires_grad
        return self

    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        """Add the derivative of this tensor by every leaf it was made from to the leaf's `grad`.

        gradient      the derivative of the loss by this tensor; may be left out for a single number, where it is 1
        retain_graph  keep what is remembered, for another backward; as `create_graph` if not given
        create_graph  record the backward pass itself, so that it can be differentiated again
        """
        from .backward import backward  # it is built on Tensor, so it cannot be imported above

        backward([self], [gradient], retain_graph=retain_graph, create_graph=create_graph)

    def detach(self) -> Tensor:
        """Return the same memory without its history."""
        out = wrap(self.data, None)
        out.version = self.version
        return out

    def retain_grad(self) -> None:
        """Keep the gradient of this tensor, though it is no leaf."""
        if self.node is not None:
            self.node.retain = weakref.ref(self)  # weak: the tensor owns the node

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call `hook(grad)` when this tensor's gradient is known; what it returns takes the gradient's place."""
        if not self.requires_grad:
            raise GradError("This tensor requires no gradient, so its hook would never be called.")
        owner = self.node or self
        owner.hooks = {} if owner.hooks is None else owner.hooks
        handle = RemovableHandle(owner.hooks)
        owner.hooks[handle] = hook
        return handle

    def become(self, result: Tensor) -> Tensor:
        """Take over the values and the history of `result`: what every in-place operation ends with."""
        if mode.grad_enabled and (self.requires_grad or result.requires_grad):
            if self.requires_grad and self.node is None:
                raise GradError("A leaf that requires a gradient was changed in place; do it under no_grad().")
            if self.view_of is not None:
                return self._become_through_base(result)
        before = self.data.copy() if mode.tape is not None else None
        np.copyto(self.data, result.data, casting="same_kind")
        self.version[0] += 1
        if mode.tape is not None:
            mode.tape.record("write", np.copyto, {"array": self.data, "source": result.data}, {"array": before})
        if mode.grad_enabled:
            if self.node is not None and result.node is not None:  # who waits for a gradient waits for the new value's
                result.node.retain, self.node.retain = self.node.retain, None
            self.node, self.requires_grad = result.node, result.requires_grad
            self._refresh_views()
        return self

    def _become_through_base(self, result: Tensor) -> Tensor:
        """Change the part of the base that this view shows; that refreshes the view."""
        assert self.view_of is not None
        base, index, _ = self.view_of
        if index is None:
            raise GradError("This view was changed in place while recording; change the tensor that it is a view of.")
        base[index] = result
        return self

    def _refresh_views(self) -> None:
        """Give the views of changed memory the history of what they now show."""
        for reference in self.views or ():
            view = reference()
            if view is not None and view.view_of is not None:
                again = view.view_of[2](self)
                view.node, view.requires_grad = again.node, again.requires_grad
                view._refresh_views()

    def snapshot(self) -> Tensor:
        """Copy the values, keep the history: the operand of an in-place operation, whose values it may remember."""
        out = wrap(self.data.copy(), self.node)
        out.requires_grad = self.requires_grad
        if mode.tape is not None:
            mode.tape.record("engine", np.copy, {"a": self.data}, {"y": out.data})
        return out

    def __repr__(self) -> str:
        text = np.array2string(self.data, separator=", ", precision=4, prefix="tensor(")
        kind = "" if self.data.dtype in (np.float32, np.int64, np.bool_) else f", dtype={self.data.dtype}"
        made = f", grad_fn={self.node!r}" if self.node else ", requires_grad=True" if self.requires_grad else ""
        return f"tensor({text}{kind}{made})"

    def __reduce__(self) -> Any:
        if self.node is not None:
            raise GradError("Only leaves can be copied or pickled; detach this tensor first.")
        return _restore, (type(self), self.data, self.requires_grad, self.grad)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        known = NUMPY.get(ufunc if method == "__call__" else getattr(ufunc, method))
        if known is None or options.get("out") is not None:
            raise _unknown(ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}", options)
        return known(*inputs, **options)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        if function not in NUMPY or options.get("out") is not None:
            raise _unknown(function.__name__, options)
        return NUMPY[function](*inputs, **options)


def _unknown(name: str, options: dict[str, Any]) -> TypeError:
    if options.get("out") is not None:
        return TypeError(f"np.{name}(..., out=) would overwrite what a backward may need; assign the result instead.")
    names = sorted({f.__name__ for f in NUMPY})
    return TypeError(f"np.{name} is not known on Tensors; use x.detach().numpy(). {nearest(name, names)}")


def _restore(kind: type[Tensor], data: Any, requires_grad: bool, grad: Tensor | None) -> Tensor:
    tensor = wrap(data, None)
    tensor.__class__ = kind
    tensor.requires_grad, tensor.grad = requires_grad, grad
    return tensor


def wrap(data: Any, node: Node | None) -> Tensor:
    """Make a Tensor of an array as it is, without the checks of Tensor(...): the engine's own, and fast, way."""
    tensor = Tensor.__new__(Tensor)
    tensor.data, tensor.node, tensor.requires_grad = data, node, node is not None
    tensor.grad = tensor.hooks = tensor.view_of = tensor.views = None
    tensor.version = [0]
    return tensor


def implements(*functions: Callable[..., Any]) -> Callable[[F], F]:
    """Let NumPy's `functions` mean the decorated one when they meet a Tensor."""

    def register(ours: F) -> F:
        NUMPY.update(dict.fromkeys(functions, ours))
        return ours

    return register
