"""The workloads as functions of their parameters, in words that an adapter puts into its own framework's.

Each takes the adapter's words F, the parameters and buffers p under PyTorch's names, and the two arrays of the batch,
and returns the loss. The words are those of PyTorch's `functional`, less the options that no workload needs.
"""

from __future__ import annotations

from typing import Any

__all__ = ["LOSSES"]


def layers(F: Any, p: Any, x: Any, *names: str) -> Any:
    """Run through linear layers with ReLU between them."""
    for number, name in enumerate(names):
        x = F.linear(F.relu(x) if number else x, p[f"{name}.weight"], p[f"{name}.bias"])
    return x


def conv(F: Any, p: Any, name: str, x: Any, **options: int) -> Any:
    """Convolve with the kernels of a layer, and add its bias if it has one."""
    return F.conv(x, p[f"{name}.weight"], p.get(f"{name}.bias"), **options)


def moons_mlp(F: Any, p: Any, x: Any, side: Any) -> Any:
    return F.relu(1 - side * layers(F, p, x, "0", "2", "4")).mean()


def mnist_mlp(F: Any, p: Any, x: Any, target: Any) -> Any:
    return F.cross_entropy(layers(F, p, x.reshape(x.shape[0], -1), "1", "3", "5"), target)


def lenet5(F: Any, p: Any, x: Any, target: Any) -> Any:
    h = F.max_pool(F.relu(conv(F, p, "0", x, padding=2)))
    h = F.max_pool(F.relu(conv(F, p, "3", h)))
    return F.cross_entropy(layers(F, p, h.reshape(h.shape[0], -1), "7", "9", "11"), target)


def cnn(F: Any, p: Any, x: Any, target: Any) -> Any:
    h = F.max_pool(F.relu(conv(F, p, "0", x, padding=1)))
    h = F.max_pool(F.relu(conv(F, p, "3", h, padding=1)))
    return F.cross_entropy(layers(F, p, h.reshape(h.shape[0], -1), "7"), target)


def resnet20(F: Any, p: Any, x: Any, target: Any) -> Any:
    def normed(name: str, norm: str, x: Any, **options: int) -> Any:
        return F.batch_norm(p, norm, conv(F, p, name, x, **options))

    h = F.relu(normed("0", "1", x, padding=1))
    for at in range(3, 12):
        stride = 2 if f"{at}.shortcut.0.weight" in p else 1
        y = F.relu(normed(f"{at}.path.0", f"{at}.path.1", h, stride=stride, padding=1))
        y = normed(f"{at}.path.3", f"{at}.path.4", y, padding=1)
        h = F.relu(y + (normed(f"{at}.shortcut.0", f"{at}.shortcut.1", h, stride=2) if stride == 2 else h))
    return F.cross_entropy(layers(F, p, h.mean((2, 3)), "14"), target)


def autoencoder(F: Any, p: Any, x: Any, target: Any) -> Any:
    h = F.relu(conv(F, p, "0", x, stride=2, padding=1))
    h = F.relu(conv(F, p, "2", h, stride=2, padding=1))
    h = F.relu(F.conv_transpose(h, p["4.weight"], p["4.bias"], stride=2, padding=1))
    y = F.conv_transpose(h, p["6.weight"], p["6.bias"], stride=2, padding=1)
    return ((y - target) ** 2).mean()


def tcn(F: Any, p: Any, x: Any, target: Any) -> Any:
    def causal(name: str, x: Any, gap: int) -> Any:
        return F.relu(conv(F, p, name, x, padding=2 * gap, dilation=gap)[:, :, : -2 * gap])

    h = conv(F, p, "0", x)
    for at in range(1, 5):
        gap = 2 ** (at - 1)
        h = F.relu(h + causal(f"{at}.path.1.conv", causal(f"{at}.path.0.conv", h, gap), gap))
    return ((conv(F, p, "5", h) - target) ** 2).mean()


def letters(F: Any, p: Any, x: Any, target: Any) -> Any:
    """Run an LSTM or a GRU, whichever the weights are of."""
    weights = [p[f"cells.{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    cells = F.lstm if weights[0].shape[0] == 4 * weights[1].shape[1] else F.gru
    return F.cross_entropy(layers(F, p, cells(F.embedding(p["embedding.weight"], x), *weights), "head"), target)


def gpt(F: Any, p: Any, x: Any, target: Any) -> Any:
    table = p["embedding.weight"]
    h = F.embedding(table, x) + p["position"]
    for at in range(sum(name.endswith("in_proj_bias") for name in p)):
        h = gpt_block(F, {name: p[f"layers.{at}.{name}"] for name in BLOCK}, h)
    return F.cross_entropy(F.linear(norm(F, p, "norm", h), table, 0.0), target)


BLOCK = [f"{layer}.{kind}" for layer in ("norm1", "norm2", "linear1", "linear2", "self_attn.out_proj")
         for kind in ("weight", "bias")] + ["self_attn.in_proj_weight", "self_attn.in_proj_bias"]


def gpt_block(F: Any, p: Any, x: Any) -> Any:
    """Attend to what came before with heads of 32 features, then transform; the norms come first."""
    b, t, d = x.shape
    qkv = F.linear(norm(F, p, "norm1", x), p["self_attn.in_proj_weight"], p["self_attn.in_proj_bias"])
    q, k, v = (F.transpose(qkv[:, :, part * d : (part + 1) * d].reshape(b, t, d // 32, 32), (0, 2, 1, 3))
               for part in range(3))
    heads = F.transpose(F.causal_attention(q, k, v), (0, 2, 1, 3)).reshape(b, t, d)
    x = x + layers(F, p, heads, "self_attn.out_proj")
    return x + layers(F, p, F.gelu(layers(F, p, norm(F, p, "norm2", x), "linear1")), "linear2")


def norm(F: Any, p: Any, name: str, x: Any) -> Any:
    return F.layer_norm(x, p[f"{name}.weight"], p[f"{name}.bias"])


def vae(F: Any, p: Any, x: Any, noise: Any) -> Any:
    h = F.relu(layers(F, p, x, "hidden"))
    mean, logvar = layers(F, p, h, "mean"), layers(F, p, h, "logvar")
    logits = layers(F, p, mean + F.exp(0.5 * logvar) * noise, "decoder.0", "decoder.2")
    likelihood = (F.relu(logits) - logits * x + F.log1p(F.exp(-F.abs(logits)))).sum()
    return (likelihood - 0.5 * (1 + logvar - mean * mean - F.exp(logvar)).sum()) / x.shape[0]


LOSSES = {
    "moons-mlp": moons_mlp, "mnist-mlp-64": mnist_mlp, "mnist-mlp-512": mnist_mlp, "lenet5": lenet5, "cnn": cnn,
    "resnet20": resnet20, "autoencoder": autoencoder, "tcn": tcn, "char-lstm": letters, "char-gru": letters,
    "gpt-mini": gpt, "gpt-small-step": gpt, "vae": vae,
}
