"""Facts that others register: in rules, three-valued, profiled, replayed, and told by name when they fail."""

from __future__ import annotations

import copy
import json
import operator
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

import nebula
from nebula.decision.cache import decision_key
from nebula.decision.policy import Policy
from nebula.decision.trace import DecisionTrace
from nebula.drift.judging import Judge
from nebula.errors import FactError, PolicyError
from nebula.evidence.budget import Budget
from nebula.policy.loader import loads
from nebula.profiling.custom import custom_facts, register_fact, unregister_fact
from nebula.profiling.custom_fact import CustomFact
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import facts_of, vocabulary
from nebula.reference.facts import render_facts
from nebula.schemas import render
from nebula.workbench.given import read_facts

POLICY = """
apiVersion: nebula/v1
name: rising
version: 1.0.0
select:
  - {{id: rising, when: "{when}", use: {{loss: HuberLoss}}, because: It rises.}}
  - {{id: other, when: true, use: {{loss: MSELoss}}, because: It does not.}}
"""
RISES = "custom.rises > 0.5"
UP, DOWN = [1.0, 2.5, 3.0, 4.0], [4.0, 3.0, 2.5, 1.0]


def policy(when: str = RISES) -> Policy:
    return Policy(loads(POLICY.format(when=when)))


def rises(target: torch.Tensor, profile: DataProfile) -> Any:
    assert profile.target.n == len(target)
    return None if len(target) < 2 else (target[1:] > target[:-1]).float().mean()


@pytest.fixture(autouse=True)
def _leaves_nothing_behind() -> Iterator[None]:
    before = {fact.name for fact in custom_facts()}
    yield
    for fact in custom_facts():
        if fact.name not in before:
            unregister_fact(fact.name)


@pytest.fixture
def _rises() -> None:
    register_fact("rises", kind="float", low=0, high=1, unit="of the rows", description="Share that goes up.")(rises)


def longer(first: str, second: str) -> str:
    return max(first, second, key=len)


def declared(function: Any = rises, **changes: Any) -> CustomFact:
    return CustomFact(**{"name": "rises", "kind": "float", "description": "Any.", "measure": function, **changes})


@pytest.mark.usefixtures("_rises")
@pytest.mark.parametrize(("target", "rule"), [(UP, "rising"), (DOWN, "other"), ([1.0], "other")], ids=str)
def test_a_rule_reads_it(target: list[float], rule: str) -> None:
    decision = nebula.select(target, policy=policy())
    assert decision.rule_id == rule


@pytest.mark.usefixtures("_rises")
def test_what_was_not_computed_is_unknown() -> None:
    assert facts_of(nebula.profile([1.0]))["custom.rises"] is None
    assert facts_of(DataProfile())["custom.rises"] is None
    for when in (RISES, f"not ({RISES})"):
        assert policy(when).decide(nebula.profile([1.0])).rule_id == "other"
    assert policy("not known(custom.rises)").decide(nebula.profile([1.0])).rule_id == "rising"


@pytest.mark.usefixtures("_rises")
def test_parts_together_do_not_know_it() -> None:
    both = nebula.profile(UP).merge(nebula.profile(DOWN))
    assert facts_of(both)["custom.rises"] is None


COMBINED: dict[str, tuple[Any, Any, Any]] = {
    "largest": ("float", torch.max, max),
    "total": ("float", torch.sum, operator.add),
    "whole": ("bool", lambda target: (target == target.round()).all(), operator.and_),
    "longest": ("str", lambda target: max((f"{value:g}" for value in target.tolist()), key=len), longer),
}


@settings(max_examples=25)
@given(
    parts=st.lists(st.lists(st.integers(-8, 8).map(lambda value: value / 2), min_size=1, max_size=6), min_size=3),
    data=st.data(),
)
def test_parts_together_know_what_can_be_combined_in_any_grouping(parts: list[list[float]], data: Any) -> None:
    for name, (kind, measured, combine) in COMBINED.items():
        register_fact(name, kind=kind, description="Any.", combine=combine)(lambda target, _, m=measured: m(target))
    try:
        whole = nebula.profile([value for part in parts for value in part])
        merged = [nebula.profile(part) for part in parts]
        while len(merged) > 1:
            place = data.draw(st.integers(0, len(merged) - 2))
            merged[place : place + 2] = [merged[place].merge(merged[place + 1])]
        assert merged[0].custom == whole.custom
    finally:
        for name in COMBINED:
            unregister_fact(name)


def test_an_unknown_part_makes_the_whole_unknown() -> None:
    register_fact("rises", kind="float", description="Any.", combine=min)(rises)
    one, two = nebula.profile([1.0]), nebula.profile(UP)
    for first, second in ((one, two), (two, one), (one, one)):
        assert facts_of(first.merge(second))["custom.rises"] is None


def test_a_combination_that_fails_is_told_with_the_name() -> None:
    register_fact("rises", kind="float", low=0, high=1, description="Any.", combine=operator.add)(rises)
    with pytest.raises(FactError, match=r"custom\.rises.*expected float in 0\.\.1, found 2"):
        nebula.profile(UP).merge(nebula.profile(UP))


@pytest.mark.parametrize("combine", [None, max])
def test_a_loader_read_in_parts_never_takes_its_first_batch_for_the_whole(combine: Any) -> None:
    register_fact("largest", kind="float", description="Any.", combine=combine)(lambda target, _: target.max())
    rows = torch.arange(200.0)
    loader = DataLoader(TensorDataset(rows.unsqueeze(1), rows), batch_size=50)
    criterion = nebula.Nebula().fit(loader, budget=Budget(batches=3, enough=False))
    assert criterion.decision is not None
    assert facts_of(criterion.decision.trace.profile)["custom.largest"] == (None if combine is None else 149.0)
    whole = nebula.Nebula().fit(loader, budget=Budget(batches=1, enough=False)).decision
    assert whole is not None
    assert whole.trace.profile.custom.largest == 49.0


def test_watched_rows_leave_the_fact_as_it_was_decided_on() -> None:
    register_fact("total", kind="float", description="Any.", combine=operator.add)(lambda target, _: target.sum())
    rules = policy("custom.total > 100")
    decision = nebula.select(torch.full((600,), 0.1), policy=rules)
    assert decision.rule_id == "other"
    judge = Judge(decision.trace, rules, window=2**16)
    judge.add(torch.full((600,), 0.7), batches=1)
    assert judge.evidence is not None
    assert judge.evidence.custom == decision.trace.profile.custom
    assert judge.judge() == []


@pytest.mark.usefixtures("_rises")
def test_the_record_is_replayed_without_the_function() -> None:
    trace = nebula.select(UP, policy=policy()).trace
    kept = DecisionTrace.model_validate_json(trace.to_json())
    assert kept.profile.custom.rises == 1.0
    rules = policy()
    unregister_fact("rises")
    register_fact("rises", kind="float", description="Fails.")(lambda target, profile: 1 / 0)
    assert rules.decide(kept.profile).trace.canonical_json() == trace.canonical_json()
    unregister_fact("rises")
    assert DecisionTrace.model_validate_json(trace.to_json()) == kept


@pytest.mark.usefixtures("_rises")
def test_profiles_keep_it() -> None:
    found = nebula.profile(UP)
    assert found.custom.rises == 1.0
    for other in (
        copy.deepcopy(found),
        pickle.loads(pickle.dumps(found)),
        DataProfile.model_validate(found.model_dump()),
    ):
        assert other == found
        assert facts_of(other) == facts_of(found)
    with pytest.raises(ValueError, match="frozen"):
        found.custom.rises = 0.0


@pytest.mark.usefixtures("_rises")
def test_decisions_with_other_values_are_not_mixed_up() -> None:
    first, fact = nebula.profile(UP), unregister_fact("rises")
    without = nebula.profile(UP)
    register_fact("rises", kind="float", description="Another.")(lambda target, profile: 0.0)
    keys = {decision_key(profile, "policy") for profile in (first, without, nebula.profile(UP))}
    assert len(keys) == 3
    assert fact.unit == "of the rows"


@pytest.mark.usefixtures("_rises")
def test_it_is_told_wherever_facts_are() -> None:
    told = vocabulary()["custom.rises"]
    assert (told.kind, told.low, told.high, told.unit) == ("float", 0, 1, "of the rows")
    assert "`custom.rises` | float 0..1 | of the rows | Share that goes up." in render_facts()
    for kind in ("profile", "trace"):
        shown = json.loads(render(kind))["$defs"]["CustomFacts"]["properties"]["rises"]
        assert shown["anyOf"][0] == {"type": "number", "minimum": 0, "maximum": 1}
    unregister_fact("rises")
    assert "custom.rises" not in vocabulary()
    assert (
        "properties" not in json.loads(render("profile"))["$defs"]["CustomFacts"]
        or not json.loads(render("profile"))["$defs"]["CustomFacts"]["properties"]
    )


@pytest.mark.usefixtures("_rises")
@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("custom.rise > 0.5", "custom.rises"),
        ("custom.rises == 'yes'", "rises"),
        ("custom.rises", "rises"),
    ],
)
def test_a_policy_that_misuses_it_is_refused(when: str, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        policy(when)


@pytest.mark.usefixtures("_rises")
def test_why_not_speaks_of_it() -> None:
    found = nebula.select(DOWN, policy=policy()).why_not("HuberLoss")
    assert "custom.rises" in str(found)


@pytest.mark.usefixtures("_rises")
@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"custom.rises": 0.7}, ""),
        ({"custom": {"rises": 1}}, ""),
        ({"custom.rises": 2.0}, "float in 0..1"),
        ({"custom.up": 1}, "unknown fact"),
    ],
    ids=str,
)
def test_policy_tests_may_give_it(given: dict[str, Any], fault: str) -> None:
    faults: list[tuple[tuple[str, ...], str]] = []
    profile = read_facts(given, lambda path, message: faults.append((path, message)))
    assert (profile is None) == bool(fault)
    if fault:
        ((path, message),) = faults
        assert fault in message
        assert path[0].startswith("custom")


def broken(target: torch.Tensor, profile: DataProfile) -> float:
    raise RuntimeError("out of order")


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (broken, "RuntimeError: out of order"),
        (lambda target, profile: 7.0, r"expected float in 0\.\.1, found 7"),
        (lambda target, profile: float("nan"), "found nan"),
        (lambda target, profile: "much", "found 'much'"),
        (lambda target, profile: True, "found True"),
        (lambda target, profile: target, "Error"),
        (lambda target, profile: target.mul_(0).sum(), "wrote to the target"),
    ],
    ids=["raises", "beyond", "nan", "text", "bool", "tensor", "writes"],
)
def test_a_failure_is_told_with_its_name_and_stops_the_profile(function: Any, problem: str) -> None:
    register_fact("odd", kind="float", low=0, high=1, description="Fails.")(function)
    with pytest.raises(FactError, match=rf"fact `custom\.odd` of `{__name__}`.*{problem}.*unregister_fact") as caught:
        nebula.profile(torch.tensor(UP))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.fact) == (str(caught.value), "custom.odd")


@pytest.mark.usefixtures("_rises")
def test_a_taken_name_is_refused() -> None:
    with pytest.raises(ValueError, match=f"'rises' is already registered by '{__name__}'"):
        register_fact("rises", kind="float", description="Again.")(rises)
    assert vocabulary()["custom.rises"].unit == "of the rows"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Rises"},
        {"name": "a.b"},
        {"name": "copy"},
        {"name": "and"},
        {"kind": "list"},
        {"low": 2.0, "high": 1.0},
        {"low": float("nan")},
        {"kind": "str", "low": 0.0},
        {"choices": ("a",)},
        {"description": " "},
    ],
    ids=str,
)
def test_a_declaration_without_meaning_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^fact "):
        declared(**changes)


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("float", 1, 1.0),
        ("float", torch.tensor(0.5), 0.5),
        ("int", torch.tensor(3), 3),
        ("bool", torch.tensor(True), True),
    ],
    ids=str,
)
def test_values_are_kept_in_the_declared_type(kind: Any, value: Any, kept: Any) -> None:
    found = declared(kind=kind).accept(value)
    assert found == kept
    assert type(found) is type(kept)
