"""The summary: its rows and totals, and that the model is afterwards as it was before."""

from typing import Any

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import nn


class Tagger(nn.Module):
    """Two inputs, two outputs, a weight that is used twice, and a layer that is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(10, 4)
        self.head = nn.Linear(4, 10, bias=False)
        self.head.weight = self.words.weight
        self.spare = nn.Linear(2, 2)
        self.scale = nn.Parameter(np.ones(4, np.float32), requires_grad=False)

    def forward(self, words: cg.Tensor, shift: cg.Tensor) -> tuple[cg.Tensor, dict[str, cg.Tensor]]:
        x = self.words(words) * self.scale + shift
        return self.head(x), {"x": self.head(x)}


CNN = nn.Sequential(
    nn.Conv2d(2, 4, 3, padding=1, groups=2), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
    nn.Sequential(nn.Dropout(), nn.Linear(16, 3)),
)


def test_rows_of_a_convolutional_model() -> None:
    table = nn.summary(CNN, (5, 2, 4, 4))
    assert [tuple(row) for row in table.rows] == [
        ("0", "Conv2d", (5, 4, 4, 4), 4 * 9 + 4, 5 * 4 * 16 * 9),
        ("1", "BatchNorm2d", (5, 4, 4, 4), 8, 0),
        ("2", "ReLU", (5, 4, 4, 4), 0, 0),
        ("3", "MaxPool2d", (5, 4, 2, 2), 0, 0),
        ("4", "Flatten", (5, 16), 0, 0),
        ("5.0", "Dropout", (5, 16), 0, 0),
        ("5.1", "Linear", (5, 3), 16 * 3 + 3, 5 * 16 * 3),
    ]
    assert table.parameters == table.trainable == sum(p.data.size for p in CNN.parameters())


def test_several_inputs_shared_weights_and_what_is_not_called() -> None:
    table = nn.summary(Tagger(), [(3, 7), (4,)], [np.int64, np.float32])
    assert [tuple(row) for row in table.rows] == [
        ("", "Tagger", ((3, 7, 10), ((3, 7, 10),)), 4, 0),
        ("words", "Embedding", (3, 7, 4), 40, 0),
        ("head", "Linear", (3, 7, 10), 0, 2 * 3 * 7 * 10 * 4),
        ("spare", "Linear", None, 6, 0),
    ]
    assert (table.parameters, table.trainable) == (50, 46)
    lines = str(table).splitlines()
    assert lines[5].split() == ["spare", "Linear", "not", "called", "6", "0"]
    assert lines[-1] == "46 parameters are learned." and len({len(line) for line in lines[:-1]}) == 1


@pytest.mark.parametrize("size, error", [((5, 2, 4, 4), None), ((5, 3, 4, 4), cg.ShapeError)])
def test_the_model_is_left_as_it_was(size: tuple[int, ...], error: Any) -> None:
    CNN.train()
    CNN[1].eval()
    before = {key: tensor.data.copy() for key, tensor in CNN.state_dict().items()}
    if error is None:
        nn.summary(CNN, size)
    else:
        with pytest.raises(error):
            nn.summary(CNN, size)
    assert [module.training for module in CNN.modules()] == [True, True, False, True, True, True, True, True, True]
    assert not any(module._forward_hooks for module in CNN.modules())
    assert all(np.array_equal(tensor.data, before[key]) for key, tensor in CNN.state_dict().items())
    assert all(parameter.grad is None for parameter in CNN.parameters())


def test_misuse_is_explained() -> None:
    with pytest.raises(TypeError, match=r"such as \(1, 64\), but 3 came"):
        nn.summary(nn.ReLU(), 3)
    with pytest.raises(ValueError, match="1 inputs need as many dtypes, or one for all, but 2 came"):
        nn.summary(nn.ReLU(), (3,), [np.float32, np.float32])
