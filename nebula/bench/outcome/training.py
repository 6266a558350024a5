"""All seeds of one arm at one step size, trained together; each as if it were alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nebula.bench.outcome.arm import Arm
from nebula.bench.outcome.manifest import Budget
from nebula.bench.outcome.metrics import Scale, score
from nebula.bench.outcome.stack import Stack
from nebula.demo.splits import Rows, Split
from nebula.demo.training import batches

__all__ = ["Seed", "Trained", "score_test", "train"]


@dataclass(frozen=True, eq=False)
class Seed:
    """One seed of an arm.

    Attributes:
        arm: The choice on this seed's training targets.
        split: Its rows.
        scale: The declared metric on these targets.
        start: Sets the start of the weights and the order of the batches.
    """

    arm: Arm
    split: Split
    scale: Scale
    start: int


@dataclass(frozen=True, eq=False)
class Trained:
    """One seed at its best look.

    Attributes:
        valid: Declared metric on the validation rows, lower is better.
        step: Step of that look.
        rate: Step size.
        weights: Of the best look.
    """

    valid: float
    step: int
    rate: float
    weights: tuple[Tensor, ...]


def train(seeds: Sequence[Seed], budget: Budget, rate: float) -> list[Trained]:
    """Train by Adam; keep each seed's look with the best declared metric on its validation rows.

    Args:
        seeds: Seeds whose networks have equal shapes.
        budget: Steps, looks, patience.
        rate: Adam's step size.

    Returns:
        One a seed. Test rows are not looked at.
    """
    stack = _start(seeds)
    features = torch.stack([seed.split.train.features for seed in seeds])
    targets = torch.stack([seed.split.train.target for seed in seeds])
    valid = torch.stack([seed.split.valid.features for seed in seeds])
    loss = _total_loss([seed.arm for seed in seeds])
    optimiser = torch.optim.Adam(stack.parameters(), lr=rate, fused=True)
    best = torch.tensor(_look(stack, valid, seeds, [seed.split.valid for seed in seeds]), dtype=torch.float64)
    best_step = torch.zeros(len(seeds), dtype=torch.int64)
    kept = stack.snapshot()
    running = torch.ones(len(seeds), dtype=torch.bool)
    own = torch.arange(len(seeds))[:, None]
    orders = zip(*(batches(targets.shape[1], budget, seed.start) for seed in seeds), strict=True)  # type: ignore[arg-type]
    for step, order in enumerate(orders, start=1):
        rows = torch.stack(order)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss(stack(features[own, rows]), targets[own, rows]))
        optimiser.step()
        if step % budget.evaluate_every:
            continue
        looked = _look(stack, valid, seeds, [seed.split.valid for seed in seeds])
        now = torch.tensor(looked, dtype=torch.float64)
        improved = running & (now < best)
        best, best_step[improved] = torch.where(improved, now, best), step
        stack.keep(kept, improved)
        running &= step - best_step < budget.patience * budget.evaluate_every
        if not running.any():
            break
    return [
        Trained(float(best[i]), int(best_step[i]), rate, tuple(value[i] for value in kept)) for i in range(len(seeds))
    ]


def score_test(seeds: Sequence[Seed], trained: Sequence[Trained]) -> list[float]:
    """Return the declared metric on the test rows: the only place that looks at them."""
    stack = _start(seeds)
    stack.restore([torch.stack(values) for values in zip(*(run.weights for run in trained), strict=True)])
    parts = [seed.split.test for seed in seeds]
    return _look(stack, torch.stack([part.features for part in parts]), seeds, parts)


def _start(seeds: Sequence[Seed]) -> Stack:
    return Stack([s.arm.start(s.split.train.features.shape[1], s.split.train.target, s.start) for s in seeds])


def _look(stack: Stack, features: Tensor, seeds: Sequence[Seed], parts: Sequence[Rows]) -> list[float]:
    with torch.no_grad():
        raw = stack(features)
        return [
            score(seed.arm.criterion.predict(own), part.target, seed.scale)
            for seed, own, part in zip(seeds, raw, parts, strict=True)
        ]


def _total_loss(arms: Sequence[Arm]) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the sum of the seeds' mean losses, from (S, b, k) and (S, b): its gradients are each seed's own.

    Seeds that share a loss with a value a row go through it in one call.
    """
    shared: dict[str, list[int]] = {}
    for place, arm in enumerate(arms):
        shared.setdefault(arm.loss_key if arm.each is not None else f"alone {place}", []).append(place)
    groups = [(torch.tensor(places), arms[places[0]]) for places in shared.values()]

    def total(raw: Tensor, target: Tensor) -> Tensor:
        parts = [_of_group(arm, raw[places], target[places]) for places, arm in groups]
        return torch.stack(parts).sum()

    return total


def _of_group(arm: Arm, raw: Tensor, target: Tensor) -> Tensor:
    if arm.each is None:
        alone: Tensor = arm.criterion(raw[0], target[0])
        return alone
    values: Tensor = arm.each(raw.flatten(0, 1), target.flatten(0, 1))
    return values.reshape(len(raw), -1).mean(dim=1).sum()
