"""What a profile and a fingerprint cost, over one pure read of the same tensor.

    python benchmarks/profiling.py [--rounds 9]

Contenders run in turn, in a shuffled order, in one process; a ratio is the median over rounds of
the two times of the same round. Peak memory is measured in fresh processes. Peers that are not
installed are left out and named. Writes benchmarks/results/profiling.json and profiling.md.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import torch
from sklearn.utils.multiclass import type_of_target

from nebula.profiling.fingerprint import fingerprint
from nebula.profiling.profiler import profile

RESULTS = Path(__file__).parent / "results"
GOALS = {
    ("normal, float32", "profile"): 12.0,
    ("1000 classes, int64", "profile"): 7.0,
    ("(1e6, 20) of 0 and 1, float32", "profile"): 10.0,
    ("normal, float32", "fingerprint, xxh3_128"): 1.3,
    ("normal, float32", "fingerprint, portable"): 9.0,
}
SLOW_ROUNDS = 3
MEMORY = """
import resource, sys, torch
from nebula.profiling.profiler import profile
n, kind = int(sys.argv[1]), sys.argv[2]
made = {"float32": lambda n: torch.randn(n), "int64": lambda n: torch.randint(0, 2**62, (n,))}[kind]
profile(made(3_000_000))
target = made(n)
open("/proc/self/clear_refs", "w").write("5")
peak = lambda: int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
before = peak()
profile(target)
print((peak() - before) / 1024)
"""


def targets() -> dict[str, torch.Tensor]:
    """Targets of about 1e7 values, by name."""
    generator = torch.Generator().manual_seed(0)
    return {
        "normal, float32": torch.randn(10_000_000, generator=generator),
        "1000 classes, int64": torch.randint(0, 1000, (10_000_000,), generator=generator),
        "(1e6, 20) of 0 and 1, float32": (torch.rand(1_000_000, 20, generator=generator) < 0.15).float(),
        "normal, float32, 1e3": torch.randn(1_000, generator=generator),
        "10 classes, int64, 1e3": torch.randint(0, 10, (1_000,), generator=generator),
    }


def contenders(target: torch.Tensor) -> tuple[dict[str, Callable[[], object]], dict[str, Callable[[], object]]]:
    """Return what runs in every round, and what is too slow for that."""
    array = target.numpy()
    frame = pd.DataFrame(array)
    quick: dict[str, Callable[[], object]] = {
        "torch.sum": target.sum,
        "profile": lambda: profile(target, fingerprint=False),
        "fingerprint, xxh3_128": lambda: fingerprint(target),
        "fingerprint, portable": lambda: fingerprint(target, portable=True),
        "type_of_target": lambda: type_of_target(array),
    }
    slow: dict[str, Callable[[], object]] = {"pandas describe + nunique": lambda: (frame.describe(), frame.nunique())}
    if find_spec("whylogs"):
        import whylogs

        named = frame.rename(columns=str)
        slow["whylogs"] = lambda: whylogs.log(named)
    return quick, slow if target.numel() > 10_000 else {}


def interleave(work: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Time every contender once a round, in a shuffled order, after one warm-up."""
    order = list(work)
    shuffle = random.Random(0).shuffle
    times: dict[str, list[float]] = {name: [] for name in order}
    for name in order:
        work[name]()
    gc.disable()
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            began = time.perf_counter()
            work[name]()
            times[name].append(time.perf_counter() - began)
    gc.enable()
    return times


def measure(rounds: int) -> list[dict[str, object]]:
    """Return one row per target and contender."""
    rows: list[dict[str, object]] = []
    for name, target in targets().items():
        quick, slow = contenders(target)
        many = rounds if target.numel() > 10_000 else 40 * rounds
        times = interleave(quick, many)
        alone = interleave({"torch.sum": quick["torch.sum"], "profile": quick["profile"], **slow}, SLOW_ROUNDS)
        for what, seconds in (times | {peer: alone[peer] for peer in slow}).items():
            beside = alone if what in slow else times
            row: dict[str, object] = {"target": name, "what": what, "rounds": len(seconds)}
            row["median_ms"] = statistics.median(seconds) * 1e3
            row["reads"] = median_ratio(seconds, beside["torch.sum"])
            row["profiles"] = median_ratio(seconds, beside["profile"])
            row["goal_reads"] = GOALS.get((name, what))
            rows.append(row)
            goal = f"  goal {row['goal_reads']}" if row["goal_reads"] else ""
            print(f"{name:<32}{what:<28}{row['median_ms']:>11.3f} ms {row['reads']:>9.2f} reads"
                  f" {row['profiles']:>8.2f} profiles{goal}", flush=True)  # fmt: skip
    return rows


def median_ratio(seconds: list[float], base: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(seconds, base, strict=True))


def measure_memory() -> list[dict[str, object]]:
    """Return the peak extra memory of a profile with its fingerprint, in MiB."""
    rows: list[dict[str, object]] = []
    for kind in ("float32", "int64"):
        for n in (10**6, 10**8):
            command = [sys.executable, "-c", MEMORY, str(n), kind]
            extra = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: S603
            rows.append({"n": n, "kind": kind, "extra_mib": extra})
            print(f"{kind:<10}{n:>12,} {extra:>8.1f} MiB extra", flush=True)
    return rows


def write(rows: list[dict[str, object]], memory: list[dict[str, object]], load: float) -> None:
    machine = {
        "python": platform.python_version(), "torch": torch.__version__, "processor": platform.machine(),
        "cores": os.cpu_count(), "load_before": load, "load_after": os.getloadavg()[0],
        "without": [peer for peer in ("whylogs",) if not find_spec(peer)],
    }  # fmt: skip
    (RESULTS / "profiling.json").write_text(
        json.dumps({"machine": machine, "rows": rows, "memory": memory}, indent=1) + "\n"
    )
    lines = ["| target | what | ms | reads | profiles | goal, reads |", "|---|---|---:|---:|---:|---:|"]
    lines += [
        f"| {row['target']} | {row['what']} | {row['median_ms']:.3g} | {row['reads']:.3g} | {row['profiles']:.3g} "
        f"| {row['goal_reads'] or ''} |"
        for row in rows
    ]
    lines += ["", "| type | values | extra memory, MiB |", "|---|---:|---:|"]
    lines += [f"| {row['kind']} | {row['n']:,} | {row['extra_mib']:.1f} |" for row in memory]
    (RESULTS / "profiling.md").write_text("\n".join(lines) + "\n")


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    load = os.getloadavg()[0]
    memory = measure_memory()
    write(measure(rounds), memory, load)


if __name__ == "__main__":
    main()
