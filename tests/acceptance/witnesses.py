"""Data that must make each rule of the shipped policies fire, drawn anew for every seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nebula import PredictionSpec


@dataclass(frozen=True)
class Case:
    """What a user would pass to `nebula.select`."""

    target: Tensor
    prediction: Tensor | PredictionSpec | None = None
    hints: dict[str, Any] = field(default_factory=dict)
    name: str | None = None
    parameters: dict[str, Any] | None = None


Maker = Callable[[np.random.Generator], Case]


def outputs(*tail: int, space: str | None = None) -> PredictionSpec:
    return PredictionSpec(shape=(None, *tail), space=space) if space else PredictionSpec(shape=(None, *tail))


def classes(rng: np.random.Generator, k: int, n: int = 400, shares: list[float] | None = None) -> Tensor:
    """Labels 0..k-1, each present."""
    labels = np.concatenate([np.arange(k), rng.choice(k, n - k, p=shares)])
    return torch.from_numpy(rng.permutation(labels))


def flags(rng: np.random.Generator, share: float, n: int = 400) -> Tensor:
    """0/1 labels with both values present."""
    return torch.from_numpy(rng.permutation(np.concatenate([[0, 1], (rng.random(n - 2) < share).astype(int)])))


def reals(rng: np.random.Generator, *shape: int) -> Tensor:
    return torch.from_numpy(rng.normal(size=shape))


def counts(rng: np.random.Generator, mean: float, n: int = 2000) -> Tensor:
    return torch.from_numpy(np.append(rng.poisson(mean, n - 1), 0))


def overdispersed(rng: np.random.Generator, n: int = 2000) -> Tensor:
    return torch.from_numpy(np.append(rng.negative_binomial(1, 0.05, n - 1), 0))


def fractions(rng: np.random.Generator, n: int = 400) -> Tensor:
    return torch.from_numpy(rng.beta(2, 3, n))


def amounts(rng: np.random.Generator, n: int = 2000) -> Tensor:
    return torch.from_numpy(rng.lognormal(6, 1, n))


def labels_of_rows(rng: np.random.Generator, c: int = 5, n: int = 300) -> Tensor:
    """Multi-hot rows, at least one row with two labels, every label present and absent somewhere."""
    rows = (rng.random((n, c)) < 0.3).astype(np.float32)
    rows[0], rows[1] = 0, 1
    return torch.from_numpy(rows)


def shares_of_rows(rng: np.random.Generator, c: int = 4, n: int = 300) -> Tensor:
    return torch.from_numpy(rng.dirichlet(np.full(c, 2.0), n))


def ratings(rng: np.random.Generator, n: int = 500) -> Tensor:
    return torch.from_numpy(
        np.append(rng.choice([1, 2, 3, 4, 5], n - 5, p=[0.1, 0.2, 0.3, 0.25, 0.15]), [1, 2, 3, 4, 5])
    )


def log_probabilities(rng: np.random.Generator, n: int, k: int) -> Tensor:
    return torch.log_softmax(torch.from_numpy(rng.normal(size=(n, k))), dim=1)


def censored(rng: np.random.Generator, n: int = 400) -> Tensor:
    """Times and events, about half of them seen, the times above 0."""
    happens, lost = 10 * rng.weibull(1.5, n) + 0.01, 10 * rng.weibull(1.5, n) + 0.01
    return torch.from_numpy(np.stack((np.minimum(happens, lost), happens <= lost), axis=1))


def with_zeros(rng: np.random.Generator) -> Tensor:
    return torch.cat([amounts(rng), torch.zeros(800)])


IMBALANCED = [0.9, 0.05, 0.05]

DEFAULT: dict[str, Maker] = {
    "times-without-events": lambda r: Case(amounts(r), outputs(1), {"task": "survival"}),
    "times-or-columns": lambda r: Case(censored(r), outputs(2)),
    "survival-intervals": lambda r: Case(censored(r), outputs(6), {"task": "survival"}),
    "survival-time": lambda r: Case(censored(r), outputs(2), {"task": "survival"}),
    "hazard-or-columns": lambda r: Case(censored(r), outputs(1)),
    "survival": lambda r: Case(censored(r), outputs(1), {"censored": True}),
    "constant": lambda r: Case(torch.full((50,), float(r.integers(1, 9))), outputs(1)),
    "labels-without-outputs": lambda r: Case(classes(r, 5), outputs(3)),
    "outputs-for-one-number": lambda r: Case(ratings(r) / 2, outputs(5)),
    "multiclass-log-probabilities": lambda r: Case(classes(r, 3), log_probabilities(r, 400, 3)),
    "multiclass-weighted": lambda r: Case(classes(r, 3), outputs(3), {"weights": "balanced"}),
    "multiclass-smoothed": lambda r: Case(classes(r, 3), outputs(3), {"label_smoothing": 0.1}),
    "classes-or-levels": lambda r: Case(classes(r, 4)),
    "multiclass-labels": lambda r: Case(classes(r, 4), outputs(4), {"metric": "accuracy"}),
    "multiclass-imbalanced": lambda r: Case(classes(r, 3, 900, IMBALANCED), outputs(3)),
    "multiclass": lambda r: Case(classes(r, 3), outputs(3)),
    "binary-two-logits": lambda r: Case(flags(r, 0.5), outputs(2), {"task": "binary"}),
    "flags-with-filler": lambda r: Case(torch.cat([flags(r, 0.5), torch.full((200,), 255)]), outputs(1)),
    "binary-costs": lambda r: Case(flags(r, 0.3), outputs(1), {"false_negative_cost": 5, "false_positive_cost": 1}),
    "binary-weighted": lambda r: Case(flags(r, 0.1), outputs(1), {"weights": "balanced"}),
    "binary-balanced-accuracy": lambda r: Case(flags(r, 0.1), outputs(1), {"metric": "balanced_accuracy"}),
    "binary-labels": lambda r: Case(flags(r, 0.4), outputs(1), {"metric": "accuracy"}),
    "binary-imbalanced": lambda r: Case(flags(r, 0.03, 2000), outputs(1)),
    "binary": lambda r: Case(flags(r, 0.5), outputs(1)),
    "multilabel-weighted": lambda r: Case(labels_of_rows(r), outputs(5), {"weights": "balanced"}),
    "multilabel": lambda r: Case(labels_of_rows(r), outputs(5)),
    "quantile": lambda r: Case(reals(r, 300), outputs(1), {"metric": "pinball@0.9"}),
    "logarithmic-error": lambda r: Case(amounts(r), outputs(1), {"metric": "rmsle"}),
    "distribution": lambda r: Case(shares_of_rows(r), outputs(4)),
    "percentage-declared": lambda r: Case(fractions(r) * 80, outputs(1), {"task": "proportion"}),
    "percentage": lambda r: Case(torch.cat([fractions(r) * 99.5, torch.full((20,), 100.0)]), outputs(1)),
    "proportion-spread": lambda r: Case(fractions(r), outputs(2)),
    "small-fractions": lambda r: Case(torch.from_numpy(r.uniform(0.0, 0.8, 400) ** 4), outputs(1)),
    "proportion": lambda r: Case(fractions(r), outputs(1)),
    "ordinal-labels": lambda r: Case(ratings(r), outputs(5), {"task": "ordinal", "metric": "accuracy"}),
    "ordinal-probabilities": lambda r: Case(ratings(r), outputs(5), {"task": "ordinal", "metric": "log_loss"}),
    "ordinal-level-mean": lambda r: Case(ratings(r), outputs(5), {"task": "ordinal", "metric": "rmse"}),
    "ordinal-levels": lambda r: Case(ratings(r), outputs(5), {"task": "ordinal"}),
    "ordinal-threshold-probabilities": lambda r: Case(
        ratings(r), outputs(4), {"task": "ordinal", "metric": "log_loss"}
    ),
    "ordinal-threshold-mean": lambda r: Case(ratings(r), outputs(4), {"task": "ordinal", "metric": "rmse"}),
    "ordinal-thresholds": lambda r: Case(ratings(r), outputs(4), name="starsRating"),
    "ordinal-absolute-error": lambda r: Case(ratings(r), outputs(1), {"task": "ordinal", "metric": "mae"}),
    "ordinal-number": lambda r: Case(ratings(r), outputs(1), name="starsRating"),
    "absolute-error": lambda r: Case(reals(r, 300), outputs(1), {"metric": "mae"}),
    "count-or-levels": lambda r: Case(counts(r, 1.0)),
    "count-spread": lambda r: Case(overdispersed(r), outputs(2)),
    "count-overdispersed": lambda r: Case(overdispersed(r), outputs(1)),
    "count": lambda r: Case(counts(r, 2.0), outputs(1)),
    "amount-deviance": lambda r: Case(with_zeros(r), outputs(1), {"metric": "poisson_deviance"}),
    "zero-inflated-spread": lambda r: Case(with_zeros(r), outputs(3)),
    "zero-inflated": lambda r: Case(with_zeros(r), outputs(1)),
    "positive-spread": lambda r: Case(amounts(r), outputs(2)),
    "positive": lambda r: Case(amounts(r), outputs(1)),
    "positive-mean": lambda r: Case(amounts(r), outputs(1), {"metric": "rmse"}),
    "mean-and-variance": lambda r: Case(reals(r, 300), outputs(2)),
    "columns": lambda r: Case(reals(r, 300, 3), outputs(3)),
    "heavy-tailed": lambda r: Case(torch.from_numpy(r.standard_t(2, 3000)), outputs(1)),
    "levels-or-number": lambda r: Case(classes(r, 8), outputs(1)),
    "regression": lambda r: Case(reals(r, 1000), outputs(1)),
}

STRICT = DEFAULT

PAPER: dict[str, Maker] = {
    "multilabel": lambda r: Case(labels_of_rows(r), outputs(5)),
    "absolute-error": lambda r: Case(reals(r, 300), outputs(1), {"metric": "mae"}),
    "counts": lambda r: Case(counts(r, 3.0), outputs(1)),
    "distributions": lambda r: Case(shares_of_rows(r), outputs(4)),
    "log-probabilities": lambda r: Case(classes(r, 3), log_probabilities(r, 400, 3)),
    "bounded-regression": lambda r: Case(fractions(r), outputs(1)),
    "classification": lambda r: Case(classes(r, 3), outputs(3)),
    "regression": lambda r: Case(reals(r, 300), outputs(1)),
}

SHIPPED: dict[str, dict[str, Maker]] = {"default.yaml": DEFAULT, "strict.yaml": STRICT, "paper.yaml": PAPER}
