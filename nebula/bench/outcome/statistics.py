"""What can be told apart: paired seeds of one problem, and one score a problem over many problems."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nebula.errors import MissingExtraError

__all__ = ["TEST_TO_TRAIN", "Posterior", "Verdict", "compare_seeds", "signed_rank"]

Verdict = Literal["better", "equivalent", "worse", "inconclusive"]

TEST_TO_TRAIN = 1 / 3
"""Rows of test over rows of training in a 60 : 20 : 20 split."""


@dataclass(frozen=True)
class Posterior:
    """Probabilities that the first is better, that both are practically the same, that the second is better."""

    better: float
    same: float
    worse: float


def compare_seeds(ours: NDArray[np.float64], theirs: NDArray[np.float64], rope: float, level: float = 0.05) -> Verdict:
    """Compare two arms on paired seeds; scores are lower-is-better.

    The interval is Student's, with the variance of Nadeau and Bengio (2003, Inference for the Generalization
    Error, section 3): splits of one data set overlap, so seeds are not independent.

    Args:
        ours: (S,) scores.
        theirs: (S,) scores of the same seeds.
        rope: Relative differences below this are practically none.
        level: Error of the interval.

    Returns:
        `better` and `worse` when the interval of the mean difference leaves 0 out; `equivalent` when it lies
        within the rope; else `inconclusive`.
    """
    from scipy import stats

    scale = max(abs(float(theirs.mean())), 1e-12)
    difference = (ours - theirs) / scale
    n = len(difference)
    spread = math.sqrt((1 / n + TEST_TO_TRAIN) * float(difference.var(ddof=1)))
    half = float(stats.t.ppf(1 - level / 2, n - 1)) * spread
    low, high = float(difference.mean()) - half, float(difference.mean()) + half
    if high < 0 or low > 0:
        return "better" if high < 0 else "worse"
    return "equivalent" if -rope < low and high < rope else "inconclusive"


def signed_rank(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], rope: float, samples: int = 20_000
) -> Posterior:
    """Compare two selectors over problems by the Bayesian signed-rank test of Benavoli et al. (2017).

    Args:
        ours: (P,) scores, lower is better, in the same unit for all problems.
        theirs: (P,) scores of the same problems.
        rope: Differences below this are practically none.
        samples: Draws from the posterior; 20,000 are right to about 0.003.

    Returns:
        The posterior, by baycomp with a fixed seed.

    Raises:
        MissingExtraError: baycomp is not installed.
    """
    try:
        from baycomp import SignedRankTest
    except ImportError:
        raise MissingExtraError("baycomp", "bench", "the comparison over problems") from None
    better, same, worse = SignedRankTest.probs(-ours, -theirs, rope, nsamples=samples, random_state=0)
    return Posterior(float(better), float(same), float(worse))
