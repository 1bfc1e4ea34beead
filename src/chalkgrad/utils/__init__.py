"""Tools that fit nowhere else, under PyTorch's names."""

from . import checkpoint

__all__ = ["checkpoint"]
