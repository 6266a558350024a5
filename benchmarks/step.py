"""What a decided call costs beside torch's raw loss, in one interleaved run; and what starting costs.

`python -m benchmarks.step [OUT]`. Times are CPU time of the thread, so that other processes disturb them
less; ratios are of medians of blocks that take turns.
"""

from __future__ import annotations

import json
import os
import platform
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

OUT = Path("benchmarks/results/step.json")
BLOCKS = 60


def compare(calls: dict[str, Callable[[], Any]], repeats: int, blocks: int = BLOCKS) -> dict[str, dict[str, float]]:
    """Return median microseconds a call, and the ratio and the difference to `raw`."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(blocks):
        for name, call in calls.items():
            started = time.thread_time_ns()
            for _ in range(repeats):
                call()
            taken[name].append((time.thread_time_ns() - started) / repeats / 1e3)
    median = {name: statistics.median(values) for name, values in taken.items()}
    raw = median["raw"]
    return {
        name: {"us": round(us, 3), "ratio": round(us / raw, 4), "difference_us": round(us - raw, 3)}
        for name, us in median.items()
    }


def decided(target: Tensor, outputs: int | None, **options: Any) -> Nebula:
    shape = (None,) if outputs is None else (None, outputs)
    return Nebula(cache=None, **options).fit(target, prediction=PredictionSpec(shape=shape))


def classes(rows: int, outputs: int, repeats: int, blocks: int = BLOCKS) -> dict[str, Any]:
    prediction, target = torch.randn(rows, outputs), torch.randint(0, outputs, (rows,))
    seen = torch.arange(20 * outputs) % outputs
    raw, again, ours = nn.CrossEntropyLoss(), nn.CrossEntropyLoss(), decided(seen, outputs)
    bare = decided(seen, outputs, guard=False)
    calls = {"raw": raw, "raw again": again, "nebula": ours, "nebula without guard": bare}
    return compare({name: lambda loss=loss: loss(prediction, target) for name, loss in calls.items()}, repeats, blocks)


def values(rows: int, repeats: int) -> dict[str, Any]:
    prediction, target = torch.randn(rows), torch.randn(rows)
    ours = decided(torch.randn(2000), None)
    assert ours.decision is not None
    assert ours.decision.spec is not None
    raw, again = (getattr(nn, ours.decision.spec.loss)() for _ in range(2))
    calls = {"raw": raw, "raw again": again, "nebula": ours}
    return compare({name: lambda loss=loss: loss(prediction, target) for name, loss in calls.items()}, repeats)


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
    """Milliseconds of wall time of a first call that decides on its batch, the policy being loaded."""
    taken = []
    for _ in range(7):
        criterion, prediction, target = Nebula(cache=None), torch.randn(32, 10), torch.randint(0, 10, (32,))
        started = time.thread_time_ns()
        criterion(prediction, target)
        taken.append((time.thread_time_ns() - started) / 1e6)
    return {"very_first_ms": round(taken[0], 2), "median_ms": round(statistics.median(taken[1:]), 2)}


def start(*command: str) -> float:
    """Return CPU milliseconds of a fresh process: user and system."""
    code = (
        "import os, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
        "t = os.times()\n"
        "print(1e3 * (t.children_user + t.children_system))"
    )
    asked = [sys.executable, "-c", code, sys.executable, *command]
    return float(subprocess.check_output(asked, text=True))  # noqa: S603 - commands written above


def starting() -> dict[str, float]:
    commands = {
        "python": ("-c", "pass"),
        "import nebula": ("-c", "import nebula"),
        "nebula --help": ("-m", "nebula.cli.main", "--help"),
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(3):
        for name, command in commands.items():
            taken[name].append(start(*command))
    return {name: round(statistics.median(values), 1) for name, values in taken.items()}


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    result = {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 1),
        "forward (32, 10)": classes(32, 10, 60),
        "forward (4096, 1000)": classes(4096, 1000, 1, 9),
        "forward (32,), values": values(32, 60),
        "compiled step": compiled_step(),
        "first call": first_call(),
        "start, CPU ms": starting(),
    }
    out = Path(sys.argv[1]) if sys.argv[1:] else OUT
    out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
