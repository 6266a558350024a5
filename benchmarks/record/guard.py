"""What watching the batches costs beside a step of a small MLP.

    python -m benchmarks.record.guard [--rounds 20]

A step is forward, loss, backward and optimiser of 64 → 128 → 10 on 256 rows, on one thread. Blocks
of 1,024 steps run in turn, in a shuffled order, with and without the guard; the share is the median
over rounds of the difference of the same round, divided by the step without. Steps, and the mean of
`observe`, are in CPU time of the process, which other work on the machine changes least; `observe` is
also timed call by call by the wall clock, the calls that look and those that only keep a reference
apart, less the clock's own time. Writes benchmarks/results/guard.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from nebula import Nebula, PredictionSpec
from nebula.drift.guard import Guard

RESULT = Path(__file__).parents[1] / "results" / "guard.json"
ROWS, WIDTH, CLASSES, BATCHES, BLOCK = 256, 64, 10, 64, 1024


class Training:
    """A small model that trains on the same batches again and again."""

    def __init__(self, *, guard: bool) -> None:
        generator = torch.Generator().manual_seed(0)
        inputs = torch.randn(BATCHES * ROWS, WIDTH, generator=generator)
        targets = (inputs @ torch.randn(WIDTH, CLASSES, generator=generator)).argmax(1)
        self.batches = list(zip(inputs.split(ROWS), targets.split(ROWS), strict=True))
        self.model = nn.Sequential(nn.Linear(WIDTH, 128), nn.ReLU(), nn.Linear(128, CLASSES))
        self.criterion = Nebula(guard=guard).fit(targets, prediction=PredictionSpec(shape=(None, CLASSES)))
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=0.01)

    def block(self) -> float:
        """Return the mean CPU seconds of a step."""
        began = time.process_time()
        for step in range(BLOCK):
            inputs, targets = self.batches[step % BATCHES]
            self.optimiser.zero_grad()
            self.criterion(self.model(inputs), targets).backward()
            self.optimiser.step()
        return (time.process_time() - began) / BLOCK


def time_observe(training: Training, calls: int) -> dict[str, float]:
    """Return microseconds: median of a call that keeps, of one that looks, and the mean of all."""
    decision = training.criterion.decision
    assert decision is not None
    guard = Guard(decision, training.criterion.policy)
    targets: list[Tensor] = [targets for _, targets in training.batches]
    clock = time.perf_counter_ns
    times, looks = _observe(guard, targets, calls)
    alone = _observe(Guard(decision, training.criterion.policy, facts=False), targets, calls)[1]
    empty = statistics.median(-(clock() - clock()) for _ in range(10_000))
    guard = Guard(decision, training.criterion.policy)
    cpu = time.process_time_ns()
    for call in range(calls):
        guard.observe(targets[call % BATCHES])
    cpu = time.process_time_ns() - cpu
    return {
        "keeps_us": (statistics.median(times) - empty) / 1e3,
        "looks_us": (statistics.median(alone) - empty) / 1e3,
        "judges_us": (max(statistics.quantiles(looks, n=20)) - empty) / 1e3,
        "mean_us": cpu / calls / 1e3,
    }


def _observe(guard: Guard, targets: list[Tensor], calls: int) -> tuple[list[int], list[int]]:
    """Return nanoseconds of every call, and of those that looked at as many batches as ever."""
    clock, times, looks = time.perf_counter_ns, [], []
    for call in range(calls):
        most = guard.limit == guard.options.every
        began = clock()
        guard.observe(targets[call % BATCHES])
        times.append(clock() - began)
        if most and not guard.kept:
            looks.append(times[-1])
    return times, looks


def _spread(times: dict[str, list[float]]) -> float:
    """Return the interquartile range of the paired shares: what the machine's own noise is."""
    shares = [(after - before) / before for before, after in zip(times["without"], times["with"], strict=True)]
    low, _, high = statistics.quantiles(shares, n=4)
    return high - low


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    contenders = {"without": Training(guard=False), "with": Training(guard=True)}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    order, shuffle = list(contenders), random.Random(0).shuffle
    for training in contenders.values():
        training.block()
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            times[name].append(contenders[name].block())
    step = statistics.median(times["without"])
    observed = time_observe(contenders["with"], 64 * 1024)
    result = {
        "rounds": rounds,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "step_without_us": step * 1e6,
        "step_with_us": statistics.median(times["with"]) * 1e6,
        "share_of_step_blocks": statistics.median(
            (after - before) / before for before, after in zip(times["without"], times["with"], strict=True)
        ),
        "block_spread": _spread(times),
        "share_of_step_calls": observed["mean_us"] / (step * 1e6),
        **observed,
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for name, value in result.items():
        print(f"{name:22} {value}")


if __name__ == "__main__":
    main()
