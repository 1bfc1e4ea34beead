"""The floating point operations of a workload: those of its matrix products and convolutions, forward and backward.

They are counted once, by PyTorch as it does the workload, and hold for all rivals: a multiplication and an addition
are two. What one rival does beyond that, or saves, changes its time and not this number.

python -m benchmarks.harness.flops lenet5 lenet5 prints it.
"""

from __future__ import annotations

import sys
import warnings

__all__ = ["count"]


def count(suite: str, workload: str) -> int:
    """Let PyTorch do a workload once, in parts that its counter knows: no fused attention, no fused LSTM."""
    import importlib

    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    work = importlib.import_module(f"benchmarks.{suite}").workloads("torch")[workload]()
    in_parts = torch.backends.mkldnn.flags(enabled=False), sdpa_kernel(SDPBackend.MATH)
    with in_parts[0], in_parts[1], warnings.catch_warnings(action="ignore"), FlopCounterMode(display=False) as counter:
        work.run()
    found: int = counter.get_total_flops()
    return found


if __name__ == "__main__":
    print(count(*sys.argv[1:3]))
