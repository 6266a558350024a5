"""The outputs that a decision asks of the last layer are the ones that its loss reads."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import nebula
from nebula import Decision, PredictionSpec
from nebula.losses.needed_outputs import needed_outputs
from nebula.losses.spec import LossSpec, Serve
from nebula.profiling.model import DataProfile
from tests.acceptance.witnesses import DEFAULT, Case

ASKED = {
    "multiclass": (3, "one logit per class"),
    "binary-two-logits": (2, "one logit per class"),
    "binary": (1, "one per target value"),
    "multilabel": (5, "one per target value"),
    "distribution": (4, "one per target value"),
    "survival": (1, "the log hazard"),
    "survival-time": (2, "log scale and log shape of the time"),
    "count": (1, "one per target value"),
    "count-spread": (2, "log mean and raw dispersion"),
    "positive-spread": (2, "location of log y and raw scale of log y"),
    "zero-inflated-spread": (3, "log-odds of an amount, location of log y and raw scale of log y"),
    "mean-and-variance": (2, "a mean and a raw variance"),
    "columns": (3, "one per target value"),
    "ordinal-levels": (5, "one logit per level"),
    "ordinal-thresholds": (4, "one per threshold between neighbouring levels"),
}


def case_of(rule: str) -> Case:
    return DEFAULT[rule](np.random.default_rng(5))


def decide(case: Case, prediction: PredictionSpec | torch.Tensor | None) -> Decision:
    return nebula.select(case.target, prediction, name=case.name, hints=case.hints)


@pytest.mark.parametrize("rule", ASKED)
def test_the_outputs_of_a_rule(rule: str) -> None:
    case = case_of(rule)
    needed = decide(case, case.prediction).outputs
    assert needed is not None
    assert (needed.count, needed.meaning) == ASKED[rule]
    assert str(needed) == f"{needed.count}, {needed.meaning}"


@pytest.mark.parametrize("rule", [rule for rule in ASKED if rule not in ("survival", "survival-time")])
def test_a_model_with_these_outputs_is_given_the_loss_and_it_runs(rule: str) -> None:
    case = case_of(rule)
    decision = decide(case, case.prediction)
    assert decision.outputs is not None
    assert decision.outputs.count is not None
    raw = torch.randn(len(case.target), decision.outputs.count, dtype=torch.float64)
    again = decide(case, raw)
    assert again.spec is not None
    assert decision.spec is not None
    assert again.spec.loss == decision.spec.loss
    assert torch.isfinite(nebula.build(again)(raw, case.target))


@pytest.mark.parametrize(("rule", "count"), [("multiclass", 3), ("binary", 1), ("count", 1), ("survival", 1)])
def test_before_the_model_is_known_the_target_says_how_many(rule: str, count: int) -> None:
    needed = decide(case_of(rule), None).outputs
    assert needed is not None
    assert needed.count == count


def test_thresholds_are_one_fewer_than_levels_before_the_model_is_known() -> None:
    needed = decide(case_of("ordinal-thresholds"), None).outputs
    assert needed is not None
    assert (needed.count, needed.meaning) == (4, "one per threshold between neighbouring levels")


def test_quantiles_hazards_and_free_shapes() -> None:
    mean = Serve(functional="mean")
    for loss, params, asked in (
        ("QuantileLoss", {"levels": [0.1, 0.5, 0.9]}, "3, one per quantile level"),
        ("QuantileLoss", {"levels": 0.5}, "one per target value"),
        ("DiscreteTimeSurvivalNLLLoss", {"cuts": [1.0, 2.0]}, "2, one hazard logit per interval"),
        ("CTCLoss", {}, None),
        ("NoSuchLoss", {}, None),
    ):
        needed = needed_outputs(LossSpec(loss=loss, params=params, serve=mean), DataProfile())
        assert (None if needed is None else str(needed)) == asked
