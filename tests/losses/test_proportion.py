"""Losses of shares against scipy, and which targets they take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import expit
from torch import Tensor

from nebula.errors import ContractError
from nebula.losses.capability import violations
from nebula.profiling.prediction import PredictionSpec
from nebula.profiling.profiler import profile
from tests.losses.planning import plan
from tests.losses.serving_draws import criterion_of, element_losses, served, softplus

RNG = np.random.default_rng(17)


@pytest.mark.parametrize("level", [0.01, 0.5, 0.95])
def test_what_a_beta_serves_is_scipys(level: float) -> None:
    raw = RNG.normal(size=(8, 2)) * [1.5, 4]
    precision = softplus(raw[:, 1]) + 1e-6
    a, b = expit(raw[:, 0]) * precision, expit(-raw[:, 0]) * precision
    possible = np.minimum(a, b) > 0.05  # below, scipy's own inverse underflows
    found = served("BetaNLLLoss", "quantile", raw, level)
    np.testing.assert_allclose(found[possible], stats.beta.ppf(level, a, b)[possible], rtol=1e-6)
    np.testing.assert_allclose(served("BetaNLLLoss", "mean", raw), a / precision)


def test_a_dirichlet_serves_its_mean() -> None:
    raw = RNG.normal(size=(5, 3)) * 3
    expected = softplus(raw) / softplus(raw).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(served("DirichletNLLLoss", "mean", raw), expected)
    assert served("DirichletNLLLoss", "mean", [[-1e4, -1e4 + 1]]).sum() == pytest.approx(1)


def test_two_classes_are_a_beta() -> None:
    raw, y = RNG.normal(size=(9, 2)), RNG.beta(2, 3, 9)
    a, b = softplus(raw).T
    found = element_losses("DirichletNLLLoss", raw, np.stack([y, 1 - y], axis=1))
    np.testing.assert_allclose(found, -stats.beta.logpdf(y, a, b))


def test_dense_shares_have_one_loss_per_place() -> None:
    raw, y = RNG.normal(size=(2, 3, 4)), np.moveaxis(RNG.dirichlet([2, 2, 2], (2, 4)), -1, 1)
    found = element_losses("DirichletNLLLoss", raw, y)
    assert found.shape == (2, 4)
    np.testing.assert_allclose(found[:, 1], element_losses("DirichletNLLLoss", raw[..., 1], y[..., 1]))


@pytest.mark.parametrize(("loss", "params"), [("BetaNLLLoss", (2.0, 5.0)), ("DirichletNLLLoss", (2.0, 5.0, 1.5))])
def test_training_finds_the_parameters(loss: str, params: tuple[float, ...]) -> None:
    rows = torch.from_numpy(RNG.dirichlet(params, 4000))
    target = rows if len(params) > 2 else rows[:, 0].contiguous()
    start = torch.zeros(len(params), dtype=torch.float64, requires_grad=True)
    criterion = criterion_of(loss)
    optimiser = torch.optim.LBFGS([start], max_iter=60, line_search_fn="strong_wolfe")

    def risk() -> Tensor:
        optimiser.zero_grad()
        value = criterion(start.expand(4000, -1), target)
        value.backward()
        return value

    optimiser.step(risk)
    expected = np.array(params[:1] if loss == "BetaNLLLoss" else params) / sum(params)
    found = criterion.predict(start.detach()[None]).numpy().ravel()
    np.testing.assert_allclose(found, expected, rtol=0.05)


@pytest.mark.parametrize(
    ("y", "steps"),
    [
        ([0.2, 0.9, 0.5], []),
        ([0.2, 0.9, 1.0], None),
        ([0.0, 0.9, 0.5], None),
        ([0.0, 1.0, 1.0], None),
        ([12.5, 99.5, 50.0], ["scale_target"]),
        ([12.5, 100.0, 50.0], None),
        ([0.0, 12.5, 50.0], None),
    ],
    ids=str,
)
def test_only_shares_between_the_ends_are_taken(y: list[float], steps: list[str] | None) -> None:
    target = torch.tensor(y)
    spec = PredictionSpec(shape=(None, 2), space="logits", dtype="float32")
    if steps is None:
        assert violations("BetaNLLLoss", {}, profile(target, spec))
    else:
        assert [step.step for step in plan("BetaNLLLoss", target, spec)] == steps


@pytest.mark.parametrize(
    ("shape", "rows"),
    [((6,), (6,)), ((6, 1), (6, 1)), ((6, 3), (6, 2)), ((6, 3), (1, 3))],
    ids=str,
)
def test_shares_need_a_class_axis(shape: tuple[int, ...], rows: tuple[int, ...]) -> None:
    with pytest.raises(ContractError, match="DirichletNLLLoss: expected"):
        criterion_of("DirichletNLLLoss")(torch.zeros(shape), torch.full(rows, 0.5))


@pytest.mark.parametrize(("y", "broken"), [([[0.2, 0.8]], False), ([[0.2, 0.7]], True), ([[0.0, 1.0]], True)], ids=str)
def test_rows_must_be_distributions(y: Any, broken: bool) -> None:
    facts = profile(torch.tensor(y), PredictionSpec(shape=(None, 2), space="logits", dtype="float32"))
    assert bool(violations("DirichletNLLLoss", {}, facts)) is broken
