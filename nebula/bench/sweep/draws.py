"""Synthetic problems with one property turned up step by step; everything else stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from nebula.demo.splits import Rows, Split

__all__ = [
    "amounts_with_zeros",
    "counts",
    "folded_amounts",
    "heavy_tails",
    "imbalanced",
    "multiplicative_counts",
    "noisy_labels",
    "noisy_levels",
    "outliers",
    "sized_counts",
    "sized_tails",
    "skewed_amounts",
]

Array = npt.NDArray[Any]

_FEATURES, _TEST = 6, 4000
_TRAIN = 900
_VALID_AT_MOST = 2000


def _parts(train: int) -> tuple[int, int]:
    return train, min(max(train // 3, 20), _VALID_AT_MOST)


def _inputs(rng: np.random.Generator, train: int) -> tuple[Array, int]:
    """Return standard normal features of all rows, training first, and how many rows may be spoilt."""
    fit = sum(_parts(train))
    return rng.standard_normal((fit + _TEST, _FEATURES)), fit


def _signal(x: Array) -> Array:
    """Return a smooth, curved function of the features with variance near 1."""
    signal: Array = (np.sin(1.5 * x[:, 0]) + 0.6 * x[:, 1] * x[:, 2] + 0.7 * x[:, 3]) / 1.2
    return signal


def _split(x: Array, target: Array, train: int) -> Split:
    parts = _parts(train)
    places = np.split(np.arange(len(target)), np.cumsum(parts))
    features = torch.from_numpy(x.astype(np.float32))
    whole = np.issubdtype(target.dtype, np.integer)
    y = torch.from_numpy(target.astype(np.int64 if whole else np.float32))
    train_rows, valid_rows, test_rows = (
        Rows(features[index], y[index], index) for index in (torch.from_numpy(part) for part in places)
    )
    return Split(train_rows, valid_rows, test_rows)


def noisy_labels(share: float, rng: np.random.Generator) -> Split:
    """Three classes; a share of the training and validation labels is drawn anew; test labels stay clean."""
    x, fit = _inputs(rng, _TRAIN)
    scores = np.stack([_signal(x), _signal(x[:, ::-1]), _signal(x[:, [3, 4, 5, 0, 1, 2]])], axis=1)
    labels = (scores + 0.3 * rng.gumbel(size=scores.shape)).argmax(axis=1)
    wrong = (rng.random(len(x)) < share) & (np.arange(len(x)) < fit)
    labels[wrong] = (labels[wrong] + rng.integers(1, 3, wrong.sum())) % 3
    return _split(x, labels, _TRAIN)


def outliers(share: float, rng: np.random.Generator) -> Split:
    """Numbers; a share of the training and validation targets gets an error of standard deviation 8; test is clean."""
    x, fit = _inputs(rng, _TRAIN)
    y = _signal(x) + 0.5 * rng.standard_normal(len(x))
    hit = (rng.random(len(x)) < share) & (np.arange(len(x)) < fit)
    y[hit] += 8.0 * rng.standard_normal(hit.sum())
    return _split(x, y, _TRAIN)


def heavy_tails(inverse_df: float, rng: np.random.Generator) -> Split:
    """Numbers with Student's t as noise in all rows; the level is 1 / degrees of freedom, 0 for a normal."""
    return _tails(inverse_df, rng, _TRAIN)


def sized_tails(train: float, rng: np.random.Generator) -> Split:
    """Numbers with noise of 3 degrees of freedom; the level is the number of training rows."""
    return _tails(1 / 3, rng, int(train))


def _tails(inverse_df: float, rng: np.random.Generator, train: int) -> Split:
    x, _ = _inputs(rng, train)
    noise = rng.standard_t(1 / inverse_df, len(x)) if inverse_df else rng.standard_normal(len(x))
    return _split(x, _signal(x) + noise, train)


def imbalanced(share: float, rng: np.random.Generator) -> Split:
    """Yes or no; the level is the share of yes in every part, exactly; the two classes overlap."""
    train = 6000
    parts = (*_parts(train), _TEST * 3)
    labels = np.concatenate([np.arange(n) < max(round(share * n), 2) for n in parts]).astype(np.int64)
    x = rng.standard_normal((len(labels), _FEATURES))
    x[:, :3] += 0.9 * labels[:, None]
    x[:, 3] *= 1 + 0.5 * labels
    return _split(x, labels, train)


def counts(extra: float, rng: np.random.Generator) -> Split:
    """Counts of mean near 3; the level is the squared variation of a gamma factor on the mean (0: Poisson)."""
    return _counts(extra, rng, _TRAIN)


def sized_counts(train: float, rng: np.random.Generator) -> Split:
    """Overdispersed counts; the level is the number of training rows."""
    return _counts(0.5, rng, int(train))


def _counts(extra: float, rng: np.random.Generator, train: int) -> Split:
    x, _ = _inputs(rng, train)
    mean = np.exp(0.8 + 0.6 * _signal(x))
    factor = rng.gamma(1 / extra, extra, len(x)) if extra else 1.0
    return _split(x, rng.poisson(mean * factor), train)


def multiplicative_counts(share: float, rng: np.random.Generator) -> Split:
    """Poisson counts; effects add at level 0 and multiply at level 1, mixed between."""
    x, _ = _inputs(rng, _TRAIN)
    additive = np.maximum(4 + 2.5 * _signal(x), 0.1)
    multiplied = np.exp(1.0 + 0.9 * _signal(x))
    return _split(x, rng.poisson((1 - share) * additive + share * multiplied), _TRAIN)


def skewed_amounts(sigma: float, rng: np.random.Generator) -> Split:
    """Log-normal amounts; the level is the standard deviation of their logarithm, half of its variance explained."""
    x, _ = _inputs(rng, _TRAIN)
    log = sigma * (_signal(x) + rng.standard_normal(len(x))) / np.sqrt(2)
    return _split(x, 10 * np.exp(log), _TRAIN)


def folded_amounts(spread: float, rng: np.random.Generator) -> Split:
    """Amounts |1 + spread z|, wide before they are skewed; half of z's variance is explained."""
    x, _ = _inputs(rng, _TRAIN)
    z = (_signal(x) + rng.standard_normal(len(x))) / np.sqrt(2)
    return _split(x, 10 * np.abs(1 + spread * z) + 1e-3, _TRAIN)


def amounts_with_zeros(share: float, rng: np.random.Generator) -> Split:
    """Gamma amounts; a share of the rows, more where the signal is low, is exactly 0."""
    x, _ = _inputs(rng, _TRAIN)
    signal = _signal(x)
    amounts = rng.gamma(2.0, np.exp(0.5 * signal))
    rank = (signal + rng.standard_normal(len(x))).argsort().argsort()
    return _split(x, np.where(rank < share * len(x), 0.0, amounts), _TRAIN)


def noisy_levels(noise: float, rng: np.random.Generator) -> Split:
    """Five ordered levels of a latent number; the level is the noise's standard deviation."""
    x, _ = _inputs(rng, _TRAIN)
    latent = _signal(x) + noise * rng.standard_normal(len(x))
    cuts = np.quantile(latent, [0.3, 0.55, 0.75, 0.9])
    return _split(x, np.searchsorted(cuts, latent), _TRAIN)
