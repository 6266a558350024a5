"""What a decision costs beside scikit-learn's `type_of_target`, which answers one question of many.

    python benchmarks/decision.py [--rounds 15]

"Decide with trace" and "profile and decide" return a trace whose comparisons' records and nearest
boundaries are written from the run's frozen evidence when they are read; the rows "… as JSON" read
them all. "Profile and decide" is `nebula.select` on a loaded policy, its log line included.
Contenders run in turn, in a shuffled order, in one process; a ratio is the median over rounds of
the two times of the same round. Writes benchmarks/results/decision.json.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from sklearn.utils.multiclass import type_of_target

import nebula
from nebula.policy.engine import NativeEngine
from nebula.profiling.vocabulary import facts_of

RESULT = Path(__file__).parent / "results" / "decision.json"
SIZES = (1_000, 1_000_000)


def targets(n: int) -> dict[str, tuple[torch.Tensor, int]]:
    """Targets by name, each with the number of outputs a model would have."""
    generator = torch.Generator().manual_seed(0)
    return {
        "10 classes, int64": (torch.randint(0, 10, (n,), generator=generator), 10),
        "counts, float32": (torch.poisson(torch.full((n,), 3.0), generator=generator), 1),
        "normal, float32": (torch.randn(n, generator=generator), 1),
    }


def interleave(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Time every contender once a round, in a shuffled order, after one warm-up."""
    order = list(contenders)
    shuffle = random.Random(0).shuffle
    times: dict[str, list[float]] = {name: [] for name in order}
    for name in order:
        contenders[name]()
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            began = time.perf_counter()
            contenders[name]()
            times[name].append(time.perf_counter() - began)
    return times


def measure(n: int, rounds: int) -> list[dict[str, object]]:
    """Return one row per target of this size."""
    policy = nebula.load_policy("default.yaml")
    rows: list[dict[str, object]] = []
    for name, (target, outputs) in targets(n).items():
        shape = nebula.PredictionSpec(shape=(None, outputs))
        profile = nebula.profile(target, shape)
        facts = facts_of(profile)
        array = target.numpy()
        times = interleave(
            {
                "type_of_target": lambda array=array: type_of_target(array),
                "profile": lambda target=target, shape=shape: nebula.profile(target, shape),
                "decide with trace": lambda profile=profile: policy.decide(profile),
                "decide, trace as JSON": lambda profile=profile: policy.decide(profile).trace.to_json(),
                "profile and decide": lambda target=target, shape=shape: nebula.select(target, shape, policy=policy),
                "profile and decide, trace as JSON": lambda target=target, shape=shape: nebula.select(
                    target, shape, policy=policy
                ).trace.to_json(),
                "rules, durable-rules": lambda facts=facts: policy.compiled.evaluate(facts),
                "rules, native": lambda facts=facts: policy.compiled.evaluate(facts, NativeEngine()),
            },
            rounds,
        )
        base = times["type_of_target"]
        for contender, seconds in times.items():
            ratio = statistics.median(a / b for a, b in zip(seconds, base, strict=True))
            median = statistics.median(seconds)
            rows.append({"n": n, "target": name, "what": contender, "median_us": median * 1e6, "ratio": ratio})
            print(f"{n:>9,}  {name:<18} {contender:<33} {median * 1e6:>10.0f} us  {ratio:>7.2f} x type_of_target")
    return rows


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    logging.getLogger("nebula").setLevel(logging.ERROR)
    rows = [row for n in SIZES for row in measure(n, rounds)]
    document = {"rounds": rounds, "python": platform.python_version(), "torch": torch.__version__, "rows": rows}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"written: {RESULT.relative_to(Path.cwd()) if RESULT.is_relative_to(Path.cwd()) else RESULT}")


if __name__ == "__main__":
    main()
