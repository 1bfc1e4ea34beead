"""A differentiable operation: two plain functions and the law of names.

The backward asks by parameter name for what it needs: `grad_<output>`, an output, an input, an option, or any local of
the forward. Exactly that is remembered between the passes, so its signature is the save list. It returns
`grad_<input>` names; an input without one is not differentiable.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from ..law.arguments import bind
from ..law.errors import GradError, StandsForMany
from ..law.rule import Rule
from ..law.shapes import explain
from ..law.variant import Variant
from .tape import SWITCHED, TAPES, mode
from .tensor import Node, Port, Tensor, wrap

__all__ = ["PRIMITIVES", "Primitive", "primitive"]

PRIMITIVES: list[Primitive] = []
FLOAT16, FLOAT64 = np.dtype(np.float16), np.dtype(np.float64)


class _Variants(dict[int, Variant]):
    """The variants of a primitive by the inputs that want a gradient, as the bits of a number; planned when needed."""

    def __init__(self, primitive: Primitive) -> None:
        self.primitive = primitive

    def __missing__(self, wanted: int) -> Variant:
        inputs = [name for i, name in enumerate(self.primitive.rule.inputs) if wanted >> i & 1]
        self[wanted] = Variant(self.primitive.rule, self.primitive.backward_rule, inputs)
        return self[wanted]


class Primitive:
    """A rule that takes Tensors and records the graph; made by the decorator `@primitive`.

    Given plain arrays alone it is the plain function. Options may be given by position after the arrays, and by
    PyTorch's names (`dim`, `keepdim`) as well as NumPy's.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function, self.rule = function, Rule(function)
        self.name = self.rule.name
        self.backward_rule: Rule | None = None
        self.make_examples: Callable[[np.random.Generator], list[tuple[Any, ...]]] | None = None
        self.variants = _Variants(self)
        self.apply = _apply(self)
        PRIMITIVES.append(self)

    @property
    def grad_outputs(self) -> list[str]:
        """What a backward calls the gradients that arrive."""
        return [f"grad_{name}" for name in self.rule.returns]

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        return self.apply(*inputs, **options)

    def bind(self, inputs: tuple[Any, ...], options: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Sort the arguments of a call that has options, or leaves inputs out."""
        return bind(self.rule, inputs, options, _plain)

    def __repr__(self) -> str:
        return f"<primitive {self.name}({', '.join(self.rule.parameters)}) -> {', '.join(self.rule.returns)}>"

    def __reduce__(self) -> str:
        return self.function.__qualname__  # copied and pickled as functions are: by name, since there is one of each

    def backward(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Declare the derivative, by a rule whose parameters and results follow the law of names."""
        self.backward_rule = Rule(function, forward=self.rule)
        self.variants.clear()
        return function

    def examples(self, function: Callable[[np.random.Generator], list[tuple[Any, ...]]]) -> Callable[..., Any]:
        """Declare examples: a function of a generator that lists tuples of inputs, options in a dict at the end."""
        self.make_examples = function
        return function


def _plain(option: Any, whose: str) -> Any:
    """Take the array out of a Tensor, and make lists tuples: what rules take as options, as in `x[index]`."""
    if isinstance(option, Tensor):
        if option.requires_grad and mode.grad_enabled:
            raise GradError(f"{whose} is an option, which has no derivative, but requires one. Detach it: x.detach().")
        return option.data
    return tuple(_plain(o, whose) for o in option) if isinstance(option, tuple | list) else option


# Every operation goes through this function, so it is unrolled over the inputs: {x} stands for each, and {bit} for its
# place in `wanted`. A generic loop over the inputs costs a quarter of the time of a small addition.
APPLY = """
def apply(*inputs, **options):
    wanted, edges = 0, []
    try:
        if options or len(inputs) != {arity}:
            inputs, options = bind(inputs, options)
        {names}, = inputs
        {take}
    except StandsForMany as many:  # nothing is paid for a `try` that nothing is raised in
        return many.tensor.lift(apply, primitive, inputs, options)
    if not wanted:
        if not any([isinstance(value, Tensor) for value in inputs]):
            return plain(*inputs, **options)
    elif SWITCHED and not mode.grad_enabled:
        wanted, edges = 0, None
    variant = variants[wanted]
    try:
        y, saved = variant.run({names}, **options)
    except Exception as error:
        raise explain(primitive, ({names},), error) from error
    wide = y
    if type(y) is not ndarray or (dtype := y.dtype) is FLOAT64 or dtype is FLOAT16:
        if type(y) is tuple:
            return wrap_many(apply, variant, inputs, ({names},), edges, y, saved, options)
        wide = asarray(y)
        if wide.dtype is FLOAT16:  # what NumPy makes of booleans and bytes
            return apply(*map(in_float32, inputs), **options)
        y = keep_float32(wide, ({names},), options)
    out = wrap(y, Node(variant, edges, saved, y.shape, y.dtype) if wanted else None)
    if y.base is not None or {same}:
        share_version(out, inputs, apply, options)
    if wanted and variant.watches:
        out.node.watch(inputs, out)
    if TAPES:
        record(out.node, variant, ({names},), options, (wide,), (y,), saved)
    return out
"""
TAKE = """
        if isinstance({x}, Tensor):
            if {x}.requires_grad:
                wanted += {bit}
                edges.append({x}.node or {x})
            {x} = {x}.data
        elif isinstance({x}, generic):
            {x} = {x}.item()  # a NumPy scalar would drag float32 arrays along to float64; a Python number does not
"""


@functools.cache
def _unrolled(arity: int) -> Any:
    """Unroll the template for a number of inputs."""
    names = [f"x{i}" for i in range(arity)]
    take = "".join(TAKE.format(x=name, bit=1 << i) for i, name in enumerate(names)).strip()
    same = " or ".join(f"y is {name}" for name in names)
    text = APPLY.format(arity=arity, names=", ".join(names), take=take, same=same)
    return compile(text, f"<apply to {arity}>", "exec")


def _apply(primitive: Primitive) -> Callable[..., Any]:
    """Make the function that runs a primitive on Tensors."""
    known = {
        "in_float32": lambda x: x.to(np.float32) if isinstance(x, Tensor) and x.dtype.itemsize == 1 else x,
        "bind": lambda inputs, options: primitive.bind(inputs, options), "primitive": primitive,
        "plain": primitive.function, "variants": primitive.variants, "explain": explain, "wrap_many": _wrap_many,
        "keep_float32": _keep_float32, "share_version": _share_version, "record": _record, "ndarray": np.ndarray,
        "generic": np.generic, "asarray": np.asarray, "FLOAT16": FLOAT16, "FLOAT64": FLOAT64,
        "StandsForMany": StandsForMany, "Tensor": Tensor, "Node": Node, "wrap": wrap, "mode": mode, "TAPES": TAPES,
        "SWITCHED": SWITCHED,
    }
    exec(_unrolled(len(primitive.rule.inputs)), known)
    return cast("Callable[..., Any]", known["apply"])


def _wrap_many(
    apply: Callable[..., Any], variant: Variant, inputs: Sequence[Any], arrays: Sequence[Any], edges: list[Any],
    ys: tuple[Any, ...], saved: tuple[Any, ...], options: dict[str, Any],
) -> tuple[Tensor, ...]:
    """Wrap several outputs; the gradient of each arrives at a Port of the one node."""
    wide = tuple(np.asarray(y) for y in ys)
    ys = tuple(_keep_float32(y, arrays, options) for y in wide)
    named = dict(zip(variant.grad_outputs, ys, strict=True))
    asked = {name: named[name] for name in variant.arriving} if edges else {}
    node = Node(variant, edges, saved, [(y.shape, y.dtype) for y in asked.values()], None) if edges else None
    ports = {name: Port(node, i, len(asked), y.shape, y.dtype) for i, (name, y) in enumerate(asked.items()) if node}
    outs = [wrap(y, ports.get(name)) for name, y in named.items()]
    for place, out in enumerate(outs):
        _share_version(out, inputs, lambda *given, i=place, **options: apply(*given, **options)[i], options)
    if node is not None:
        node.watch(inputs, *outs)
    if TAPES:
        _record(node, variant, arrays, options, wide, ys, saved)
    return tuple(outs)


def _as_float32(y: Any) -> Any:
    return y.astype(np.float32)


def _keep_float32(y: Any, arrays: Sequence[Any], options: dict[str, Any]) -> Any:
    """A float64 result needs a float64 input, or to be asked for; integers meet float32 as they do in PyTorch."""
    wide = any(hasattr(array, "dtype") and array.dtype == FLOAT64 for array in arrays)
    if wide or y.dtype is not FLOAT64 or options.get("dtype") is not None:
        return y
    return _as_float32(y)


def _share_version(out: Tensor, inputs: Sequence[Any], apply: Callable[..., Any], options: dict[str, Any]) -> None:
    """A view counts its changes together with the tensor whose memory it shares, and is known to it."""
    for place, value in enumerate(inputs):
        if isinstance(value, Tensor) and _shares(out.data, value.data):
            others = [None if i == place else other for i, other in enumerate(inputs)]

            def again(base: Tensor, place: int = place, others: list[Any] = others) -> Any:
                return apply(*others[:place], base, *others[place + 1 :], **options)

            out.version, out.view_of = value.version, (value, options.get("index"), again)
            views = value.views = [] if value.views is None else value.views
            views.append(weakref.ref(out))
            if len(views) & (len(views) - 1) == 0:  # now and then, forget those that are gone
                views[:] = [view for view in views if view() is not None]


def _shares(out: Any, array: Any) -> bool:
    """Tell whether one array is the other, or a view of it, or both are views of a third."""
    return out is array or (out.base is not None and (out.base is array or out.base is array.base))


def _record(
    node: Node | None, variant: Variant, arrays: Sequence[Any], options: dict[str, Any], wide: tuple[Any, ...],
    ys: tuple[Any, ...], saved: Any,
) -> None:
    if mode.tape is None:
        return
    rule = variant.rule
    given = dict(zip(rule.inputs, arrays, strict=True)) | (rule.function.__kwdefaults__ or {}) | options
    made = dict(zip(variant.remember, saved, strict=True)) | dict(zip(rule.returns, wide, strict=True))
    mode.tape.record("forward", variant.forward, given, made, node)
    for before, y in zip(wide, ys, strict=True):
        if before is not y:
            mode.tape.record("engine", _as_float32, {"y": before}, {"y": y})


def primitive(function: Callable[..., Any]) -> Primitive:
    """Declare a differentiable operation from its forward; `.backward` and `.examples` complete it."""
    return Primitive(function)
