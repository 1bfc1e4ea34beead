"""The convolutional network: what it learns to see at one place, it sees everywhere."""

from __future__ import annotations

from ..engine.tensor import Tensor
from ..nn import Conv2d, Dropout, Flatten, Linear, MaxPool2d, Module, ReLU

__all__ = ["CNN"]


class CNN(Module):
    """A convolution that looks for small patterns everywhere, a pooling, and two layers that weigh what was seen.

    shape     the shape of one image, (c, h, w), at least 2 x 2 pixels
    outputs   the number of classes, whose scores come out, or of targets
    channels  the number of patterns, each 3 x 3 pixels
    hidden    the number of features that are made of them
    dropout   the share of these that is hidden from the last layer in training, each time anew

    Raises: ValueError for samples that are no images.

    Source: LeCun et al. 1989, Backpropagation applied to handwritten zip code recognition, with today's units, and
    Srivastava et al. 2014 for dropout.
    """

    def __init__(
        self, shape: tuple[int, ...], outputs: int, channels: int = 32, hidden: int = 128, dropout: float = 0.3
    ) -> None:
        super().__init__()
        if len(shape) != 3 or min(shape[1:]) < 2:
            raise ValueError(f"cnn needs images (c, h, w), but a sample has shape {shape}. Try mlp.")
        c, h, w = shape
        self.conv = Conv2d(c, channels, kernel_size=3, padding=1)
        self.relu1 = ReLU()
        self.pool = MaxPool2d(2)
        self.flatten = Flatten()
        self.fc1 = Linear(channels * (h // 2) * (w // 2), hidden)
        self.relu2 = ReLU()
        self.dropout = Dropout(dropout)
        self.fc2 = Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """x (n, c, h, w) -> scores (n, outputs)."""
        patterns = self.pool(self.relu1(self.conv(x)))
        features = self.relu2(self.fc1(self.flatten(patterns)))
        y: Tensor = self.fc2(self.dropout(features))
        return y
