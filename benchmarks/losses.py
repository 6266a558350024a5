"""What a loss costs, forward and backward, beside the best library version or plain torch operations.

    python -m benchmarks.losses [--rounds 15] [--only Dice]

Contenders run in turn, in a shuffled order, in one process, on one thread; a ratio is the median over
rounds of the two times of the same round. Memory is the most that torch's allocator held at once during
one call and its backward pass, beyond the inputs. Values are compared before anything is timed. Peers
that are not installed are left out and named. Writes benchmarks/results/losses.json and losses.md.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity

from benchmarks.loss_rows import amounts, labels, vectors
from benchmarks.loss_rows.row import ELEMENTS, Row, installed
from nebula.losses.adaptation import entry_of
from nebula.losses.factory import build_criterion
from nebula.losses.spec import LossSpec, Serve

RESULTS = Path(__file__).parent / "results"
OURS = "nebula"
GOAL = 1.2
Call = Callable[[], Tensor]


def contenders(row: Row) -> dict[str, Call]:
    """Return what computes the loss and the gradient of the prediction, ours first."""
    prediction, target, extra = row.draw(torch.Generator().manual_seed(0))
    serve = Serve(functional=(*entry_of(row.loss).serves, "mean")[0])
    criterion = build_criterion(LossSpec(loss=row.loss, params=row.params, serve=serve))
    functions = {OURS: criterion, **{name: peer for name, peer in row.peers.items() if installed(name)}}
    return {name: _call(function, prediction, target, extra) for name, function in functions.items()}


def _call(function: Callable[..., Tensor], prediction: Tensor, target: Tensor, extra: dict[str, Tensor]) -> Call:
    def run() -> Tensor:
        leaf = prediction.detach().requires_grad_()
        value = function(leaf, target, **extra)
        value.backward()
        return value.detach()

    return run


def interleave(work: dict[str, Call], rounds: int) -> dict[str, list[float]]:
    """Time every contender once a round, in a shuffled order."""
    order, shuffle = list(work), random.Random(0).shuffle
    times: dict[str, list[float]] = {name: [] for name in order}
    gc.disable()
    for _ in range(rounds):
        shuffle(order)
        for name in order:
            began = time.perf_counter()
            work[name]()
            times[name].append(time.perf_counter() - began)
    gc.enable()
    return times


def peak_memory(run: Call) -> float:
    """Return the most that was allocated at once, in MB."""
    with torch.profiler.profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        run()
    events: Any = seen.profiler.kineto_results.events()  # type: ignore[union-attr]
    moves = sorted((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]")
    held = peak = 0
    for _, size in moves:
        held += size
        peak = max(peak, held)
    return peak / 1e6


def measure(row: Row, rounds: int) -> dict[str, Any]:
    """Return the row of one loss."""
    work = contenders(row)
    values = {name: run().item() for name, run in work.items()}
    for name, value in values.items():
        off = abs(value - values[OURS]) / max(abs(values[OURS]), 1e-6)
        assert off <= row.tolerance, f"{row.name}: {name} gives {value}, nebula {values[OURS]}"
    times = interleave(work, rounds)
    found = []
    for name, run in work.items():
        ratio = statistics.median(ours / other for ours, other in zip(times[OURS], times[name], strict=True))
        median = statistics.median(times[name]) * 1e3
        found.append({"name": name, "median_ms": median, "ours_over_it": ratio, "peak_mb": peak_memory(run)})
    best = max(found[1:], key=lambda peer: peer["ours_over_it"])
    return {
        "loss": row.name,
        "ratio": best["ours_over_it"],
        "best": best["name"],
        "memory_ratio": found[0]["peak_mb"] / min(peer["peak_mb"] for peer in found[1:]),
        "contenders": found,
        "missing": [name for name in row.peers if not installed(name)],
    }


def render(found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the page: what was missed and by how much, then the table, slowest first."""
    rows = sorted(found["rows"], key=lambda row: -row["ratio"])
    missed = [f"{row['loss']} ({row['ratio']:.2f})" for row in rows if row["ratio"] > GOAL]
    yield f"{len(rows) - len(missed)} of {len(rows)} within {GOAL} times the best other. Beyond: {', '.join(missed)}."
    load = f"{found['load']:.0f} on {found['cores']} cores"
    yield f"Medians of {found['rounds']} rounds; load of the machine at the end: {load}."
    yield ""
    yield "| loss | ms | best other | ms | ratio | MB | best other's MB |"
    yield "|---|---:|---|---:|---:|---:|---:|"
    for row in rows:
        ours, *others = row["contenders"]
        best = next(peer for peer in others if peer["name"] == row["best"])
        yield (
            f"| {row['loss']} | {ours['median_ms']:.3g} | {row['best']} | {best['median_ms']:.3g} | "
            f"{row['ratio']:.2f} | {ours['peak_mb']:.3g} | {min(peer['peak_mb'] for peer in others):.3g} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help="Measure the losses whose name holds this, and write nothing.")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    chosen = [row for row in (*amounts.ROWS, *labels.ROWS, *vectors.ROWS) if options.only in row.name]
    rows = []
    for row in chosen:
        rows.append(measure(row, options.rounds))
        print(f"{rows[-1]['ratio']:6.2f}  {row.name}  (best: {rows[-1]['best']})", flush=True)
    missed = [row["loss"] for row in rows if row["ratio"] > GOAL]
    print(
        f"{len(rows) - len(missed)} of {len(rows)} within {GOAL} times the best; beyond: {', '.join(missed) or 'none'}"
    )
    if options.only:
        return
    about = {
        "elements": ELEMENTS,
        "rounds": options.rounds,
        "goal": GOAL,
        "torch": torch.__version__,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }
    RESULTS.mkdir(exist_ok=True)
    found = {**about, "rows": rows}
    (RESULTS / "losses.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / "losses.md").write_text("\n".join(render(found)) + "\n")


if __name__ == "__main__":
    main()
