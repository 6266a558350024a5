"""The smallest change that selects another loss: it does select it, it is plausible, and nothing smaller does."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nebula
from nebula import Decision, DecisionTrace, PredictionSpec
from nebula.decision.candidates import candidate_values
from nebula.decision.changes import Changes, changed_profile, kind_of
from nebula.decision.contrast import WhyNot
from nebula.decision.counterfactual import MAX_CHANGES, find_counterfactual
from nebula.decision.plausible import broken_laws, facts_of_law
from nebula.decision.policy import Policy
from nebula.errors import ContractError, DecisionError
from nebula.losses.spec import LossSpec
from nebula.policy.loader import loads
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import facts_of
from tests.acceptance.witnesses import DEFAULT
from tests.policy.random_policies import Sample, profiles, samples

RNG = np.random.default_rng
DEFAULT_POLICY = nebula.load_policy("default.yaml")
LOSSES = sorted({rule.use.loss for rule in DEFAULT_POLICY.compiled.file.select if rule.use})
CYCLE = ("MSELoss", "L1Loss", "SmoothL1Loss")


def decide(rule: str, policy: Policy = DEFAULT_POLICY) -> Decision:
    case = DEFAULT[rule](RNG(3))
    return nebula.select(case.target, case.prediction, name=case.name, hints=case.hints, policy=policy)


def random_policy(sample: Sample, hit_policy: str, on_unknown: list[str]) -> Policy:
    document = yaml.safe_load(sample.text())
    document["hit_policy"] = hit_policy
    for place, (rule, unknown) in enumerate(zip(document["select"], itertools.cycle(on_unknown), strict=False)):
        rule["use"]["loss"] = CYCLE[place % len(CYCLE)]
        rule["on_unknown"] = unknown
    document["otherwise"] = {"use": {"loss": "HuberLoss", "params": {"delta": 1.0}}}
    return Policy(loads(yaml.safe_dump(document)))


def profile_of(facts: Mapping[str, Any]) -> DataProfile:
    """A partial profile; whole numbers where the vocabulary wants them, nothing that is not finite."""
    groups: dict[str, dict[str, Any]] = {"target": {}}
    for name, value in facts.items():
        if value is None or not math.isfinite(value):
            continue
        field = name.partition(".")[2]
        if field == "n":
            value = abs(int(min(value, 1e6)))
        groups["target"][field] = value
    return DataProfile.model_validate(groups)


def selects(policy: Policy, profile: DataProfile, changes: Changes, loss: str) -> bool:
    """By the engine, the laws and the whole decision, with no word of the search."""
    facts = facts_of(profile)
    if broken_laws({**facts, **dict(changes)}) - broken_laws(facts):
        return False
    changed = changed_profile(profile, changes)
    if changed is None:
        return False
    try:
        spec = policy.decide(changed).spec
    except (DecisionError, ContractError):
        return False
    return loss in losses(spec)


def losses(spec: LossSpec | None) -> set[str]:
    return {spec.loss, *(term.spec.loss for term in spec.terms)} if spec else set()


def every_set(policy: Policy, profile: DataProfile, size: int) -> Iterator[Changes]:
    grid = candidate_values(policy.compiled, facts_of(profile))
    for names in itertools.combinations(grid, size):
        for values in itertools.product(*(grid[name] for name in names)):
            yield tuple(zip(names, values, strict=True))


def chosen(policy: Policy, profile: DataProfile) -> set[str]:
    try:
        return losses(policy.decide(profile).spec)
    except DecisionError:
        return set()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(
    sample=samples(),
    facts=profiles(),
    hit_policy=st.sampled_from(["first", "first", "unique", "collect"]),
    on_unknown=st.lists(st.sampled_from(["skip", "skip", "match", "error"]), min_size=1, max_size=3),
)
def test_the_changes_select_the_loss_and_no_smaller_ones_do(
    sample: Sample, facts: dict[str, Any], hit_policy: str, on_unknown: list[str]
) -> None:
    policy, profile = random_policy(sample, hit_policy, on_unknown), profile_of(facts)
    before = chosen(policy, profile)
    named = {rule.use.loss for rule in policy.compiled.file.select if rule.use} | {"HuberLoss"}
    for loss in sorted(named - before):
        found = find_counterfactual(policy, profile, loss)
        size = MAX_CHANGES + 1
        for changes in (found.changes, found.other):
            if changes is not None:
                assert selects(policy, profile, changes, loss)
                size = len(changes)
        if found.changes is not None:
            changed = changed_profile(profile, found.changes)
            assert changed is not None
            fired = policy.compiled.outcome_only(facts_of(changed))
            assert found.rule_id in fired if found.rule_id else not fired
        brute = min(size - 1, found.complete, 2)
        for smaller in range(1, brute + 1):
            for tried in every_set(policy, profile, smaller):
                assert not selects(policy, profile, tried, loss), (tried, found)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sample=samples(), facts=profiles())
def test_a_single_change_is_found_whenever_there_is_one(sample: Sample, facts: dict[str, Any]) -> None:
    policy, profile = random_policy(sample, "first", ["skip"]), profile_of(facts)
    before = chosen(policy, profile)
    for loss in sorted({"MSELoss", "HuberLoss"} - before):
        there = [changes for changes in every_set(policy, profile, 1) if selects(policy, profile, changes, loss)]
        found = find_counterfactual(policy, profile, loss).changes
        assert (found is not None and len(found) == 1) is bool(there)


@pytest.mark.parametrize("rule", list(DEFAULT)[::4])
def test_every_answer_of_the_default_policy_is_true_and_plausible(rule: str) -> None:
    decision = decide(rule)
    facts = facts_of(decision.trace.profile)
    assert not broken_laws(facts)
    for loss in LOSSES:
        if decision.spec and decision.spec.loss == loss:
            continue
        found = find_counterfactual(DEFAULT_POLICY, decision.trace.profile, loss)
        for changes in (found.changes, found.other):
            if changes is not None:
                assert selects(DEFAULT_POLICY, decision.trace.profile, changes, loss)
                assert not broken_laws({**facts, **dict(changes)})


def test_equal_questions_have_equal_answers() -> None:
    first, again = (nebula.load_policy("default.yaml") for _ in range(2))
    for loss in ("HuberLoss", "L1Loss", "KLDivLoss"):
        assert decide("regression", first).contrast(loss) == decide("regression", again).contrast(loss)


EXAMPLES = [
    (
        "regression",
        "HuberLoss",
        "rule `heavy-tailed` if target.kurtosis rose from 0.136575 to above 2 (a fact of the data)",
    ),
    ("count", "MSELoss", "rule `regression` if you declared hints.task=regression (yours to declare)"),
    ("heavy-tailed", "MSELoss", "rule `regression` if you declared hints.metric=rmse (yours to declare)"),
    ("multiclass", "NLLLoss", "if prediction.space were log_probabilities"),
    ("regression", "MSELoss", "MSELoss was chosen, by rule `regression`"),
    ("columns", "SmoothL1Loss", "No rule of default 1.2.0 names SmoothL1Loss"),
    ("multiclass", "HuberLoss", 'Nearest is rule `heavy-tailed`, where `task == "regression"` is false'),
]


@pytest.mark.parametrize(("rule", "loss", "says"), EXAMPLES, ids=[f"{rule}-{loss}" for rule, loss, _ in EXAMPLES])
def test_the_sentence(rule: str, loss: str, says: str) -> None:
    answer = decide(rule).contrast(loss)
    assert says in answer.sentence()
    assert answer.tree().startswith(answer.sentence())
    assert WhyNot.model_validate_json(answer.model_dump_json()) == answer


def test_at_equal_size_what_the_user_can_declare_comes_first() -> None:
    answer = decide("count").contrast("MSELoss")
    assert [change.kind for change in answer.changes] == ["declaration"]
    assert [change.kind for change in answer.other_changes] == ["data"]


@pytest.mark.parametrize(
    ("rule", "loss", "task"),
    [
        ("count", "MSELoss", "regression"),
        ("proportion", "MSELoss", "regression"),
        ("small-fractions", "GammaNLLLoss", "positive"),
    ],
)
def test_of_tasks_to_declare_the_one_of_the_losss_own_family_comes_first(rule: str, loss: str, task: str) -> None:
    answer = decide(rule).contrast(loss)
    assert [(change.fact, change.after) for change in answer.changes] == [("hints.task", task)]


def test_no_declaration_is_advised_that_the_data_contradict() -> None:
    answer = decide("regression").contrast("HuberLoss")
    assert decide("regression").trace.profile.target.min < 0  # type: ignore[operator]
    assert "hints.task" not in {change.fact for change in (*answer.changes, *answer.other_changes)}


def test_the_distance_is_in_the_facts_unit_and_relative() -> None:
    (change,) = decide("regression").contrast("HuberLoss").changes
    assert change.comparison == "target.kurtosis > heavy_kurtosis"
    assert change.distance == pytest.approx(2 - float(change.before))  # type: ignore[arg-type]
    assert change.relative_distance == pytest.approx(change.distance / 2)  # type: ignore[operator]
    assert change.further


def test_a_decision_read_back_answers_with_the_policy_only() -> None:
    fresh = decide("regression")
    restored = Decision(DecisionTrace.model_validate_json(fresh.trace.to_json()))
    assert "would be chosen" not in restored.why_not("HuberLoss")
    with pytest.raises(DecisionError, match="pass `policy=`"):
        restored.contrast("HuberLoss")
    assert DEFAULT_POLICY.why_not(restored, "HuberLoss") == fresh.contrast("HuberLoss")
    assert restored.why_not("HuberLoss", policy=DEFAULT_POLICY) == fresh.why_not("HuberLoss")
    with pytest.raises(DecisionError, match="with digest"):
        nebula.load_policy("default.yaml", parameters={"heavy_kurtosis": 3.0}).why_not(restored, "HuberLoss")


def test_an_unknown_loss_is_told_with_the_nearest_name() -> None:
    with pytest.raises(ContractError, match="Did you mean `HuberLoss`"):
        decide("regression").contrast("HuberLos")


def test_laws_know_the_facts_they_speak_of() -> None:
    facts = facts_of(decide("regression").trace.profile)
    for changes in (
        {"target.mean": 1e9, "target.max": -9.0},
        {"target.is_integer_valued": True},
        {"hints.task": "count"},
    ):
        broken = broken_laws({**facts, **changes})
        assert broken
        assert all(facts_of_law(law) & changes.keys() for law in broken)


def test_kinds_tell_declarations_from_data() -> None:
    assert [kind_of(name) for name in ("hints.task", "prediction.ndim", "relation.labels_fit", "target.min")] == [
        "declaration",
        "prediction",
        "prediction",
        "data",
    ]


def test_a_column_of_amounts_asks_for_a_declaration() -> None:
    decision = nebula.select(np.exp(RNG(0).normal(size=400)), PredictionSpec(shape=(None, 1)))
    assert decision.spec is not None
    assert decision.spec.loss == "GammaNLLLoss"
    assert "  L1Loss would be chosen by rule `absolute-error` if you declared hints.metric=mae" in decision.why_not(
        "L1Loss"
    )
