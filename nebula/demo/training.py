"""One training: the same for both arms but for the loss, the output bias and the serving."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from nebula.demo.arms import Arm
from nebula.demo.metrics import Metric
from nebula.demo.network import Perceptron, output_unit
from nebula.demo.splits import Rows, Split

__all__ = ["Budget", "Trained", "batches", "evaluate", "score", "start", "train"]

_FLOOR_SHARE = 0.01  # of the mean target; fixed before any training, for both arms


@dataclass(frozen=True)
class Budget:
    """What every training may spend.

    Attributes:
        learning_rates: Adam's step sizes; an arm keeps the best on the validation rows of all seeds.
        steps: Most optimiser steps.
        evaluate_every: Steps between two looks at the validation rows.
        patience: Looks without a better metric before training stops.
        batch_size: Rows per step.
    """

    learning_rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    steps: int = 600
    evaluate_every: int = 20
    patience: int = 8
    batch_size: int = 128


@dataclass(frozen=True, eq=False)
class Trained:
    """The network at its best validation metric.

    Attributes:
        network: Weights of the best look.
        valid: Declared metric on the validation rows.
        step: Step of that look.
        learning_rate: Step size it was trained with.
    """

    network: Perceptron
    valid: float
    step: int
    learning_rate: float


def start(arm: Arm, data: Split, n_outputs: int, seed: int) -> Perceptron:
    """Return the untrained network: equal weights for equal seeds; the output bias is the arm's."""
    unit = output_unit(arm.link, data.train.target, n_outputs)
    network = Perceptron(data.train.features.shape[1], n_outputs, unit, seed=seed)
    if arm.init_output_bias:
        network.start_at(arm.init_output_bias)
    return network


def batches(n: int, budget: Budget, seed: int) -> Iterator[Tensor]:
    """Yield row indices for `budget.steps` steps, every row once per pass, in an order set by the seed."""
    generator = torch.Generator().manual_seed(seed)
    step = 0
    while True:
        for batch in torch.split(torch.randperm(n, generator=generator), budget.batch_size):
            if step == budget.steps:
                return
            step += 1
            yield batch


def evaluate(arm: Arm, network: Perceptron, rows: Rows, metric: Metric, train_target: Tensor) -> float:
    """Return the declared metric of what the arm serves on these rows."""
    with torch.no_grad():
        served = arm.serve(network(rows.features))
    return score(served.numpy(), rows, metric, train_target)


def score(served: npt.NDArray[Any], rows: Rows, metric: Metric, train_target: Tensor) -> float:
    """Return the declared metric of served values; a deviance floors them at 1 % of the mean training target."""
    return metric(rows.target.numpy(), served, floor=_FLOOR_SHARE * float(train_target.to(torch.float32).mean()))


def train(arm: Arm, data: Split, metric: Metric, budget: Budget, *, n_outputs: int, rate: float, seed: int) -> Trained:
    """Train by Adam and keep the look with the best declared metric on the validation rows.

    Args:
        arm: Loss, output bias and serving.
        data: The seed's split; its test rows are not looked at.
        metric: The declared metric.
        budget: Steps, looks, patience.
        n_outputs: Outputs of the network.
        rate: Adam's step size.
        seed: Start of the weights and order of the batches.
    """
    network = start(arm, data, n_outputs, seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=rate, fused=True)
    best = evaluate(arm, network, data.valid, metric, data.train.target)
    best_step, best_state = 0, copy.deepcopy(network.state_dict())
    for step, batch in enumerate(batches(len(data.train.target), budget, seed), start=1):
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(arm.loss(network(data.train.features[batch]), data.train.target[batch]))
        optimiser.step()
        if step % budget.evaluate_every:
            continue
        now = evaluate(arm, network, data.valid, metric, data.train.target)
        if metric.prefers(now, best):
            best, best_step, best_state = now, step, copy.deepcopy(network.state_dict())
        elif step - best_step >= budget.patience * budget.evaluate_every:
            break
    network.load_state_dict(best_state)
    return Trained(network, best, best_step, rate)
