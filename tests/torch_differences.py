"""Where PyTorch's samples are not ours to follow: a function, the samples that are meant, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["DIFFERENT", "FREE", "MODULES_DIFFERENT", "NOT_HERE", "RANDOM", "REFUSED"]


def always(_: Any) -> bool:
    """Mean all samples of a function."""
    return True


def is_whole(sample: Any) -> bool:
    """Mean samples of whole numbers and booleans."""
    return not sample.input.dtype.is_floating_point


# A function, as `label` names it, which of its samples are not compared, and why.
DIFFERENT: dict[str, tuple[Callable[[Any], bool], str]] = {
    "nn.functional.batch_norm": (lambda s: s.input.ndim == 1, "there is no axis of channels"),
    "nn.functional.hardsigmoid": (
        lambda s: str(s.input.dtype) == "torch.float64", "PyTorch rounds the slope 1/6 to float32, for float64 too"),
    "nn.functional.layer_norm": (
        lambda s: s.input.numel() == 1, "a row of one number has no slope; PyTorch's rounding, over √eps, is seen"),
    "nn.functional.linear_cross_entropy.chunked": (always, "options choose among PyTorch's kernels"),
    "nn.functional.linear_cross_entropy.chunked_none": (always, "options choose among PyTorch's kernels"),
    "__rpow__": (is_whole, "whole numbers to a negative power are refused"),
    "argsort": (is_whole, "the order of equals is left open"),
    "cov": (lambda s: str(s.input.dtype) == "torch.float32", "gradients by weights are rounding in float32"),
    "fill": (lambda s: s.input.requires_grad, "what is overwritten has no history"),
    "kthvalue": (is_whole, "which of equals is left open"),
    "logcumsumexp": (lambda s: str(s.input.dtype) == "torch.float32", "PyTorch's float32 gradient is the further off"),
    "mode": (is_whole, "which of equals is left open"),
    "nextafter": (lambda s: not is_whole(s), "it has no derivative"),
    "nn.functional.multi_head_attention_forward": (
        lambda s: s.args[9] > 0 and s.kwargs.get("training", True), "dropout draws other numbers"),
    "nn.functional.scaled_dot_product_attention": (
        lambda s: s.kwargs.get("dropout_p", 0) > 0, "dropout draws other numbers"),
    "prod": (lambda s: str(s.kwargs.get("dtype")) == "torch.bool", "a product of booleans is a number"),
    "sort": (is_whole, "the order of equals is left open"),
    "topk": (is_whole, "which of equals is left open"),
    "zero_": (lambda s: s.input.requires_grad, "what is overwritten has no history"),
}

# Results that are free in part, such as the sign of a direction: what the table makes of them is compared.
FREE = {"linalg.eigh", "linalg.svd", "svd"}

# What draws numbers, which cannot be PyTorch's: only shapes and dtypes are compared.
RANDOM = {
    "bernoulli", "empty", "empty_like", "geometric", "log_normal", "multinomial", "new_empty", "nn.functional.dropout",
    "nn.functional.alpha_dropout", "nn.functional.dropout2d", "nn.functional.dropout3d",
    "nn.functional.feature_alpha_dropout", "nn.functional.fractional_max_pool2d",
    "nn.functional.fractional_max_pool3d", "nn.functional.rrelu", "normal", "rand_like", "randint", "randint_like",
    "randn", "randn_like", "uniform", "exponential", "cauchy",
}

# What PyTorch refuses and we do not, and why.
REFUSED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "mean": (always, "the mean of whole numbers is a float here"),
}

# Modules of PyTorch's table, which of its samples are not compared, and why.
MODULES_DIFFERENT: dict[str, tuple[Callable[[Any], bool], str]] = {
    "nn.CTCLoss": (
        lambda s: str(s.forward_input.args[0].dtype) == "torch.float32",
        "log-probabilities of whole paths, of a hundred and more, leave 1e-5 of rounding in PyTorch's own float32"),
}

# What of PyTorch's tables has no place here, by the reason: patterns of names.
NOT_HERE: dict[str, str] = {
    "complex numbers, and what needs them": r"angle|c(double|float|half)|complex|conj.*|fft\..*|imag|i?stft|isreal|"
        r"linalg\.eig(vals)?|polar|real|resolve_(conj|neg)|view_as_(complex|real)",
    "sparse arrays": r"sparse\..*|to_sparse|optim\.SparseAdam",
    "half precision and quantized numbers": r"bfloat16|half|char|short",
    "PyTorch's own insides": r"_.*|torch\..*|native_.*|jiterator_.*|unsafe_.*|.*_copy|.*_backward|constant_pad_nd|"
        r"grid_sampler_.*|hash_tensor|slice|nn\.RNN(Cell)?Base",
    "memory, which is NumPy's business": r".*as_strided.*|empty_(permuted|strided)|new_empty_strided|resize_(as_)?|"
        r"nonzero_static",
    "other special functions than the field uses": r"special\..*|i0|igammac?|frexp",
    "windows of signals": r"signal\..*",
    "masked arrays, apart from masks that are arguments": r"masked\..*",
    "factorizations that nobody derives by": r"linalg\.(ldl|lu|householder|.*_ex).*|lu.*|geqrf|ormqr|triangular_solve|"
        r".*_lowrank",
    "statistics in several dimensions": r"histogram(dd)?|gradient|renorm",
    "several machines": r"nn\.SyncBatchNorm",
    "deprecated in PyTorch": r"__rdiv__|nn\.functional\.upsample_.*|"
        r"nn\.(Container|CrossMapLRN2d|DataParallel|NLLLoss2d)",
}
