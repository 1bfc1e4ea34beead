"""Let chalkgrad and its rivals do the same work in alternating rounds, each in a process of its own.

scripts/bench                            all training steps, inference and import, against PyTorch; takes some minutes
scripts/bench --quick                    a look in a minute or two
scripts/bench lenet5 engine --rounds 7   some workloads or suites; `part` suites run only when they are named
scripts/bench --against torch,jax        against others
scripts/bench --scaling                  time against batch, width and length
scripts/bench --report                   write the newest results into the README, and draw them
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from .harness.goals import goals
from .harness.machine import words
from .harness.race import ROOT, Settings, names_of, race
from .harness.report import block, disagreements, disturbed, goal_lines, replace_block, workload_lines
from .harness.results import Result, newest, save
from .harness.work import catalogue

OURS = ["chalkgrad", "spelled", "compiled"]
AGAINST = ["torch", "torch-compile", "jax", "autograd", "mygrad", "tinygrad"]
DEFAULT = ("training", "inference", "import")  # the kinds of suites that run if none is named
QUICK = ["moons_mlp", "mnist-mlp-64", "lenet5", "char-gru", "gpt-mini", "imports"]


def main() -> None:
    """Read the command line and run."""
    options = parse()
    if options.report:
        return report()
    kinds = catalogue()
    chosen = select(options, kinds)
    rivals = [*options.against, *(["chalkgrad", "compiled"] if options.scaling else OURS)]
    rounds = options.rounds or (3 if options.scaling else 2 if options.quick else 5)
    settings = Settings(rounds, options.threads, options.tuned, options.lock)
    result = race(chosen, kinds, rivals, settings, _tell)
    whole = options.scaling or (chosen == _all(kinds, DEFAULT) and not options.quick)
    finish(result, "_scaling" if options.scaling else "" if whole else "_partial")


def select(options: argparse.Namespace, kinds: dict[str, str]) -> dict[str, str]:
    """Find the workloads that are meant, each with its suite; names may be those of suites or of workloads."""
    if options.scaling:
        return _all(kinds, ("scaling",))
    everything = _all(kinds, tuple(kinds.values()))
    names = options.names or (QUICK if options.quick else None)
    if names is None:
        return _all(kinds, DEFAULT)
    unknown = [name for name in names if name not in everything and name not in kinds]
    if unknown:
        raise SystemExit(f"scripts/bench: there is no {', '.join(unknown)}. There are the suites {', '.join(kinds)} "
                         f"and the workloads {', '.join(name for name in everything if '/' not in name)}.")
    return {name: suite for name, suite in everything.items() if name in names or suite in names}


def finish(result: Result, suffix: str) -> None:
    """Save a result and tell how it stands with the goals; end with an error if rivals do not agree."""
    path = save(result, suffix)
    scaling = result if suffix == "_scaling" else newest("_scaling")
    marked = [goal for goal in goals(result, scaling) if (goal.number == "5") == (suffix == "_scaling") or not suffix]
    print("", "goals", *goal_lines(marked), "", f"{disturbed(result)}Written to {path.relative_to(ROOT)}", sep="\n")
    wrong = disagreements(result)
    if wrong:
        raise SystemExit("\n".join(wrong))


def report() -> None:
    """Write the newest results of a whole run into the README, and draw them."""
    result, scaling = newest(""), newest("_scaling")
    if result is None:
        raise SystemExit("There is no result of a whole run yet; scripts/bench makes one.")
    from .harness import plot

    plot.ratios(result, ROOT / "docs/bench.svg")
    if scaling is not None:
        plot.scaling(scaling, ROOT / "docs/scaling.svg")
    replace_block(ROOT / "README.md", block(result, scaling))
    print(*goal_lines(goals(result, scaling)), sep="\n")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    lines = (__doc__ or "").splitlines()
    parser = argparse.ArgumentParser(prog="scripts/bench", description=lines[0], epilog="\n".join(lines[2:]),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="suites or workloads")
    parser.add_argument("--rounds", type=_positive, help="how often every rival runs (5; 3 for --scaling)")
    parser.add_argument("--against", type=_names, default=["torch"], help=f"rivals, of {','.join(AGAINST)} (torch)")
    parser.add_argument("--threads", type=_positive, default=os.cpu_count() or 1, help="for each rival (all cores)")
    parser.add_argument("--tuned", action="store_true", help="tell the C library to keep freed memory, for every rival")
    parser.add_argument("--lock", type=Path, help="a file to lock during each turn; what else runs may wait for it")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--quick", action="store_true", help="few workloads, two rounds")
    kinds.add_argument("--scaling", action="store_true", help="time against batch, width and length")
    kinds.add_argument("--report", action="store_true", help="write the newest results into the README")
    options = parser.parse_args(arguments)
    if options.names and (options.quick or options.scaling or options.report):
        parser.error("--quick, --scaling and --report choose by themselves; leave out the names")
    if options.threads > (os.cpu_count() or 1):
        parser.error(f"--threads {options.threads} are more than the {os.cpu_count()} cores")
    return options


def _positive(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, but {text} came")
    return int(text)


def _names(text: str) -> list[str]:
    names = text.split(",")
    if not {*names} <= {*AGAINST}:
        raise argparse.ArgumentTypeError(f"there are {', '.join(AGAINST)}, but {text} came")
    return names


def _all(kinds: dict[str, str], wanted: tuple[str, ...]) -> dict[str, str]:
    return {name: suite for suite, kind in kinds.items() if kind in wanted for name in names_of(suite)}


def _tell(name: str, result: dict[str, Any]) -> None:
    if len(result["workloads"]) == 1:
        machine = words(result["machine"], result["options"]["threads"])
        print(f"{machine}\nratios are time / time of torch in the same round; below 1 is faster\n")
    print(*workload_lines(name, result), sep="\n", flush=True)


if __name__ == "__main__":
    main()
