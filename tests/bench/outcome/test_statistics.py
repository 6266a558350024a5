"""Two equal arms are hardly ever called different, and two different ones are."""

from __future__ import annotations

import numpy as np
import pytest

from nebula.bench.outcome.statistics import compare_seeds, signed_rank


@pytest.mark.parametrize("noise", ["normal", "laplace", "skewed"])
def test_an_a_a_run_finds_something_in_at_most_five_percent(noise: str) -> None:
    draws = np.random.default_rng(7)
    kinds = {
        "normal": lambda: draws.normal(0, 1, 10),
        "laplace": lambda: draws.laplace(0, 1, 10),
        "skewed": lambda: draws.exponential(1, 10),
    }
    found = 0
    for _ in range(1000):
        shared = draws.normal(20, 3, 10)  # the split, the same for both arms
        verdict = compare_seeds(shared + kinds[noise](), shared + kinds[noise](), rope=0.01)
        found += verdict in ("better", "worse")
    assert found / 1000 <= 0.05


def test_overlapping_splits_are_allowed_for() -> None:
    """All seeds share half of their noise, as resampled rows do: the plain t-test would find far too much."""
    draws = np.random.default_rng(3)
    found = 0
    for _ in range(1000):
        difference = draws.normal(0, 0.5) + draws.normal(0, 1, 10)
        found += compare_seeds(20 + difference, np.full(10, 20.0), rope=0.01) in ("better", "worse")
    assert found / 1000 <= 0.07


def test_the_verdicts() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, 10)
    theirs = np.full(10, 10.0)
    assert compare_seeds(theirs - 1 + noise, theirs, rope=0.01) == "better"
    assert compare_seeds(theirs + 1 + noise, theirs, rope=0.01) == "worse"
    assert compare_seeds(theirs + noise - noise.mean(), theirs, rope=0.01) == "equivalent"
    assert compare_seeds(theirs + 300 * (noise - noise.mean()), theirs, rope=0.01) == "inconclusive"
    assert compare_seeds(theirs, theirs, rope=0.01) == "equivalent"


def test_the_signed_rank_test_knows_the_direction() -> None:
    spread = np.linspace(0.05, 0.5, 12)
    better = signed_rank(-spread, np.zeros(12), rope=0.01, samples=1000)
    assert better.better > 0.99
    worse = signed_rank(spread, np.zeros(12), rope=0.01, samples=1000)
    assert worse.worse > 0.99
    same = signed_rank(np.full(12, 0.001), np.zeros(12), rope=0.01, samples=1000)
    assert same.same > 0.99
    assert better.better + better.same + better.worse == pytest.approx(1)


def test_the_signed_rank_test_of_equal_arms_claims_nothing() -> None:
    draws = np.random.default_rng(5)
    claimed = 0
    for _ in range(12):
        posterior = signed_rank(draws.normal(0, 0.03, 20), np.zeros(20), rope=0.01, samples=500)
        claimed += max(posterior.better, posterior.worse) > 0.99
    assert claimed == 0
