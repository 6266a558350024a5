"""Over grids of simulated targets, the default policy reads counts, amounts and shares as what they are."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import nebula
from nebula import Decision, PredictionSpec

Values = npt.NDArray[Any]
ONE = PredictionSpec(shape=(None, 1))


def product(*axes: Any, repeat: int = 1) -> list[tuple[Any, ...]]:
    return list(itertools.product(*axes, repeat=repeat))


def decide(values: Values, name: str | None = None) -> Decision:
    return nebula.select(torch.from_numpy(values), ONE, name=name)


def negative_binomial(mean: float, size: float, n: int = 3000, seed: int = 0) -> Values:
    return np.random.default_rng(seed).negative_binomial(size, size / (size + mean), n)


@pytest.mark.parametrize(("mean", "size"), product((2, 8, 40, 120), (0.3, 1, 3)))
def test_counts_are_counts_whatever_their_mean_and_spread(mean: float, size: float) -> None:
    for seed in range(3):
        assert decide(negative_binomial(mean, size, seed=seed)).task == "count"


@pytest.mark.parametrize(("mean", "size"), product((20, 60, 200), (2, 3)))
def test_counts_that_never_come_down_to_one_are_counts(mean: float, size: float) -> None:
    counts = negative_binomial(mean, size)
    counts = counts[(counts > 2) & (counts < 1000)]
    assert decide(counts).spec.loss == "PoissonNLLLoss"  # type: ignore[union-attr]


@pytest.mark.parametrize(("mean", "size"), product((1, 2), (0.2, 0.5)))
def test_counts_that_people_rounded_are_counts(mean: float, size: float) -> None:
    counts = negative_binomial(mean, size)
    told = np.select([counts <= 3, counts <= 9], [counts, 7], 12)
    assert (told == 12).mean() > 0.001
    assert decide(told).task == "count"


@pytest.mark.parametrize("labels", [(0, 1, 2, 4, 5), (1, 2, 3, 5, 6, 7), (1, 2, 4), (0, 2, 3, 9)])
def test_labels_with_a_gap_and_about_equal_shares_are_no_count(labels: tuple[int, ...]) -> None:
    assert decide(np.random.default_rng(1).choice(labels, 900)).task != "count"


@pytest.mark.parametrize(("mean", "zeros", "shape"), product((1_000, 20_000, 1_000_000), (0.2, 0.35, 0.5), (1.0, 4.0)))
def test_whole_euros_over_a_lump_of_zeros_are_amounts(mean: float, zeros: float, shape: float) -> None:
    rng = np.random.default_rng(2)
    euros = np.rint(rng.gamma(shape, mean / shape, 3000)) * (rng.random(3000) >= zeros)
    assert decide(euros.astype(np.int64)).task == "zero_inflated_positive"


@given(mean=st.floats(1e-3, 1e6), size=st.floats(1e-3, 1e6))
def test_no_negative_binomial_has_more_zeros_than_the_policy_grants_a_count(mean: float, size: float) -> None:
    std = np.sqrt(mean + mean**2 / size)
    zeros = (1 + mean / size) ** -size
    assert std > 2 * mean or zeros**4 * (1 + 4 * mean) <= 1 + 1e-9


@pytest.mark.parametrize(("a", "b"), product((0.5, 1, 2, 5), repeat=2))
def test_shares_get_a_loss_for_shares_and_are_doubted_only_far_from_one(a: float, b: float) -> None:
    shares = np.random.default_rng(3).beta(a, b, 500)
    decision = decide(shares)
    assert decision.spec is not None
    assert decision.spec.loss == "BCEWithLogitsLoss"
    skewed = ((shares - shares.mean()) ** 3).mean() > shares.std() ** 3
    assert (decision.status == "ambiguous") == (shares.max() < 0.9 and skewed)


def fit_poisson(x: Values, y: Values) -> Values:
    """Coefficients of the log mean by Newton's method on Poisson's likelihood."""
    design = np.stack((np.ones_like(x), x), axis=1)
    found = np.array([np.log(y.mean()), 0.0])
    for _ in range(30):
        mean = np.exp(design @ found)
        found = found + np.linalg.solve(design.T @ (mean[:, None] * design), design.T @ (y - mean))
    return found


@pytest.mark.parametrize(("law", "lowest"), product(("gamma", "lognormal", "shifted"), (5.0, 50.0, 300.0)))
def test_a_counts_likelihood_finds_the_mean_of_amounts_too(law: str, lowest: float) -> None:
    """What makes it safe to read whole numbers as counts where amounts look the same (Gourieroux et al. 1984)."""
    rng = np.random.default_rng(4)
    x = rng.uniform(0, 1, 40_000)
    mean = lowest * np.exp(1.5 * x)
    noise = {
        "gamma": rng.gamma(2, 1 / 2, x.size),
        "lognormal": rng.lognormal(-0.32, 0.8, x.size),
        "shifted": 0.5 + rng.exponential(0.5, x.size),
    }[law]
    intercept, slope = fit_poisson(x, np.rint(mean * noise))
    assert slope == pytest.approx(1.5, abs=0.08)
    assert intercept == pytest.approx(np.log(lowest), abs=0.05)
