"""The last layer's bias at the constant predictor, so that training starts from the base rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from nebula.losses.coding import PERCENT, is_percentage
from nebula.losses.contract import Contract
from nebula.losses.labels import class_labels, code_labels, find_void
from nebula.losses.moments import raw_parameters
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
            column of an (N, C) target; `log_prior`: log share of every class, in output order;
            `link_mean`, `median`: inverse link of the mean or median, one per column; where the outputs
            are parameters of a distribution, `link_mean` is the one with the target's mean and variance;
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
    if contract.layout == "levels" and kind != "median":
        return None
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
    facts = profile.target
    if profile.relation.class_axis is None and (facts.is_one_hot or facts.is_simplex) and facts.label_prevalence:
        return _log_shares([share * (facts.n or 1) for share in facts.label_prevalence])
    outputs = profile.prediction.n_outputs if profile.relation.class_axis is not None else None
    void = find_void(profile)
    labels = class_labels(profile, void)
    code = code_labels(profile, void, outputs)
    if labels is None or facts.class_counts is None or len(labels) != len(facts.class_counts) or code.kind == "unfit":
        return None
    places = _places(labels, code.kind)
    counts = [0.0] * (outputs or places[-1] + 1)
    for place, count in zip(places, facts.class_counts, strict=True):
        counts[place] = float(count)
    return _log_shares(counts)


def _places(labels: Sequence[float], kind: str) -> list[int]:
    if kind == "remap":
        return list(range(len(labels)))
    return [int(label) - (kind == "shift") for label in labels]


def _log_shares(counts: Sequence[float]) -> _Values:
    added = 0.0 if all(counts) else 1.0
    whole = sum(counts) + added * len(counts)
    return tuple(math.log((count + added) / whole) for count in counts) if whole > 0 else None


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
    "column_means": _column_means,
    "column_log_odds": _column_log_odds,
}
