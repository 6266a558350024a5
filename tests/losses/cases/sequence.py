"""Losses of label sequences, by walking through every alignment, labelling and candidate."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import log_softmax, logsumexp

from tests.losses.cases.torch_losses import cross_entropy
from tests.losses.loss_case import CLASSES, ROWS, Array, LossCase

STEPS = 4
PAD = 0


def alignable(blank: int) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    def draw(rng: np.random.Generator) -> tuple[Any, ...]:
        classes = np.array([k for k in range(3) if k != blank])
        lengths = rng.integers(1, 3, ROWS)
        extra = {"input_lengths": rng.integers(3, STEPS + 1, ROWS), "target_lengths": lengths}
        return rng.normal(size=(STEPS, ROWS, 3)), rng.choice(classes, size=(ROWS, 2)), extra

    return draw


def collapse(path: tuple[int, ...], blank: int) -> list[int]:
    return [label for label, _ in itertools.groupby(path) if label != blank]


def ctc(blank: int, *, per_label: bool) -> Callable[..., Array]:
    def loss(z: Array, y: Array, input_lengths: Array, target_lengths: Array) -> Array:
        rows = []
        for row in range(z.shape[1]):
            steps, labels = input_lengths[row], y[row, : target_lengths[row]].tolist()
            logp = log_softmax(z[:steps, row], axis=1)
            paths = itertools.product(range(z.shape[2]), repeat=int(steps))
            scores = [logp[np.arange(steps), path].sum() for path in paths if collapse(path, blank) == labels]
            rows.append(-logsumexp(scores) / (len(labels) if per_label else 1))
        return np.array(rows)

    return loss


def tokens(rng: np.random.Generator) -> tuple[Array, Array]:
    target = rng.integers(1, CLASSES, (ROWS, 5))
    for row, length in enumerate(rng.integers(1, 6, ROWS)):
        target[row, length:] = PAD
    return rng.normal(size=(ROWS, CLASSES, 5)), target


def token_loss(smoothing: float = 0.0) -> Callable[[Array, Array], Array]:
    def loss(z: Array, y: Array) -> Array:
        flat = np.moveaxis(z, 1, 2).reshape(-1, z.shape[1])
        return cross_entropy(flat, y.ravel(), smoothing=smoothing, ignored=PAD).reshape(y.shape)

    return loss


def candidates(rng: np.random.Generator) -> tuple[Array, Array]:
    return 2 * rng.normal(size=(ROWS, CLASSES)), rng.integers(0, CLASSES, ROWS)


def with_costs(rng: np.random.Generator) -> tuple[Any, ...]:
    return *candidates(rng), {"task_loss": rng.gamma(2, 1, (ROWS, CLASSES))}


def structured(*, margin: float = 1.0, slack: bool = False) -> Callable[..., Array]:
    def loss(z: Array, y: Array, task_loss: Array | None = None) -> Array:
        rows = []
        for row, (scores, right) in enumerate(zip(z, y, strict=True)):
            worst = 0.0
            for k, score in enumerate(scores):
                cost = 0.0 if k == right else margin if task_loss is None else task_loss[row, k]
                lead = score - scores[right]
                worst = max(worst, cost * (1 + lead) if slack else cost + lead)
            rows.append(worst)
        return np.array(rows)

    return loss


def labelled(rng: np.random.Generator) -> tuple[Any, ...]:
    extra = {"lengths": rng.integers(0, STEPS + 1, ROWS)}
    return rng.normal(size=(ROWS, STEPS, 3)), rng.integers(0, 3, (ROWS, STEPS)), extra


def chain(z: Array, y: Array, lengths: Array) -> Array:
    """With all transitions 0, as they start, tokens are on their own."""
    logp = log_softmax(z, axis=2)
    picked = np.take_along_axis(logp, y[..., None], axis=2)[..., 0]
    return -np.where(np.arange(y.shape[1]) < lengths[:, None], picked, 0).sum(axis=1)


def counted(y: Array) -> float:
    return float((y != PAD).sum())


CASES = [
    LossCase("CTCLoss", {}, alignable(0), ctc(0, per_label=True)),
    LossCase("CTCLoss", {"blank": 2, "per_label": False}, alignable(2), ctc(2, per_label=False)),
    LossCase("SequenceCrossEntropyLoss", {"ignore_index": PAD}, tokens, token_loss(), denominator=counted),
    LossCase(
        "SequenceCrossEntropyLoss",
        {"ignore_index": PAD, "label_smoothing": 0.2},
        tokens,
        token_loss(0.2),
        denominator=counted,
    ),
    LossCase(
        "SequenceCrossEntropyLoss", {"ignore_index": PAD, "divide_by": "rows"}, tokens, token_loss(), denominator=len
    ),
    LossCase("StructuredHingeLoss", {}, candidates, structured()),
    LossCase("StructuredHingeLoss", {"margin": 2.5}, candidates, structured(margin=2.5)),
    LossCase("StructuredHingeLoss", {"margin": 7.0, "rescaling": "margin"}, with_costs, structured()),
    LossCase("StructuredHingeLoss", {"rescaling": "slack"}, with_costs, structured(slack=True)),
    LossCase("CRFLoss", {"classes": 3}, labelled, chain),
]
