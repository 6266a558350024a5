"""Marginal statistics of an empirical distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nebula.profiling.distribution import Array, Distribution
from nebula.profiling.moments import Moments, measure_moments

__all__ = ["describe_distribution", "quantile_of"]

_FEW = 64
_FEW_WHOLE = 1024
_LEVELS = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}


def describe_distribution(data: Distribution) -> dict[str, Any]:
    """Compute the facts of `TargetFacts` that depend on the values alone, by field name.

    A number that overflows float64 is None.
    """
    facts: dict[str, Any] = {
        "nan_count": data.nan_count,
        "inf_count": data.inf_count,
        "n_unique": data.distinct,
        "n_unique_is_exact": data.exact,
    }
    if data.size:
        facts["nonfinite_fraction"] = (data.nan_count + data.inf_count) / data.size
    if not data.n or data.low is None or data.high is None:
        return facts
    moments = measure_moments(data)
    with np.errstate(all="ignore"):
        facts |= _support(data, data.low, data.high) | _order(data, data.low, data.high)
    return facts | _shape(moments, data.low)


def quantile_of(data: Distribution, level: float) -> float | None:
    """Return a quantile by linear interpolation (type 7 of Hyndman and Fan 1996), None without values.

    Args:
        data: The distribution.
        level: In [0, 1].
    """
    return quantiles_of(data, (level,))[0] if data.n else None


def quantiles_of(data: Distribution, levels: Sequence[float]) -> list[float]:
    """Return several quantiles of one value or more; see `quantile_of`."""
    positions = [level * (data.n - 1) for level in levels]
    below = [math.floor(position) for position in positions]
    ranks = [*below, *[min(rank + 1, data.n - 1) for rank in below]]
    found = data.floats[data.cumulative.searchsorted(ranks, side="right")].tolist()
    return [
        _interpolate(left, right, position - rank)
        for left, right, position, rank in zip(found[: len(below)], found[len(below) :], positions, below, strict=True)
    ]


def _interpolate(left: float, right: float, share: float) -> float:
    if math.isinf(right - left):
        return left * (1 - share) + right * share
    return min(left + (right - left) * share, right)


def _support(data: Distribution, low: float, high: float) -> dict[str, Any]:
    values, n = data.floats, data.n
    distinct = data.distinct
    places = (0.0, low, high)
    below, up_to = data.counts_below(places), data.counts_up_to(places)
    zeros, lowest, highest = [(most - least) / n for most, least in zip(up_to, below, strict=True)]
    facts: dict[str, Any] = {
        "is_integer_valued": data.whole,
        "is_constant": distinct == 1,
        "repeat_rate": 1 - distinct / n,
        "min_gap": _min_gap(data.values) if data.exact else None,
        "min": _finite(low),
        "max": _finite(high),
        "zero_fraction": zeros,
        "negative_fraction": below[0] / n,
        "min_fraction": lowest,
        "max_fraction": highest,
    }
    if data.exact and distinct <= (_FEW_WHOLE if data.whole else _FEW) and bool((values[1:] > values[:-1]).all()):
        facts |= {"unique_values": tuple(values.tolist()), "value_counts": tuple(data.counts.tolist())}
    return facts


def _shape(moments: Moments, low: float) -> dict[str, Any]:
    dispersion = moments.var / moments.mean if low >= 0 and moments.mean > 0 else None
    return {
        "mean": _finite(moments.mean),
        "std": _finite(moments.std),
        "var": _finite(moments.var),
        "skew": _finite(moments.skew),
        "kurtosis": _finite(moments.kurtosis),
        "dispersion": _finite(dispersion),
    }


def _order(data: Distribution, low: float, high: float) -> dict[str, Any]:
    facts = dict(zip(_LEVELS, quantiles_of(data, tuple(_LEVELS.values())), strict=True))
    q25, q75, median = facts["q25"], facts["q75"], facts["median"]
    iqr = facts["iqr"] = q75 - q25
    if 0 < iqr < math.inf:
        outside = data.count_below(q25 - 1.5 * iqr) + data.n - data.count_up_to(q75 + 1.5 * iqr)
        facts["outlier_fraction"] = outside / data.n
        facts["tail_index"] = max(high - median, median - low) / iqr
    return {name: _finite(value) for name, value in facts.items()}


def _min_gap(values: Array) -> float | None:
    """Return the smallest step between neighbours; modulo 2^64 that of integers is right however far apart."""
    if len(values) < 2:
        return None
    exact = values if values.dtype.kind == "f" else values.view(np.uint64)
    return _finite((exact[1:] - exact[:-1]).min())


def _finite(value: Any) -> float | None:
    """Return a finite float without negative zero, or None."""
    number = None if value is None else float(value) + 0.0
    return number if number is not None and math.isfinite(number) else None
