"""Survival losses: statsmodels' likelihoods, ties, what is served, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.duration.hazard_regression import PHReg
from torch import Tensor

from nebula.errors import ContractError
from nebula.losses.criterion import Criterion
from nebula.losses.factory import build_criterion
from nebula.losses.modules.cox import CoxPH, _earliness
from nebula.losses.spec import Functional, LossSpec, Serve
from tests.losses.cases.survival import cox

CUTS = [1.0, 2.0, 4.0]


def criterion(
    loss: str, functional: Functional = "median", quantile: float | None = None, **params: object
) -> Criterion:
    return build_criterion(LossSpec(loss=loss, params=params, serve=Serve(functional=functional, quantile=quantile)))


def cox_loss(**params: object) -> Criterion:
    return criterion("CoxPHLoss", "risk", **params)


def followed(rows: int, seed: int, moments: int) -> Tensor:
    rng = np.random.default_rng(seed)
    time, event = rng.integers(1, moments + 1, rows), rng.random(rows) < 0.6
    return torch.from_numpy(np.stack([time, event], axis=1).astype(float))


@pytest.mark.parametrize("ties", ["breslow", "efron"])
@pytest.mark.parametrize("moments", [3, 40], ids=["many-ties", "few-ties"])
def test_cox_equals_statsmodels(ties: str, moments: int) -> None:
    """With log hazards `x @ beta`; its likelihood of one column is that of any."""
    target, rng = followed(80, 3, moments), np.random.default_rng(0)
    features, beta = rng.normal(size=(80, 2)), np.array([0.7, -1.2])
    model = PHReg(target[:, 0].numpy(), features, status=target[:, 1].numpy(), ties=ties)
    found = cox_loss(ties=ties, reduction="sum")(torch.from_numpy(features @ beta), target)
    assert found.item() == pytest.approx(-model.loglike(beta), rel=1e-10)


@settings(max_examples=80, deadline=None)
@given(rows=st.integers(1, 12), moments=st.integers(1, 5), seed=st.integers(0, 999), efron=st.booleans())
def test_cox_equals_the_textbook_for_any_ties(rows: int, moments: int, seed: int, efron: bool) -> None:
    target = followed(rows, seed, moments)
    hazard = torch.from_numpy(np.random.default_rng(seed).normal(size=rows))
    found = cox_loss(ties="efron" if efron else "breslow", reduction="sum")(hazard, target)
    assert found.item() == pytest.approx(cox(hazard.numpy(), target.numpy(), efron=efron), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_the_level_of_log_hazards_is_free(ties: str) -> None:
    target, hazard = followed(30, 1, 6), torch.randn(30, dtype=torch.float64)
    loss = cox_loss(ties=ties)
    torch.testing.assert_close(loss(hazard + 7, target), loss(hazard, target))


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_cox_without_events_is_0_and_connected(ties: str) -> None:
    hazard = torch.randn(5, requires_grad=True)
    value = cox_loss(ties=ties)(hazard, torch.tensor([[1.0, 0.0]]).expand(5, 2))
    value.backward()
    assert value.item() == 0
    assert hazard.grad is not None
    assert hazard.grad.abs().sum() == 0


def test_cox_of_far_apart_tied_hazards_is_exact() -> None:
    """Both of a tie have the event: Efron's second term leaves half of the tied hazards."""
    hazard = torch.tensor([1e4, -1e4], requires_grad=True)
    value = cox_loss(reduction="sum")(hazard, torch.ones(2, 2))
    value.backward()
    # log(e^a + e^b) + log((e^a + e^b) / 2) - a - b with a = 1e4, b = -1e4
    assert value.item() == pytest.approx(2e4 - np.log(2))
    # float32 numbers near 1e4 are 1e-3 apart
    torch.testing.assert_close(hazard.grad, torch.tensor([1.0, -1.0]), rtol=0, atol=1e-3)


def test_one_log_hazard_per_row() -> None:
    with pytest.raises(ContractError, match="one log hazard per row"):
        cox_loss()(torch.zeros(4, 2), torch.ones(4, 2))


@pytest.mark.parametrize("quantile", [0.01, 0.5, 0.9])
def test_weibull_serves_its_distribution(quantile: float) -> None:
    raw = torch.tensor([[0.3, -0.5], [2.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    scale, shape = raw.exp().unbind(-1)
    known = stats.weibull_min(shape.numpy(), scale=scale.numpy())
    served = criterion("WeibullAFTNLLLoss", "quantile", quantile).predict(raw)
    np.testing.assert_allclose(served, known.ppf(quantile), rtol=1e-10)
    np.testing.assert_allclose(criterion("WeibullAFTNLLLoss", "mean").predict(raw), known.mean(), rtol=1e-10)
    np.testing.assert_allclose(criterion("WeibullAFTNLLLoss").predict(raw), known.median(), rtol=1e-10)


def test_weibull_finds_the_parameters_of_censored_times() -> None:
    rng = np.random.default_rng(5)
    time, end = stats.weibull_min.rvs(1.7, scale=3.0, size=20_000, random_state=rng), rng.uniform(0.5, 8.0, 20_000)
    target = torch.from_numpy(np.stack([np.minimum(time, end), time <= end], axis=1))
    raw = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([raw], max_iter=50)
    loss = criterion("WeibullAFTNLLLoss")

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = loss(raw.expand(len(target), 2), target)
        value.backward()
        return value

    optimiser.step(closure)
    np.testing.assert_allclose(raw.detach().exp(), [3.0, 1.7], rtol=0.03)


def test_discrete_hazards_are_shares_of_those_who_reached_the_interval() -> None:
    """The minimum is the life table: events over those at risk, per interval."""
    rng = np.random.default_rng(2)
    time, event = rng.gamma(2.0, 1.0, 4000), rng.random(4000) < 0.7
    target = torch.from_numpy(np.stack([time, event], axis=1))
    hazards = []
    for low, high in zip([0.0, *CUTS], CUTS, strict=False):
        died = event & (low < time) & (time <= high)
        survived = np.where(event, time > high, time >= high)
        hazards.append(died.sum() / (died | survived).sum())
    best = torch.tensor(hazards, dtype=torch.float64).logit().requires_grad_()
    criterion("DiscreteTimeSurvivalNLLLoss", cuts=CUTS)(best.expand(4000, 3), target).backward()
    assert best.grad is not None
    assert best.grad.abs().max() < 1e-12


def test_discrete_times_serve_edges_and_risk() -> None:
    hazard = torch.tensor([[0.1, 0.5, 0.2], [0.6, 0.1, 0.1], [0.1, 0.1, 0.1]], dtype=torch.float64)
    raw, survival = hazard.logit(), (1 - hazard).cumprod(-1)
    served = criterion("DiscreteTimeSurvivalNLLLoss", cuts=CUTS).predict(raw)
    assert served.tolist() == [2.0, 1.0, 4.0], "the horizon where half has never ended"
    early = criterion("DiscreteTimeSurvivalNLLLoss", "quantile", 0.05, cuts=CUTS).predict(raw)
    assert early.tolist() == [1.0, 1.0, 1.0]
    risk = criterion("DiscreteTimeSurvivalNLLLoss", "risk", cuts=CUTS).predict(raw)
    torch.testing.assert_close(risk, -survival.log().sum(-1))


@pytest.mark.parametrize(
    ("cuts", "message"),
    [(None, "expected `cuts`"), ([1.0, 1.0], "cuts that rise"), ([-1.0], "greater than 0"), ([], "at least 1")],
    ids=str,
)
def test_cuts_are_checked(cuts: list[float] | None, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        criterion("DiscreteTimeSurvivalNLLLoss", cuts=cuts)


def test_there_is_one_output_per_interval() -> None:
    with pytest.raises(ContractError, match="one output per interval, 3"):
        criterion("DiscreteTimeSurvivalNLLLoss", cuts=CUTS)(torch.zeros(5, 4), torch.ones(5, 2))


@pytest.mark.parametrize("ties", ["breslow", "efron"])
@pytest.mark.parametrize("seed", range(4))
def test_cox_has_second_derivatives_where_rows_get_no_gradient(ties: str, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    time = torch.randint(1, 5, (12,), generator=generator).double()
    event = torch.randint(0, 2, (12,), generator=generator).double()
    event[time == time.max()] = 0
    event[time.argmin()] = 1
    target = torch.stack((time, event), 1)
    hazard = torch.randn(12, dtype=torch.float64, generator=generator, requires_grad=True)
    for sign in (1, -1):
        assert torch.autograd.gradcheck(lambda z, sign=sign: sign * CoxPH(ties)(z, target), hazard)
        assert torch.autograd.gradgradcheck(lambda z, sign=sign: sign * CoxPH(ties)(z, target), hazard)


def test_cox_under_function_transforms_gives_the_gradient_of_autograd() -> None:
    target = torch.tensor([[1.0, 1.0], [2.0, 1.0], [2.0, 0.0], [3.0, 1.0]])
    hazard = torch.tensor([0.3, -0.2, 0.5, 0.1], requires_grad=True)
    (wanted,) = torch.autograd.grad(CoxPH()(hazard, target), hazard)
    torch.testing.assert_close(torch.func.grad(lambda z: CoxPH()(z, target))(hazard.detach()), wanted)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
@given(seed=st.integers(0, 999), size=st.sampled_from([1e-6, 1.0, 1e3]))
def test_cox_orders_times_and_their_ties_as_floats_are(dtype: torch.dtype, seed: int, size: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    edges = torch.tensor([0.0, -0.0, torch.inf, 1e-40, -1e-40])
    time = torch.cat((edges, torch.randn(60, generator=generator).mul(8).round().mul(size))).to(dtype)
    early = _earliness(time)
    for found, wanted in (
        (early[:, None] < early, time[:, None] > time),
        (early[:, None] == early, time[:, None] == time),
    ):
        assert torch.equal(found, wanted)
