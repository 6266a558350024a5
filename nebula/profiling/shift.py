"""How far the target of one data set lies from that of another."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from nebula.errors import DataError
from nebula.profiling.distribution import Array, Distribution
from nebula.profiling.model import DataProfile

__all__ = ["ClassShare", "Shift", "measure_shift"]

_DECILES = np.arange(1, 10) / 10
_MOST_CLASSES = 64
_ALPHA_05 = 1.358


class ClassShare(BaseModel):
    """How common a class is in both data sets."""

    model_config = ConfigDict(frozen=True)

    label: str = Field(description="The label, or the value.")
    before: float = Field(ge=0, le=1, description="Share in the reference.")
    after: float = Field(ge=0, le=1, description="Share in the other.")


class Shift(BaseModel):
    """The distance between two targets: 0 for equal distributions.

    Read `psi` by its custom (Siddiqi 2006): below 0.1 stable, to 0.25 a moderate shift, above a major one.
    """

    model_config = ConfigDict(frozen=True)

    psi: float = Field(ge=0, description="Population stability index, natural logarithm.")
    psi_bins: int = Field(ge=1, description="Bins it was summed over: classes, or deciles of the reference.")
    ks: float | None = Field(
        None, ge=0, le=1, description="Largest distance of the distribution functions; numbers only."
    )
    ks_limit: float | None = Field(
        None, ge=0, description="What `ks` stays below in 95 of 100 draws without a shift (for continuous values)."
    )
    class_distance: float | None = Field(
        None, ge=0, le=1, description="Total variation: half the sum of the differences of the classes' shares."
    )
    classes: tuple[ClassShare, ...] = Field((), description="The classes that moved most, up to 64.")
    new_classes: tuple[str, ...] = Field((), description="Classes of the other alone.")
    lost_classes: tuple[str, ...] = Field((), description="Classes of the reference alone.")
    is_exact: bool = Field(description="False where a profile holds a fair part of its distinct values.")


def measure_shift(
    before: DataProfile,
    after: DataProfile,
    names: tuple[Sequence[str] | None, Sequence[str] | None] = (None, None),
) -> Shift:
    """Measure how far the second target lies from the first.

    Targets with as few values as labels have are compared value by value, and as numbers too unless
    they hold labels; labels are matched by name, as each data set has coded them by itself. The index
    adds half a row to every bin, so that an empty one does not make it infinite.

    Args:
        before: The reference.
        after: The other; both must still hold what they counted.
        names: Label of every integer code of both, from `SourceProfile.class_names`.

    Raises:
        DataError: A profile was read from JSON or from a cache, has no finite value, or one holds
            labels and the other numbers.
    """
    left, right = (_distribution(profile, which) for profile, which in ((before, "first"), (after, "second")))
    if (names[0] is None) != (names[1] is None):
        raise DataError("shift: expected labels in both data sets or numbers in both, found one of each.")
    exact = left.exact and right.exact
    labelled = names[0] is not None
    in_classes = labelled or None not in (before.target.class_counts, after.target.class_counts)
    ks = None if labelled else _distance(left, right)
    limit = None if ks is None else _ALPHA_05 * math.sqrt((left.n + right.n) / left.n / right.n)
    if not in_classes:
        edges = np.unique(_quantiles(left))
        psi = _index(_bin(left, edges), _bin(right, edges))
        return Shift(psi=psi, psi_bins=len(edges) + 1, ks=ks, ks_limit=limit, is_exact=exact)
    first, second = _count(left, names[0]), _count(right, names[1])
    labels = list(dict.fromkeys([*first, *second]))
    counts = [np.array([side.get(label, 0) for label in labels], dtype=np.float64) for side in (first, second)]
    shares = [side / side.sum() for side in counts]
    moved = np.argsort(-np.abs(shares[0] - shares[1]), kind="stable")[:_MOST_CLASSES].tolist()
    return Shift(
        psi=_index(*counts),
        psi_bins=len(labels),
        ks=ks,
        ks_limit=limit,
        class_distance=min(1.0, float(np.abs(shares[0] - shares[1]).sum()) / 2),
        classes=tuple(
            ClassShare(label=labels[place], before=float(shares[0][place]), after=float(shares[1][place]))
            for place in moved
        ),
        new_classes=tuple(label for label in labels if label not in first)[:_MOST_CLASSES],
        lost_classes=tuple(label for label in labels if label not in second)[:_MOST_CLASSES],
        is_exact=exact,
    )


def _distribution(profile: DataProfile, which: str) -> Distribution:
    if profile.accumulator is None:
        raise DataError(
            f"shift: expected profiles that still hold what they counted, found that the {which} was read from JSON "
            f"or from a cache; profile its data again."
        )
    data: Distribution = profile.accumulator.marginal.distribution()
    if not data.n:
        raise DataError(f"shift: expected finite values in both data sets, found none in the {which}.")
    return data


def _count(data: Distribution, names: Sequence[str] | None) -> dict[str, int]:
    values, counts = data.values.tolist(), data.counts.tolist()
    labels = [f"{value:.6g}" for value in values] if names is None else [names[int(value)] for value in values]
    return dict(zip(labels, counts, strict=True))


def _quantiles(data: Distribution) -> Array:
    places = np.searchsorted(data.cumulative, _DECILES * data.n)
    found: Array = data.floats[np.minimum(places, len(data.floats) - 1)]
    return found


def _bin(data: Distribution, edges: Array) -> Array:
    """Count the values up to each edge, and above the last."""
    up_to = [data.count_up_to(float(edge)) for edge in edges]
    return np.diff([0, *up_to, data.n]).astype(np.float64)


def _index(before: Array, after: Array) -> float:
    p, q = ((side + 0.5) / (side.sum() + 0.5 * len(side)) for side in (before, after))
    return max(0.0, float(((p - q) * np.log(p / q)).sum()))


def _distance(left: Distribution, right: Distribution) -> float:
    at = np.union1d(left.floats, right.floats)
    heights = []
    for side in (left, right):
        places = np.searchsorted(side.floats, at, side="right")
        heights.append(np.append(0.0, side.cumulative)[places] / side.cumulative[-1])
    return min(1.0, float(np.abs(heights[0] - heights[1]).max()))
