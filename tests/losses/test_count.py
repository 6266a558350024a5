"""Negative binomial losses against scipy and statsmodels, down to Poisson's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit
from statsmodels.genmod.families import NegativeBinomial as StatsmodelsFamily

from nebula.errors import ContractError
from nebula.losses.adaptation import entry_of, plan_adaptation, validated_params
from nebula.losses.capability import violations
from nebula.profiling.prediction import PredictionSpec
from nebula.profiling.profiler import profile
from tests.losses.serving_draws import element_losses, served, softplus

RNG = np.random.default_rng(13)
LEVELS = [0.01, 0.3, 0.5, 0.9, 0.999]
FIXED: dict[str, Any] = {"predicts_dispersion": False}


@given(dispersion=st.floats(0.01, 10), seed=st.integers(0, 99))
def test_the_likelihood_is_statsmodels(dispersion: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, z = rng.negative_binomial(2, 0.2, 20).astype(float), rng.normal(size=20)
    expected = StatsmodelsFamily(alpha=dispersion).loglike(y, np.exp(z))
    found = element_losses("NegativeBinomialNLLLoss", z, y, dispersion=dispersion, **FIXED)
    assert -found.sum() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("raw_dispersion", [-40.0, -10.0, -2.53, -2.4, 0.0, 5.0])
@pytest.mark.parametrize("count", [0.0, 1.0, 7.0, 300.0])
def test_the_value_keeps_its_digits_at_any_dispersion(count: float, raw_dispersion: float, dtype: torch.dtype) -> None:
    """From 1 / dispersion of a million, where the textbook form subtracts numbers of 10 million."""
    raw, dispersion = [[1.5, raw_dispersion]], softplus(raw_dispersion) + 1e-6
    expected = -stats.nbinom.logpmf(count, 1 / dispersion, 1 / (1 + dispersion * np.exp(1.5)))
    found = element_losses("NegativeBinomialNLLLoss", raw, [count], dtype)
    # log y! alone has an ulp of 1e-4 in float32 at 300; scipy loses digits at the smallest dispersion
    within = {torch.float32: 2e-6 + 1e-6 * count, torch.float64: 1e-6}[dtype]
    assert found[0] == pytest.approx(expected, rel=2e-6 if dtype == torch.float32 else 1e-8, abs=within)


def test_without_dispersion_it_is_poissons() -> None:
    y, z = RNG.poisson(3, 30).astype(float), RNG.normal(size=30)
    found = element_losses("NegativeBinomialNLLLoss", z, y, dispersion=1e-6, **FIXED)
    np.testing.assert_allclose(found, -stats.poisson.logpmf(y, np.exp(z)), atol=1e-4)


def test_gradients_keep_their_digits_in_float32() -> None:
    raw = torch.randn(200, 2, dtype=torch.float64) * torch.tensor([2.0, 8.0])
    y = torch.from_numpy(RNG.negative_binomial(1, 0.01, 200).astype(float))
    gradients = []
    for dtype in (torch.float64, torch.float32):
        leaf = raw.detach().clone().to(dtype).requires_grad_()
        loss = entry_of("NegativeBinomialNLLLoss").build(entry_of("NegativeBinomialNLLLoss").params(reduction="sum"))
        loss(leaf, y.to(dtype)).backward()
        assert leaf.grad is not None
        gradients.append(leaf.grad.double())
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("level", LEVELS)
def test_quantiles_are_scipys(level: float) -> None:
    raw = RNG.normal(size=(60, 2)) * [3, 4]
    dispersion = softplus(raw[:, 1]) + 1e-6
    law = stats.nbinom(1 / dispersion, 1 / (1 + dispersion * np.exp(raw[:, 0])))
    np.testing.assert_array_equal(served("NegativeBinomialNLLLoss", "quantile", raw, level), law.ppf(level))
    # scipy's mean subtracts a probability near 1 from 1, which costs it digits where the mean is small
    np.testing.assert_allclose(served("NegativeBinomialNLLLoss", "mean", raw), law.mean(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("log_input", [True, False])
def test_a_fixed_dispersion_serves_from_one_output(log_input: bool) -> None:
    z = RNG.normal(size=30) * 2
    raw = z if log_input else np.exp(z)
    law = stats.nbinom(1 / 0.5, 1 / (1 + 0.5 * np.exp(z)))
    params = {"dispersion": 0.5, "log_input": log_input, **FIXED}
    np.testing.assert_array_equal(served("NegativeBinomialNLLLoss", "median", raw, **params), law.median())
    np.testing.assert_allclose(served("NegativeBinomialNLLLoss", "mean", raw, **params), np.exp(z), rtol=1e-6)


@pytest.mark.parametrize("level", LEVELS)
def test_quantiles_with_extra_zeros_are_the_first_count_that_reaches_the_level(level: float) -> None:
    raw = RNG.normal(size=(60, 3)) * [1, 2, 3]
    dispersion, extra = softplus(raw[:, 1]) + 1e-6, expit(raw[:, 2])
    law = stats.nbinom(1 / dispersion, 1 / (1 + dispersion * np.exp(raw[:, 0])))
    reach = [extra + (1 - extra) * law.cdf(count) >= level for count in range(3000)]
    found = served("ZeroInflatedNegativeBinomialNLLLoss", "quantile", raw, level)
    np.testing.assert_array_equal(found, np.argmax(reach, axis=0))
    mean = served("ZeroInflatedNegativeBinomialNLLLoss", "mean", raw)
    np.testing.assert_allclose(mean, (1 - extra) * np.exp(raw[:, 0]), rtol=1e-9)


def test_an_overflowing_mean_is_served_as_infinity() -> None:
    raw = np.array([[1e4, 0.0], [0.0, 0.0]])
    assert served("NegativeBinomialNLLLoss", "quantile", raw, 0.9)[0] == np.inf
    assert np.isfinite(served("NegativeBinomialNLLLoss", "quantile", raw, 0.9)[1])


def test_extra_zeros_make_probabilities_that_sum_to_one() -> None:
    counts = np.arange(4000.0)
    raw = np.tile([1.0, 0.5, -0.3], (4000, 1))
    assert np.exp(-element_losses("ZeroInflatedNegativeBinomialNLLLoss", raw, counts)).sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("y", "shape", "params", "broken"),
    [
        ([0.0, 3.0], (None, 2), {}, False),
        ([0.0, 3.0], (None,), {}, True),
        ([0.0, 3.0], (None,), FIXED, False),
        ([0.5, 3.0], (None, 2), {}, True),
        ([-1.0, 3.0], (None, 2), {}, True),
    ],
    ids=str,
)
def test_what_is_no_count_is_refused(y: list[float], shape: Any, params: dict[str, Any], broken: bool) -> None:
    facts = profile(torch.tensor(y), PredictionSpec(shape=shape, space="logits", dtype="float32"))
    assert bool(violations("NegativeBinomialNLLLoss", params, facts)) is broken


def test_rates_cannot_stand_for_two_parameters() -> None:
    facts = profile(torch.tensor([0.0, 3.0]), PredictionSpec(shape=(None, 2), space="rate", dtype="float32"))
    with pytest.raises(ContractError, match="log rates"):
        plan_adaptation("NegativeBinomialNLLLoss", {}, "exp", facts)


@pytest.mark.parametrize(
    "params",
    [{"dispersion": 1.0}, {"log_input": False}, {"dispersion": 0.0, **FIXED}, {"dispersion_floor": 0.0}],
    ids=str,
)
def test_a_parameter_out_of_range_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match="NegativeBinomialNLLLoss"):
        validated_params(entry_of("NegativeBinomialNLLLoss"), params)
