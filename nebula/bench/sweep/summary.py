"""What a sweep says: where the best choice changes, where the policy's threshold stands, what its choice costs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, stdev

from nebula.bench.sweep.point import Point

__all__ = ["Reading", "boundary", "read_point"]


@dataclass(frozen=True)
class Reading:
    """One point, read.

    Attributes:
        level: The level.
        fact: Mean of the fact over the seeds; None when there is no threshold to hold against.
        means: Candidate → mean metric.
        best: The candidate with the best mean.
        chosen: What the policy named on most seeds.
        cost: How much worse than the best the policy's choice is, as a share of the best; None when
            its choice is no candidate.
        error: Standard error of that cost over the paired seeds; None of a single seed.
    """

    level: float
    fact: float | None
    means: dict[str, float]
    best: str
    chosen: str
    cost: float | None
    error: float | None


def read_point(point: Point) -> Reading:
    """Read one point."""
    means = {name: fmean(scores) for name, scores in point.scores.items()}
    best = (min if point.lower_is_better else max)(means, key=lambda name: means[name])
    chosen = Counter(point.chosen).most_common(1)[0][0]
    facts = [fact for fact in point.fact if fact is not None]
    cost = error = None
    if chosen in point.scores:
        sign = 1 if point.lower_is_better else -1
        pairs = zip(point.scores[chosen], point.scores[best], strict=True)
        share = [sign * (ours - theirs) / abs(means[best]) for ours, theirs in pairs]
        cost = fmean(share)
        error = stdev(share) / math.sqrt(len(share)) if len(share) > 1 else None
    return Reading(point.level, fmean(facts) if facts else None, means, best, chosen, cost, error)


def boundary(readings: Sequence[Reading], threshold: float) -> float | None:
    """Return the level at which the mean fact crosses the threshold, by a straight line between two levels.

    Args:
        readings: Of one sweep and metric, in the order of the levels.
        threshold: Value of the policy's parameter.

    Returns:
        The level, None when all facts are on one side.
    """
    known = [(reading.level, reading.fact) for reading in readings if reading.fact is not None]
    for (level, fact), (next_level, next_fact) in pairwise(known):
        if (fact - threshold) * (next_fact - threshold) <= 0 and fact != next_fact:
            return level + (next_level - level) * (threshold - fact) / (next_fact - fact)
    return None
