"""Weighted sums, as optimizers and running averages take them; made of the operations of arithmetic.py."""

from .attach import attach, in_place

__all__ = ["addcdiv", "addcmul", "lerp"]


def addcmul(input, tensor1, tensor2, *, value=1):
    """Add a product: input + value · tensor1 · tensor2.

    >>> from chalkgrad import tensor
    >>> addcmul(tensor([1.0, 2.0]), tensor([3.0, 4.0]), tensor([1.0, -1.0]), value=10)
    tensor([ 31., -38.])
    """
    return input + value * (tensor1 * tensor2)


def addcdiv(input, tensor1, tensor2, *, value=1):
    """Add a quotient: input + value · tensor1 / tensor2.

    >>> from chalkgrad import tensor
    >>> addcdiv(tensor([1.0, 2.0]), tensor([3.0, 4.0]), tensor([1.0, 2.0]), value=10)
    tensor([31., 22.])
    """
    return input + value * (tensor1 / tensor2)


def lerp(input, end, weight):
    """Go a part of the way from one to the other: input + weight · (end - input).

    >>> from chalkgrad import tensor
    >>> lerp(tensor([0.0, 10.0]), tensor([10.0, 10.0]), 0.25)
    tensor([ 2.5, 10. ])
    """
    return input + weight * (end - input)


for _function in (addcdiv, addcmul, lerp):
    attach(**{_function.__name__: _function, f"{_function.__name__}_": in_place(_function)})
