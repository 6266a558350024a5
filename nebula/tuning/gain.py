"""What fitting gains on data sets that it did not see: paired, with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Gain", "paired_gain"]

_RESAMPLES = 20_000
_EXACT_UP_TO = 14
_LEVEL = 0.05


class Gain(BaseModel):
    """The mean difference of cost per data set, today's values minus the fitted ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    now: float = Field(description="Mean cost of today's values.")
    fitted: float = Field(description="Mean cost of the fitted values on held-out data sets.")
    mean: float = Field(description="`now` - `fitted`: positive when fitting helps.")
    low: float = Field(description="Lower end of the 95 % bootstrap interval over data sets.")
    high: float = Field(description="Upper end.")
    p: float = Field(description="Sign-flip test, two-sided: how often chance alone is as far from 0.")
    better: int
    worse: int
    alike: int

    @property
    def proved(self) -> bool:
        """Whether the gain is more than chance."""
        return self.mean > 0 and self.low > 0 and self.p <= _LEVEL


def paired_gain(now: Sequence[float], fitted: Sequence[float]) -> Gain:
    """Compare two costs of the same data sets.

    Args:
        now: Cost of today's values, one a data set.
        fitted: Cost of the fitted values where they were not fitted, in the same order.
    """
    ours, theirs = np.asarray(fitted, dtype=np.float64), np.asarray(now, dtype=np.float64)
    difference = theirs - ours
    rng = np.random.default_rng(0)
    means = difference[rng.integers(len(difference), size=(_RESAMPLES, len(difference)))].mean(axis=1)
    low, high = np.quantile(means, [_LEVEL / 2, 1 - _LEVEL / 2])
    return Gain(
        now=theirs.mean(),
        fitted=ours.mean(),
        mean=difference.mean(),
        low=low,
        high=high,
        p=_sign_flip(difference[difference != 0], rng),
        better=int((difference > 0).sum()),
        worse=int((difference < 0).sum()),
        alike=int((difference == 0).sum()),
    )


def _sign_flip(difference: np.ndarray, rng: np.random.Generator) -> float:
    """Return the share of sign patterns whose sum is as far from 0; all patterns of few data sets, else samples."""
    n = len(difference)
    if n == 0:
        return 1.0
    if n <= _EXACT_UP_TO:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    else:
        signs = rng.choice((-1, 1), size=(_RESAMPLES, n))
        signs[0] = 1
    sums = np.abs(signs @ difference)
    return float((sums >= abs(difference.sum()) * (1 - 1e-12)).mean())
