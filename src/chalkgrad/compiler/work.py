"""How much work a line is, told by the sizes of its arrays, so that the same program is made on every machine."""

from __future__ import annotations

import ast
import sys
from typing import Any

import numpy as np

from .lines import Line, is_array

__all__ = ["Calls", "work_of"]

# Microseconds on one core of a server with AVX-512; what matters is their proportion.
PER_ELEMENT = 0.5e-3  # to read and write one in the cache
PER_CALL = 2e-3  # to make one in a helper or a loop, such as those of a convolution
PER_FLOP = 5e-6  # of a matrix product


def work_of(line: Line, values: dict[str, Any], known: dict[str, Any]) -> float:
    """Estimate the microseconds of a line that has run. `known` are the names outside of the program."""
    elements = sum(np.size(values[name]) for name in line.binds | line.changes if is_array(values.get(name)))
    helps = isinstance(line.node, ast.For) or any(
        isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in known
        for part in ast.walk(line.node))
    operations = [part for part in ast.walk(line.node) if isinstance(part, ast.BinOp)]
    products = [part for part in operations if isinstance(part.op, ast.MatMult)]
    flops = 0.0 if isinstance(line.node, ast.For) else sum(_flops(product, values) for product in products)
    return elements * (PER_CALL if helps else PER_ELEMENT) + flops * PER_FLOP


class Calls:
    """Counts the calls of compiled functions while it is open: at each, one thread may have to wait for another."""

    def __enter__(self) -> Calls:
        self.count, self.before = 0, sys.getprofile()
        sys.setprofile(self._see)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(self.before)

    def _see(self, frame: Any, event: str, argument: Any) -> None:
        self.count += event == "c_call"


def _flops(product: ast.BinOp, values: dict[str, Any]) -> float:
    """Count the multiplications and additions of a @ b."""
    left, right = (eval(ast.unparse(side), values) for side in (product.left, product.right))
    return float(2 * left.size * (right.shape[-1] if right.ndim > 1 else 1))
