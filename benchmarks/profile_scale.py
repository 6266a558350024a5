"""What a profile costs against the number of rows, and what a second process or Ray adds.

    python benchmarks/profile_scale.py [--most 100_000_000] [--rounds 3] [--billion] [--rows 50_000_000]

Rows are generated while they are read, chunk by chunk, so no size needs memory of its own; generating
alone is timed beside it. Every size runs in a fresh process, where the memory in use after a warm-up is
subtracted from the peak. Workers count blocks of generated labels: one process, two, and two of Ray's,
in turn; once more on Ray with a worker killed. Writes benchmarks/results/profile_scale.json and
docs/profile-scale.svg. `--billion` adds 1e9 rows of 1000 classes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from nebula.decision.policy import load_policy
from nebula.profiling.streams.blocks import merge_states
from nebula.profiling.streams.chunk import Chunk, Numbers
from nebula.profiling.streams.ray_engine import count_on_ray
from nebula.profiling.streams.source_profile import profile_source
from nebula.profiling.streams.table_accumulator import TableAccumulator

RESULTS = Path(__file__).parent / "results" / "profile_scale.json"
PLOT = Path(__file__).parents[1] / "docs" / "profile-scale.svg"
CHUNK = 2**20
KINDS: dict[str, Callable[[int, torch.Generator], torch.Tensor]] = {
    "1000 classes, int64": lambda n, random: torch.randint(0, 1000, (n,), generator=random),
    "labels to 2^62, int64": lambda n, random: torch.randint(0, 2**62, (n,), generator=random),
    "normal, float32": lambda n, random: torch.randn(n, generator=random),
}
BLOCKS = 16
LIMIT_MB = 64


def chunks(kind: str, rows: int, seed: int = 0) -> Iterator[torch.Tensor]:
    """Generate rows, a chunk at a time."""
    random = torch.Generator().manual_seed(seed)
    for start in range(0, rows, CHUNK):
        yield KINDS[kind](min(CHUNK, rows - start), random)


def peak_kib() -> int:
    """Return the peak of the memory in use since it was last reset."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def measure(kind: str, rows: int) -> dict[str, object]:
    """Profile and decide on generated rows in this process."""
    torch.set_num_threads(1)
    profile_source(((None, chunk) for chunk in chunks(kind, 3 * CHUNK)), fingerprint=False)
    policy = load_policy("default.yaml")
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before, began = peak_kib(), time.perf_counter()
    for chunk in chunks(kind, rows):
        del chunk
    generated, alone = time.perf_counter(), peak_kib()
    found = profile_source(((None, chunk) for chunk in chunks(kind, rows)), fingerprint=False).profile
    decision = policy.decide(found)
    done = time.perf_counter()
    return {
        "kind": kind,
        "rows": rows,
        "seconds": done - generated,
        "seconds_generating": generated - began,
        "extra_mb": (peak_kib() - before) / 1024,
        "extra_mb_generating": (alone - before) / 1024,
        "rows_seen": found.target.n,
        "loss": decision.spec.loss if decision.spec else None,
    }


def grow(sizes: list[int], rounds: int) -> list[dict[str, object]]:
    """Measure every kind and size in fresh processes; the median of the seconds, the most memory."""
    found = []
    for rows in sizes:
        for kind in list(KINDS)[: 1 if rows >= 10**9 else None]:
            runs = [_alone(kind, rows) for _ in range(1 if rows >= 10**8 else rounds)]
            row = dict(runs[0], rounds=len(runs), load=os.getloadavg()[0])
            for name, pick in (("seconds", statistics.median), ("seconds_generating", statistics.median)):
                row[name] = pick([run[name] for run in runs])
            row["extra_mb"] = max(run["extra_mb"] for run in runs)
            found.append(row)
            print(f"{rows:>13,} {kind:24} {row['seconds']:8.3f} s {row['extra_mb']:6.1f} MB", flush=True)
    return found


def _alone(kind: str, rows: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", kind, str(rows)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)  # noqa: S603
    return found


def count(kind: str, rows: int, died: str | None, seed: int) -> dict[str, Any]:
    """Count one block of generated rows; the first to come dies, where a file is named for it."""
    torch.set_num_threads(1)
    if died is not None and seed == BLOCKS // 2:
        try:
            os.close(os.open(died, os.O_CREAT | os.O_EXCL))
            os.kill(os.getpid(), signal.SIGKILL)
        except FileExistsError:
            pass
    state = TableAccumulator()
    for chunk in chunks(kind, rows, seed):
        state.update(Chunk(Numbers(chunk)))
    return state.to_arrays()


def spread(rows: int, rounds: int) -> dict[str, object]:
    """Time one process, two, and two workers of Ray on the same blocks; all must find the same."""
    import ray

    kind = "1000 classes, int64"
    work = partial(count, kind, rows // BLOCKS, None)
    began = time.perf_counter()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    count_on_ray([0, 1], partial(count, kind, 10, None))  # workers are up
    started = time.perf_counter() - began
    pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"))
    list(pool.map(partial(count, kind, 10, None), range(2)))
    ways: dict[str, Callable[[], Any]] = {
        "one process": lambda: merge_states(map(work, range(BLOCKS))),
        "two processes": lambda: merge_states(pool.map(work, range(BLOCKS))),
        "two workers of Ray": lambda: count_on_ray(range(BLOCKS), work),
    }
    with tempfile.TemporaryDirectory() as folder:
        killed = partial(count, kind, rows // BLOCKS, str(Path(folder) / "died"))
        ways["two workers of Ray, one killed"] = lambda: count_on_ray(range(BLOCKS), killed)
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        facts = set()
        for turn in range(rounds):
            for name, way in ways.items():
                if "killed" in name and turn:
                    continue
                began = time.perf_counter()
                facts.add(TableAccumulator.from_arrays(way()).facts().model_dump_json())
                seconds[name].append(time.perf_counter() - began)
    if len(facts) != 1:
        raise SystemExit("the ways disagree")
    pool.shutdown()
    ray.shutdown()
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    ratios = {
        name: statistics.median(a / b for a, b in zip(seconds["one process"], times, strict=False))
        for name, times in seconds.items()
    }
    for name in ways:
        print(f"{name:32} {medians[name]:8.3f} s, {ratios[name]:.2f} times as fast as one process", flush=True)
    return {
        "rows": rows, "blocks": BLOCKS, "rounds": rounds, "seconds": medians, "speedup": ratios,
        "seconds_to_start_ray": started, "load": os.getloadavg()[0],
    }  # fmt: skip


def plot(rows: list[dict[str, Any]]) -> None:
    """Draw seconds and memory against rows."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "nebula", "font.size": 9})
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for kind, style in zip(KINDS, ("o-", "s--", "^:"), strict=True):
        mine = [row for row in rows if row["kind"] == kind]
        sizes = [row["rows"] for row in mine]
        left.loglog(sizes, [row["seconds"] for row in mine], style, label=kind, markersize=4)
        right.semilogx(sizes, [row["extra_mb"] for row in mine], style, label=kind, markersize=4)
    left.set(xlabel="rows", ylabel="seconds, generating included", title="time")
    right.axhline(LIMIT_MB, color="0.5", linewidth=1)
    right.set(
        xlabel="rows", ylabel="MB above a warm process", title=f"peak memory (line: {LIMIT_MB} MB)", ylim=(0, None)
    )
    left.legend(frameon=False)
    figure.savefig(PLOT, metadata={"Date": None})


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=10**8, help="rows of the largest size")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=50_000_000, help="rows that are spread over workers")
    parser.add_argument("--billion", action="store_true", help="add 1e9 rows of 1000 classes")
    parser.add_argument("--one", nargs=2, metavar=("KIND", "ROWS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one[0], int(options.one[1]))))
        return
    sizes = [10**power for power in range(4, 10) if 10**power <= options.most]
    rows = grow(sizes + [10**9] * options.billion, options.rounds)
    result = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "torch": torch.__version__},
        "chunk_rows": CHUNK,
        "growth": rows,
        "spread": spread(options.rows, max(options.rounds, 3)),
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    plot(rows)


if __name__ == "__main__":
    main()
