"""What a hostile caller tries on the whole vocabulary: it ends in words, changes nothing, and never guesses."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn
from chalkgrad.nn import functional as F

from .pairs import chosen, ours
from .tables import BRIEF
from .tables.rows import Row

X = cg.ones(2, 3)

REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    # what is no array
    "a list for a module": (
        lambda: nn.MaxPool1d(2)([[1.0, 2.0]]), TypeError, "MaxPool1d was called with .*list.*Tensor"),
    "nothing for a module": (lambda: nn.Sequential(nn.PReLU())(None), TypeError, "PReLU was called with None"),
    "a list for a lazy module": (lambda: nn.LazyLinear(2)([1.0]), TypeError, "LazyLinear was called with .*list"),
    "a list for a target": (
        lambda: nn.CrossEntropyLoss()(X, [1, 2]), TypeError, "CrossEntropyLoss was called with .*list"),
    "a list for an array": (lambda: F.linear([1.0], X), TypeError, "`x` is .*, of type list, but an array"),
    "a number for an array": (
        lambda: F.conv1d(cg.ones(1, 1, 4), cg.ones(1, 1, 2), 5), TypeError, "`bias` is 5, of type int"),
    "a text for a number": (lambda: X + "a", TypeError, "add: what came is of a kind that add does not take"),
    "None for a number": (lambda: X * None, TypeError, "numbers were expected, but float and NoneType"),
    "None in a comparison": (lambda: X < None, TypeError, "numbers were expected, but float and NoneType"),
    # sizes and axes
    "a size that is no whole number": (
        lambda: nn.Linear(3.0, 2), TypeError, "Linear: in_features is a whole number, but 3.0"),
    "a size that is a truth value": (lambda: nn.Linear(True, 2), TypeError, "in_features is a whole number, but True"),
    "a size below 0": (lambda: nn.Linear(3, -2), ValueError, "Linear: out_features=-2 is below 0"),
    "channels below 0": (lambda: nn.BatchNorm1d(-1), ValueError, "BatchNorm1d: num_features=-1 is below 0"),
    "a stride that is a truth value": (lambda: nn.Conv1d(1, 1, 2, stride=True), ValueError, "stride is a whole number"),
    "half an axis": (lambda: X.flip(0.5), TypeError, "whole numbers, but .*0.5"),
    "half a size": (lambda: X.expand(0.5, 2, 3), TypeError, "whole numbers, but .*0.5"),
    "half an axis of a sum": (lambda: X.sum(0.5), TypeError, "a whole number was expected, but a float"),
    "several axes of a softmax": (lambda: F.softmax(X, (0, 1)), TypeError, "softmax: dim is one axis"),
    "no axes of a softmax": (lambda: F.softmin(X, ()), TypeError, "softmin: dim is one axis"),
    "no axes of a log softmax": (lambda: F.log_softmax(X, ()), TypeError, "log_softmax: dim is one axis"),
    "a step along no axis": (lambda: cg.tensor(1.0).stride(0), IndexError, "a number has no axes"),
    # options
    "a momentum that is a text": (
        lambda: nn.BatchNorm1d(3, momentum="x"), TypeError, "momentum is a number or None, but 'x'"),
    "no probability": (lambda: nn.Dropout(None), TypeError, "Dropout: p is a number, but None"),
    "a norm without a power": (
        lambda: F.embedding(cg.tensor([1]), X, max_norm=1.0, norm_type=0), ValueError, "norm_type is above 0"),
    # shapes
    "shapes that do not meet": (
        lambda: cg.ones(5, 3) + cg.ones(4, 3), ValueError, r"do not go together.*\(5,3\) \(4,3\)"),
    "shapes that do not compare": (lambda: cg.ones(5, 3) < cg.ones(4, 3), ValueError, r"less: these shapes do not go"),
    "numbers that do not fill a shape": (
        lambda: X.reshape(4, 2), ValueError, r"6 numbers do not fill the shape \(4,2\)"),
    "the largest of nothing": (lambda: cg.zeros(0).max(), ValueError, "nothing was left to take the maximum of"),
    "a bias with two axes": (lambda: F.conv1d(cg.ones(1, 3, 4), cg.ones(3, 3, 2), cg.ones(3, 1)), ValueError, "bias"),
    "a bias of another length": (
        lambda: F.conv2d(cg.ones(1, 1, 4, 4), cg.ones(3, 1, 2, 2), cg.ones(1)), ValueError, "`o` is 3 in weight but 1"),
    "a bias for other channels": (
        lambda: F.conv_transpose1d(cg.ones(1, 3, 4), cg.ones(3, 2, 2), cg.ones(1)), ValueError,
        r"bias has shape \(1,\), but 2 channels come out"),
    "labels for more than there is": (
        lambda: F.multilabel_soft_margin_loss(cg.ones(4), cg.ones(3, 4)), ValueError, "does not repeat to the shape"),
    "booleans in a difference": (lambda: (X > 0) - (X > 0), TypeError, "booleans cannot be subtracted"),
}


@pytest.mark.parametrize(("call", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused_in_words(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def strangers(array: Any) -> list[Any]:
    """What may come instead of a float array: other dtypes, axes, sizes, and numbers that are none."""
    row = array.reshape(array.shape or 1)
    made = [(array * 3).astype(np.int64), array > 0, row.reshape(-1)[:1].reshape(()), array[None], array[..., None],
            row[:0], row[..., :0], array * np.nan]
    return [np.asarray(each) for each in made]


OWN = (ValueError, TypeError, IndexError, RuntimeError)
each_row = pytest.mark.parametrize("row", [pytest.param(row, id=f"{row.id}-{i}") for i, row in enumerate(BRIEF)])


def bits(module: nn.Module) -> list[tuple[str, bytes]]:
    """List what a module holds, to the last bit."""
    return [(key, tensor.data.tobytes()) for key, tensor in module.state_dict().items()]


def error_of(module: nn.Module, given: list[Any], call: dict[str, Any]) -> Exception | None:
    """Return what a call raises, if anything."""
    try:
        with cg.no_grad():
            module(*given, **call)
    except Exception as error:
        return error
    return None


@each_row
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore:dropout")
def test_strange_inputs_are_refused_or_computed(row: Row) -> None:
    """A refusal is an error with a text, of a usual kind, and leaves the module as it was."""
    drawn = row.draw(1)
    if row.name.startswith("Lazy"):
        return  # a first call is what settles them
    module, call = getattr(nn, row.name)(**chosen(row.options)[0]).eval(), chosen(row.call)[0]
    for place, value in enumerate(drawn):
        if isinstance(value, tuple) or value.dtype.kind != "f":
            continue
        for strange in strangers(value):
            given = [ours(each, np.float32) for each in (*drawn[:place], strange, *drawn[place + 1 :])]
            before = bits(module)
            error = error_of(module, given, call)
            assert error is None or (isinstance(error, OWN) and str(error) and bits(module) == before), repr(error)


@each_row
def test_what_does_not_lie_in_one_piece_is_computed_alike(row: Row) -> None:
    module, call = getattr(nn, row.name)(**chosen(row.options)[0]).eval(), chosen(row.call)[0]

    def spread(array: Any) -> Any:
        if isinstance(array, tuple):
            return tuple(map(spread, array))
        room = np.repeat(array, 2, axis=-1) if array.ndim else array
        return room[..., ::2] if array.ndim else room

    inputs = row.draw(1)
    one, two = (copy.deepcopy(module)(*(ours(each, np.float32) for each in given), **call)
                if not row.name.startswith("Lazy") else None for given in (inputs, [spread(each) for each in inputs]))
    for y, z in zip(_listed(one), _listed(two), strict=True):
        np.testing.assert_allclose(y.data, z.data, rtol=1e-5, atol=1e-6)


def _listed(value: Any) -> list[Any]:
    if isinstance(value, tuple | list):
        return [inner for each in value for inner in _listed(each)]
    return [] if value is None else [value]


@pytest.mark.parametrize("name", ["ReLU", "ELU", "Hardtanh", "LeakyReLU", "SiLU", "Dropout"])
def test_a_leaf_is_not_written_over(name: str) -> None:
    leaf = cg.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        getattr(nn, name)(inplace=True)(leaf)
    np.testing.assert_array_equal(leaf.data, np.ones(3))


@pytest.mark.parametrize("value", [None, 0.5, "yes", (1,), []])
def test_whatever_is_true_shows(value: Any) -> None:
    assert repr(nn.ReLU(inplace=value)) == ("ReLU(inplace=True)" if value else "ReLU()")


def test_a_bag_that_is_refused_leaves_the_table_alone() -> None:
    bag = nn.EmbeddingBag(7, 3, max_norm=0.1)
    before = bits(bag)
    with pytest.raises(ValueError, match="offsets"):
        bag(cg.tensor([1, 2]), cg.tensor([0, 5]))
    assert bits(bag) == before


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4)])
def test_an_encoder_takes_nothing(shape: tuple[int, ...]) -> None:
    assert nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0)(cg.ones(*shape)).shape == shape


def test_arguments_that_are_checked_are_still_told() -> None:
    layer = pickle.loads(pickle.dumps(nn.Linear(in_features=np.int64(3), out_features=2)))
    assert repr(layer).startswith("Linear(in_features=3, out_features=2, bias=True)")
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'out_features'"):
        nn.Linear(3)
