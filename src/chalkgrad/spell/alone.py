"""Writing a step that runs alone: its start and its data beside it, and a loop that prints the falling loss."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["main", "write", "write_arrays"]

MAIN = '''

def main(epochs=10, batch_size={batch_size}, seed=0):
    """Train from where the run started that this step was spelled for, and print the falling loss."""
    file = np.load(Path(__file__).with_suffix(".npz"))
    params, state, data = ({{name.removeprefix(kind): file[name] for name in file if name.startswith(kind)}}
                           for kind in ("params/", "state/", "data/"))
    rng = np.random.default_rng(seed)
    n = len(data["{first}"])
    for epoch in range(epochs):
        order, losses = rng.permutation(n), []
        for start in range(0, n - batch_size + 1, batch_size):
            batch = order[start : start + batch_size]
            losses.append(step(params, state, {batch}))
        print(f"epoch {{epoch + 1:2d}}  loss {{np.mean(losses):.4f}}")


if __name__ == "__main__":
    main()
'''


def main(arguments: dict[str, Any], data: dict[str, Any], draws: bool) -> str:
    """Write the loop. Raises ValueError if an argument of the step has no data, or too little for one batch."""
    size = len(next(iter(arguments.values())))
    short = [name for name in arguments if len(data.get(name, ())) < size]
    if short:
        raise ValueError(f"data needs an array of at least {size} rows for each of {', '.join(arguments)}; it lacks "
                         f"{', '.join(short)}.")
    batch = ", ".join(f'data["{name}"][batch]' for name in arguments) + (", rng=rng" if draws else "")
    return MAIN.format(batch_size=size, first=next(iter(arguments)), batch=batch)


def write(path: Path, content: bytes) -> None:
    """Write beside and rename, so that a file that exists is replaced whole or not at all."""
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(content)
    os.replace(partial, path)


def write_arrays(path: Path, groups: dict[str, dict[str, Any]]) -> None:
    """Write arrays under the names group/name."""
    partial = path.with_name(path.name + ".part")
    with open(partial, "wb") as file:
        arrays = {f"{group}/{name}": array for group, named in groups.items() for name, array in named.items()}
        np.savez_compressed(file, **arrays)
    os.replace(partial, path)
