"""What the cache costs and saves a decision: `python -m benchmarks.record.cache` writes results/record_cache.json.

Every way answers the same questions in turn, so that a busy machine slows all alike; ratios are of medians.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import nebula
from nebula.store.generation import current_generation
from nebula.store.location import CacheLike, open_cache

RESULT = Path(__file__).parents[1] / "results" / "record_cache.json"
SIZES = (1_000, 1_000_000)
ROUNDS = 60
SHAPE = nebula.PredictionSpec(shape=(None, 1))


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e3


def measure(rows: int, folder: Path) -> dict[str, float]:
    """Median milliseconds of each way; a file's cache object is new for every hit, as in a new process."""
    policy = nebula.load_policy("default.yaml")
    draw = torch.Generator().manual_seed(rows)
    memory, file = open_cache(":memory:"), folder / f"{rows}.sqlite3"
    took: dict[str, list[float]] = {}

    def ask(way: str, target: torch.Tensor, cache: CacheLike) -> None:
        def decide() -> None:
            nebula.select(target, SHAPE, policy=policy, cache=cache)

        took.setdefault(way, []).append(timed(decide))

    for round_ in range(ROUNDS + 3):
        target = torch.randn(rows, generator=draw)
        ask("no cache", target, None)
        ask("memory miss", target, memory)
        ask("memory hit", target, memory)
        ask("file miss", target, file)
        ask("file hit", target, file)
        if round_ == 2:  # the first ones warm up
            took.clear()
    return {way: statistics.median(times) for way, times in took.items()}


def main() -> None:
    torch.set_num_threads(1)
    current_generation()
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as folder:
        found = {str(rows): measure(rows, Path(folder)) for rows in SIZES}
    document = {
        "unit": "milliseconds, median of a decision",
        "rounds": ROUNDS,
        "threads": 1,
        "load_per_core_before": round(load, 2),
        "rows": {
            rows: {
                way: {"ms": round(ms, 3), "of_no_cache": round(ms / ways["no cache"], 3)} for way, ms in ways.items()
            }
            for rows, ways in found.items()
        },
    }
    RESULT.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    for rows, ways in found.items():
        for way, ms in ways.items():
            print(f"{int(rows):>9,} rows  {way:<12} {ms:8.3f} ms  {ms / ways['no cache']:.2f} of no cache")


if __name__ == "__main__":
    main()
