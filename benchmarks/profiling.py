"""What a profile and a fingerprint cost, over one pure read of the same tensor.

    python benchmarks/profiling.py [--rounds 9]

Everything runs on one thread. Contenders run in turn, in a shuffled order, in one process; a ratio is
the median over rounds of the two times of the same round, once by the clock and once by the
processor time of this process, which other work on the machine moves less. Rows that end in `fast`
use the compiled kernels of the extra `fast`, loaded before. Peak memory, and what loading the kernels
takes, are measured in fresh processes. Peers that are not installed are left out and named. Writes
benchmarks/results/profiling.json and profiling.md.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import torch
from sklearn.utils.multiclass import type_of_target

import nebula
from nebula.profiling.acceleration import ENVIRONMENT
from nebula.profiling.fingerprint import fingerprint
from nebula.profiling.profiler import profile

RESULTS = Path(__file__).parent / "results"
GOALS = {
    ("normal, float32", "profile"): 12.0,
    ("normal, float32", "profile, fast"): 3.0,
    ("1000 classes, int64", "profile"): 7.0,
    ("1000 classes, int64", "profile, fast"): 3.0,
    ("(1e6, 20) of 0 and 1, float32", "profile"): 10.0,
    ("(1e6, 20) of 0 and 1, float32", "profile, fast"): 3.0,
    ("normal, float32", "fingerprint, xxh3_128"): 1.3,
    ("normal, float32", "fingerprint, portable"): 9.0,
    ("normal, float32", "fingerprint, portable, fast"): 3.0,
}
NEVER, ALWAYS = str(10**15), "1000000"
SLOW_ROUNDS = 3
LOADING = """
import time
from importlib import import_module
began = time.perf_counter()
for kernel in ("floats", "codes", "tables", "digest"):
    import_module(f"nebula.profiling.compiled.{kernel}")
print(time.perf_counter() - began)
"""
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
    if target.numel() <= 10_000:
        policy = nebula.load_policy("default.yaml")
        outputs = 1 if target.is_floating_point() else 10
        shape = nebula.PredictionSpec(shape=(None, outputs))
        quick["profile and decide, with trace"] = lambda: nebula.select(target, shape, policy=policy)
        return quick, {}
    quick["profile, fast"] = lambda: with_kernels(lambda: profile(target, fingerprint=False))
    quick["fingerprint, portable, fast"] = lambda: with_kernels(lambda: fingerprint(target, portable=True))
    slow: dict[str, Callable[[], object]] = {"pandas describe + nunique": lambda: (frame.describe(), frame.nunique())}
    if find_spec("whylogs"):
        import whylogs

        named = frame.rename(columns=str)
        slow["whylogs"] = lambda: whylogs.log(named)
    return quick, slow


def with_kernels(work: Callable[[], object]) -> object:
    os.environ[ENVIRONMENT] = ALWAYS
    try:
        return work()
    finally:
        os.environ[ENVIRONMENT] = NEVER


def interleave(work: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Time every contender once a round, in a shuffled order, after one warm-up: by the clock, and the processor."""
    order = list(work)
    shuffle = random.Random(0).shuffle
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in order}
    for name in order:
        work[name]()
    gc.disable()
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            began = time.perf_counter(), time.process_time()
            work[name]()
            times[name].append((time.perf_counter() - began[0], time.process_time() - began[1]))
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
            row["median_ms"] = statistics.median(wall for wall, _ in seconds) * 1e3
            row["cpu_ms"] = statistics.median(cpu for _, cpu in seconds) * 1e3
            row["reads"] = median_ratio(seconds, beside["torch.sum"], 0)
            row["cpu_reads"] = median_ratio(seconds, beside["torch.sum"], 1)
            row["cpu_profiles"] = median_ratio(seconds, beside["profile"], 1)
            row["goal_reads"] = GOALS.get((name, what))
            rows.append(row)
            goal = f"  goal {row['goal_reads']}" if row["goal_reads"] else ""
            print(
                f"{name:<32}{what:<32}{row['median_ms']:>11.3f} ms {row['reads']:>8.2f} reads"
                f" {row['cpu_reads']:>8.2f} by CPU {row['cpu_profiles']:>8.2f} profiles{goal}",
                flush=True,
            )
    return rows


def median_ratio(seconds: list[tuple[float, float]], base: list[tuple[float, float]], clock: int) -> float:
    return statistics.median(a[clock] / b[clock] for a, b in zip(seconds, base, strict=True))


def measure_loading() -> dict[str, float]:
    """Return the seconds that all kernels take to compile, and to load once they are kept on disk."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"NUMBA_CACHE_DIR": folder}
        compiled, loaded = (float(run("-c", LOADING, environment=environment)) for _ in range(2))
    print(f"kernels: {compiled:.1f} s to compile, {loaded:.1f} s to load", flush=True)
    return {"compile_s": compiled, "load_s": loaded}


def run(*arguments: str, environment: dict[str, str]) -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout  # noqa: S603


def measure_memory() -> list[dict[str, object]]:
    """Return the peak extra memory of a profile with its fingerprint, in MiB."""
    rows: list[dict[str, object]] = []
    for kind, least in (("float32", NEVER), ("float32", ALWAYS), ("int64", NEVER), ("int64", ALWAYS)):
        for n in (10**6, 10**8):
            extra = float(run("-c", MEMORY, str(n), kind, environment=os.environ | {ENVIRONMENT: least}))
            what = f"{kind}{', fast' if least == ALWAYS else ''}"
            rows.append({"n": n, "kind": what, "extra_mib": extra})
            print(f"{what:<16}{n:>12,} {extra:>8.1f} MiB extra", flush=True)
    return rows


def write(
    rows: list[dict[str, object]], memory: list[dict[str, object]], loading: dict[str, float], load: float
) -> None:
    machine = {
        "python": platform.python_version(), "torch": torch.__version__, "processor": platform.machine(),
        "cores": os.cpu_count(), "load_before": load, "load_after": os.getloadavg()[0],
        "without": [peer for peer in ("whylogs",) if not find_spec(peer)],
    }  # fmt: skip
    (RESULTS / "profiling.json").write_text(
        json.dumps({"machine": machine, "kernels": loading, "rows": rows, "memory": memory}, indent=1) + "\n"
    )
    lines = [
        f"Load of the machine: {load:.1f} before, {machine['load_after']:.1f} after, on {machine['cores']} cores.",
        f"Kernels: {loading['compile_s']:.1f} s to compile once, {loading['load_s']:.1f} s to load in a process.",
        "",
        "| target | what | ms | reads | reads, CPU time | profiles, CPU time | goal, reads |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row['target']} | {row['what']} | {row['median_ms']:.3g} | {row['reads']:.3g} | {row['cpu_reads']:.3g} "
        f"| {row['cpu_profiles']:.3g} | {row['goal_reads'] or ''} |"
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
    torch.set_num_threads(1)
    os.environ[ENVIRONMENT] = NEVER
    logging.getLogger("nebula").setLevel(logging.ERROR)
    load = os.getloadavg()[0]
    memory, loading = measure_memory(), measure_loading()
    write(measure(rounds), memory, loading, load)


if __name__ == "__main__":
    main()
