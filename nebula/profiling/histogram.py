"""A target's values as a few bars, for people to look at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nebula.profiling.distribution import Distribution
from nebula.profiling.model import DataProfile

__all__ = ["Bar", "draw_histogram"]

_FENCE = 3.0


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        label: The value, the label of its code, or the interval.
        share: Of the finite values.
        count: Values; estimated, and rounded, where the profile holds a fair part of them.
    """

    label: str
    share: float
    count: int


def draw_histogram(profile: DataProfile, names: Sequence[str] | None = None, *, bars: int = 12) -> tuple[Bar, ...]:
    """Return the bars of a target: one a value where few occur, else equal intervals.

    Values beyond three interquartile ranges from the middle half (Tukey's outer fences) join the first
    or the last interval, so that one outlier does not squeeze all others into one bar.

    Args:
        profile: One that still holds what it counted.
        names: Label of every integer code.
        bars: Bars at most; of more labels, the commonest and the rest.

    Returns:
        Nothing for a profile without finite values, or one read from JSON or from a cache.
    """
    if profile.accumulator is None:
        return ()
    data = profile.accumulator.marginal.distribution()
    if not data.n:
        return ()
    if names is not None:
        return _by_label(data, names, bars)
    return _by_value(data) if data.exact and len(data.values) <= bars else _by_interval(data, bars)


def _by_label(data: Distribution, names: Sequence[str], bars: int) -> tuple[Bar, ...]:
    if len(data.values) <= bars:
        chosen = range(len(data.values))
    else:
        chosen = np.argsort(-data.counts, kind="stable")[: bars - 1].tolist()
    found = [_bar(names[int(data.values[place])], float(data.counts[place]), data.n) for place in chosen]
    rest = data.n - sum(bar.count for bar in found)
    return (*found, _bar(f"{data.distinct - len(found)} others", rest, data.n)) if rest else tuple(found)


def _by_value(data: Distribution) -> tuple[Bar, ...]:
    pairs = zip(data.floats.tolist(), data.counts.tolist(), strict=True)
    return tuple(_bar(f"{value:.6g}", count, data.n) for value, count in pairs)


def _by_interval(data: Distribution, bars: int) -> tuple[Bar, ...]:
    values, cumulative = data.floats, data.cumulative
    places = np.searchsorted(cumulative, data.n * np.array([0.25, 0.75]))
    q25, q75 = values[np.minimum(places, len(values) - 1)].tolist()
    low, high = float(values[0]), float(values[-1])
    if q75 > q25:
        low, high = max(low, q25 - _FENCE * (q75 - q25)), min(high, q75 + _FENCE * (q75 - q25))
    edges = np.linspace(low, high, bars + 1)
    if not math.isfinite(high - low) or not (np.diff(edges) > 0).all():
        return (_bar(f"{low:.4g} to {high:.4g}", data.n, data.n),)
    below = [data.count_below(float(edge)) for edge in edges[1:-1]]
    counts = np.diff([0, *below, data.n])
    labels = [f"{left:.4g} to {right:.4g}" for left, right in pairwise(edges.tolist())]
    if low > values[0]:
        labels[0] = f"below {edges[1]:.4g}"
    if high < values[-1]:
        labels[-1] = f"from {edges[-2]:.4g}"
    return tuple(_bar(label, float(count), data.n) for label, count in zip(labels, counts, strict=True))


def _bar(label: str, count: float, n: int) -> Bar:
    return Bar(label, count / n, round(count))
