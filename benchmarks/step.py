"""What a decided call costs beside torch's raw loss, in one interleaved run; and what starting costs.

    python -m benchmarks.step [OUT]

Blocks of calls take turns in a shuffled order, in CPU time of the thread, so that other processes disturb
them less. A ratio is of the medians over the blocks; `mean_ratio` is of their means, and so holds the calls
in which the guard looks too. Single calls take turns one by one, by the wall clock, less what the clock
itself takes; of these the median is kept. `raw again` is a second raw loss: how far it is from the first is
what the machine's noise makes of nothing.
"""

from __future__ import annotations

import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nebula import Nebula, PredictionSpec

OUT = Path(__file__).parent / "results" / "step.json"
BLOCKS, SINGLE = 120, 4000

Calls = dict[str, Callable[[], Any]]


def compare(calls: Calls, repeats: int, blocks: int = BLOCKS, single: int = 0) -> dict[str, dict[str, float]]:
    """Return microseconds a call, and ratios and differences to `raw`."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(blocks):
        for name in random.sample(list(calls), len(calls)):
            call = calls[name]
            started = time.thread_time_ns()
            for _ in range(repeats):
                call()
            taken[name].append((time.thread_time_ns() - started) / repeats / 1e3)
    median = {name: statistics.median(values) for name, values in taken.items()}
    mean = {name: statistics.fmean(values) for name, values in taken.items()}
    found = {
        name: {
            "us": round(us, 3),
            "ratio": round(us / median["raw"], 4),
            "difference_us": round(us - median["raw"], 3),
            "mean_ratio": round(mean[name] / mean["raw"], 4),
        }
        for name, us in median.items()
    }
    for name, us in one_by_one(calls, single).items():
        found[name] |= {"single_us": round(us, 3)}
    return found


def one_by_one(calls: Calls, rounds: int) -> dict[str, float]:
    """Return the median microseconds of single calls that take turns; nothing where there are no rounds."""
    if not rounds:
        return {}
    clock, taken = time.perf_counter_ns, {name: list[int]() for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            started = clock()
            call()
            taken[name].append(clock() - started)
    empty = statistics.median(-(clock() - clock()) for _ in range(10_000))
    return {name: (statistics.median(values) - empty) / 1e3 for name, values in taken.items()}


def decided(target: Tensor, outputs: int | None, **options: Any) -> Nebula:
    shape = (None,) if outputs is None else (None, outputs)
    return Nebula(cache=None, **options).fit(target, prediction=PredictionSpec(shape=shape))


def classes(rows: int, outputs: int, repeats: int, blocks: int = BLOCKS, single: int = 0) -> dict[str, Any]:
    prediction, target = torch.randn(rows, outputs), torch.randint(0, outputs, (rows,))
    seen = torch.arange(20 * outputs) % outputs
    losses = contenders(decided(seen, outputs), decided(seen, outputs, guard=False))
    return compare(called(losses, prediction, target, target), repeats, blocks, single)


def values(*shape: int) -> dict[str, Any]:
    """Targets (N,) against predictions of this shape; torch's loss is given them in one shape."""
    prediction, target = torch.randn(shape), torch.randn(shape[0])
    seen, outputs = torch.randn(2000), None if len(shape) == 1 else shape[1]
    losses = contenders(decided(seen, outputs), decided(seen, outputs, guard=False))
    return compare(called(losses, prediction, target, target.view(shape)), 60, BLOCKS, SINGLE)


def contenders(ours: Nebula, unguarded: Nebula) -> dict[str, nn.Module]:
    assert ours.decision is not None
    assert ours.decision.spec is not None
    raw, again = (getattr(nn, ours.decision.spec.loss)() for _ in range(2))
    return {"raw": raw, "raw again": again, "nebula": ours, "nebula without guard": unguarded}


def called(losses: dict[str, nn.Module], prediction: Tensor, target: Tensor, shaped: Tensor) -> Calls:
    given = {name: target if isinstance(loss, Nebula) else shaped for name, loss in losses.items()}
    return {name: lambda loss=loss, y=given[name]: loss(prediction, y) for name, loss in losses.items()}


def compiled_step() -> dict[str, Any]:
    inputs, target = torch.randn(32, 16), torch.randint(0, 10, (32,))
    calls = {}
    losses = {
        "raw": nn.CrossEntropyLoss(),
        "raw again": nn.CrossEntropyLoss(),
        "nebula": decided(torch.arange(200) % 10, 10),
    }
    for name, loss in losses.items():
        model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 10))
        forward = torch.compile(lambda m=model, f=loss: f(m(inputs), target), fullgraph=True, backend="aot_eager")
        calls[name] = lambda forward=forward: forward().backward()
    return compare(calls, 10, 15)


def first_call() -> dict[str, float]:
    """Milliseconds of CPU time of a first call that decides on its batch, the object being there."""
    taken = []
    for _ in range(7):
        criterion, prediction, target = Nebula(cache=None), torch.randn(32, 10), torch.randint(0, 10, (32,))
        started = time.thread_time_ns()
        criterion(prediction, target)
        taken.append((time.thread_time_ns() - started) / 1e6)
    return {"very_first_ms": round(taken[0], 2), "median_ms": round(statistics.median(taken[1:]), 2)}


def start(*command: str) -> float:
    """Return CPU milliseconds of a fresh process: user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - written below
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def starting() -> dict[str, float]:
    commands = {
        "python": ("-c", "pass"),
        "import nebula": ("-c", "import nebula"),
        "nebula --help": ("-m", "nebula.cli.main", "--help"),
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(9):
        for name, command in commands.items():
            taken[name].append(start(*command))
    return {name: round(statistics.median(values), 1) for name, values in taken.items()}


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    random.seed(0)
    result = {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "forward (32, 10)": classes(32, 10, 60, single=SINGLE),
        "forward (4096, 1000)": classes(4096, 1000, 1, 9),
        "forward (32,)": values(32),
        "forward (32, 1)": values(32, 1),
        "compiled step": compiled_step(),
        "first call": first_call(),
        "start, CPU ms": starting(),
    }
    out = Path(sys.argv[1]) if sys.argv[1:] else OUT
    out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
