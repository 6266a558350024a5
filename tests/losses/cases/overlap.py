"""Overlaps of sets, from soft counts set by set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from tests.losses.draws import answers
from tests.losses.loss_case import Array, LossCase


def masks(rng: np.random.Generator) -> tuple[Array, Array]:
    target = rng.integers(0, 2, (3, 2, 4, 5)).astype(float)
    target[0, 1] = 0  # an empty mask
    return rng.normal(size=(3, 2, 4, 5)) * 2, target


def labelled(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=(3, 4, 7)) * 2, rng.integers(0, 4, (3, 7))


def index(p: Array, t: Array, a: float, b: float, smooth: float, power: float) -> float:
    hits, alarms, misses = (p * t).sum(), (p * (1 - t)).sum(), ((1 - p) * t).sum()
    return float((1 - (hits + smooth) / (hits + a * alarms + b * misses + smooth)) ** power)


def overlap(
    a: float,
    b: float,
    smooth: float = 1.0,
    power: float = 1.0,
    classes: str = "independent",
    over: str = "sample",
    ignored: int = -100,
) -> Callable[[Array, Array], Any]:
    """Cut the batch into sets, and take the index of each."""

    def loss(z: Array, y: Array) -> Any:
        if classes == "exclusive":
            kept = np.expand_dims(y != ignored, 1)
            p = softmax(z, axis=1) * kept
            t = np.moveaxis(np.eye(z.shape[1])[np.where(y == ignored, 0, y)], -1, 1) * kept
        else:
            p, t = expit(z), y
        if classes == "single":
            p, t = p.reshape(len(p), 1, -1), t.reshape(len(t), 1, -1)
        else:
            p, t = p.reshape(*p.shape[:2], -1), t.reshape(*t.shape[:2], -1)
        if over == "batch":
            found = [index(p[:, c], t[:, c], a, b, smooth, power) for c in range(p.shape[1])]
            return np.mean(found)
        sets = [[index(p[n, c], t[n, c], a, b, smooth, power) for c in range(p.shape[1])] for n in range(len(p))]
        return np.array(sets)[:, 0] if classes == "single" else np.array(sets)

    return loss


def every_set(_: Array) -> float:
    return 12.0  # 3 rows of 4 classes


CASES = [
    LossCase("DiceLoss", {}, masks, overlap(0.5, 0.5), denominator=lambda y: 6.0),
    LossCase("DiceLoss", {"smooth": 1e-5}, masks, overlap(0.5, 0.5, 1e-5)),
    LossCase("DiceLoss", {"classes": "single"}, masks, overlap(0.5, 0.5, classes="single")),
    LossCase("DiceLoss", {"over": "batch"}, masks, overlap(0.5, 0.5, over="batch")),
    LossCase(
        "DiceLoss", {"classes": "exclusive"}, labelled, overlap(0.5, 0.5, classes="exclusive"), denominator=every_set
    ),
    LossCase("JaccardLoss", {}, masks, overlap(1.0, 1.0)),
    LossCase(
        "JaccardLoss",
        {"classes": "exclusive", "ignore_index": 3},
        labelled,
        overlap(1.0, 1.0, classes="exclusive", ignored=3),
        denominator=every_set,
    ),
    LossCase("TverskyLoss", {}, masks, overlap(0.3, 0.7)),
    LossCase(
        "TverskyLoss",
        {"false_positive_weight": 2.0, "false_negative_weight": 0.1, "classes": "exclusive", "over": "batch"},
        labelled,
        overlap(2.0, 0.1, classes="exclusive", over="batch"),
    ),
    LossCase("FocalTverskyLoss", {}, masks, overlap(0.3, 0.7, power=0.75)),
    LossCase("FocalTverskyLoss", {"exponent": 2.0}, masks, overlap(0.3, 0.7, power=2.0)),
    LossCase("FBetaLoss", {}, answers, overlap(0.5, 0.5, over="batch")),
    LossCase("FBetaLoss", {"beta": 2.0, "smooth": 1e-3}, answers, overlap(0.2, 0.8, 1e-3, over="batch")),
    LossCase("FBetaLoss", {"beta": 0.5, "over": "sample"}, masks, overlap(0.8, 0.2)),
]
