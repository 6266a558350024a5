"""One choice trained on paired seeds, its step size chosen on validation rows; test rows are touched once."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import torch
from torch import Tensor

from nebula.bench.stack import Stack
from nebula.demo.arms import Arm
from nebula.demo.metrics import Metric
from nebula.demo.splits import Rows, Split
from nebula.demo.training import Budget, batches, score, start

__all__ = ["paired_scores"]


def paired_scores(
    arms: Sequence[Arm], splits: Sequence[Split], metric: Metric, budget: Budget, *, n_outputs: int
) -> tuple[float, ...]:
    """Train every seed at every step size and keep the step size whose mean validation metric is best.

    All trainings run as one stack of networks, to the last step of the budget; of each the look with
    the best validation metric is kept. They are those of `nebula.demo.training.train` without patience.

    Args:
        arms: One a seed: its place sets the start of the weights and the order of the batches.
        splits: One a seed, of equal sizes.
        metric: The declared metric, which picks the look and the step size.
        budget: Step sizes, steps, looks and batch size; its patience is not used.
        n_outputs: Outputs of the network.

    Returns:
        The metric on the test rows of every seed, six digits.
    """
    rates, seeds = budget.learning_rates, range(len(arms))
    networks = [start(arms[seed], splits[seed], n_outputs, seed) for seed in seeds for _ in rates]
    stack = Stack(networks, [rate for _ in seeds for rate in rates])
    best, kept = _looks(stack, arms, splits, metric, part="valid"), stack.snapshot()
    orders = zip(*(batches(len(splits[seed].train.target), budget, seed) for seed in seeds), strict=True)
    for step, places in enumerate(orders, start=1):
        rows = [splits[seed].train for seed in seeds]
        features = torch.stack([rows[seed].features[places[seed]] for seed in seeds for _ in rates])
        raw = stack(features)
        stack.step(_loss(raw, arms, [rows[seed].target[places[seed]] for seed in seeds], len(rates)))
        if step % budget.evaluate_every == 0:
            for place, now in enumerate(_looks(stack, arms, splits, metric, part="valid")):
                if metric.prefers(now, best[place]):
                    best[place] = now
                    stack.keep(kept, place)
    stack.restore(kept)
    means = [fmean(best[rate :: len(rates)]) for rate in range(len(rates))]
    chosen = (min if metric.lower_is_better else max)(range(len(rates)), key=lambda rate: means[rate])
    test = _looks(stack, arms, splits, metric, part="test")[chosen :: len(rates)]
    return tuple(float(f"{value:.6g}") for value in test)


def _loss(raw: Tensor, arms: Sequence[Arm], targets: Sequence[Tensor], rates: int) -> Tensor:
    """Return the sum of the losses; the networks of one seed share a call, which scales their gradients alike."""
    total = raw.new_zeros(())
    for seed, (arm, target) in enumerate(zip(arms, targets, strict=True)):
        mine = raw[seed * rates : (seed + 1) * rates].flatten(0, 1)
        total = total + rates * arm.loss(mine, target.repeat(rates, *[1] * (target.ndim - 1)))
    return total


def _looks(stack: Stack, arms: Sequence[Arm], splits: Sequence[Split], metric: Metric, *, part: str) -> list[float]:
    """Return the metric of every network on its seed's rows."""
    each = len(stack.parameters[0]) // len(arms)
    rows: list[Rows] = [getattr(split, part) for split in splits for _ in range(each)]
    with torch.no_grad():
        raw = stack(torch.stack([part_rows.features for part_rows in rows]))
        served = [arms[place // each].serve(raw[place]).numpy() for place in range(len(rows))]
    return [score(served[place], rows[place], metric, splits[place // each].train.target) for place in range(len(rows))]
