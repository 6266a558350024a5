"""The last layer's bias at the constant predictor, so that training starts from the base rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from nebula.losses.class_shares import log_shares, threshold_outputs
from nebula.losses.coding import PERCENT, is_percentage
from nebula.losses.contract import Contract
from nebula.losses.labels import class_labels
from nebula.losses.moments import exponential_time, raw_parameters
from nebula.losses.space import VARIANCE_FLOOR
from nebula.losses.spec import BiasKind, Link, OutputBias
from nebula.profiling.model import DataProfile

__all__ = ["output_bias"]

_Values = tuple[float, ...] | None


def output_bias(
    kind: BiasKind, link: Link, profile: DataProfile, contract: Contract | None = None
) -> OutputBias | None:
    """Compute the raw outputs of the constant predictor.

    Probabilities are clamped to [1/(2n), 1 - 1/(2n)], n the rows seen, so that a label that never
    (or always) occurs gives a finite bias. Where a class was not seen, `log_prior` adds one row to
    every class (Laplace smoothing): log((n_c + 1) / (n + K)).

    Args:
        kind: `prior_log_odds`: log-odds of the positive label, or of the mean fraction, one per
            column of an (N, C) target; `log_prior`: log share of every class, in output order, and where
            the outputs are thresholds between levels, the raw outputs that give the levels' shares;
            `link_mean`, `median`: inverse link of the mean or median, one per column; where the outputs
            are parameters of a distribution, `link_mean` is the one with the target's mean and variance,
            and where they are those of a censored time, the exponential with the mean time per event;
            `quantile`: the quantile of `hints.quantile`, interpolated between those of the profile;
            `column_means`: inverse link of the columns' means; `column_log_odds`: their log-odds.
        link: How the raw output becomes the quantity.
        profile: The data.
        contract: What the loss reads its outputs as; None: as the link's quantity.

    Returns:
        One value per output, or one for all outputs; None when the facts it needs are unknown, or the
        outputs are something else than the kind speaks of.

    Source: the constant predictor of a proper loss is the inverse link of the functional that it
    elicits (Lin et al. 2017, section 4.1, for the log-odds of a rare class).
    """
    values = _KINDS[kind](link, profile) if contract is None else _read(kind, link, profile, contract)
    if not values or not all(math.isfinite(value) for value in values):
        return None
    return OutputBias(kind=kind, values=values)


def _read(kind: BiasKind, link: Link, profile: DataProfile, contract: Contract) -> _Values:
    if contract.layout == "parameters":
        return raw_parameters(contract.parameters, profile) if kind == "link_mean" else None
    if contract.layout == "thresholds":
        return threshold_outputs(profile, ordered=contract.prediction_space == "score") if kind == "log_prior" else None
    if contract.layout == "time_and_event":
        return exponential_time(profile) if kind == "link_mean" and contract.shapes[0][-1] == "2" else None
    if contract.layout == "levels" and kind not in ("median", "quantile"):
        return None
    if contract.prediction_space == "score" and contract.target_kind == "nonnegative" and kind == "median":
        medians = _median("identity", profile)
        return tuple(math.log1p(max(value, 0.0)) for value in medians) if medians else None
    if contract.prediction_space == "score" and kind in ("link_mean", "median", "column_means"):
        return None
    return _KINDS[kind](link, profile)


def _prior_log_odds(link: Link, profile: DataProfile) -> _Values:
    columns = _column_log_odds(link, profile)
    if columns is not None:
        return columns
    facts = profile.target
    if facts.min is None or facts.max is None:
        return None
    if facts.min >= 0 and facts.max <= 1:
        return _log_odds([facts.mean], profile)
    if is_percentage(profile):
        return _log_odds([None if facts.mean is None else facts.mean * PERCENT], profile)
    return _log_odds([facts.positive_fraction], profile)


def _column_log_odds(_link: Link, profile: DataProfile) -> _Values:
    facts = profile.target
    means = _columns(facts.label_prevalence)
    if not means or facts.min is None or facts.max is None:
        return None
    if facts.min >= 0 and facts.max <= 1:
        return _log_odds(means, profile)
    if is_percentage(profile):
        return _log_odds([mean * PERCENT for mean in means], profile)
    labels = class_labels(profile, None)
    if labels is None or len(labels) != 2:
        return None
    low, high = labels
    return _log_odds([(mean - low) / (high - low) for mean in means], profile)


def _log_prior(_link: Link, profile: DataProfile) -> _Values:
    return log_shares(profile)


def _link_mean(link: Link, profile: DataProfile) -> _Values:
    facts = profile.target
    means: list[float | None] = [*_columns(facts.label_prevalence)] or [facts.mean]
    values = _unlink(means, link, profile)
    if values and (profile.hints.heteroscedastic or profile.relation.n_outputs_per_label == 2):
        # a Gaussian with two outputs: the second is the raw variance, under softplus and a floor
        variance = None if facts.var is None else max(facts.var - VARIANCE_FLOOR, VARIANCE_FLOOR)
        spread = _unlink([variance], "softplus", profile)
        return (values[0], spread[0]) if spread and len(values) == 1 else None
    return values


def _median(link: Link, profile: DataProfile) -> _Values:
    return _unlink(_columns(profile.target.column_medians) or [profile.target.median], link, profile)


def _quantile(link: Link, profile: DataProfile) -> _Values:
    facts, level = profile.target, profile.hints.quantile
    if level is None or (facts.n_columns or 1) > 1:
        return None
    known = ((0.05, facts.q05), (0.25, facts.q25), (0.5, facts.median), (0.75, facts.q75), (0.95, facts.q95))
    points = [(at, value) for at, value in known if value is not None]
    if len(points) < len(known):
        return None
    return _unlink([_interpolate(points, level)], link, profile)


def _interpolate(points: Sequence[tuple[float, float]], at: float) -> float:
    """Return the value at a place, linear between points in order, and the nearest one's beyond them."""
    if at <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in pairwise(points):
        if at <= right:
            return low + (high - low) * (at - left) / (right - left)
    return points[-1][1]


def _column_means(link: Link, profile: DataProfile) -> _Values:
    return _unlink(_columns(profile.target.label_prevalence), link, profile)


def _columns(values: Sequence[float] | None) -> list[float]:
    """Return the values of a target with several columns; one column is no more than the target itself."""
    return list(values) if values is not None and len(values) > 1 else []


def _unlink(means: Sequence[float | None], link: Link, profile: DataProfile) -> _Values:
    known = [mean for mean in means if mean is not None]
    if not known or len(known) < len(means) or link == "softmax":
        return None
    if link == "sigmoid":
        by = PERCENT if is_percentage(profile) else 1.0
        scaled = [mean * by for mean in known]
        return _log_odds(scaled, profile) if all(0 <= mean <= 1 for mean in scaled) else None
    if link == "identity":
        return tuple(known)
    if min(known) <= 0:
        return None
    if link == "exp":
        return tuple(math.log(mean) for mean in known)
    # log(expm1(m)) without overflow for a large m
    return tuple(mean + math.log(-math.expm1(-mean)) for mean in known)


def _log_odds(shares: Sequence[float | None], profile: DataProfile) -> _Values:
    rows = profile.target.n
    known = [share for share in shares if share is not None]
    if not rows or not known or len(known) < len(shares):
        return None
    least = 1 / (2 * rows)
    clamped = [min(max(share, least), 1 - least) for share in known]
    return tuple(math.log(share) - math.log1p(-share) for share in clamped)


_KINDS: dict[BiasKind, Callable[[Link, DataProfile], _Values]] = {
    "prior_log_odds": _prior_log_odds,
    "log_prior": _log_prior,
    "link_mean": _link_mean,
    "median": _median,
    "quantile": _quantile,
    "column_means": _column_means,
    "column_log_odds": _column_log_odds,
}
