"""The same comparison done right: trained networks, a declared metric on held-out rows, seeds, a constant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from torch import Tensor, nn

from nebula.bench.paired import paired_scores
from nebula.bench.paper.report import Outcome
from nebula.bench.sweep.draws import heavy_tails, noisy_labels
from nebula.demo.arms import Arm, selected_arm
from nebula.demo.constant import serve_constant
from nebula.demo.datasets import Declaration
from nebula.demo.metrics import Metric, find_metric
from nebula.demo.splits import Split
from nebula.demo.training import Budget, score
from nebula.profiling.prediction import PredictionSpec
from nebula.selection import select

__all__ = ["QUESTIONS", "compare_trained"]

_CLASSES = 3
_BUDGET = Budget(learning_rates=(3e-3, 1e-2), steps=200, evaluate_every=25)

QUESTIONS = (
    ("classification", "log_loss"),
    ("classification", "balanced_accuracy"),
    ("regression", "rmse"),
    ("regression", "mae"),
)
"""Task and declared metric."""


def compare_trained(seeds: int = 10, budget: Budget = _BUDGET) -> Iterator[Outcome]:
    """Train the same network with each loss; yields one outcome a question.

    Args:
        seeds: Paired repetitions: each sets the rows, the start of the weights and the order of the batches.
        budget: What every training may spend.
    """
    for task, metric in QUESTIONS:
        yield _outcome(task, find_metric(metric), seeds, budget)


def _outcome(task: str, metric: Metric, seeds: int, budget: Budget) -> Outcome:
    classes = task == "classification"
    draw, n_outputs = (noisy_labels, _CLASSES) if classes else (heavy_tails, 1)
    splits = [draw(0.0, np.random.default_rng(seed)) for seed in range(seeds)]
    prediction = PredictionSpec(shape=(None, n_outputs))
    asked = [select(part.train.target, prediction, hints={"metric": metric.name}) for part in splits]
    fixed = _label_arms(metric) if classes else _number_arms()
    everyone = {"nebula": [selected_arm(said) for said in asked]} | {arm.name: [arm] * seeds for arm in fixed}
    return Outcome(
        task=task,
        metric=metric.name,
        lower_is_better=metric.lower_is_better,
        constant=tuple(_constant(task, n_outputs, metric, part) for part in splits),
        scores={
            name: paired_scores(arms, splits, metric, budget, n_outputs=n_outputs) for name, arms in everyone.items()
        },
        chosen=tuple(said.spec.loss if said.spec else "" for said in asked),
    )


def _constant(task: str, n_outputs: int, metric: Metric, part: Split) -> float:
    kind: Literal["multiclass", "number"] = "multiclass" if task == "classification" else "number"
    about = Declaration(
        task, "y", metric.name, kind, n_outputs, "synthetic", "drawn", lambda: (np.empty(0), np.empty(0))
    )
    served = serve_constant(about, metric, part.train.target.numpy(), len(part.test.target))
    return float(f"{score(served, part.test, metric, part.train.target):.6g}")


def _label_arms(metric: Metric) -> tuple[Arm, ...]:
    """The paper's losses for labels; a squared or absolute error is taken to the one-hot label, on the raw output."""
    wants_label = metric.serves == "label"

    def serve(raw: Tensor) -> Tensor:
        return raw.argmax(dim=1) if wants_label else _shares(raw)

    def softmax(raw: Tensor) -> Tensor:
        return raw.argmax(dim=1) if wants_label else raw.softmax(dim=1)

    return (
        _arm("L1Loss", _to_one_hot(nn.L1Loss()), serve),
        _arm("MSELoss", _to_one_hot(nn.MSELoss()), serve),
        _arm("CrossEntropyLoss", nn.CrossEntropyLoss(), softmax),
    )


def _shares(raw: Tensor) -> Tensor:
    """Outputs that were fitted to 0 and 1, as probabilities: cut to [0.01, 1] and divided by their sum."""
    cut = raw.clamp(0.01, 1)
    return cut / cut.sum(dim=1, keepdim=True)


def _to_one_hot(loss: nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
    def value(raw: Tensor, target: Tensor) -> Tensor:
        found: Tensor = loss(raw, nn.functional.one_hot(target, _CLASSES).to(raw.dtype))
        return found

    return value


def _number_arms() -> tuple[Arm, ...]:
    def column(loss: nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda raw, target: loss(raw, target.reshape(raw.shape))

    losses = (nn.L1Loss(), nn.MSELoss(), nn.CrossEntropyLoss())
    return tuple(_arm(type(loss).__name__, column(loss), lambda raw: raw) for loss in losses)


def _arm(name: str, loss: Callable[[Tensor, Tensor], Tensor], serve: Callable[[Tensor], Tensor]) -> Arm:
    return Arm(name, name, "identity", "as it comes", loss, serve)
