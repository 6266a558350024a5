"""Losses of distances between embeddings, by loops over rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.losses.loss_case import ROWS, Array, LossCase

FEATURES = 3


def vectors(rng: np.random.Generator) -> Array:
    return rng.normal(size=(ROWS, FEATURES))


def triplets(rng: np.random.Generator) -> tuple[Any, ...]:
    return vectors(rng), vectors(rng), {"negative": vectors(rng)}


def pairs(rng: np.random.Generator) -> tuple[Any, ...]:
    return vectors(rng), vectors(rng), {"same": rng.integers(0, 2, ROWS)}


def triplet(*, margin: float = 1.0, p: float = 2.0, swap: bool = False) -> Callable[..., Array]:
    def far(a: Array, b: Array) -> Array:
        return (np.abs(a - b + 1e-6) ** p).sum(axis=1) ** (1 / p)

    def loss(z: Array, y: Array, negative: Array) -> Array:
        apart = np.minimum(far(z, negative), far(y, negative)) if swap else far(z, negative)
        return np.maximum(0, margin + far(z, y) - apart)

    return loss


def contrastive(margin: float) -> Callable[..., Array]:
    def loss(z: Array, y: Array, same: Array) -> Array:
        d = np.sqrt(((z - y) ** 2).sum(axis=1))
        return np.where(same == 1, d**2, np.maximum(0, margin - d) ** 2)

    return loss


def infonce(temperature: float = 0.07, *, normalise: bool = True, symmetric: bool = False) -> Callable[..., float]:
    def one_way(z: Array, y: Array) -> float:
        total = 0.0
        for row, query in enumerate(z):
            s = np.array([query @ key for key in y]) / temperature
            total -= s[row] - s.max() - np.log(np.exp(s - s.max()).sum())
        return total / len(z)

    def loss(z: Array, y: Array) -> float:
        if normalise:
            z, y = (v / np.sqrt((v**2).sum(axis=1, keepdims=True)) for v in (z, y))
        return (one_way(z, y) + one_way(y, z)) / 2 if symmetric else one_way(z, y)

    return loss


def both(rng: np.random.Generator) -> tuple[Array, Array]:
    return vectors(rng), vectors(rng)


CASES = [
    LossCase("TripletMarginLoss", {}, triplets, triplet()),
    LossCase("TripletMarginLoss", {"p": 3.0, "margin": 0.4}, triplets, triplet(p=3.0, margin=0.4)),
    LossCase("TripletMarginLoss", {"swap": True}, triplets, triplet(swap=True)),
    LossCase("ContrastiveLoss", {}, pairs, contrastive(1.0)),
    LossCase("ContrastiveLoss", {"margin": 4.0}, pairs, contrastive(4.0)),
    LossCase("InfoNCELoss", {}, both, infonce()),
    LossCase("InfoNCELoss", {"temperature": 0.5, "symmetric": True}, both, infonce(0.5, symmetric=True)),
    LossCase("InfoNCELoss", {"temperature": 2.0, "normalise": False}, both, infonce(2.0, normalise=False)),
    LossCase("InfoNCELoss", {"reduction": "sum"}, both, lambda z, y: ROWS * infonce()(z, y)),
]
