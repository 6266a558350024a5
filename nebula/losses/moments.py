"""Raw outputs of the distribution that has the target's own mean and variance."""

from __future__ import annotations

import math
from collections.abc import Callable

from nebula.losses.coding import PERCENT, is_percentage
from nebula.profiling.model import DataProfile

__all__ = ["exponential_time", "raw_parameters", "unsoftplus"]

_Values = tuple[float, ...] | None

# The smallest spread that is started from: a constant target must not start at a spread of 0.
_LEAST = 1e-6


def raw_parameters(parameters: tuple[str, ...], profile: DataProfile) -> _Values:
    """Return the raw outputs of the constant predictor by the method of moments.

    Args:
        parameters: What each output is, as the contract says.
        profile: The data.

    Returns:
        One value per parameter; None when there is no closed form, the target has several columns, or
        no such distribution has its mean and variance.

    Source: Casella and Berger 2002, Statistical Inference, section 7.2.1.
    """
    moments = _MOMENTS.get(parameters)
    facts = profile.target
    if moments is None or facts.mean is None or facts.var is None or (facts.n_columns or 1) > 1:
        return None
    return moments(facts.mean, facts.var, profile)


def exponential_time(profile: DataProfile) -> _Values:
    """Return log scale and log shape of the exponential time with the most likelihood under right censoring.

    Its mean is the time under observation per event seen.

    Source: Kalbfleisch and Prentice 2002, The Statistical Analysis of Failure Time Data, section 3.3.
    """
    means = profile.target.label_prevalence
    if means is None or len(means) != 2 or min(means) <= 0:
        return None
    time, events = means
    return math.log(time) - math.log(events), 0.0


def _negative_binomial(mean: float, variance: float, _profile: DataProfile) -> _Values:
    if mean <= 0:
        return None
    return math.log(mean), unsoftplus((variance - mean) / mean**2)


def _log_normal(mean: float, variance: float, profile: DataProfile) -> _Values:
    if profile.target.min is None or profile.target.min <= 0:
        return None
    return _of_logarithm(mean, variance)


def _zero_inflated_log_normal(mean: float, variance: float, profile: DataProfile) -> _Values:
    zeros, rows = profile.target.zero_fraction, profile.target.n
    if zeros is None or zeros == 1 or not rows or mean <= 0:
        return None
    amounts = 1 - zeros
    least = 1 / (2 * rows)
    share = min(max(amounts, least), 1 - least)
    amount = mean / amounts
    return math.log(share) - math.log1p(-share), *_of_logarithm(amount, (variance + mean**2) / amounts - amount**2)


def _of_logarithm(mean: float, variance: float) -> tuple[float, float]:
    """Return location and raw scale of log y from the moments of y."""
    square = math.log1p(max(variance, 0.0) / mean**2)
    return math.log(mean) - square / 2, unsoftplus(math.sqrt(square))


def _beta(mean: float, variance: float, profile: DataProfile) -> _Values:
    by = PERCENT if is_percentage(profile) else 1.0
    mean, variance = mean * by, variance * by**2
    if not 0 < mean < 1 or not 0 < variance < mean * (1 - mean):
        return None
    return math.log(mean) - math.log1p(-mean), unsoftplus(mean * (1 - mean) / variance - 1)


def unsoftplus(value: float) -> float:
    """Return the raw output whose softplus is the value, without overflow for a large one."""
    value = max(value, _LEAST)
    return value + math.log(-math.expm1(-value))


_MOMENTS: dict[tuple[str, ...], Callable[[float, float, DataProfile], _Values]] = {
    ("log mean", "raw dispersion"): _negative_binomial,
    ("location of log y", "raw scale of log y"): _log_normal,
    ("log-odds of an amount", "location of log y", "raw scale of log y"): _zero_inflated_log_normal,
    ("logit of the mean", "raw precision"): _beta,
}
