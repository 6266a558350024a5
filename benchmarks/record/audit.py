"""What keeping a decision in the audit log costs, by fsync policy, beside making it.

    python -m benchmarks.record.audit [--rounds 200]

Deciding is `Policy.decide` on a profile of 1,000 counts by `default.yaml`. The trace is written to JSON in every
append, which the bare decision leaves undone; "decide, trace as JSON" is the fair base. Contenders run in turn, in a
shuffled order, in one process; a ratio is the median over rounds of the two times of the same round.
Writes benchmarks/results/audit.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

import nebula
from nebula.audit.log import AuditLog, Sync
from nebula.audit.verification import verify_log

RESULT = Path(__file__).parents[1] / "results" / "audit.json"
BASE = "decide, trace as JSON"
POLICIES: tuple[Sync, ...] = ("never", "interval", "always")


def contenders(folder: Path) -> dict[str, Callable[[], object]]:
    """What is timed, by name."""
    policy = nebula.load_policy("default.yaml")
    counts = torch.poisson(torch.full((1000,), 3.0), generator=torch.Generator().manual_seed(0))
    profile = nebula.profile(counts, nebula.PredictionSpec(shape=(None, 1)))

    def kept(log: AuditLog) -> Callable[[], object]:
        return lambda: log.append(policy.decide(profile).trace, policy)

    logs: dict[str, Callable[[], object]] = {
        f"decide and append, fsync {sync}": kept(AuditLog(folder / f"{sync}.jsonl", fsync=sync)) for sync in POLICIES
    }
    masks = AuditLog(folder / "masked.jsonl", fsync="never", mask=["target.unique_values", "target.name"])
    return {
        "decide": lambda: policy.decide(profile),
        BASE: lambda: policy.decide(profile).trace.to_json(),
        **logs,
        "decide and append, fsync never, two masks": kept(masks),
    }


def measure(rounds: int, folder: Path) -> list[dict[str, object]]:
    """Time every contender once a round, in a shuffled order, after one warm-up."""
    timed = contenders(folder)
    order = list(timed)
    shuffle = random.Random(0).shuffle
    times: dict[str, list[float]] = {name: [] for name in order}
    for name in order:
        timed[name]()
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            began = time.perf_counter()
            timed[name]()
            times[name].append(time.perf_counter() - began)
    rows: list[dict[str, object]] = []
    for name, seconds in times.items():
        ratio = statistics.median(a / b for a, b in zip(seconds, times[BASE], strict=True))
        rows.append({"what": name, "median_us": statistics.median(seconds) * 1e6, "ratio": ratio})
        print(f"{name:<42} {statistics.median(seconds) * 1e6:>9.0f} us  {ratio:>6.2f} x {BASE}")
    return rows


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(rounds, Path(folder))
        log = Path(folder) / "never.jsonl"
        began = time.perf_counter()
        found = verify_log(log)
        seconds, size = time.perf_counter() - began, log.stat().st_size
    assert found.intact
    print(f"verify: {found.records} records, {size / 1e6:.0f} MB, {size / 1e6 / seconds:.0f} MB/s")
    document = {
        "rounds": rounds,
        "python": platform.python_version(),
        "rows": rows,
        "bytes_per_record": size // found.records,
        "verify_mb_per_s": size / 1e6 / seconds,
    }
    RESULT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
