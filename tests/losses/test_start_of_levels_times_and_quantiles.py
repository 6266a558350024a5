"""The start of ordered levels, of censored times and of quantiles is the constant predictor of each."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

import nebula
from nebula import PredictionSpec
from nebula.losses.bias import output_bias
from nebula.losses.class_shares import threshold_outputs
from nebula.losses.criterion import Criterion
from nebula.losses.moments import exponential_time
from nebula.profiling.model import DataProfile, TargetFacts
from nebula.profiling.profiler import profile
from tests.losses.serving_draws import softplus

LEVELS = torch.from_numpy(np.random.default_rng(1).choice(5, 800, p=[0.1, 0.2, 0.4, 0.25, 0.05]))
counts = st.lists(st.integers(1, 60), min_size=3, max_size=7)


def of_thresholds(rows: list[int], outputs: int) -> DataProfile:
    labels = torch.repeat_interleave(torch.arange(len(rows)), torch.tensor(rows))
    return profile(labels, PredictionSpec(shape=(None, outputs)))


@given(rows=counts)
def test_each_threshold_starts_at_the_log_odds_of_lying_above_it(rows: list[int]) -> None:
    raw = threshold_outputs(of_thresholds(rows, len(rows) - 1), ordered=False)
    above = [sum(rows[place + 1 :]) / sum(rows) for place in range(len(rows) - 1)]
    assert raw is not None
    assert expit(raw) == pytest.approx(above)


@given(rows=counts)
def test_steps_down_give_the_same_thresholds(rows: list[int]) -> None:
    facts = of_thresholds(rows, len(rows) - 1)
    steps, plain = threshold_outputs(facts, ordered=True), threshold_outputs(facts, ordered=False)
    assert steps is not None
    assert plain is not None
    rebuilt = steps[0] - np.concatenate(([0.0], np.cumsum([softplus(step) for step in steps[1:]])))
    assert rebuilt == pytest.approx(plain, abs=1e-5)


@given(rows=counts)
def test_an_output_per_level_starts_at_the_log_shares(rows: list[int]) -> None:
    raw = threshold_outputs(of_thresholds(rows, len(rows)), ordered=True)
    assert raw is not None
    assert np.exp(raw) == pytest.approx(np.array(rows) / sum(rows))


def test_levels_that_are_unknown_have_no_start() -> None:
    assert threshold_outputs(DataProfile(), ordered=True) is None
    assert threshold_outputs(profile(torch.rand(50)), ordered=False) is None


def start_of(target: torch.Tensor, outputs: int, hints: dict[str, Any]) -> Criterion:
    decision = nebula.select(target, PredictionSpec(shape=(None, outputs)), hints=hints)
    return nebula.build(decision)


@pytest.mark.parametrize("outputs", [4, 5])
def test_the_start_serves_the_shares_of_the_levels(outputs: int) -> None:
    criterion = start_of(LEVELS, outputs, {"task": "ordinal", "metric": "log_loss"})
    layer = torch.nn.Linear(2, outputs)
    torch.nn.init.zeros_(layer.weight)
    criterion.init_output_bias(layer)
    served = criterion.predict(layer(torch.randn(1, 2)))[0]
    torch.testing.assert_close(served, torch.bincount(LEVELS) / len(LEVELS), atol=1e-4, rtol=1e-4)


def test_a_censored_time_starts_at_the_exponential_of_most_likelihood() -> None:
    rng = np.random.default_rng(2)
    happens, lost = rng.exponential(7.0, 500), rng.exponential(9.0, 500)
    target = torch.from_numpy(np.stack((np.minimum(happens, lost), happens <= lost), axis=1))
    found = exponential_time(profile(target))
    assert found is not None
    assert found[1] == 0.0
    criterion = start_of(target, 2, {"task": "survival"})
    assert criterion.spec.output_bias is not None
    assert criterion.spec.output_bias.values == pytest.approx(found)

    def loss(log_scale: float) -> float:
        return float(criterion(torch.tensor([[log_scale, 0.0]]).double().expand(500, 2), target))

    assert all(loss(found[0]) < loss(found[0] + step) for step in (-0.1, -0.01, 0.01, 0.1))


@pytest.mark.parametrize("prevalence", [None, (3.0,), (3.0, 0.0), (0.0, 0.5), (1.0, 2.0, 3.0)])
def test_without_an_event_or_a_time_there_is_no_start(prevalence: tuple[float, ...] | None) -> None:
    assert exponential_time(DataProfile(target=TargetFacts(n=9, label_prevalence=prevalence))) is None


@pytest.mark.parametrize("level", [0.02, 0.05, 0.1, 0.25, 0.4, 0.6, 0.75, 0.9, 0.95, 0.99])
def test_a_quantile_starts_between_the_quantiles_of_the_profile(level: float) -> None:
    values = torch.from_numpy(np.random.default_rng(3).normal(10, 3, 5000))
    criterion = start_of(values, 1, {"metric": f"pinball@{level}"})
    bias = criterion.spec.output_bias
    assert bias is not None
    assert bias.kind == "quantile"
    known = [float(torch.quantile(values, q)) for q in (0.05, 0.25, 0.5, 0.75, 0.95)]
    expected = np.interp(level, [0.05, 0.25, 0.5, 0.75, 0.95], known)
    assert bias.values[0] == pytest.approx(expected, rel=1e-3)


def test_a_quantile_of_several_columns_or_without_a_level_has_no_start() -> None:
    values = torch.from_numpy(np.random.default_rng(3).normal(10, 3, 500))
    assert output_bias("quantile", "identity", profile(values)) is None
    columns = nebula.profile(torch.stack((values, values), 1), hints={"metric": "pinball@0.9"})
    assert output_bias("quantile", "identity", columns) is None


def test_a_quantile_under_a_link_starts_at_its_inverse() -> None:
    values = torch.from_numpy(np.random.default_rng(3).gamma(2, 3, 500))
    seen = nebula.profile(values, hints={"metric": "pinball@0.75"})
    plain, logarithm = (output_bias("quantile", link, seen) for link in ("identity", "exp"))
    assert plain is not None
    assert logarithm is not None
    assert logarithm.values[0] == pytest.approx(math.log(plain.values[0]))
