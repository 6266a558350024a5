"""A trace says everything, survives JSON, and is the same for the same profile and policy."""

from __future__ import annotations

import json
import logging
from typing import get_args

import numpy as np
import pytest
import torch

import nebula
from nebula import DecisionTrace, PredictionSpec
from nebula.decision.metrics import judges
from nebula.errors import ContractError, DecisionError, HintError
from nebula.profiling.hints import Metric, Task
from nebula.profiling.vocabulary import facts_of
from tests.acceptance.witnesses import DEFAULT

RNG = np.random.default_rng


def decide(rule: str) -> nebula.Decision:
    case = DEFAULT[rule](RNG(3))
    return nebula.select(case.target, case.prediction, name=case.name, hints=case.hints)


@pytest.mark.parametrize("rule", DEFAULT)
def test_json_round_trip(rule: str) -> None:
    trace = decide(rule).trace
    assert DecisionTrace.model_validate_json(trace.to_json()) == trace
    json.loads(trace.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.mark.parametrize("rule", DEFAULT)
def test_replay_from_the_stored_profile_is_byte_equal(rule: str) -> None:
    stored = DecisionTrace.model_validate_json(decide(rule).trace.to_json())
    again = nebula.load_policy("default.yaml").decide(stored.profile)
    assert again.trace.canonical_json() == stored.canonical_json()
    assert again.trace.id != stored.id


@pytest.mark.parametrize("rule", DEFAULT)
def test_every_rule_and_every_value_is_recorded(rule: str) -> None:
    trace = decide(rule).trace
    policy = nebula.load_policy("default.yaml").compiled.file
    assert [r.id for r in trace.rules] == [*(r.id for r in policy.derive), *(r.id for r in policy.select)]
    facts = facts_of(trace.profile)
    for record in trace.rules:
        for comparison in record.comparisons:
            for name, value in comparison.values.items():
                if name in facts:
                    assert value == facts[name] or facts[name] is None


@pytest.mark.parametrize("rule", ["regression", "count", "binary-imbalanced", "heavy-tailed", "positive"])
def test_crossing_a_boundary_changes_the_loss_and_stopping_short_does_not(rule: str) -> None:
    trace = decide(rule).trace
    assert trace.spec is not None
    assert trace.boundaries
    policy = nebula.load_policy("default.yaml").compiled
    facts = facts_of(trace.profile)
    for edge in trace.boundaries:
        assert edge.would_choose != trace.spec.loss
        short = edge.value + 0.5 * (edge.threshold - edge.value)
        if isinstance(facts[edge.fact], float):
            sides = (np.nextafter(edge.threshold, -np.inf), edge.threshold, np.nextafter(edge.threshold, np.inf))
            changed = [policy.outcome_only({**facts, edge.fact: float(value)})[:1] for value in sides]
            assert any(fired != (rule,) for fired in changed)
            assert policy.outcome_only({**facts, edge.fact: short})[0] == rule
    assert [b.relative_distance for b in trace.boundaries] == sorted(b.relative_distance for b in trace.boundaries)


def test_the_runner_up_is_the_next_rule_that_holds_with_another_loss() -> None:
    trace = decide("heavy-tailed").trace
    assert trace.runner_up is not None
    assert (trace.runner_up.rule_id, trace.runner_up.loss) == ("regression", "MSELoss")


def test_the_log_line_is_one_and_readable(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="nebula"):
        decision = decide("count")
    (record,) = caplog.records
    assert record.getMessage() == str(decision)
    assert "PoissonNLLLoss by rule `count` of default" in record.getMessage()


def test_without_a_metric_the_proper_score_is_assumed_aloud() -> None:
    notes = [note.text for note in decide("binary").trace.notes if note.kind == "assumption"]
    assert notes == ["no metric was declared: log_loss is assumed; declare hints.metric to be judged by another"]
    declared = nebula.select(torch.arange(100) % 2, PredictionSpec(shape=(None, 1)), hints={"metric": "log_loss"})
    assert not [note for note in declared.trace.notes if note.kind == "assumption"]


def test_no_weights_and_no_focal_unless_asked() -> None:
    rare = (torch.arange(1000) % 50 == 0).long()
    plain = nebula.select(rare, PredictionSpec(shape=(None, 1)))
    assert plain.spec is not None
    assert plain.spec.params == {}
    assert any("pos_weight" in note.text for note in plain.trace.notes if note.kind == "alternative")
    asked = nebula.select(rare, PredictionSpec(shape=(None, 1)), hints={"weights": "balanced"})
    assert asked.spec is not None
    assert asked.spec.params["pos_weight"] == [49.0]


def test_why_not() -> None:
    decision = decide("regression")
    assert "target.kurtosis > heavy_kurtosis is false" in decision.why_not("HuberLoss")
    assert "was chosen" in decision.why_not("MSELoss")
    assert "No rule of default" in decision.why_not("SmoothL1Loss")
    with pytest.raises(ContractError, match="Did you mean `HuberLoss`"):
        decision.why_not("HuberLos")


def test_explain_names_every_rule_once() -> None:
    decision = decide("zero-inflated")
    text = decision.explain()
    for rule in decision.trace.rules:
        assert f" {rule.id}" in text
    assert "TweedieLoss" in text
    assert text.startswith("TweedieLoss by rule `zero-inflated`")


@pytest.mark.parametrize(
    ("target", "task"),
    [(torch.randn(50), "count"), (torch.arange(50) - 20, "count"), (torch.randn(50), "binary")],
    ids=["real as count", "negative as count", "real as binary"],
)
def test_a_hint_that_the_data_contradict_is_an_error(target: torch.Tensor, task: str) -> None:
    with pytest.raises((ContractError, HintError, DecisionError), match=task):
        nebula.select(target, PredictionSpec(shape=(None, 1)), hints={"task": task})


METRICS = get_args(Metric)


@pytest.mark.parametrize(("metric", "warned"), [("log_loss", True), ("rmse", False), ("c_index", True), ("mae", False)])
def test_a_metric_that_cannot_judge_the_task_is_told(metric: str, warned: bool) -> None:
    trace = nebula.select(torch.randn(100), PredictionSpec(shape=(None, 1)), hints={"metric": metric}).trace
    assert any("does not judge a regression" in note.text for note in trace.notes) == warned


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_judges_something(metric: Metric) -> None:
    assert any(judges(metric, task) for task in get_args(Task))
    assert judges(metric, "a task of the user's own policy")


def test_nan_targets_are_counted_and_told() -> None:
    target = torch.randn(100)
    target[:3] = torch.nan
    target[3] = torch.inf
    trace = nebula.select(target, PredictionSpec(shape=(None, 1))).trace
    assert any("4 NaN or infinite" in note.text for note in trace.notes if note.kind == "warning")
