"""Einstein's summation: an index that is not in the result is summed over.

"ij,jk->ik" is the product of two matrices, "ii" a trace, "bij,bjk->bik" a stack of products. Whatever the formula, it
comes down to steps for two operands at a time, and each of those to one matrix product: the indices that both have and
that stay are the stack, those that both have and that go are summed over, and the others are rows and columns.

Source: Einstein 1916, "Die Grundlage der allgemeinen Relativitätstheorie", section 5.
"""

import itertools
import math
import string
from typing import Any

import numpy as np

from ..engine.primitive import primitive
from ..engine.tensor import Tensor, implements
from .axes import several
from .diagonal import diagonal
from .reduce import sum
from .shape import permuted, reshape

__all__ = ["contract", "einsum", "paired", "tensordot", "turned"]


def turned(formula, place):
    """The formula for the gradient of an operand: the result and the other operand, contracted to its indices.

    >>> turned("ij,jk->ik", 0), turned("ij,jk->ik", 1)
    ('ik,jk->ij', 'ij,ik->jk')
    """
    left, right, out = formula.replace("->", ",").split(",")
    return f"{out},{right}->{left}" if place == 0 else f"{left},{out}->{right}"


def paired(a, b, formula):
    """Contract two arrays by a formula in which every index is in two of the three places, by one matrix product.

    >>> paired(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), "ij,kj->ki")
    array([[11.]])
    """
    left, right, out = formula.replace("->", ",").split(",")
    size = dict(zip(left + right, a.shape + b.shape))
    stack = [i for i in left if i in right and i in out]
    summed = [i for i in left if i in right and i not in out]
    rows = [i for i in left if i not in right]
    columns = [i for i in right if i not in left]
    x = np.transpose(a, [left.index(i) for i in stack + rows + summed])
    y = np.transpose(b, [right.index(i) for i in stack + summed + columns])
    stack_shape = [size[i] for i in stack]
    n, k, m = [math.prod([size[i] for i in indices]) for indices in (rows, summed, columns)]
    x, y = x.reshape([*stack_shape, n, k]), y.reshape([*stack_shape, k, m])
    z = x @ y if summed else x * y  # where nothing is summed over, k is 1, and the product of both is repeated
    z = z.reshape([size[i] for i in stack + rows + columns])
    return np.transpose(z, [(stack + rows + columns).index(i) for i in out])


@primitive
def contract(a, b, *, formula):
    """Sum the products of two arrays over the indices that are not in the result.

    a (...), b (...) -> y (*)

    formula  such as "ij,jk->ik"; every index is in two of the three places, and once in each
    """
    y = paired(a, b, formula)
    return y


@contract.backward
def contract_backward(grad_y, a, b, formula):
    """
    1. y[out] = Σ a[left] b[right] over all indices that are not in `out`
    2. the loss moves with a[left] by Σ g[out] b[right], over all indices that are not in `left`
    3. that is a contraction again, by the formula turned round; and so for b
    """
    grad_a = paired(grad_y, b, turned(formula, 0))
    grad_b = paired(a, grad_y, turned(formula, 1))
    return grad_a, grad_b


@contract.examples
def contract_examples(rng):
    """A matrix product; a stack of them, turned round; element by element; all with all; everything summed."""
    draw = rng.standard_normal
    return [
        (draw((2, 3)), draw((3, 4)), {"formula": "ij,jk->ik"}),
        (draw((3, 5, 2)), draw((5, 4, 3)), {"formula": "jbi,bkj->kbi"}),
        (draw((2, 3)), draw((3, 2)), {"formula": "ij,ji->ij"}),
        (draw(2), draw((0, 3)), {"formula": "i,jk->kij"}),
        (draw((2, 3)), draw((3, 2)), {"formula": "ij,ji->"}),
    ]


def einsum(equation, *operands):
    """Sum products of the elements of tensors, as a formula says.

    equation  such as "ij,jk->ik": the indices of each operand, and of the result. An index of the same name has the
              same size, or size 1. One that comes twice in an operand takes its diagonal; "..." stands for any axes in
              front, behind or between. Without "->", the result has the indices that come once, in alphabetical order.
    operands  tensors, or one list of them. Or else, instead of an equation: tensor, list of indices, and so on in
              turn, and the indices of the result at the end, or none; the indices are integers, or Ellipsis

    Raises ValueError for a formula that does not go with the operands.

    >>> from chalkgrad import tensor
    >>> a = tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> einsum("ij,jk->ik", a, a), einsum("ii", a), einsum("...j->...", a)
    (tensor([[ 7., 10.],
             [15., 22.]]), tensor(5.), tensor([3., 7.]))
    >>> einsum(a, [0, 1], [1, 0])
    tensor([[1., 3.],
            [2., 4.]])
    """
    if not isinstance(equation, str):
        equation, operands = _from_lists((equation, *operands))
    operands = several(operands)
    terms, out = _read(equation, operands)
    sizes = _sizes(equation, terms, operands)
    parts = [_narrowed(x, term, sizes) for x, term in zip(operands, terms)]
    parts = [_alone(x, term, {i for j, other in enumerate(parts) if j != place for i in other[1]} | {*out})
             for place, (x, term) in enumerate(parts)]
    while len(parts) > 1:
        parts = _contracted(parts, out, sizes)
    (x, term), = parts
    return permuted(x, axes=tuple(term.index(i) for i in out)) if term != out else x


implements(np.einsum)(lambda equation, *operands, optimize=False: einsum(equation, *operands))


def _from_lists(given):
    """The equation for operands and lists of indices in turn; the n-th letter stands for the index n."""
    operands, lists = given[: len(given) // 2 * 2 : 2], given[1::2]
    letters = string.ascii_uppercase + string.ascii_lowercase
    try:
        lists = [*lists, *given[2 * len(lists) :]]
        terms = ["".join("..." if i is Ellipsis else letters[i] for i in each) for each in lists]
    except (TypeError, IndexError) as error:
        raise ValueError(f"einsum: indices are lists of integers from 0 to {len(letters) - 1}.") from error
    equation = ",".join(terms[: len(operands)])
    return equation + ("->" + terms[-1] if len(given) % 2 else ""), operands


def _read(equation, operands):
    """List the indices of each operand, and of the result; those that "..." stands for are numbers, the last one -1."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    texts = left.split(",")
    if len(texts) != len(operands) or not operands:
        raise ValueError(f"einsum: {equation!r} speaks of {len(texts)} operands, but {len(operands)} came.")
    terms = [_indices(text, x.ndim, equation, x.shape) for text, x in zip(texts, operands)]
    dots = max((-i for term in terms for i in term if isinstance(i, int)), default=0)
    known = [i for term in terms for i in term]
    if arrow:
        out = _indices(right, len(right.replace("...", "")) + dots * ("..." in right), equation, "of the result")
        wrong = [i for i in out if i not in known or out.count(i) > 1]
        if wrong:
            raise ValueError(f"einsum: {equation!r}: `{wrong[0]}` of the result is in no operand, or comes twice.")
    else:
        out = [*range(-dots, 0), *sorted(i for i in known if isinstance(i, str) and known.count(i) == 1)]
    return terms, out


def _indices(text, ndim, equation, shape):
    before, dots, after = text.partition("...")
    count = ndim - len(before) - len(after)
    if not all(i.isalpha() for i in before + after) or count < 0 or (count and not dots):
        raise ValueError(f"einsum: {equation!r}: `{text}` does not go with shape {shape}.")
    return [*before, *range(-count, 0), *after]


def _sizes(equation, terms, operands):
    """The size of each index; where it is 1 in one operand, another one may say more."""
    sizes: dict[Any, int] = {}
    for x, term in zip(operands, terms):
        for i, n in zip(term, x.shape):
            if n != sizes.setdefault(i, n) and n != 1:
                if sizes[i] != 1:
                    raise ValueError(f"einsum: {equation!r}: `{i}` is {sizes[i]} in one operand and {n} in another.")
                sizes[i] = n
    return sizes


def _narrowed(x, term, sizes):
    """Take diagonals of what comes twice, and drop axes of size 1 that are larger elsewhere."""
    term = list(term)
    for i in [i for i in dict.fromkeys(term) if term.count(i) > 1]:
        while term.count(i) > 1:
            first, second = [place for place, other in enumerate(term) if other == i][:2]
            if x.shape[first] != x.shape[second]:
                raise ValueError(f"einsum: `{i}` comes twice in an operand of shape {x.shape}, with two sizes.")
            x = diagonal(x, 0, first, second)
            term = [other for place, other in enumerate(term) if place not in (first, second)] + [i]
    kept = [place for place, i in enumerate(term) if x.shape[place] == sizes[i]]
    return reshape(x, tuple(x.shape[place] for place in kept)), [term[place] for place in kept]


def _alone(x, term, others):
    """Sum over the indices that nobody else has."""
    alone = tuple(place for place, i in enumerate(term) if i not in others)
    return (sum(x, axis=alone) if alone else x), [i for i in term if i in others]


def _contracted(parts, out, sizes):
    """Contract the two operands that make the smallest step."""
    one, other = min(itertools.combinations(parts, 2),
                     key=lambda pair: math.prod(sizes[i] for i in {*pair[0][1], *pair[1][1]}))
    rest = [part for part in parts if part is not one and part is not other]
    wanted = {*out, *(i for _, term in rest for i in term)}
    (a, left), (b, right) = one, other
    made = [i for i in dict.fromkeys([*left, *right]) if i in wanted]
    if not rest:
        made = list(out)
    letters = dict(zip(dict.fromkeys([*left, *right]), string.ascii_letters))
    texts = ["".join(letters[i] for i in term) for term in (left, right, made)]
    return [(contract(a, b, formula="{},{}->{}".format(*texts)), made), *rest]


@implements(np.tensordot)
def tensordot(a, b, dims=2, *, axes=None):
    """Sum the products of two tensors over several axes of each.

    dims  how many, the last of a and the first of b; or two lists of axes

    >>> from chalkgrad import ones
    >>> tensordot(ones(2, 3, 4), ones(4, 3, 5), dims=([1, 2], [1, 0])).shape
    (2, 5)
    """
    dims = dims if axes is None else axes
    dims = dims.tolist() if isinstance(dims, Tensor) else dims
    if isinstance(dims, int):
        dims = (range(a.ndim - dims, a.ndim), range(dims))
    one, other = ([each] if isinstance(each, int) else list(each) for each in dims)
    if len(one) != len(other) or len(one) > min(a.ndim, b.ndim):
        raise ValueError(f"tensordot: axes {one} of shape {a.shape} and {other} of shape {b.shape} are not pairs.")
    left, right = list(range(a.ndim)), list(range(a.ndim, a.ndim + b.ndim))
    for i, j in zip(one, other):
        right[j] = left[i]
    kept = [i for i in (*left, *right) if (i in left) != (i in right)]
    return einsum(a, left, b, right, kept)
