"""The shares of classes and levels in output order, and the raw outputs that predict them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

from nebula.losses.alignment import has_an_output_per_level
from nebula.losses.labels import class_labels, code_labels, find_void
from nebula.losses.moments import unsoftplus
from nebula.profiling.model import DataProfile

__all__ = ["log_shares", "threshold_outputs"]


def log_shares(profile: DataProfile) -> tuple[float, ...] | None:
    """Return the log share of every class, in output order; None while the classes are unknown.

    Where a class was not seen, one row is added to every class (Laplace smoothing): log((n_c + 1) / (n + K)).
    """
    facts = profile.target
    if profile.relation.class_axis is None and (facts.is_one_hot or facts.is_simplex) and facts.label_prevalence:
        return _logarithms([share * (facts.n or 1) for share in facts.label_prevalence])
    counts = _counts(profile, profile.prediction.n_outputs if profile.relation.class_axis is not None else None)
    return None if counts is None else _logarithms(counts)


def threshold_outputs(profile: DataProfile, *, ordered: bool) -> tuple[float, ...] | None:
    """Return the raw outputs of the constant predictor of ordered levels.

    Args:
        profile: The data.
        ordered: The outputs after the first are steps down by softplus, as OrdinalLogisticLoss reads them;
            else each is the log-odds of lying above its threshold.

    Returns:
        K - 1 numbers, or K log shares where the model has an output per level; None while the levels are unknown.
    """
    outputs = profile.prediction.n_outputs if profile.relation.class_axis is not None else None
    if outputs is not None and has_an_output_per_level(profile, outputs):
        return log_shares(profile)
    counts = _counts(profile, None if outputs is None else outputs + 1)
    shares = None if counts is None else _logarithms(counts)
    if shares is None:
        return None
    below = list(accumulate(math.exp(share) for share in shares))[:-1]
    above = list(accumulate(math.exp(share) for share in reversed(shares)))[-2::-1]
    log_odds = [math.log(high) - math.log(low) for high, low in zip(above, below, strict=True)]
    if not ordered:
        return tuple(log_odds)
    return (log_odds[0], *(unsoftplus(left - right) for left, right in pairwise(log_odds)))


def _counts(profile: DataProfile, outputs: int | None) -> list[float] | None:
    """Return the rows of every class in output order."""
    facts, void = profile.target, find_void(profile)
    labels = class_labels(profile, void)
    code = code_labels(profile, void, outputs)
    if not labels or facts.class_counts is None or len(labels) != len(facts.class_counts) or code.kind == "unfit":
        return None
    places = _places(labels, code.kind)
    counts = [0.0] * (outputs or places[-1] + 1)
    for place, count in zip(places, facts.class_counts, strict=True):
        counts[place] = float(count)
    return counts


def _places(labels: Sequence[float], kind: str) -> list[int]:
    if kind == "remap":
        return list(range(len(labels)))
    return [int(label) - (kind == "shift") for label in labels]


def _logarithms(counts: Sequence[float]) -> tuple[float, ...] | None:
    added = 0.0 if all(counts) else 1.0
    whole = sum(counts) + added * len(counts)
    return tuple(math.log((count + added) / whole) for count in counts) if whole > 0 else None
