"""Attention: the same numbers as PyTorch over every option and mask, spelled to the last bit, misuse in words."""

import copy
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

import chalkgrad as cg
from chalkgrad import ShapeError, Tensor, nn, optim
from chalkgrad.nn import functional as F
from chalkgrad.nn.layers.attention import attend
from chalkgrad.seeding import default_generator

from .test_layers_b import BACKWARD, FORWARD, close, each_dtype, second_derivatives_agree, twins

RNG = np.random.default_rng(0)
TORCH = torch.nn.functional.scaled_dot_product_attention

# shapes of query, key and value, of a mask, and options
LOOKS = RNG.random((3, 5)) < 0.6
LOOKS[1] = False  # may look at nothing
ATTENTIONS: dict[str, tuple[list[tuple[int, ...]], Any, dict[str, Any]]] = {
    "rows":        ([(3, 4), (5, 4), (5, 6)], None, {}),
    "batches":     ([(2, 3, 4), (2, 5, 4), (2, 5, 4)], None, {}),
    "heads":       ([(2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 6)], None, {"scale": 0.3}),
    "causal":      ([(2, 2, 5, 4)] * 3, None, {"is_causal": True}),
    "causal, few": ([(2, 3, 4), (2, 5, 4), (2, 5, 4)], None, {"is_causal": True}),
    "causal, few keys": ([(2, 5, 4), (2, 3, 4), (2, 3, 4)], None, {"is_causal": True}),
    "booleans":    ([(2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 4)], LOOKS, {}),
    "booleans for each": ([(2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 4)], RNG.random((2, 1, 3, 5)) < 0.8, {}),
    "floats":      ([(2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 4)], RNG.standard_normal((3, 5)), {}),
    "floats for each": ([(2, 3, 4), (2, 5, 4), (2, 5, 4)], RNG.standard_normal((2, 3, 5)), {"scale": 2.0}),
}  # fmt: skip


def attention_twins(name: str, dtype: Any) -> tuple[list[Tensor], list[torch.Tensor], Any, Any, dict[str, Any]]:
    shapes, mask, options = ATTENTIONS[name]
    rng = np.random.default_rng(1)
    pairs = [twins(rng.standard_normal(shape), dtype) for shape in shapes]
    masks = (None, None) if mask is None else twins(mask, dtype)
    return [ours for ours, _ in pairs], [theirs for _, theirs in pairs], *masks, options


@each_dtype
@pytest.mark.parametrize("name", ATTENTIONS)
def test_attention_is_as_in_pytorch(name: str, dtype: Any) -> None:
    inputs, torch_inputs, mask, torch_mask, options = attention_twins(name, dtype)
    y, torch_y = F.scaled_dot_product_attention(*inputs, mask, **options), TORCH(*torch_inputs, torch_mask, **options)
    close(y, torch_y, FORWARD[dtype])
    seed = np.random.default_rng(2).standard_normal(y.shape).astype(dtype)
    y.backward(cg.tensor(seed))
    torch_y.backward(torch.tensor(seed))
    for ours, theirs in zip([*inputs, mask], [*torch_inputs, torch_mask]):
        if ours is not None:
            close(ours.grad, theirs.grad, BACKWARD[dtype])


@pytest.mark.parametrize("name", ATTENTIONS)
def test_attention_has_second_derivatives(name: str) -> None:
    inputs, torch_inputs, mask, torch_mask, options = attention_twins(name, np.float64)
    y = F.scaled_dot_product_attention(*inputs, mask, **options)
    with sdpa_kernel(SDPBackend.MATH):  # the one that can be differentiated twice
        torch_y = TORCH(*torch_inputs, torch_mask, **options)
    if mask is not None and mask.requires_grad:
        inputs, torch_inputs = [*inputs, mask], [*torch_inputs, torch_mask]
    second_derivatives_agree(y, inputs, torch_y, torch_inputs)


@pytest.mark.parametrize("p", [0.0, 0.25, 1.0])
def test_dropout_keeps_shares_and_enlarges_them(p: float) -> None:
    q, k = cg.randn(4, 50, 8), cg.randn(4, 60, 8)
    drawn = [F.scaled_dot_product_attention(q, k, cg.ones(4, 60, 1), dropout_p=p) for _ in range(2)]
    assert (drawn[0].tolist() == drawn[1].tolist()) == (p in (0.0, 1.0))
    np.testing.assert_allclose(drawn[0].data.mean(), 1.0 if p < 1 else 0.0, atol=0.03)
    cg.manual_seed(0)
    kept = cg.Tensor(default_generator().random((4, 50, 60), np.float32) >= p)
    cg.manual_seed(0)
    y = F.scaled_dot_product_attention(q, k, k, dropout_p=p)
    shares = attend(q, k, scale=8**-0.5).data * kept.data * (1 / (1 - p) if p < 1 else 0)
    np.testing.assert_allclose(y.data, shares @ k.data, rtol=1e-4, atol=1e-5)


def test_a_changed_output_spoils_no_gradient() -> None:
    """Without values the shares come out, which are remembered as well."""
    grads = []
    for change in (0.0, 5.0):
        q = cg.tensor(np.random.default_rng(3).standard_normal((3, 4)), requires_grad=True)
        shares = attend(q, q.detach(), scale=1.0)
        changed = shares.clone()
        changed += change
        (changed * changed.detach()).sum().backward()
        assert q.grad is not None
        grads.append(q.grad.tolist())
    assert not np.allclose(grads[0], 0)
    y = attend(cg.zeros(2, 2, requires_grad=True), cg.zeros(2, 2), scale=1.0)
    y += 1
    with pytest.raises(cg.GradError, match="`y` was changed in place"):
        y.sum().backward()


# ------------------------------------------------------------------------------------------------------ many heads

SIZES = (2, 3, 5)  # batch, queries, keys
AHEAD = np.triu(np.ones((3, 5), bool), 2)
PADDED = np.array([[False] * 5, [False, False, False, True, True]])
MASKS: dict[str, dict[str, Any]] = {
    "none": {},
    "booleans": {"attn_mask": AHEAD},
    "floats": {"attn_mask": RNG.standard_normal((3, 5))},
    "booleans for each": {"attn_mask": RNG.random((4, 3, 5)) < 0.3},
    "padding": {"key_padding_mask": PADDED},
    "padding in floats": {"key_padding_mask": RNG.standard_normal((2, 5))},
    "both in booleans": {"attn_mask": AHEAD, "key_padding_mask": PADDED},
    "booleans, padding in floats": {"attn_mask": AHEAD, "key_padding_mask": RNG.standard_normal((2, 5))},
    "floats, padding in booleans": {"attn_mask": RNG.standard_normal((3, 5)), "key_padding_mask": PADDED},
    "both in floats": {"attn_mask": RNG.standard_normal((3, 5)), "key_padding_mask": RNG.standard_normal((2, 5))},
}
LAYERS: dict[str, dict[str, Any]] = {
    "defaults": {}, "batch first": {"batch_first": True}, "no bias": {"bias": False}, "one head": {"num_heads": 1},
    "other keys": {"kdim": 6, "batch_first": True}, "other values": {"vdim": 7, "kdim": 6, "bias": False},
}


def twin_modules(name: str, dtype: Any, *args: Any, **options: Any) -> tuple[Any, Any]:
    """The same module here and in PyTorch, with every parameter drawn anew."""
    ours, theirs = getattr(nn, name)(*args, **options).to(dtype), getattr(torch.nn, name)(*args, **options)
    rng = np.random.default_rng(4)
    for parameter in ours.parameters():
        parameter.data[:] = rng.standard_normal(parameter.shape) / 2
    state = ours.state_dict()
    assert [*state] == [*theirs.state_dict()]
    theirs.to(getattr(torch, dtype.__name__)).load_state_dict({k: torch.tensor(v.data) for k, v in state.items()})
    return ours, theirs


def multihead_twins(dtype: Any, **options: Any) -> tuple[Any, Any, list[Tensor], list[torch.Tensor]]:
    options = {"embed_dim": 4, "num_heads": 2} | options
    ours, theirs = twin_modules("MultiheadAttention", dtype, **options)
    rng, (batch, length, size) = np.random.default_rng(5), SIZES
    shapes = [(batch, length, 4), (batch, size, options.get("kdim", 4)), (batch, size, options.get("vdim", 4))]
    arrays = [rng.standard_normal(shape) for shape in shapes]
    pairs = [twins(x if options.get("batch_first") else x.swapaxes(0, 1), dtype) for x in arrays]
    return ours, theirs, [x for x, _ in pairs], [x for _, x in pairs]


def both_masks(masks: dict[str, Any], dtype: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    arrays = {key: mask.astype(dtype) if mask.dtype.kind == "f" else mask for key, mask in masks.items()}
    return {k: cg.tensor(v) for k, v in arrays.items()}, {k: torch.tensor(v) for k, v in arrays.items()}


def all_agree(ours: Any, theirs: Any, pairs: list[tuple[Any, Any]], outputs: list[tuple[Any, Any]], dtype: Any) -> None:
    """Compare outputs, and the gradients by inputs and parameters when all outputs count in the loss."""
    rng, loss, torch_loss = np.random.default_rng(6), 0, 0
    for y, torch_y in outputs:
        close(y, torch_y, FORWARD[dtype])
        seed = rng.standard_normal(y.shape).astype(dtype)
        loss, torch_loss = loss + (y * cg.tensor(seed)).sum(), torch_loss + (torch_y * torch.tensor(seed)).sum()
    loss.backward()
    torch_loss.backward()
    for x, torch_x in [*pairs, *zip(ours.parameters(), theirs.parameters(), strict=True)]:
        np.testing.assert_allclose(x.grad.data, torch_x.grad.numpy(), BACKWARD[dtype][0], 10 * BACKWARD[dtype][1])


@each_dtype
@pytest.mark.filterwarnings("ignore:Support for mismatched")  # PyTorch's, of booleans beside floats
@pytest.mark.parametrize("masks", MASKS)
@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_multihead_attention_is_as_in_pytorch(name: str, need_weights: bool, masks: str, dtype: Any) -> None:
    if LAYERS[name].get("num_heads") == 1 and masks == "booleans for each":
        return
    ours, theirs, inputs, torch_inputs = multihead_twins(dtype, **LAYERS[name])
    given, torch_given = both_masks(MASKS[masks], dtype)
    y, weights = ours(*inputs, need_weights=need_weights, **given)
    torch_y, torch_weights = theirs(*torch_inputs, need_weights=need_weights, **torch_given)
    assert (weights is None) == (torch_weights is None) == (not need_weights)
    outputs = [(y, torch_y), (weights, torch_weights)][: 1 + need_weights]
    all_agree(ours, theirs, [*zip(inputs, torch_inputs)], outputs, dtype)


@each_dtype
@pytest.mark.parametrize("batched, need_weights", [*itertools.product([True, False], repeat=2)])
def test_self_attention_is_as_in_pytorch(batched: bool, need_weights: bool, dtype: Any) -> None:
    ours, theirs = twin_modules("MultiheadAttention", dtype, 4, 2)
    x, torch_x = twins(np.random.default_rng(7).standard_normal((5, 2, 4) if batched else (5, 4)), dtype)
    mask = np.triu(np.ones((5, 5), bool), 1)
    options = {"need_weights": need_weights, "average_attn_weights": False}
    y, weights = ours(x, x, x, attn_mask=cg.tensor(mask), **options)
    torch_y, torch_weights = theirs(torch_x, torch_x, torch_x, attn_mask=torch.tensor(mask), **options)
    outputs = [(y, torch_y), (weights, torch_weights)][: 1 + need_weights]
    all_agree(ours, theirs, [(x, torch_x)], outputs, dtype)
    again, _ = ours(x, x, x, is_causal=True, **options)
    np.testing.assert_allclose(again.data, y.data, rtol=1e-5)


def test_parameters_start_as_in_pytorch() -> None:
    ours, theirs = nn.MultiheadAttention(64, 4), torch.nn.MultiheadAttention(64, 4)
    for (name, one), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        spread = float(other.detach().std())
        np.testing.assert_allclose(one.data.std(), spread, rtol=0.1, atol=1e-8, err_msg=name)
        np.testing.assert_allclose(abs(one.data).max(), float(other.detach().abs().max()), rtol=0.02, err_msg=name)


def test_dropout_happens_in_training_alone() -> None:
    layer = nn.MultiheadAttention(8, 2, dropout=0.5)
    x = cg.randn(5, 3, 8)
    assert layer(x, x, x)[0].tolist() != layer(x, x, x)[0].tolist()
    layer.eval()
    assert layer(x, x, x)[0].tolist() == layer(x, x, x)[0].tolist()


# --------------------------------------------------------------------------------------------------- the transformer

ENCODERS: dict[str, dict[str, Any]] = {
    "defaults": {}, "batch first": {"batch_first": True}, "norm first": {"norm_first": True, "batch_first": True},
    "gelu": {"activation": "gelu"}, "no bias": {"bias": False}, "eps": {"layer_norm_eps": 0.1},
    "norm first, gelu": {"norm_first": True, "activation": "gelu", "bias": False},
}


@each_dtype
@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("masked", [True, False])
def test_encoder_layer_is_as_in_pytorch(name: str, masked: bool, dtype: Any) -> None:
    options = {"d_model": 4, "nhead": 2, "dim_feedforward": 6, "dropout": 0.0} | ENCODERS[name]
    ours, theirs = twin_modules("TransformerEncoderLayer", dtype, **options)
    x, torch_x = twins(np.random.default_rng(8).standard_normal((5, 5, 4)), dtype)
    masks = {"src_mask": np.triu(np.ones((5, 5), bool), 1), "src_key_padding_mask": np.zeros((5, 5), bool)}
    masks["src_key_padding_mask"][2, 3:] = True
    given, torch_given = both_masks(masks if masked else {}, dtype)
    all_agree(ours, theirs, [(x, torch_x)], [(ours(x, **given), theirs(torch_x, **torch_given))], dtype)


def test_an_activation_may_be_any_function() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 6, 0.0, F.silu)
    x = cg.randn(3, 2, 4)
    want = layer.norm1(x + layer.self_attn(x, x, x)[0])
    want = layer.norm2(want + layer.linear2(F.silu(layer.linear1(want))))
    np.testing.assert_allclose(layer(x).data, want.data, rtol=1e-5, atol=1e-6)


# --------------------------------------------------------------------------------------------------------- spelled


class GPT(nn.Module):
    """Two blocks of a small GPT: LayerNorm, attention, Linear, GELU; a word's row in the embedding also scores it."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(7, 8), nn.Embedding(6, 8)
        options = {"activation": "gelu", "batch_first": True, "norm_first": True}
        self.blocks = nn.ModuleList([nn.TransformerEncoderLayer(8, 2, 16, dropout, **options) for _ in range(2)])
        self.norm, self.head = nn.RMSNorm(8), nn.Linear(8, 7)

    def forward(self, x: Tensor) -> Tensor:
        y = self.words(x) + self.places.weight
        for block in self.blocks:
            y = block(y, is_causal=True)
        return self.head(F.silu(self.norm(y))).reshape(-1, 7)


class Reader(nn.Module):
    """Attention whose shares are looked at, with padding, on the way to a probability."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.attend, self.head = nn.Embedding(7, 8), nn.MultiheadAttention(8, 2), nn.Linear(8, 1)
        self.ahead = nn.Buffer(np.triu(np.full((6, 6), -np.inf, np.float32), 2))

    def forward(self, x: Tensor) -> Tensor:
        words = self.words(x).swapaxes(0, 1)
        y, weights = self.attend(words, words, words, key_padding_mask=x == 0, attn_mask=self.ahead)
        return (self.head(y).mean(0)[:, 0] + weights.max(-1).values.mean(1)).sigmoid()


STEPS: dict[str, tuple[Callable[[], nn.Module], Callable[[Any], optim.Optimizer], nn.Module]] = {
    "gpt_adamw": (GPT, lambda p: optim.AdamW(p, 0.01), nn.CrossEntropyLoss()),
    "gpt_dropout": (lambda: GPT(0.25), lambda p: optim.NAdam(p, 0.01), nn.CrossEntropyLoss()),
    "gpt_rmsprop": (GPT, lambda p: optim.RMSprop(p, 0.01, momentum=0.5, centered=True), nn.CrossEntropyLoss()),
    "reader": (Reader, lambda p: optim.Adagrad(p, 0.1, 0.1), nn.BCELoss()),
}


def draw(loss: nn.Module) -> tuple[Any, Any]:
    x = np.maximum(RNG.integers(0, 7, (4, 6)), [1, 0, 0, 0, 0, 0])  # the first word is no padding
    return x, RNG.random(4, np.float32) if isinstance(loss, nn.BCELoss) else RNG.integers(0, 7, 24)


@pytest.mark.parametrize("name", STEPS)
def test_a_spelled_step_gives_the_eager_numbers_to_the_last_bit(name: str) -> None:
    make, make_optimizer, loss_of = STEPS[name]
    model = make()
    optimizer = make_optimizer(model.parameters())

    def step(x: Tensor, target: Tensor) -> Tensor:
        optimizer.zero_grad()
        loss: Tensor = loss_of(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    program = cg.spell(step, *draw(loss_of), model=model, optimizer=optimizer)
    params, state = program.start()
    options = {"rng": copy.deepcopy(default_generator())} if program.draws else {}
    for _ in range(20):
        x, target = draw(loss_of)
        loss = step(cg.tensor(x), cg.tensor(target))
        assert program.run(params, state, x, target, **options) == loss.data
    for path, parameter in model.named_parameters():
        np.testing.assert_array_equal(params[path], parameter.data, strict=True)
        for key, value in optimizer.state[parameter].items():
            np.testing.assert_array_equal(state[f"{path}.{key}"], value.data, strict=True)


# ---------------------------------------------------------------------------------------------------------- misuse

X, Y = cg.zeros(2, 3, 4), cg.zeros(2, 5, 4)
SDPA, LAYER = F.scaled_dot_product_attention, nn.MultiheadAttention(4, 2, batch_first=True)
MISUSE: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: SDPA(X, X, X, cg.zeros(3, 3), is_causal=True), ValueError, "give attn_mask or is_causal=True"),
    (lambda: SDPA(X, X, X, cg.ones(3, 3).long()), TypeError, "attn_mask is int64; it holds booleans"),
    (lambda: SDPA(X, X, X, dropout_p=1.5), ValueError, "a probability from 0 to 1, but 1.5 came"),
    (lambda: SDPA(X, Y, X), ShapeError, "`s` is 5 in key but 3 in value"),
    (lambda: SDPA(X, cg.zeros(2, 5, 3), Y), ShapeError, "`e` is 4 in query but 3 in key"),
    (lambda: SDPA(cg.zeros(4), Y, Y), ShapeError, "at least two axes"),
    (lambda: nn.MultiheadAttention(5, 2), ValueError, "embed_dim=5 features cannot be shared evenly among num_heads=2"),
    (lambda: nn.MultiheadAttention(4, 0), ValueError, "num_heads=0"),
    (lambda: nn.MultiheadAttention(4, 2, dropout=2), ValueError, "a probability from 0 to 1, but 2 came"),
    (lambda: LAYER(X, X, cg.zeros(2, 3, 5)), ShapeError, "value has shape (2, 3, 5), but a batch of sequences with 4"),
    (lambda: LAYER(X, X[0], X[0]), ShapeError, "key has shape (3, 4)"),
    (lambda: LAYER(X, X, Y), ShapeError, "keys have shape (2, 3, 4) and values (2, 5, 4)"),
    (lambda: LAYER(X, X[:1], X[:1]), ShapeError, "queries (2, 3, 4) and keys (1, 3, 4) are of different batches"),
    (lambda: LAYER(X, X, X, attn_mask=cg.zeros(3, 4)), ShapeError, "(3, 3) or (4, 3, 3) was expected"),
    (lambda: LAYER(X, X, X, cg.zeros(3, 2)), ShapeError, "key_padding_mask has shape (3, 2), but (2, 3)"),
    (lambda: LAYER(X, X, X, cg.zeros(2, 3).long()), TypeError, "key_padding_mask is int64"),
    (lambda: nn.TransformerEncoderLayer(4, 2, activation="tanh"), ValueError, "'relu', 'gelu' or a function"),
]


@pytest.mark.parametrize("call, error, words", MISUSE)
def test_misuse_is_told_in_words(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)
