"""Models in use, without gradients.

lenet5-one    LeNet-5 looks at one image of 28 x 28: overhead is most of it
gpt-generate  a GPT of 4 layers and 128 features writes 64 letters, one after the other, greedily; the keys and values
              of the letters before are kept
"""

from __future__ import annotations

from functools import partial
from typing import Any

from . import lenet5
from .harness.work import Work, Workloads, eager_framework, framework_of
from .training import Task, compiler_of, cross_entropy, images, started, tokens

__all__ = ["KIND", "workloads"]

KIND = "inference"


def workloads(rival: str) -> Workloads:
    """Name the uses, and what builds each in one framework."""
    return {"lenet5-one": partial(_look, rival), "gpt-generate": partial(_generate, rival)}


def _look(rival: str) -> Work:
    compiler = compiler_of(rival)
    framework = framework_of(rival)
    model = started(framework, Task(lenet5.model, images(1), cross_entropy, ("", {}))).eval()
    image = framework.tensor(images(1)[0])

    def scores(x: Any) -> Any:
        with framework.no_grad():
            return model(x)

    look = compiler(scores)
    return Work(lambda: look(image), lambda: [float(abs(look(image)).sum()) for _ in range(20)][-1])


def _generate(rival: str) -> Work:
    framework = eager_framework(rival)
    model = started(framework, Task(gpt, tokens(1, 1, 65), cross_entropy, ("", {}))).eval()
    first = framework.tensor(tokens(1, 1, 65)[0])
    return Work(lambda: generate(framework, model, first), lambda: float(abs(generate(framework, model, first)).sum()))


def generate(framework: Any, model: Any, token: Any, count: int = 64) -> Any:
    """Write `count` letters after the first, and return the scores of the last one (1, 1, 65)."""
    cache: list[Any] = [None] * len(model.blocks)
    with framework.no_grad():
        for place in range(count):
            scores = model(token, place, cache)
            token = scores.argmax(-1)
    return scores


def gpt(framework: Any) -> Any:
    """Build a GPT whose blocks keep the keys and values that they have seen."""
    nn = framework.nn

    class Block(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(128), nn.LayerNorm(128)
            self.qkv, self.out = nn.Linear(128, 3 * 128), nn.Linear(128, 128)
            self.path = nn.Sequential(nn.Linear(128, 512), nn.GELU(), nn.Linear(512, 128))

        def forward(self, x: Any, seen: Any) -> tuple[Any, Any]:
            q, k, v = self.qkv(self.norm1(x)).reshape(1, 1, 3, 4, 32).permute(2, 0, 3, 1, 4)  # each (1, heads, 1, 32)
            if seen is not None:
                k, v = framework.cat([seen[0], k], 2), framework.cat([seen[1], v], 2)
            heads = nn.functional.scaled_dot_product_attention(q, k, v)
            x = x + self.out(heads.permute(0, 2, 1, 3).reshape(1, 1, 128))
            return x + self.path(self.norm2(x)), (k, v)

    class GPT(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.position = nn.Embedding(65, 128), nn.Embedding(64, 128)
            self.blocks = nn.ModuleList([Block() for _ in range(4)])
            self.norm = nn.LayerNorm(128)

        def forward(self, token: Any, place: int, cache: list[Any]) -> Any:
            h = self.embedding(token) + self.position.weight[place]
            for number, block in enumerate(self.blocks):
                h, cache[number] = block(h, cache[number])
            return nn.functional.linear(self.norm(h), self.embedding.weight)

    return GPT()
