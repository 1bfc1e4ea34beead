"""All parameters as one vector, and back: what line searches, and methods that know no layers, want to see."""

from __future__ import annotations

from collections.abc import Iterable

from ...engine.tape import no_grad
from ...engine.tensor import Tensor
from ...law.errors import ShapeError
from ...ops.shape import cat

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Join all numbers of all parameters into one vector, through which gradients flow.

    Raises ValueError if there are none.

    >>> from chalkgrad import tensor
    >>> parameters_to_vector([tensor([[1.0, 2.0], [3.0, 4.0]]), tensor(5.0)])
    tensor([1., 2., 3., 4., 5.])
    """
    vectors = [parameter.reshape(-1) for parameter in parameters]
    if not vectors:
        raise ValueError("parameters_to_vector got no parameters. Was model.parameters() read once already?")
    joined: Tensor = cat(vectors)
    return joined


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the numbers of a vector into parameters, in the order of `parameters_to_vector`.

    They are copied; in PyTorch, the parameters become parts of the vector.

    Raises ShapeError unless there is one number for each place; then nothing is changed.

    >>> from chalkgrad import arange, zeros
    >>> w, b = zeros(2, 2), zeros(1)
    >>> vector_to_parameters(arange(5.0), [w, b])
    >>> w, b
    (tensor([[0., 1.],
            [2., 3.]]), tensor([4.]))
    """
    listed = list(parameters)
    needed = sum(parameter.data.size for parameter in listed)
    if vec.shape != (needed,):
        raise ShapeError(f"vector_to_parameters: these parameters hold {needed} numbers, so a vector of shape "
                         f"({needed},) was expected, but {vec.shape} came.")
    with no_grad():
        start = 0
        for parameter in listed:
            end = start + parameter.data.size
            parameter.copy_(vec[start:end].reshape(parameter.shape))
            start = end
