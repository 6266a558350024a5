"""What came of every rule: told from the trace alone, in a sentence, a tree and JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

import nebula
from nebula import Decision, DecisionTrace
from nebula.cli.exit_codes import ExitCode
from nebula.decision.contrast import WhyNot
from nebula.decision.failing import first_failing
from nebula.decision.trace import ComparisonTrace, RuleTrace
from nebula.decision.why import Why, explain_why
from nebula.policy.loader import loads
from nebula.schemas import SCHEMAS
from tests.acceptance.witnesses import DEFAULT
from tests.cli.runner import call
from tests.policy.random_policies import Sample, profiles, samples
from tests.policy.samples import policy

RNG = np.random.default_rng


def decide(rule: str) -> Decision:
    case = DEFAULT[rule](RNG(3))
    return nebula.select(case.target, case.prediction, name=case.name, hints=case.hints)


def recorded(condition: Any, facts: dict[str, Any], **sections: Any) -> RuleTrace:
    """One select rule on these facts, as a trace has it."""
    compiled = loads(policy(condition, **sections))
    outcome = compiled.evaluate(facts).select[0]
    comparisons = tuple(
        ComparisonTrace(text=c.text, outcome=c.outcome, values=dict(c.values), fact=None, threshold=None, distance=None)
        for c in outcome.comparisons
    )
    verdict = "fired" if outcome.outcome == "true" else outcome.outcome
    return RuleTrace(id="r0", kind="select", verdict=verdict, condition=compiled.text("r0"), comparisons=comparisons)


@pytest.mark.parametrize("rule", list(DEFAULT)[::2])
def test_every_rule_has_its_state(rule: str) -> None:
    trace = decide(rule).trace
    why = explain_why(trace)
    assert [account.id for account in why.rules] == [record.id for record in trace.rules]
    fired = [account.id for account in why.rules if account.kind == "select" and account.state == "fired"]
    assert fired == [rule]
    select = [account.state for account in why.rules if account.kind == "select"]
    place = select.index("fired")
    assert "not reached" not in select[:place]
    assert set(select[place + 1 :]) <= {"not reached"}
    for account, record in zip(why.rules, trace.rules, strict=True):
        assert account.verdict == record.verdict
        assert (account.failing is None) is (record.verdict in ("fired", "also true"))


CONDITIONS = [
    ("target.mean > 1 and target.n > 5", {"target.mean": 2.0, "target.n": 3}, "target.n > 5"),
    ("target.mean > 1 and target.n > 5", {"target.n": 3}, "target.n > 5"),
    ("target.mean > 1 and target.n > 5", {"target.n": 9}, "target.mean > 1"),
    ("target.mean > 1 or target.n > 5", {"target.mean": 0.0, "target.n": 3}, "target.mean > 1"),
    ("(target.mean > 1 or target.n > 5) and target.skew > 0", {"target.n": 9, "target.skew": -1.0}, "target.skew > 0"),
    ("not known(target.mean) and target.n > 5", {"target.mean": 2.0, "target.n": 9}, "known(target.mean)"),
    ("not (target.mean > 1 or target.n > 5)", {"target.mean": 0.0, "target.n": 9}, "target.n > 5"),
    ("target.n > 5 and plain", {"target.n": 9, "target.mean": 2.0}, "known(target.mean)"),
    ("plain and target.n > 5", {"target.n": 3, "target.mean": 2.0}, "target.n > 5"),
    ({"all": ["target.mean > 1", {"not": "target.n > 5"}]}, {"target.mean": 2.0, "target.n": 9}, "target.n > 5"),
    ("1 < target.mean < 2", {"target.mean": 3.0}, "target.mean < 2"),
]


@pytest.mark.parametrize(("condition", "facts", "text"), CONDITIONS, ids=[str(c) for c, _, _ in CONDITIONS])
def test_the_first_failing_comparison(condition: Any, facts: dict[str, Any], text: str) -> None:
    failing = first_failing(recorded(condition, facts, definitions={"plain": "not known(target.mean)"}))
    assert failing is not None
    assert failing.text == text


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sample=samples(), facts=profiles())
def test_only_what_failed_is_blamed(sample: Sample, facts: dict[str, Any]) -> None:
    compiled = loads(sample.text())
    for outcome in compiled.evaluate(facts).select:
        comparisons = tuple(
            ComparisonTrace(text=c.text, outcome=c.outcome, values={}, fact=None, threshold=None, distance=None)
            for c in outcome.comparisons
        )
        verdict = "fired" if outcome.outcome == "true" else outcome.outcome
        rule = RuleTrace(
            id=outcome.id, kind="select", verdict=verdict, condition=compiled.text(outcome.id), comparisons=comparisons
        )
        failing = first_failing(rule)
        assert failing is None or failing in comparisons
        assert (failing is None) or outcome.outcome != "true"
        plain = not any(word in rule.condition.lower() for word in ("not", "def", "false"))
        if outcome.outcome != "true" and plain and comparisons:
            assert failing is not None
            assert failing.outcome != "true"


def test_the_distance_has_the_facts_unit() -> None:
    why = decide("regression").why()
    by_id = {account.id: account for account in why.rules}
    failing = by_id["task-mask-of-classes"].failing
    assert failing is not None
    assert (failing.fact, failing.value, failing.threshold, failing.distance) == ("target.ndim", 1.0, 3.0, 2.0)
    assert failing.relative_distance == pytest.approx(2 / 3)
    assert "[target.ndim = 1; 2 away, 67%]" in failing.sentence()
    rows = loads(policy("target.n >= 100", otherwise={"use": {"loss": "MSELoss"}}))
    told = nebula.decision.policy.Policy(rows).decide(decide("regression").trace.profile.model_copy()).why()
    assert told.rules[0].state == "fired"
    few = nebula.select([0.5, 1.5, 2.5, 9.5], policy=nebula.decision.policy.Policy(rows)).why().rules[0].failing
    assert few is not None
    assert (few.unit, few.distance) == ("rows", 96.0)
    assert "96 rows away" in few.sentence()


@pytest.mark.parametrize("rule", ["regression", "binary", "survival", "zero-inflated"])
def test_a_decision_read_back_says_the_same(rule: str) -> None:
    fresh = decide(rule)
    restored = Decision(DecisionTrace.model_validate_json(fresh.trace.to_json()))
    why = restored.why()
    assert why == fresh.why()
    assert Why.model_validate_json(why.model_dump_json()) == why
    lines = why.tree().splitlines()
    assert lines[0] == why.sentence()
    assert len(lines) == 1 + 2 + len(why.rules)


def test_the_documents_keep_their_schemas() -> None:
    decision = decide("regression")
    why = Draft202012Validator(SCHEMAS["why"]())
    why.validate(json.loads(decision.why().model_dump_json()))
    contrast = Draft202012Validator(SCHEMAS["why-not"]())
    for loss in ("MSELoss", "HuberLoss", "SmoothL1Loss", "KLDivLoss"):
        contrast.validate(json.loads(decision.contrast(loss).model_dump_json()))
    assert list(why.iter_errors({"loss": "MSELoss"}))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    column = RNG(0).normal(size=300).round(3)
    (tmp_path / "table.csv").write_text("y\n" + "\n".join(map(str, column)) + "\n")
    return tmp_path / "table.csv"


@pytest.fixture
def traces(table: Path, tmp_path: Path) -> Path:
    file = tmp_path / "traces.jsonl"
    done = call("select", table, "-t", "y", "--prediction-shape", "N,1", "--audit", file)
    assert done.exit_code == ExitCode.OK, done.stderr
    return file


def test_the_command_line_draws_and_dumps(table: Path, traces: Path) -> None:
    tree = call("explain", traces, "--last", "--tree")
    assert tree.exit_code == ExitCode.OK, tree.stderr
    assert tree.stdout == call("explain", table, "-t", "y", "--prediction-shape", "N,1", "--tree").stdout
    why = Why.model_validate_json(call("explain", traces, "--last", "--tree", "--json").stdout)
    assert why.tree() + "\n" == tree.stdout


def test_the_command_line_says_what_would_select_a_loss(table: Path, traces: Path) -> None:
    asked = ["explain", traces, "--last", "--why-not", "HuberLoss"]
    answer = WhyNot.model_validate_json(call(*asked, "--json").stdout)
    assert answer.answer == "reachable"
    assert call(*asked, "--tree").stdout == answer.tree() + "\n"
    assert f"  {answer.sentence()}\n" in call(*asked).stdout
    on_data = call("explain", table, "-t", "y", "--prediction-shape", "N,1", "--why-not", "HuberLoss", "--json")
    assert WhyNot.model_validate_json(on_data.stdout) == answer


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_another_policy_than_the_one_that_decided_is_told(traces: Path, as_json: bool) -> None:
    options = ["--json"] if as_json else []
    done = call("explain", traces, "--last", "--why-not", "HuberLoss", "--policy", "paper.yaml", *options)
    assert done.exit_code == ExitCode.OK
    assert "needs the policy that decided, default 1.2.0" in done.stderr
    text = "\n".join(json.loads(done.stdout)["why_not"]) if as_json else done.stdout
    assert "HuberLoss was not chosen" in text
    assert "would be chosen" not in text


def test_parameters_of_the_record_are_those_asked_with(table: Path, tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    call("select", table, "-t", "y", "--prediction-shape", "N,1", "--set", "heavy_kurtosis=7.5", "--audit", file)
    answer = WhyNot.model_validate_json(call("explain", file, "--last", "--why-not", "HuberLoss", "--json").stdout)
    assert "to above 7.5" in answer.sentence()
