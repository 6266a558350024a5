"""Losses of amounts against scikit-learn, scipy and their optima."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn._loss import HalfGammaLoss, HalfTweedieLoss
from sklearn.metrics import mean_tweedie_deviance

from nebula.errors import ContractError
from nebula.losses.adaptation import entry_of, validated_params
from nebula.losses.capability import violations
from nebula.profiling.prediction import PredictionSpec
from nebula.profiling.profiler import profile
from tests.losses.planning import plan
from tests.losses.serving_draws import criterion_of, element_losses, served, softplus

RNG = np.random.default_rng(11)
LEVELS = [0.01, 0.3, 0.5, 0.9, 0.999]


def test_gamma_is_scikit_learns() -> None:
    y, z = RNG.gamma(2, 1, 40), RNG.normal(size=40)
    expected = HalfGammaLoss().loss(y_true=y, raw_prediction=z)
    np.testing.assert_allclose(element_losses("GammaNLLLoss", z, y), expected, rtol=1e-12)


@pytest.mark.parametrize("power", [1.1, 1.5, 1.9])
def test_tweedie_is_scikit_learns(power: float) -> None:
    y, z = RNG.gamma(2, 1, 40) * RNG.integers(0, 2, 40), RNG.normal(size=40)
    expected = HalfTweedieLoss(power=power).loss(y_true=y, raw_prediction=z)
    np.testing.assert_allclose(element_losses("TweedieLoss", z, y, power=power), expected, rtol=1e-12)
    full = element_losses("TweedieLoss", z, y, power=power, full=True)
    assert full.mean() == pytest.approx(mean_tweedie_deviance(y, np.exp(z), power=power) / 2)


@pytest.mark.parametrize("loss", ["GammaNLLLoss", "TweedieLoss"])
@pytest.mark.parametrize("log_input", [True, False])
def test_the_best_constant_is_the_mean(loss: str, log_input: bool) -> None:
    y = RNG.gamma(0.7, 5.0, 300)

    def risk(log_mean: float) -> float:
        z = log_mean if log_input else np.exp(log_mean)
        return element_losses(loss, np.full_like(y, z), y, log_input=log_input).mean()

    found = minimize_scalar(risk, bounds=(-5, 5), method="bounded", options={"xatol": 1e-9}).x
    assert np.exp(found) == pytest.approx(y.mean(), rel=1e-5)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("shape", [0.05, 1.0, 3.0, 400.0])
def test_quantiles_of_a_gamma_are_scipys(shape: float, level: float) -> None:
    z = RNG.normal(size=5)
    expected = stats.gamma.ppf(level, shape, scale=np.exp(z) / shape)
    found = served("GammaNLLLoss", "quantile", z, level, shape=shape)
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("loss", ["GammaNLLLoss", "TweedieLoss"])
def test_a_rate_is_served_as_it_is_emitted(loss: str) -> None:
    """Under softplus, and where the model emits rates that the loss takes the logarithm of."""
    y, raw = torch.tensor([0.5, 1.0, 7.0]), torch.tensor([-2.0, 0.5, 3.0]).double()
    linked = plan(loss, y, torch.zeros(3), "softplus", log_input=False)
    np.testing.assert_allclose(served(loss, "mean", raw, adapt=linked, log_input=False), softplus(raw.numpy()))
    emitted = tuple(step for step in plan_of_rates(loss, y) if step.on == "prediction")
    assert [step.step for step in emitted] == ["log_of_rate"]
    np.testing.assert_allclose(served(loss, "mean", raw.exp(), adapt=emitted), raw.exp().numpy())


def plan_of_rates(loss: str, y: torch.Tensor) -> Any:
    return plan(loss, y, PredictionSpec(shape=(None,), space="rate", dtype="float32"))


@pytest.mark.parametrize("level", LEVELS)
def test_what_a_log_normal_serves_is_scipys(level: float) -> None:
    raw = RNG.normal(size=(6, 2))
    law = stats.lognorm(softplus(raw[:, 1]) + 1e-6, scale=np.exp(raw[:, 0]))
    np.testing.assert_allclose(served("LogNormalNLLLoss", "quantile", raw, level), law.ppf(level), rtol=1e-9)
    np.testing.assert_allclose(served("LogNormalNLLLoss", "mean", raw), law.mean(), rtol=1e-9)
    np.testing.assert_allclose(served("LogNormalNLLLoss", "median", raw), law.median(), rtol=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_a_quantile_with_zeros_has_its_probability_below(level: float) -> None:
    raw = RNG.normal(size=(40, 3)) * [4, 1, 1]
    found = served("ZeroInflatedLogNormalNLLLoss", "quantile", raw, level)
    law = stats.lognorm(softplus(raw[:, 2]) + 1e-6, scale=np.exp(raw[:, 1]))
    zero = expit(-raw[:, 0])
    np.testing.assert_array_equal(found == 0, zero >= level)
    np.testing.assert_allclose((zero + (1 - zero) * law.cdf(found))[found > 0], level, rtol=1e-8)
    np.testing.assert_allclose(served("ZeroInflatedLogNormalNLLLoss", "mean", raw), (1 - zero) * law.mean(), rtol=1e-9)


def test_zeros_say_nothing_about_the_amount() -> None:
    raw = torch.randn(5, 3, requires_grad=True)
    y = torch.tensor([0.0, 0.0, 1.0, 2.0, 0.0])
    criterion_of("ZeroInflatedLogNormalNLLLoss")(raw, y).backward()
    assert raw.grad is not None
    assert raw.grad.isfinite().all()
    assert (raw.grad[y == 0, 1:] == 0).all()
    assert (raw.grad[y > 0, 1:] != 0).all()


@pytest.mark.parametrize(
    ("loss", "y", "shape", "broken"),
    [
        ("GammaNLLLoss", [0.0, 1.0], (None,), True),
        ("GammaNLLLoss", [0.5, 1.0], (None,), False),
        ("TweedieLoss", [0.0, 1.5], (None,), False),
        ("TweedieLoss", [-1.0, 1.5], (None,), True),
        ("LogNormalNLLLoss", [0.0, 1.5], (None, 2), True),
        ("LogNormalNLLLoss", [0.5, 1.5], (None, 1), True),
        ("LogNormalNLLLoss", [0.5, 1.5], (None, 2), False),
        ("ZeroInflatedLogNormalNLLLoss", [0.0, 1.5], (None, 3), False),
    ],
    ids=str,
)
def test_targets_outside_the_support_are_refused(loss: str, y: list[float], shape: Any, broken: bool) -> None:
    facts = profile(torch.tensor(y), PredictionSpec(shape=shape, space="logits", dtype="float32"))
    assert bool(violations(loss, {}, facts)) is broken


@pytest.mark.parametrize(
    ("loss", "params"),
    [
        ("GammaNLLLoss", {"shape": 0}),
        ("TweedieLoss", {"power": 1.0}),
        ("TweedieLoss", {"power": 2.0}),
        ("LogNormalNLLLoss", {"scale_floor": 0}),
    ],
    ids=str,
)
def test_a_parameter_out_of_range_is_refused(loss: str, params: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match=loss):
        validated_params(entry_of(loss), params)
