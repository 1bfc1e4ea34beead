"""Products of vectors and matrices by their names, all made of the one matrix product of arithmetic.py."""

from functools import cache

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import implements
from .arithmetic import matmul, matmul_2d, multiply
from .attach import attach, attach_both
from .axes import several
from .reduce import sum
from .shape import places, reshape, swapaxes, unsqueeze

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "chain_matmul", "cross", "cross_product", "dot", "ger",
    "inner", "kron", "mm", "multi_dot", "mv", "outer", "vdot", "vecdot",
]


def _want(name, *given):
    """Check the number of axes of each operand."""
    for tensor, ndim in given:
        if tensor.ndim != ndim:
            kind = {0: "a number", 1: "a vector", 2: "a matrix", 3: "a stack of matrices"}[ndim]
            raise ValueError(f"{name}: {kind} was expected, but the shape is {tensor.shape}.")


def mm(input, mat2):
    """Product of two matrices.

    >>> from chalkgrad import tensor
    >>> mm(tensor([[1.0, 2.0]]), tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    _want("mm", (input, 2), (mat2, 2))
    return matmul_2d(input, mat2)


def bmm(input, mat2):
    """Products of two stacks of matrices, the first with the first, the second with the second."""
    _want("bmm", (input, 3), (mat2, 3))
    if input.shape[0] != mat2.shape[0]:
        raise ValueError(f"bmm: stacks of {input.shape[0]} and {mat2.shape[0]} matrices came; matmul would repeat one.")
    return matmul_2d(input, mat2)


def mv(input, vec):
    """Product of a matrix and a vector."""
    _want("mv", (input, 2), (vec, 1))
    return matmul(input, vec)


def dot(input, tensor):
    """Sum of the products of the elements of two vectors.

    >>> from chalkgrad import tensor
    >>> dot(tensor([1.0, 2.0]), tensor([3.0, 4.0]))
    tensor(11.)
    """
    _want("dot", (input, 1), (tensor, 1))
    if input.dtype != tensor.dtype:
        raise TypeError(f"dot: vectors of {input.dtype} and {tensor.dtype} came; make them alike: x.to(y.dtype).")
    return matmul(input, tensor)


def vdot(input, other):
    """The same as dot, for real numbers."""
    return dot(input, other)


def vecdot(x, y, *, dim=-1):
    """Sums of products along one axis, the others being repeated as needed.

    >>> from chalkgrad import tensor
    >>> vecdot(tensor([[1.0, 2.0], [3.0, 4.0]]), tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    return sum(multiply(x, y), dim)


def inner(input, other):
    """Sums of products over the last axes of both; each with each of the others.

    >>> from chalkgrad import tensor
    >>> inner(tensor([[1.0, 2.0], [3.0, 4.0]]), tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    if not input.ndim or not other.ndim:
        return multiply(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise ValueError(f"inner: the last axes differ: {input.shape} and {other.shape}.")
    rows, columns = (reshape(each, _count(each.shape[:-1]), each.shape[-1]) for each in (input, other))
    return reshape(matmul_2d(rows, swapaxes(columns, 0, 1)), (*input.shape[:-1], *other.shape[:-1]))


def _count(shape):
    return int(np.prod(shape, dtype=np.int64))


def outer(input, vec2):
    """All products of an element of one vector and one of another.

    >>> from chalkgrad import tensor
    >>> outer(tensor([1.0, 2.0]), tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    _want("outer", (input, 1), (vec2, 1))
    return multiply(unsqueeze(input, 1), vec2)


def ger(input, vec2):
    """The same as outer."""
    return outer(input, vec2)


def _plus(input, product, beta, alpha):
    """beta · input + alpha · product; what is multiplied by 0 is not looked at, so that its nan stays out."""
    if product.dtype.kind != "f" and (alpha, beta) != (1, 1):  # whole numbers stay whole, and booleans what they are
        return _plus(input.long() * int(beta), product.long() * int(alpha), 1, 1).to(product.dtype)
    product = product if alpha == 1 else alpha * product
    return product if beta == 0 else (input if beta == 1 else beta * input) + product


def addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """beta · input + alpha · (mat1 @ mat2)

    >>> from chalkgrad import ones, tensor
    >>> addmm(tensor([1.0]), ones(1, 2), ones(2, 1), alpha=10)
    tensor([[21.]])
    """
    return _fitting("addmm", input, _plus(input, mm(mat1, mat2), beta, alpha), (mat1.shape[0], mat2.shape[1]))


def _fitting(name, input, result, shape):
    """The first summand may be repeated to the size of the product, but not the other way round."""
    if np.broadcast_shapes(input.shape, shape) != shape:
        raise ValueError(f"{name}: an input of shape {input.shape} is added to a product of shape {shape}.")
    return result


def addmv(input, mat, vec, *, beta=1, alpha=1):
    """beta · input + alpha · (mat @ vec)"""
    return _fitting("addmv", input, _plus(input, mv(mat, vec), beta, alpha), (mat.shape[0],))


def addr(input, vec1, vec2, *, beta=1, alpha=1):
    """beta · input + alpha · (vec1 ⊗ vec2)"""
    return _fitting("addr", input, _plus(input, outer(vec1, vec2), beta, alpha), (*vec1.shape, *vec2.shape))


def baddbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """beta · input + alpha · (batch1 @ batch2), for stacks of matrices."""
    shape = (*batch1.shape[:2], *batch2.shape[2:])
    return _fitting("baddbmm", input, _plus(input, bmm(batch1, batch2), beta, alpha), shape)


def addbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """beta · input + alpha · Σ over the stack of (batch1 @ batch2)"""
    shape = (*batch1.shape[1:2], *batch2.shape[2:])
    return _fitting("addbmm", input, _plus(input, sum(bmm(batch1, batch2), 0), beta, alpha), shape)


def kron(input, other):
    """Kronecker product: each element of the first, times the whole second.

    >>> from chalkgrad import eye, tensor
    >>> kron(eye(2), tensor([[1.0, 2.0]]))
    tensor([[1., 2., 0., 0.],
            [0., 0., 1., 2.]])
    """
    n = max(input.ndim, other.ndim)
    left, right = ((1,) * (n - each.ndim) + each.shape for each in (input, other))
    wide = reshape(input, [size for a in left for size in (a, 1)]) * reshape(other, [s for b in right for s in (1, b)])
    return reshape(wide, [a * b for a, b in zip(left, right)])


def multi_dot(tensors):
    """Product of several matrices, in the order that takes the fewest multiplications; the ends may be vectors.

    Source: Cormen et al., Introduction to Algorithms, "Matrix-chain multiplication".

    >>> from chalkgrad import ones
    >>> multi_dot([ones(2, 3), ones(3, 4), ones(4)])
    tensor([12., 12.])
    """
    tensors = list(tensors)
    if len(tensors) < 2:
        raise ValueError(f"multi_dot: at least two matrices are needed, but {len(tensors)} came.")
    row, column = tensors[0].ndim == 1, tensors[-1].ndim == 1
    tensors[0] = unsqueeze(tensors[0], 0) if row else tensors[0]
    tensors[-1] = unsqueeze(tensors[-1], 1) if column else tensors[-1]
    _want("multi_dot", *[(each, 2) for each in tensors])
    y = _in_best_order(tensors)
    return reshape(y, y.shape[row : 2 - column])


def _in_best_order(matrices):
    """Multiply a chain of matrices; the cheapest split of each stretch is found once."""
    sizes = [each.shape[0] for each in matrices] + [matrices[-1].shape[1]]

    @cache
    def plan(i, j):  # multiplications for the stretch from i to j, and where it is split
        if i == j:
            return 0, i
        return min((plan(i, k)[0] + plan(k + 1, j)[0] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j))

    def product(i, j):
        k = plan(i, j)[1]
        return matrices[i] if i == j else matmul_2d(product(i, k), product(k + 1, j))

    return product(0, len(matrices) - 1)


def chain_matmul(*matrices):
    """Product of several matrices, in the order that takes the fewest multiplications."""
    matrices = several(matrices)
    _want("chain_matmul", *[(each, 2) for each in matrices])
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices)


@implements(np.cross)
@primitive
def cross_product(a, b, *, axis=-1):
    """The vector that is upright on two others, as long as the area between them is large; the axis has size 3.

    a (...), b (...) -> y (...)
    """
    y = np.cross(a, b, axis=axis)
    return y


@cross_product.backward
def cross_product_backward(grad_y, a, b, axis):
    """
    1. the volume g·(a × b) stays the same when the three are turned in a circle: g·(a × b) = a·(b × g) = b·(g × a)
    2. so ∂loss/∂a = b × g, and ∂loss/∂b = g × a
    """
    grad_a = np.cross(b, grad_y, axis=axis)
    grad_b = np.cross(grad_y, a, axis=axis)
    return grad_a, grad_b


@cross_product.examples
def cross_product_examples(rng):
    """One pair; a stack, along its first axis; one against many."""
    draw = rng.standard_normal
    return [
        (draw(3), draw(3)),
        (draw((3, 2)), draw((3, 2)), {"axis": 0}),
        (draw((1, 3)), draw((4, 3)), {"axis": 1}),
    ]


def cross(input, other, dim=None):
    """Cross product along an axis of size 3: the first such axis, if none is named.

    >>> from chalkgrad import tensor
    >>> cross(tensor([1.0, 0.0, 0.0]), tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    if input.ndim != other.ndim:
        raise ValueError(f"cross: tensors of shapes {input.shape} and {other.shape} have different numbers of axes.")
    shape = np.broadcast_shapes(input.shape, other.shape)
    if dim is None:
        dim = shape.index(3) if 3 in shape else -1
    axis, = places(dim, input.ndim)
    if not shape or not input.shape[axis] == other.shape[axis] == 3:
        raise ValueError(f"cross: the axis has size 3, but the shapes are {input.shape} and {other.shape}, dim={dim}.")
    return cross_product(input, other, axis=axis)


attach_both(addbmm, addmm, addmv, addr, baddbmm)
attach(
    bmm=bmm, cross=cross, dot=dot, ger=ger, inner=inner, kron=kron, mm=mm, mv=mv, outer=outer, vdot=vdot,
)
implements(np.inner)(inner)
implements(np.kron)(kron)
implements(np.outer)(lambda a, b: outer(reshape(a, -1), reshape(b, -1)))
