"""The backward pass: visit the graph from the loss to the leaves, and hand every gradient on."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from ..law.errors import GradError, ShapeError
from ..law.shapes import repeats, unbroadcast
from .tape import enable_grad, mode, no_grad
from .tensor import Node, Port, Tensor, wrap

__all__ = ["backward", "grad"]


def backward(
    outputs: Sequence[Tensor], gradients: Sequence[Any], *, retain_graph: bool | None = None, create_graph: bool = False
) -> None:
    """Add the gradients of all leaves to their `grad`."""
    _Pass(create_graph).run(outputs, gradients, create_graph if retain_graph is None else retain_graph)


def grad(
    outputs: Tensor | Sequence[Tensor], inputs: Tensor | Sequence[Tensor], grad_outputs: Any = None,
    retain_graph: bool | None = None, create_graph: bool = False, allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of `outputs` by `inputs`, and leave every `grad` alone.

    Raises GradError if an input is not part of the graph, unless allow_unused; it then gets None.
    """
    outputs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    gradients = list(grad_outputs) if isinstance(grad_outputs, tuple | list) else [grad_outputs] * len(outputs)
    wanted = _Pass(create_graph, {tensor.node or tensor for tensor in inputs})
    wanted.run(outputs, gradients, create_graph if retain_graph is None else retain_graph)
    found = [wanted.found.get(tensor.node or tensor) for tensor in inputs]
    unused = [str(i) for i, gradient in enumerate(found) if gradient is None]
    if unused and not allow_unused:
        raise GradError(f"Input {', '.join(unused)} was not used for the outputs; allow_unused=True gives None for it.")
    return tuple(None if g is None else wanted.as_tensor(g) for g in found)


class _Pass:
    """One walk over the graph. With `create_graph` gradients are Tensors, and every rule is recorded as it runs."""

    def __init__(self, create_graph: bool, targets: set[Any] | None = None) -> None:
        self.create_graph, self.targets = create_graph, targets or set()
        self.only_targets = targets is not None
        self.gradients: dict[Any, Any] = {}  # edge (a node or a leaf) -> what has arrived so far
        self.borrowed: set[Any] = set()  # leaves whose gradient is an array that others hold too
        self.found: dict[Any, Any] = {}  # target -> its gradient

    def run(self, outputs: Sequence[Tensor], gradients: Sequence[Any], retain_graph: bool) -> None:
        for output, gradient in zip(outputs, gradients, strict=True):
            if not output.requires_grad:
                raise GradError("This tensor was made without a graph: no input requires a gradient, or under no_grad.")
            edge, seed = output.node or output, self.seed(output, gradient)
            self.gradients[edge] = self.gradients[edge] + seed if edge in self.gradients else seed
            self.borrowed.add(edge)
        with enable_grad() if self.create_graph else no_grad():
            for node in self.order():
                self.visit(node, retain_graph)
            self.finish()

    def seed(self, output: Tensor, gradient: Any) -> Any:
        """The derivative of the loss by the output: 1 where the output is the loss."""
        if gradient is None:
            if output.data.size != 1:
                raise GradError(f"A loss is one number, but this has shape {output.shape}; give backward(gradient=).")
            gradient = np.ones_like(output.data)
            if mode.tape is not None:
                mode.tape.record("engine", np.ones_like, {"loss": output.data}, {"grad": gradient}, output.node)
        array = gradient.data if isinstance(gradient, Tensor) else np.asarray(gradient, output.dtype)
        if array.shape != output.shape:
            raise GradError(f"The gradient has shape {array.shape}, but the tensor {output.shape}; they must be equal.")
        tensor = gradient if isinstance(gradient, Tensor) else wrap(array, None)
        return tensor if self.create_graph else array

    def order(self) -> list[Node]:
        """List the nodes behind the outputs, latest first: a node's number is above those of all it depends on.

        A loop and a list, not recursion: graphs are deeper than Python's stack.
        """
        stack = [edge for edge in self.gradients if isinstance(edge, Node)]
        seen = set(stack)
        while stack:
            for edge in stack.pop().edges:
                if isinstance(edge, Node) and edge not in seen:
                    seen.add(edge)
                    stack.append(edge)
        nodes = sorted(seen, key=attrgetter("number"))
        if self.only_targets:
            leading: set[Any] = set()
            for node in nodes:
                if any(edge in self.targets or edge in leading for edge in node.edges):
                    leading.add(node)
            nodes = [node for node in nodes if node in leading]
        return nodes[::-1]

    def visit(self, node: Node, retain_graph: bool) -> None:
        """Run the backward rule of one node, and bring each part of the result to the value that it belongs to."""
        gradients, gradient = self.gradients, self.gradients.pop(node, None)
        if gradient is None:
            return  # nothing arrived: the loss does not depend on this output
        if node.hooks is not None or node.retain is not None or node in self.targets:
            gradient = self.attend(node, gradient)
        if type(node) is Port:
            gradients.setdefault(node.edges[0], [None] * node.count)[node.place] = gradient
            return
        for edge, part in zip(node.edges, self.pull(node, gradient)):
            if part.shape != edge.shape or part.dtype is not edge.dtype:
                part = self.fit(node, edge, part)
            known = gradients.get(edge)
            if known is not None:
                part = self.note(edge, _add, {"grad": known, "other": part})
                self.borrowed.discard(edge)
            elif type(edge) is not Node and not _is_new(part, gradient, node.saved):
                self.borrowed.add(edge)
            gradients[edge] = part
        if not retain_graph:
            node.saved, node.watched = None, ()

    def pull(self, node: Node, gradient: Any) -> tuple[Any, ...]:
        """Check that what was remembered is as it was, and run the rule on it."""
        variant, saved = node.variant, node.saved
        if saved is None:
            raise GradError(f"{variant.name}: what it remembered was freed by an earlier backward; "
                            "call that one with retain_graph=True.")
        for name, version, then in node.watched:
            if version[0] != then:
                raise GradError(f"{variant.name}: `{name}` was changed in place after it was remembered: it was at "
                                f"version {then} and is at {version[0]}. Change a copy: x.clone().")
        arriving = [gradient] if type(gradient) is not list else [
            self.zeros(node, i) if part is None else part for i, part in enumerate(gradient)]
        try:
            if self.create_graph:
                mode.deriving = True
                saved = self.rebuild(node)
            parts = variant.pull(*arriving, *saved)
        except Exception as error:
            error.add_note(f"This happened in the backward of {variant.name}.")
            raise
        finally:
            if self.create_graph:
                mode.deriving = False
        if mode.tape is not None:
            given = dict(zip(variant.backward.parameters, (*arriving, *saved), strict=True))
            made = dict(zip(variant.backward.returns, parts, strict=True))
            mode.tape.record("backward", variant.backward, given, made, node, node.edges)
        return parts  # type: ignore[no-any-return]

    def zeros(self, node: Node, place: int) -> Any:
        """The gradient of an output that the loss does not depend on."""
        shape, dtype = node.shape[place]
        return self.note(Port(node, place, len(node.shape), shape, dtype), np.zeros, {"shape": shape, "dtype": dtype})

    def rebuild(self, node: Node) -> list[Any]:
        """Give what a node remembered its history back, as Tensors: inputs, outputs, and locals made from them."""
        variant = node.variant
        rule, values = variant.rule, dict(zip(variant.remember, node.saved, strict=True))
        for name, edge in zip(variant.inputs, node.edges, strict=True):
            if name in values:
                values[name] = edge if isinstance(edge, Tensor) else wrap(np.asarray(values[name]), edge)
        if len(rule.returns) == 1 and rule.returns[0] in values and rule.returns[0] not in rule.inputs:
            values[rule.returns[0]] = wrap(np.asarray(values[rule.returns[0]]), node)
        if variant.rebuild:
            made = variant.locals.function(*(values[name] for name in variant.locals.parameters))
            values |= dict(zip(variant.rebuild, made, strict=True))
        return list(values.values())

    def fit(self, node: Node, edge: Any, part: Any) -> Any:
        """Bring a gradient to the shape and the dtype of the value that it belongs to."""
        if part.shape != edge.shape:
            if not repeats(edge.shape, part.shape):
                raise ShapeError(f"The backward of {node.variant.name} returned a gradient of shape {part.shape} for "
                                 f"an input of shape {edge.shape}.")
            part = self.note(edge, unbroadcast, {"grad": part, "shape": edge.shape})
        return part if part.dtype == edge.dtype else self.note(edge, _astype, {"grad": part, "dtype": edge.dtype})

    def attend(self, node: Node, gradient: Any) -> Any:
        """Serve those who wait for the gradient of an inner value: hooks, retain_grad, targets."""
        gradient = self.call_hooks(node, gradient)
        tensor = node.retain() if node.retain is not None else None
        if tensor is not None:
            self.accumulate(tensor, gradient, owned=False)
        if node in self.targets:
            self.found[node] = gradient
        return gradient

    def finish(self) -> None:
        """Give the leaves and the targets what arrived, now that it is complete; a leaf owns its gradient."""
        given = set()
        for edge, gradient in self.gradients.items():
            if edge in self.targets or not (self.only_targets or isinstance(edge, Node)):
                if edge.hooks:
                    gradient = self.call_hooks(edge, gradient)
                owned = edge not in self.borrowed and id(gradient) not in given and not isinstance(gradient, np.generic)
                given.add(id(gradient))
                if edge in self.targets:
                    self.found[edge] = gradient if owned else self.note(edge, np.copy, {"a": gradient})
                else:
                    self.accumulate(edge, gradient, owned)

    def accumulate(self, leaf: Tensor, gradient: Any, owned: bool) -> None:
        if leaf.grad is not None and not self.create_graph:
            leaf.grad.data = self.note(leaf, _add, {"grad": leaf.grad.data, "other": gradient})
        elif leaf.grad is not None:
            leaf.grad = leaf.grad + gradient
        else:
            leaf.grad = self.as_tensor(gradient if owned else self.note(leaf, np.copy, {"a": gradient}))

    def call_hooks(self, owner: Any, gradient: Any) -> Any:
        for hook in [*(owner.hooks or {}).values()]:
            replaced = hook(self.as_tensor(gradient))
            if replaced is not None:
                if replaced.shape != gradient.shape:
                    raise GradError(f"A hook returned a gradient of shape {replaced.shape}, not {gradient.shape}.")
                gradient = replaced if self.create_graph else replaced.data
        return gradient

    def note(self, edge: Any, function: Any, given: dict[str, Any]) -> Any:
        """Compute part of the gradient of an edge, and tell the tape."""
        result = function(*given.values())
        if isinstance(result, np.generic):
            result = np.asarray(result)
        if mode.tape is not None:
            mode.tape.record("engine", function, given, {"grad": result}, edge)
        return result

    def as_tensor(self, gradient: Any) -> Tensor:
        return gradient if isinstance(gradient, Tensor) else wrap(np.asarray(gradient), None)


def _is_new(part: Any, arrived: Any, saved: Any) -> bool:
    """Tell whether a rule made an array of its own, and did not hand on what arrived, or what was remembered."""
    array = part.data if isinstance(part, Tensor) else part
    return part is not arrived and array.base is None and all(part is not value for value in saved)


def _add(grad: Any, other: Any) -> Any:
    """What reaches the loss by two ways has the sum of both derivatives."""
    return grad + other


def _astype(grad: Any, dtype: Any) -> Any:
    return grad.astype(dtype)
