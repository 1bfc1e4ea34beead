"""checkpoint: forget what a part of a model remembers for its backward, and compute it again when it is needed.

A deep network remembers something for every operation, and that is most of the memory it takes. With a checkpoint at
every √n-th of n layers, √n of them are remembered at a time, for the price of a second forward (Chen et al. 2016).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..engine.tape import enable_grad, mode
from ..engine.tensor import Node, Port, Tensor
from ..seeding import default_generator

__all__ = ["checkpoint", "checkpoint_sequential"]


class _Forgetful(Node):
    """A node that has forgotten what it remembered, and knows whom to ask."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        return value.recall(self) if isinstance(value, _Segment) else value


class _Segment:
    """A part of a model that can be run again: the function, its arguments, and the random state it started with."""

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any, preserve_rng_state: bool) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self.state = default_generator().bit_generator.state if preserve_rng_state else None
        self.nodes: list[Node] = []

    def run(self) -> Any:
        """Run the function, and take what was remembered away from the nodes that it made."""
        first = _number()
        made = self.function(*self.args, **self.kwargs)
        self.nodes = _since(first, _tensors(made)) if mode.grad_enabled else []
        for node in self.nodes:
            node.__class__ = _Forgetful
            node.saved, node.watched = self, ()
        return made

    def recall(self, node: Node) -> Any:
        """Run the function again. It makes a graph like the first, whose nodes remember what these have forgotten."""
        twins = self.nodes_of_another_run()
        if [twin.variant for twin in twins] != [each.variant for each in self.nodes]:
            raise RuntimeError(f"checkpoint: the function did other operations when it ran again for the backward: "
                               f"{len(twins)} now, {len(self.nodes)} before. It may depend only on its arguments, on "
                               "parameters, and on the random numbers of chalkgrad.")
        for each, twin in zip(self.nodes, twins, strict=True):
            each.saved, each.watched = twin.saved, twin.watched
        return node.saved

    def nodes_of_another_run(self) -> list[Node]:
        """Run with the random numbers of the first time, and leave the generator as it is."""
        generator, first = default_generator(), _number()
        after = generator.bit_generator.state
        try:
            generator.bit_generator.state = self.state or after
            with enable_grad():
                return _since(first, _tensors(self.function(*self.args, **self.kwargs)))
        finally:
            generator.bit_generator.state = after


def _number() -> int:
    """Draw a node's number: those that are made from here on have larger ones."""
    return Node(None, (), None, None, None).number


def _since(first: int, outputs: list[Tensor]) -> list[Node]:
    """List the nodes behind outputs that were made since, in the order in which they were."""
    stack = [y.node for y in outputs if y.node is not None and y.node.number > first]
    seen = set(stack)
    while stack:
        for edge in stack.pop().edges:
            if isinstance(edge, Node) and edge.number > first and edge not in seen:
                seen.add(edge)
                stack.append(edge)
    return sorted((node for node in seen if type(node) is not Port), key=lambda node: node.number)


def _tensors(value: Any) -> list[Tensor]:
    """List the Tensors in what a function takes or returns."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for each in value for tensor in _tensors(each)] if isinstance(value, tuple | list) else []


def checkpoint(
    function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None, preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Return function(*args, **kwargs), which remembers nothing for the backward, and runs again when that comes to it.

    use_reentrant       False or None; PyTorch's older way, True, is refused
    preserve_rng_state  draw the same random numbers again; False is for functions that draw none, and saves a little

    Raises RuntimeError in the backward if the function then does something else.

    >>> from chalkgrad import tensor
    >>> x = tensor([1.0, 2.0], requires_grad=True)
    >>> checkpoint(lambda x: x.exp().sin(), x).sum().backward()
    >>> x.grad
    tensor([-2.4784,  3.3129])
    """
    if use_reentrant:
        raise ValueError("checkpoint: use_reentrant=True is not supported; leave it out, or say False.")
    return _Segment(function, args, kwargs, preserve_rng_state).run()


def checkpoint_sequential(
    functions: Sequence[Callable[..., Any]], segments: int, input: Any, use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
) -> Any:
    """Run a Sequential, or a list of modules, in so many segments, of which each but the last is a checkpoint.

    >>> import chalkgrad as cg
    >>> layers = [cg.nn.Linear(2, 2), cg.nn.Tanh(), cg.nn.Linear(2, 1)]
    >>> checkpoint_sequential(layers, 2, cg.ones(4, 2)).shape
    (4, 1)
    """
    chain = list(functions)
    if not isinstance(segments, int) or not 1 <= segments <= len(chain):
        raise ValueError(f"checkpoint_sequential: segments is a whole number from 1 to {len(chain)}, one for each of "
                         f"the "
                         f"functions at most, but {segments!r} came.")
    each = len(chain) // segments

    def run(part: list[Callable[..., Any]]) -> Callable[[Any], Any]:
        def through(x: Any) -> Any:
            for function in part:
                x = function(x)
            return x

        return through

    for i in range(segments - 1):
        input = checkpoint(run(chain[i * each : (i + 1) * each]), input, use_reentrant=use_reentrant,
                           preserve_rng_state=preserve_rng_state)
    return run(chain[(segments - 1) * each :])(input)
