"""Quantiles, asymmetric squares and squares of logarithms, against scikit-learn and their optima."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import expectile
from sklearn.metrics import mean_pinball_loss, mean_squared_log_error
from torch import Tensor

from nebula.errors import ContractError
from nebula.losses.adaptation import entry_of, validated_params
from tests.losses.planning import plan
from tests.losses.serving_draws import criterion_of, element_losses, served

RNG = np.random.default_rng(3)
SKEWED = RNG.gamma(2.0, 3.0, 401)


@given(level=st.floats(0.01, 0.99))
def test_the_mean_is_scikit_learns_pinball_loss(level: float) -> None:
    y, z = RNG.normal(size=50), RNG.normal(size=50)
    found = element_losses("QuantileLoss", z, y, levels=[level]).mean()
    assert found == pytest.approx(mean_pinball_loss(y, z, alpha=level))


def test_several_levels_are_each_their_own_loss() -> None:
    y, z, levels = RNG.normal(size=(7, 2)), RNG.normal(size=(7, 2, 3)), [0.1, 0.4, 0.9]
    found = element_losses("QuantileLoss", z, y, levels=levels)
    for place, level in enumerate(levels):
        np.testing.assert_allclose(found[..., place], element_losses("QuantileLoss", z[..., place], y, levels=[level]))


@pytest.mark.parametrize(
    ("loss", "params", "best"),
    [
        ("QuantileLoss", {"levels": [0.9]}, np.quantile(SKEWED, 0.9)),
        ("QuantileLoss", {"levels": [0.25]}, np.quantile(SKEWED, 0.25)),
        ("AsymmetricMSELoss", {"under_weight": 4.0, "over_weight": 1.0}, expectile(SKEWED, 0.8)),
        ("AsymmetricMSELoss", {"under_weight": 1.0, "over_weight": 9.0}, expectile(SKEWED, 0.1)),
        ("MSLELoss", {"log_input": False}, np.expm1(np.log1p(SKEWED).mean())),
    ],
    ids=str,
)
def test_the_best_constant_is_the_functional_it_elicits(loss: str, params: dict[str, Any], best: float) -> None:
    def risk(constant: float) -> float:
        return element_losses(loss, np.full_like(SKEWED, constant), SKEWED, **params).mean()

    found = minimize_scalar(risk, bounds=(0, 40), method="bounded", options={"xatol": 1e-8}).x
    assert found == pytest.approx(best, abs=0.02)


def test_weights_say_their_direction() -> None:
    """Predictions 2 too low and 2 too high."""
    params = {"under_weight": 1.0, "over_weight": 4.0}
    np.testing.assert_allclose(element_losses("AsymmetricMSELoss", [0.0, 4.0], [2.0, 2.0], **params), [4.0, 16.0])


def test_squares_of_logarithms_are_scikit_learns() -> None:
    y, z = RNG.exponential(size=30), RNG.exponential(size=30)
    expected = mean_squared_log_error(y, z)
    assert element_losses("MSLELoss", z, y, log_input=False).mean() == pytest.approx(expected)
    assert element_losses("MSLELoss", np.log1p(z), y).mean() == pytest.approx(expected)


def test_served_quantities_undo_the_logarithm() -> None:
    np.testing.assert_allclose(served("MSLELoss", "median", [0.0, 2.0]), np.expm1([0.0, 2.0]))
    np.testing.assert_allclose(served("MSLELoss", "median", [0.5, 2.0], log_input=False), [0.5, 2.0])


@pytest.mark.parametrize("error", [0.0, 1e-4, 0.3, 5.0, 89.0, 1e4])
def test_log_cosh_is_even_and_does_not_overflow(error: float) -> None:
    up, down = element_losses("LogCoshLoss", [error, -error], [0.0, 0.0], torch.float32)
    expected = np.logaddexp(error, -error) - np.log(2)
    assert up == pytest.approx(expected, rel=1e-6, abs=2e-7)
    assert down == pytest.approx(expected, rel=1e-6, abs=2e-7)


RAW = np.array([[1.0, 2.0, 4.0], [0.0, 1.0, 9.0]])


@pytest.mark.parametrize(
    ("level", "expected"), [(0.1, [1.0, 0.0]), (0.5, [2.0, 1.0]), (0.9, [4.0, 9.0]), (0.7, [3.0, 5.0])]
)
def test_a_level_is_served_exactly_or_between_its_neighbours(level: float, expected: list[float]) -> None:
    found = served("QuantileLoss", "quantile", RAW, level, levels=[0.1, 0.5, 0.9])
    np.testing.assert_allclose(found, expected)


def test_all_levels_the_median_and_a_single_level_are_served() -> None:
    np.testing.assert_array_equal(served("QuantileLoss", "raw", RAW, levels=[0.1, 0.5, 0.9]), RAW)
    np.testing.assert_array_equal(served("QuantileLoss", "median", RAW, levels=[0.1, 0.5, 0.9]), RAW[:, 1])
    np.testing.assert_array_equal(served("QuantileLoss", "quantile", RAW[:, 0], 0.9, levels=[0.9]), RAW[:, 0])


@pytest.mark.parametrize(("level", "raw"), [(0.05, RAW), (0.95, RAW), (0.5, RAW[:, :2])])
def test_nothing_is_extrapolated_or_read_from_another_axis(level: float, raw: np.ndarray) -> None:
    with pytest.raises(ContractError, match="expected"):
        served("QuantileLoss", "quantile", raw, level, levels=[0.1, 0.5, 0.9])


@pytest.mark.parametrize(
    ("levels", "prediction", "target", "message"),
    [
        ([0.5], torch.zeros(4, 2), torch.zeros(4), r"\(4, 2\) against target \(4,\)"),
        ([0.1, 0.9], torch.zeros(4, 2), torch.zeros(4, 2), "one output per level"),
        ([0.1, 0.9], torch.zeros(4, 3), torch.zeros(4), "one output per level"),
        ([0.1, 0.9], torch.zeros(2, 2), torch.zeros(4), "one output per level"),
        ([0.5], torch.zeros(4), torch.zeros(4, dtype=torch.long), "floating target"),
    ],
    ids=str,
)
def test_shapes_that_torch_would_broadcast_are_refused(
    levels: list[float], prediction: Tensor, target: Tensor, message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        criterion_of("QuantileLoss", levels=levels)(prediction, target)


@pytest.mark.parametrize(
    ("loss", "params"),
    [
        ("QuantileLoss", {"levels": []}),
        ("QuantileLoss", {"levels": [0.0]}),
        ("QuantileLoss", {"levels": [1.0]}),
        ("QuantileLoss", {"levels": [0.9, 0.1]}),
        ("QuantileLoss", {"levels": [0.5, 0.5]}),
        ("QuantileLoss", {"crossing_weight": -1}),
        ("AsymmetricMSELoss", {"under_weight": 0}),
        ("AsymmetricMSELoss", {"over_weight": -1}),
    ],
    ids=str,
)
def test_a_parameter_out_of_range_is_refused(loss: str, params: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match=loss):
        validated_params(entry_of(loss), params)


def test_levels_are_planned_as_outputs_and_a_single_one_as_the_target() -> None:
    y = torch.randn(9)
    assert plan("QuantileLoss", y, torch.randn(9, 3), levels=[0.1, 0.5, 0.9]) == ()
    assert [step.step for step in plan("QuantileLoss", y, torch.randn(9, 1), levels=[0.9])] == ["unsqueeze_last"]
    with pytest.raises(ContractError, match="one per quantile level"):
        plan("QuantileLoss", y, torch.randn(9, 2), levels=[0.1, 0.5, 0.9])
