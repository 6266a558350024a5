"""The constant predictor of several parameters has the target's mean and variance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import expit
from torch import nn

from nebula.errors import ContractError
from nebula.losses.adaptation import entry_of
from nebula.losses.bias import output_bias
from nebula.losses.factory import build_criterion
from nebula.losses.spec import BiasKind, LossSpec, OutputBias, Serve
from nebula.profiling.model import DataProfile, TargetFacts
from nebula.profiling.profiler import profile
from tests.losses.serving_draws import softplus

RNG = np.random.default_rng(19)
COUNTS = RNG.negative_binomial(2, 0.2, 500).astype(float)
AMOUNTS = RNG.lognormal(1.0, 0.8, 500)
SOME_ZEROS = AMOUNTS * (RNG.random(500) < 0.4)
SHARES = RNG.beta(2, 5, 500)


def bias_of(loss: str, facts: DataProfile, kind: BiasKind = "link_mean", **params: Any) -> OutputBias | None:
    entry = entry_of(loss)
    return output_bias(kind, entry.native_link, facts, entry.contracts_for(params)[0])


def law_of(loss: str, raw: tuple[float, ...]) -> tuple[float, float]:
    """Mean and second moment of the distribution of these raw outputs."""
    spread = softplus(raw[-1])
    if loss == "NegativeBinomialNLLLoss":
        law = stats.nbinom(1 / spread, 1 / (1 + spread * np.exp(raw[0])))
    elif loss == "BetaNLLLoss":
        law = stats.beta(expit(raw[0]) * spread, expit(-raw[0]) * spread)
    else:
        law = stats.lognorm(spread, scale=np.exp(raw[-2]))
    share = expit(raw[0]) if loss == "ZeroInflatedLogNormalNLLLoss" else 1.0
    return share * law.mean(), share * (law.var() + law.mean() ** 2)


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        ("NegativeBinomialNLLLoss", COUNTS),
        ("LogNormalNLLLoss", AMOUNTS),
        ("ZeroInflatedLogNormalNLLLoss", SOME_ZEROS),
        ("BetaNLLLoss", SHARES),
    ],
)
def test_mean_and_variance_are_the_targets(loss: str, y: np.ndarray) -> None:
    bias = bias_of(loss, profile(torch.from_numpy(y)))
    assert bias is not None
    mean, square = law_of(loss, bias.values)
    assert mean == pytest.approx(y.mean(), rel=1e-5)
    assert square == pytest.approx((y**2).mean(), rel=1e-4)


def test_percentages_start_as_the_shares_they_become() -> None:
    shares, percent = (bias_of("BetaNLLLoss", profile(torch.from_numpy(SHARES * by))) for by in (1, 100))
    assert shares is not None
    assert percent is not None
    assert percent.values == pytest.approx(shares.values)


def facts(**target: Any) -> DataProfile:
    return DataProfile(target=TargetFacts(n=100, **target))


@pytest.mark.parametrize(
    ("loss", "known"),
    [
        ("NegativeBinomialNLLLoss", facts()),
        ("NegativeBinomialNLLLoss", facts(mean=2.0)),
        ("NegativeBinomialNLLLoss", facts(mean=0.0, var=0.0)),
        ("NegativeBinomialNLLLoss", facts(mean=2.0, var=3.0, n_columns=4)),
        ("LogNormalNLLLoss", facts(mean=2.0, var=3.0)),
        ("LogNormalNLLLoss", facts(mean=2.0, var=3.0, min=0.0)),
        ("ZeroInflatedLogNormalNLLLoss", facts(mean=0.0, var=0.0, zero_fraction=1.0)),
        ("BetaNLLLoss", facts(mean=0.5, var=0.25)),
        ("StudentTNLLLoss", facts(mean=0.5, var=0.25, median=0.3)),
        ("ZeroInflatedNegativeBinomialNLLLoss", facts(mean=0.5, var=0.25, zero_fraction=0.5)),
        ("MSLELoss", facts(mean=500.0, var=0.25, median=300.0)),
        ("QuantileLoss", facts(mean=500.0, var=0.25, median=300.0)),
    ],
    ids=str,
)
def test_without_a_closed_form_there_is_no_bias(loss: str, known: DataProfile) -> None:
    assert bias_of(loss, known) is None


def test_counts_that_spread_less_than_poissons_start_near_poisson() -> None:
    bias = bias_of("NegativeBinomialNLLLoss", facts(mean=2.0, var=1.0))
    assert bias is not None
    assert softplus(bias.values[1]) == pytest.approx(1e-6)


@pytest.mark.parametrize("kind", ["median", "prior_log_odds", "column_means"])
def test_other_kinds_do_not_speak_of_parameters(kind: BiasKind) -> None:
    assert bias_of("NegativeBinomialNLLLoss", profile(torch.from_numpy(COUNTS)), kind) is None


def test_a_quantile_starts_at_the_median_and_a_fixed_dispersion_at_the_log_mean() -> None:
    median = bias_of("QuantileLoss", facts(mean=5.0, median=3.0), "median", levels=[0.1, 0.9])
    assert median is not None
    assert median.values == (3.0,)
    mean = bias_of("NegativeBinomialNLLLoss", facts(mean=5.0), predicts_dispersion=False)
    assert mean is not None
    assert mean.values == pytest.approx((np.log(5.0),))


def test_one_value_never_fills_different_parameters() -> None:
    spec = LossSpec(
        loss="LogNormalNLLLoss",
        output_bias=OutputBias(kind="link_mean", values=(1.0,)),
        serve=Serve(functional="mean"),
    )
    with pytest.raises(ContractError, match="1 outputs"):
        build_criterion(spec).init_output_bias(nn.Linear(3, 2))
