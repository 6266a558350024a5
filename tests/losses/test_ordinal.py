"""Levels in an order: statsmodels' cumulative model, the ranked probability score, and what is served."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.miscmodels.ordinal_model import OrderedModel
from torch import Tensor
from torch.nn import functional

from nebula.errors import ContractError
from nebula.losses.factory import build_criterion
from nebula.losses.spec import LossSpec, Serve
from tests.losses.planning import build, plan

seeds = st.integers(0, 999)
LEVELS = 4


def serving(loss: str, functional: Any, **more: Any) -> Any:
    return build_criterion(LossSpec(loss=loss, serve=Serve(functional=functional, **more))).predict


@given(seed=seeds)
def test_with_shared_gaps_it_is_statsmodels_proportional_odds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(20, 2)), np.append(np.arange(LEVELS), rng.integers(0, LEVELS, 20 - LEVELS))
    slope, cuts = rng.normal(size=2), np.sort(rng.normal(size=LEVELS - 1)) + np.arange(LEVELS - 1) * 0.1
    model = OrderedModel(y, x, distr="logit")
    # statsmodels holds the first cut, and the logarithms of the steps between cuts
    wanted = model.loglike(np.concatenate([slope, cuts[:1], np.log(np.diff(cuts))]))
    raw = np.empty((20, LEVELS - 1))
    raw[:, 0] = x @ slope - cuts[0]
    raw[:, 1:] = np.log(np.expm1(np.diff(cuts)))
    found = build("OrdinalLogisticLoss", (), reduction="sum")(torch.from_numpy(raw), torch.from_numpy(y))
    assert found.item() == pytest.approx(-wanted)


def test_two_levels_are_the_log_loss() -> None:
    z, y = torch.randn(30, 1, dtype=torch.float64), torch.randint(0, 2, (30,))
    wanted = functional.binary_cross_entropy_with_logits(z[:, 0], y.double())
    for loss in ("OrdinalLogisticLoss", "CORALLoss"):
        torch.testing.assert_close(build(loss, ())(z, y), wanted)


@given(seed=seeds)
def test_served_probabilities_are_those_of_the_loss(seed: int) -> None:
    z = torch.randn(7, LEVELS - 1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 3
    p = serving("OrdinalLogisticLoss", "probability")(z)
    torch.testing.assert_close(p.sum(1), torch.ones(7, dtype=torch.float64))
    for level in range(LEVELS):
        loss = build("OrdinalLogisticLoss", (), reduction="none")(z, torch.full((7,), level))
        torch.testing.assert_close(-p[:, level].log(), loss, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("loss", ["OrdinalLogisticLoss", "CORALLoss"])
@given(seed=seeds)
def test_what_is_served_is_of_one_distribution(loss: str, seed: int) -> None:
    z = torch.randn(9, LEVELS - 1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2
    p = serving(loss, "probability")(z)
    assert (p >= 0).all()
    levels = torch.arange(LEVELS)
    torch.testing.assert_close(serving(loss, "expectation")(z), (p * levels).sum(1))
    assert torch.equal(serving(loss, "argmax")(z), p.argmax(1))
    below = p.cumsum(1)
    assert torch.equal(serving(loss, "median")(z), (below < 0.5).sum(1))
    labels = (10.0, 20.0, 35.0, 50.0)
    own = torch.tensor(labels, dtype=torch.float64)
    torch.testing.assert_close(serving(loss, "expectation", labels=labels)(z), p @ own)
    assert torch.equal(serving(loss, "median", labels=labels)(z).double(), own[(below < 0.5).sum(1)])


def test_as_many_labels_as_levels() -> None:
    with pytest.raises(ContractError, match="one label per class, 4, found 3"):
        serving("CORALLoss", "expectation", labels=(1.0, 2.0, 3.0))(torch.randn(2, 3))


def test_levels_from_one_are_shifted() -> None:
    z, y = torch.randn(8, LEVELS - 1), torch.tensor([1, 2, 3, 4] * 2)
    for loss in ("OrdinalLogisticLoss", "CORALLoss"):
        torch.testing.assert_close(build(loss, plan(loss, y, z))(z, y), build(loss, ())(z, y - 1))


@given(seed=seeds)
def test_the_squared_distance_is_the_ranked_probability_score(seed: int) -> None:
    """For whole levels it is E|X - y| - E|X - X'| / 2, X and X' drawn from the prediction."""
    rng = np.random.default_rng(seed)
    z, y = rng.normal(size=(6, LEVELS)), rng.integers(0, LEVELS, 6)
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    levels = np.arange(LEVELS)
    apart = np.abs(levels[:, None] - levels[None, :])
    wanted = [row @ apart[label] - row @ apart @ row / 2 for row, label in zip(p, y, strict=True)]
    found = build("EMDLoss", (), reduction="none")(torch.from_numpy(z), torch.from_numpy(y))
    np.testing.assert_allclose(found.numpy(), wanted)


def test_further_off_is_worse() -> None:
    y = torch.zeros(LEVELS, dtype=torch.long)
    sure = 8 * torch.eye(LEVELS)
    steps = torch.ones(LEVELS, LEVELS - 1).tril(-1) * 16 - 8
    for loss, z in (("EMDLoss", sure), ("CORALLoss", steps)):
        found = build(loss, (), reduction="none")(z, y)
        assert (found.diff() > 0).all()


def test_a_level_is_its_own_distribution() -> None:
    z, y = torch.randn(5, LEVELS, 3), torch.randint(0, LEVELS, (5, 3))
    hot = functional.one_hot(y, LEVELS).movedim(-1, 1).float()
    torch.testing.assert_close(build("EMDLoss", ())(z, y), build("EMDLoss", ())(z, hot))


def test_a_fit_finds_the_rates_of_the_levels() -> None:
    y = torch.tensor([0] * 50 + [1] * 10 + [2] * 30 + [3] * 10)
    row = torch.zeros(LEVELS - 1, requires_grad=True)
    optimiser = torch.optim.LBFGS([row], max_iter=200, line_search_fn="strong_wolfe")
    loss = build("OrdinalLogisticLoss", ())

    def closure() -> Tensor:
        optimiser.zero_grad()
        value: Tensor = loss(row.expand(len(y), LEVELS - 1), y)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(closure)
    found = serving("OrdinalLogisticLoss", "probability")(row.detach().unsqueeze(0))[0]
    torch.testing.assert_close(found, torch.tensor([0.5, 0.1, 0.3, 0.1]), atol=1e-3, rtol=0)


@pytest.mark.parametrize("loss", ["OrdinalLogisticLoss", "CORALLoss", "EMDLoss"])
@pytest.mark.parametrize("label", [-1, LEVELS])
def test_a_level_that_is_none_raises(loss: str, label: int) -> None:
    z = torch.randn(2, LEVELS if loss == "EMDLoss" else LEVELS - 1)
    with pytest.raises((IndexError, RuntimeError), match=r"out of (bounds|range)"):
        build(loss, ())(z, torch.tensor([0, label]))
