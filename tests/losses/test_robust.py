"""Barron's family at its limits, its density, and Student's t against scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from nebula.errors import ContractError
from nebula.losses.adaptation import entry_of, validated_params
from nebula.losses.modules.incomplete_beta import beta_cdf, beta_quantile
from nebula.losses.modules.robust import AdaptiveBarron, log_partition
from nebula.losses.modules.student_t import StudentTNLL
from tests.losses.cases.regression import barron
from tests.losses.serving_draws import element_losses, served, softplus

RNG = np.random.default_rng(5)
ERRORS = np.array([0.0, 1e-3, 0.1, 1.0, 10.0, 1e4])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("off", [1e-3, 1e-6, 1e-9, 1e-14])
@pytest.mark.parametrize("limit", [2.0, 0.0, 1.0])
def test_near_a_special_shape_the_loss_is_near_its_limit(limit: float, off: float, dtype: torch.dtype) -> None:
    """The textbook form loses all digits here: 0/0 at both ends."""
    there = element_losses("BarronLoss", ERRORS, np.zeros(6), dtype, shape=limit)
    near = element_losses("BarronLoss", ERRORS, np.zeros(6), dtype, shape=limit - off)
    # the shape's own slope is at most of the order of u log u
    allowed = off * 50 * np.maximum(there, there**2) + 1e-5 * there + (1e-7 if dtype == torch.float32 else 0)
    assert (np.abs(near - there) <= allowed).all()


def test_a_very_low_shape_is_welsch() -> None:
    found = element_losses("BarronLoss", ERRORS, np.zeros(6), shape=-1e9)
    np.testing.assert_allclose(found, element_losses("BarronLoss", ERRORS, np.zeros(6), shape="-inf"), rtol=1e-6)


@given(a=st.floats(-20, 2), c=st.floats(0.1, 10), error=st.floats(-100, 100))
def test_the_loss_is_even_and_grows_with_the_error(a: float, c: float, error: float) -> None:
    at = [error, -error, 1.5 * error]
    left, right, further = element_losses("BarronLoss", at, [0.0, 0.0, 0.0], shape=a, scale=c)
    assert left == right
    assert further >= left * (1 - 1e-9) >= 0


@pytest.mark.parametrize("shape", [0.001, 0.01, 0.3, 1.0, 1.7, 1.95, 1.999])
@pytest.mark.parametrize(("dtype", "within"), [(torch.float64, 2e-8), (torch.float32, 2e-6)], ids=str)
def test_the_partition_function_is_the_integral(shape: float, dtype: torch.dtype, within: float) -> None:
    def density(x: float) -> float:
        return float(np.exp(-(2 - shape) / shape * np.expm1(shape / 2 * np.log1p(x * x / (2 - shape)))))

    near, _ = integrate.quad(density, 0, 1, epsabs=1e-13)
    far, _ = integrate.quad(lambda t: density(1 / t) / t**2, 0, 1, epsabs=1e-13)
    assert log_partition(torch.tensor(shape, dtype=dtype)).item() == pytest.approx(np.log(2 * (near + far)), abs=within)


def test_the_density_integrates_to_one_at_any_scale() -> None:
    loss = AdaptiveBarron(scale_start=3.0, reduction="none").double()
    x = torch.linspace(-4000, 4000, 2_000_001, dtype=torch.float64)
    with torch.no_grad():
        mass = torch.trapezoid((-loss(x, torch.zeros_like(x))).exp(), x).item()
    assert mass == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("df", "lowest", "highest"), [(1.0, 0.0, 0.6), (100.0, 1.5, 2.0)])
def test_shape_and_scale_are_learnt_from_the_errors(df: float, lowest: float, highest: float) -> None:
    errors = torch.tensor(stats.t.rvs(df, scale=2.0, size=4000, random_state=0))
    loss = AdaptiveBarron().double()
    optimiser = torch.optim.LBFGS(loss.parameters(), max_iter=60, line_search_fn="strong_wolfe")

    def risk() -> torch.Tensor:
        optimiser.zero_grad()
        value = loss(errors, torch.zeros_like(errors))
        value.backward()
        return value

    optimiser.step(risk)
    assert lowest <= loss.shape.item() <= highest
    assert loss.scale.item() == pytest.approx(2, rel=0.6)


def test_the_fixed_loss_is_the_adaptive_one_without_its_constant() -> None:
    z, y = RNG.normal(size=20), RNG.normal(size=20)
    found = element_losses("AdaptiveBarronLoss", z, y, scale_start=2.0)
    np.testing.assert_allclose(np.diff(found), np.diff(barron(1.0, 2.0)(z, y)), rtol=1e-5, atol=1e-7)


LEVELS = [0.001, 0.1, 0.5, 0.75, 0.999]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("df", [1.0, 2.5, 4.0, 300.0])
def test_quantiles_of_a_fixed_t_are_scipys(df: float, level: float) -> None:
    raw = RNG.normal(size=(6, 2)) * 3
    expected = stats.t.ppf(level, df, loc=raw[:, 0], scale=softplus(raw[:, 1]) + 1e-6)
    found = served("StudentTNLLLoss", "quantile", raw, level, df=df)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("level", LEVELS)
def test_quantiles_of_a_predicted_t_are_scipys(level: float) -> None:
    raw = RNG.normal(size=(6, 3)) * [3, 3, 20]
    expected = stats.t.ppf(level, 2 + softplus(raw[:, 2]), loc=raw[:, 0], scale=softplus(raw[:, 1]) + 1e-6)
    found = served("StudentTNLLLoss", "quantile", raw, level, predicts_df=True)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)
    np.testing.assert_array_equal(served("StudentTNLLLoss", "mean", raw, predicts_df=True), raw[:, 0])


@pytest.mark.parametrize("raw_df", [-30.0, 0.0, 13.9, 14.1, 100.0, 1e4])
def test_the_t_keeps_its_digits_in_float32_up_to_the_normal(raw_df: float) -> None:
    raw, y = [[0.3, 0.2, raw_df]], [1.7]
    expected = -stats.t.logpdf(1.7, 2 + softplus(raw_df), loc=0.3, scale=softplus(0.2) + 1e-6)
    found = element_losses("StudentTNLLLoss", raw, y, torch.float32, predicts_df=True)
    assert found[0] == pytest.approx(expected, rel=2e-6)


def test_an_outlier_pulls_ever_less() -> None:
    location = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    raw = torch.stack((location, torch.full_like(location, 0.5)), dim=-1)
    StudentTNLL(reduction="sum")(raw, torch.tensor([1.0, 10.0, 1000.0]).double()).backward()
    near, far, furthest = location.grad.abs().tolist()
    assert near > far > furthest > 0


@given(x=st.just(0.0) | st.floats(1e-9, 1), a=st.floats(0.01, 500), b=st.floats(0.01, 500))
def test_the_incomplete_beta_function_is_scipys(x: float, a: float, b: float) -> None:
    at, first, second = (torch.tensor(value, dtype=torch.float64) for value in (x, a, b))
    assert beta_cdf(at, first, second).item() == pytest.approx(stats.beta.cdf(x, a, b), rel=1e-9, abs=1e-13)


@given(level=st.floats(0.001, 0.999), a=st.floats(0.1, 200), b=st.floats(0.1, 200))
def test_its_inverse_undoes_it(level: float, a: float, b: float) -> None:
    wanted, first, second = (torch.tensor(value, dtype=torch.float64) for value in (level, a, b))
    found = beta_quantile(wanted, first, second)
    assert found.item() == pytest.approx(stats.beta.ppf(level, a, b), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(
    ("loss", "params"),
    [
        ("BarronLoss", {"shape": 2.1}),
        ("BarronLoss", {"shape": "inf"}),
        ("BarronLoss", {"shape": float("-inf")}),
        ("BarronLoss", {"scale": 0}),
        ("AdaptiveBarronLoss", {"shape_low": 0.0}),
        ("AdaptiveBarronLoss", {"shape_high": 2.0}),
        ("AdaptiveBarronLoss", {"shape_low": 1.0, "shape_high": 0.5}),
        ("AdaptiveBarronLoss", {"scale_low": 2.0}),
        ("StudentTNLLLoss", {"df": 0}),
        ("StudentTNLLLoss", {"df": 3.0, "predicts_df": True}),
        ("StudentTNLLLoss", {"scale_floor": 0}),
    ],
    ids=str,
)
def test_a_parameter_out_of_range_is_refused(loss: str, params: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match=loss):
        validated_params(entry_of(loss), params)
