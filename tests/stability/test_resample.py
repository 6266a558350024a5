"""Bootstrap of a decision: shares that add up, edges that show, seeds that repeat."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import binomtest

import nebula
from nebula import PredictionSpec
from nebula.errors import DataError
from nebula.stability import resample
from tests.acceptance.witnesses import DEFAULT

ONE = PredictionSpec(shape=(None, 1))
SETTLED = ["binary", "count", "regression", "columns", "multilabel", "distribution", "multiclass"]


@pytest.fixture(scope="module")
def policy() -> nebula.Policy:
    return nebula.load_policy("default.yaml")


@pytest.mark.parametrize("rule", SETTLED)
def test_clear_cases_are_stable(policy: nebula.Policy, rule: str) -> None:
    case = DEFAULT[rule](np.random.default_rng(0))
    found = resample(policy, case.target, case.prediction, hints=case.hints, resamples=30)
    assert (found.rule_id, found.same_loss) == (rule, 1.0)


def test_a_target_on_the_edge_is_not(policy: nebula.Policy) -> None:
    skew = torch.from_numpy(np.random.default_rng(0).gamma(16.0, size=400))  # skew 0.5: the line of `spread_out`
    found = resample(policy, skew, ONE, resamples=200, hints={"task": "regression"}, seed=1)
    edge = nebula.load_policy("default.yaml", parameters={"heavy_kurtosis": float(_kurtosis(skew))})
    torn = resample(edge, skew, ONE, resamples=200, hints={"task": "regression"}, seed=1)
    assert found.same_loss > 0.95
    assert 0.2 < torn.same_loss < 0.9
    assert set(torn.losses) == {"MSELoss", "HuberLoss"}


def _kurtosis(values: torch.Tensor) -> float:
    kurtosis = nebula.profile(values).target.kurtosis
    assert kurtosis is not None
    return kurtosis


@pytest.mark.parametrize("rule", DEFAULT)
def test_shares_and_interval(policy: nebula.Policy, rule: str) -> None:
    case = DEFAULT[rule](np.random.default_rng(2))
    found = resample(policy, case.target, case.prediction, hints=case.hints, name=case.name, resamples=12)
    assert sum(found.losses.values()) == pytest.approx(1)
    assert sum(found.rules.values()) == pytest.approx(1)
    assert list(found.losses.values()) == sorted(found.losses.values(), reverse=True)
    expected = binomtest(round(found.same_loss * 12), 12).proportion_ci(method="wilson")
    assert found.interval == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_equal_seeds_give_equal_answers(policy: nebula.Policy) -> None:
    target = torch.from_numpy(np.random.default_rng(3).gamma(4.0, size=120))
    first, again, other = (resample(policy, target, ONE, resamples=40, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other.model_copy(update={"seed": 0}) or first.same_loss in (0, 1)


def test_categories_stay_categories(policy: nebula.Policy) -> None:
    found = resample(policy, pd.Series(["a", "b", "c", "b"] * 25), resamples=10)
    assert (found.loss, found.same_loss) == ("CrossEntropyLoss", 1.0)


def test_a_strict_refusal_counts_as_no_loss() -> None:
    found = resample(nebula.load_policy("strict.yaml"), torch.arange(200) % 4, resamples=10)
    assert (found.loss, found.losses) == ("no loss", {"no loss": 1.0})


@pytest.mark.parametrize(("target", "resamples"), [(torch.zeros(0), 5), (torch.ones(3), 0), (torch.tensor(1.0), 5)])
def test_nothing_to_draw_from(policy: nebula.Policy, target: torch.Tensor, resamples: int) -> None:
    with pytest.raises(DataError, match="at least one row"):
        resample(policy, target, ONE, resamples=resamples)
