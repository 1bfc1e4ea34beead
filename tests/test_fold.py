"""Blocks that repeat become functions: to the last bit, and only where nothing stands in the way."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import chalkgrad as cg
from chalkgrad import Tensor, nn, optim
from chalkgrad.nn import functional as F
from chalkgrad.seeding import default_generator

RNG = np.random.default_rng(2)
WIDTH = 6


class Block(nn.Module):
    """A residual block; `scale` differs from block to block where the test wants it to."""

    def __init__(self, p: float = 0.0, scale: float = 1.0) -> None:
        super().__init__()
        self.norm, self.up, self.gelu = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 8), nn.GELU()
        self.down, self.dropout, self.scale = nn.Linear(8, WIDTH), nn.Dropout(p), scale

    def forward(self, x: Tensor) -> Tensor:
        return x + self.scale * self.dropout(self.down(self.gelu(self.up(self.norm(x)))))


class Residual(nn.Module):
    """Convolutions and running statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv1d(2, 2, 3, padding=1, bias=False), nn.BatchNorm1d(2)
        self.conv2, self.norm2 = nn.Conv1d(2, 2, 3, padding=1, bias=False), nn.BatchNorm1d(2)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x))))))


class Two(nn.Module):
    """A block with two inputs and two outputs, and names that the functions use themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.x, self.y, self.saved, self.path = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.grads, self.params = nn.Parameter(cg.ones(WIDTH)), nn.Parameter(cg.ones(WIDTH))
        self.register_buffer("mean", cg.zeros(WIDTH))

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        with cg.no_grad():
            self.mean += 0.1 * (a.mean(0) - self.mean)
        a = a + F.relu(self.y(self.x(a) * self.grads) + b - self.mean)
        return self.saved(a) * b, F.relu(self.path(b * self.params) - a)


class Net(nn.Module):
    """Blocks in a row, or put together in a way of their own, between two linear layers."""

    def __init__(self, blocks: Any, way: Callable[[Any, Tensor], Tensor] | None = None) -> None:
        super().__init__()
        self.stem, self.blocks, self.head = nn.Linear(WIDTH, WIDTH), nn.ModuleList(blocks), nn.Linear(WIDTH, 3)
        self.way = way or in_a_row

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.way(self.blocks, self.stem(x)))


def in_a_row(blocks: Any, x: Tensor) -> Tensor:
    for block in blocks:
        x = block(x)
    return x


def tied(name: str) -> Any:
    """Blocks that share a layer with the first one."""
    blocks = [Block() for _ in range(3)]
    for block in blocks[1:]:
        setattr(block, name, getattr(blocks[0], name))
    return blocks


def skips(blocks: Any, x: Tensor) -> Tensor:
    """The output of each block is read by all that come after it."""
    outputs = [x]
    for block in blocks:
        outputs.append(block(sum(outputs[1:], outputs[0])))
    return sum(outputs[1:], outputs[0])


def first_and_last(blocks: Any, x: Tensor) -> Tensor:
    first = blocks[0](x)
    return in_a_row(blocks[1:], first) + first


def images(blocks: Any, x: Tensor) -> Tensor:
    return in_a_row(blocks, x.reshape(-1, 2, 3)).reshape(-1, WIDTH)


def two_streams(blocks: Any, x: Tensor) -> Tensor:
    a, b = x, x * 2
    for block in blocks:
        a, b = block(a, b)
    return a + b


def interleaved(blocks: Any, x: Tensor) -> Tensor:
    """The parts of two blocks take turns, so that neither stands in one piece."""
    one, two = blocks
    a, b = one.norm(x), two.norm(x)
    a, b = one.up(a), two.up(b)
    return one.down(one.gelu(a)) + two.down(two.gelu(b))


def hooked(blocks: list[Any]) -> list[Any]:
    """The first block's output is doubled by a hook, which runs outside of the block."""
    blocks[0].register_forward_hook(lambda module, args, output: output * 2)
    return blocks


class InPlace(Block):
    """A sum that is written over one of its parts, and a buffer that is written over."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("last", cg.zeros(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        y = self.down(self.gelu(self.up(self.norm(x))))
        y += x
        with cg.no_grad():
            self.last.copy_(y.mean(0))
        return y


class Recurrent(nn.Module):
    """A cell whose two biases have the same gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.norm = nn.LSTM(WIDTH, WIDTH), nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.lstm(self.norm(x))[0]


class Watched(Block):
    """A hook in the middle of the backward."""

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.gelu(self.up(self.norm(x)))
        if hidden.requires_grad:
            hidden.register_hook(lambda grad: grad * 0.5)
        return x + self.down(hidden)


class Tower(nn.Module):
    """Blocks within blocks."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.parts = nn.Sequential(*[Block() for _ in range(depth)])

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.parts(x))


class Case(NamedTuple):
    """A model; how many functions its blocks become, and how often those are called."""

    build: Callable[[], nn.Module]
    functions: int = 1
    calls: int = 3


CASES = {
    "blocks in a row": Case(lambda: Net(Block() for _ in range(3))),
    "two blocks": Case(lambda: Net(Block() for _ in range(2)), 1, 2),
    "eleven blocks": Case(lambda: Net(Block() for _ in range(11)), 1, 11),
    "one block": Case(lambda: Net([Block()]), 0, 0),
    "dropout": Case(lambda: Net(Block(0.5) for _ in range(3))),
    "running statistics": Case(lambda: Net((Residual() for _ in range(3)), images)),
    # both outputs of the last block have the same gradient
    "two inputs, two outputs": Case(lambda: Net((Two() for _ in range(3)), two_streams), 1, 2),
    "another last one": Case(lambda: Net([*(Block() for _ in range(3)), nn.Linear(WIDTH, WIDTH)])),
    "another number in each": Case(lambda: Net(Block(scale=0.5 * i) for i in range(1, 4)), 0, 0),
    "recurrent": Case(lambda: Net(Recurrent() for _ in range(3))),
    "two kinds": Case(lambda: Net(Block(scale=0.5 * (i % 2)) for i in range(6)), 2, 6),
    "tied norms": Case(lambda: Net(tied("norm")), 0, 0),
    "tied layers": Case(lambda: Net(tied("up")), 0, 0),
    "a block called twice in a row": Case(lambda: Net((Block() for _ in range(2)), lambda b, x: b[1](b[0](b[0](x)))),
                                          0, 0),
    # the two backwards that come last add to the gradients of the two before
    "blocks called in turn": Case(lambda: Net((Block() for _ in range(2)), lambda b, x: in_a_row([*b, *b], x)), 2, 4),
    # the output of the first block goes on to one place more
    "skips between all": Case(lambda: Net((Block() for _ in range(3)), skips), 1, 2),
    "a skip from first to last": Case(lambda: Net((Block() for _ in range(5)), first_and_last), 1, 4),
    "interleaved": Case(lambda: Net((Block() for _ in range(2)), interleaved), 0, 0),
    "in place": Case(lambda: Net(InPlace() for _ in range(3))),
    "a forward hook": Case(lambda: Net(hooked([Block() for _ in range(3)]))),
    "a hook in the backward": Case(lambda: Net(Watched() for _ in range(3)), 0, 0),
    "a frozen one": Case(lambda: Net([Block(), Block().requires_grad_(False), Block(), Block()])),
    "blocks in towers": Case(lambda: Net(Tower(2) for _ in range(2)), 1, 2),
    "blocks in different towers": Case(lambda: Net(Tower(i) for i in (1, 2, 3)), 1, 6),
    # the input of the first needs no gradient
    "numbered without a parent": Case(lambda: nn.Sequential(*(Block() for _ in range(4)), nn.Linear(WIDTH, 3))),
    "a linear layer is no block": Case(lambda: nn.Sequential(*(nn.Linear(WIDTH, WIDTH) for _ in range(4))), 0, 0),
}


def draw() -> tuple[Any, Any]:
    return RNG.standard_normal((8, WIDTH), np.float32), RNG.integers(0, 3, 8)


def plain(model: nn.Module, optimizer: Any, x: Tensor, target: Tensor) -> Tensor:
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), target)
    loss.backward()
    optimizer.step()
    return loss


def adam(model: nn.Module) -> Any:
    return optim.Adam(model.parameters(), 0.01)


def prepared(model: nn.Module, step: Any = plain, optimizer: Any = adam) -> tuple[Any, nn.Module, Any]:
    made = optimizer(model)
    return (lambda x, target: step(model, made, x, target)), model, made


def assert_identical(step: Any, model: nn.Module, optimizer: Any, detail: str) -> str:
    """Run step and program side by side; all that they leave behind is the same, to the last bit."""
    program = cg.spell(step, *draw(), model=model, optimizer=optimizer, detail=detail)
    params, state = program.start()
    options = {"rng": copy.deepcopy(default_generator())} if program.draws else {}
    for _ in range(3):
        x, target = draw()
        expected = step(Tensor(x), Tensor(target)).data
        assert program.run(params, state, x.copy(), target.copy(), **options) == expected
    for path, tensor in (dict(model.named_parameters()) | dict(model.named_buffers())).items():
        if path in params | state:
            np.testing.assert_array_equal((params | state)[path], tensor.data, strict=True)
    assert [line for line in str(program).splitlines() if len(line) > 120] == []
    return str(program)


def folded(text: str) -> tuple[int, int]:
    """Count the functions that blocks became, and their calls."""
    found = re.findall(r"^def (\w+)\(.*\n    \"\"\"Run ", text, re.MULTILINE)
    return len(found), sum(len(re.findall(rf" = {name}\(", text)) for name in found)


@pytest.mark.parametrize("name", CASES)
def test_blocks_are_folded_where_they_are_alike(name: str) -> None:
    cg.manual_seed(0)
    case = CASES[name]
    text = assert_identical(*prepared(case.build()), "statements")
    assert folded(text) == (case.functions, case.calls)


@pytest.mark.parametrize("name", CASES)
def test_rules_and_blocks_may_both_be_functions(name: str) -> None:
    cg.manual_seed(0)
    text = assert_identical(*prepared(CASES[name].build()), "rules")
    assert "def linear(x, weight, bias=None):" in text


def test_a_folded_program_reads_like_this() -> None:
    step, model, optimizer = prepared(Net(Block() for _ in range(3)))
    text = str(cg.spell(step, *draw(), model=model, optimizer=optimizer))
    for line in [
        'def block(x, params, path):',
        '    """Run one of blocks.0 to blocks.2; return what comes out, and what the backward asks for."""',
        '    up_weight   = params[path + ".up.weight"]    # (8, 6)',
        '    return y, saved',
        'def block_backward(grad_y, saved, params, path):',
        '    return grad_x, grads',
        '    blocks_1, blocks_1_saved = block(blocks_0, params, "blocks.1")  # (8, 6)',
        '    grad_blocks_0, blocks_1_grads = block_backward(grad_blocks_1, blocks_1_saved, params, "blocks.1")  # '
        '(8, 6)',
        '        **blocks_2_grads,',
    ]:
        assert line in text.splitlines(), line


def test_a_program_may_be_left_unfolded() -> None:
    """As the compiler reads it."""
    from chalkgrad.spell.trace import trace

    step, model, optimizer = prepared(Net(Block() for _ in range(3)))
    program = cg.Program(trace(step, draw(), model, [optimizer]), "A step.")
    assert re.findall(r"^def (?!erf)(\w+)", str(program), re.MULTILINE)[-1] == "step"
    assert folded(str(program)) == (0, 0)
    assert "    for " not in str(program)[str(program).index("def step(") :]
    x, target = draw()
    assert program.run(*program.start(), x, target) == step(Tensor(x), Tensor(target)).data


@pytest.mark.parametrize("detail", ["rule", "", None, 1])
def test_a_detail_that_is_not_known_is_refused(detail: Any) -> None:
    step, model, optimizer = prepared(Net([Block()]))
    with pytest.raises(ValueError, match=r"detail is 'statements' or 'rules', but .* came"):
        cg.spell(step, *draw(), model=model, optimizer=optimizer, detail=detail)
