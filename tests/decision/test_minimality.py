"""The proof that no fewer facts would do: brute force never contradicts it, and it finds what the search misses."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nebula
from nebula.decision.candidates import candidate_values
from nebula.decision.changes import Changes
from nebula.decision.contrast import WhyNot
from nebula.decision.policy import Policy
from nebula.errors import MissingExtraError
from nebula.policy.loader import loads
from nebula.profiling.vocabulary import facts_of
from tests.acceptance.witnesses import DEFAULT
from tests.decision.test_why_not import chosen, every_set, profile_of, random_policy, selects
from tests.policy.random_policies import Sample, profiles, samples

HEAD = "apiVersion: nebula/v1\nname: small\nversion: 1.0.0\nselect:\n"
PLAIN = "  - {id: plain, when: known(target.mean), use: {loss: MSELoss}, because: Numbers.}\n"
VALUES = [-1.5, 0.25, 1.0, 2.5, 4.0, 5.5]


def small(when: str, loss: str = "L1Loss", more: str = "") -> Policy:
    return Policy(loads(f"{HEAD}  - {{id: asked, when: '{when}', use: {{loss: {loss}{more}}}, because: So.}}\n{PLAIN}"))


def asked(policy: Policy, values: list[float], loss: str = "L1Loss", **hints: Any) -> WhyNot:
    profile = nebula.profile(values, hints=hints)
    answer = policy.why_not(policy.decide(profile), loss, prove=True)
    if answer.changes:
        assert selects(policy, profile, tuple((c.fact, c.after) for c in answer.changes), loss)
    assert WhyNot.model_validate_json(answer.model_dump_json()) == answer
    return answer


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(
    sample=samples(),
    facts=profiles(),
    hit_policy=st.sampled_from(["first", "first", "unique", "collect"]),
    on_unknown=st.lists(st.sampled_from(["skip", "skip", "match", "error"]), min_size=1, max_size=3),
    loss=st.sampled_from(["L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss"]),
)
def test_brute_force_never_contradicts_a_proof(
    sample: Sample, facts: dict[str, Any], hit_policy: str, on_unknown: list[str], loss: str
) -> None:
    policy, profile = random_policy(sample, hit_policy, on_unknown), profile_of(facts)
    named = {rule.use.loss for rule in policy.compiled.file.select if rule.use} | {"HuberLoss"}
    if not chosen(policy, profile) or loss not in named - chosen(policy, profile):
        return
    answer = policy.why_not(policy.decide(profile), loss, prove=True)
    assert answer.proof is not None
    changes: Changes = tuple((change.fact, change.after) for change in answer.changes)
    assert bool(changes) is (answer.proof.found_by is not None)
    if changes:
        assert selects(policy, profile, changes, loss)
        assert answer.proof.verdict != "impossible"
        assert (len(changes) == (answer.proof.none_up_to or 0) + 1) is (answer.proof.verdict == "smallest")
    proven = 2 if answer.proof.none_up_to is None else min(answer.proof.none_up_to, 2)
    for size in range(1, proven + 1):
        for tried in every_set(policy, profile, size):
            assert not selects(policy, profile, tried, loss), (tried, answer.proof)


@pytest.mark.parametrize("rule", ["columns", "count", "proportion"])
def test_brute_force_never_contradicts_a_proof_of_the_default_policy(rule: str) -> None:
    policy = nebula.load_policy("default.yaml")
    case = DEFAULT[rule](np.random.default_rng(3))
    decision = nebula.select(case.target, case.prediction, name=case.name, hints=case.hints, policy=policy)
    profile = decision.trace.profile
    for loss in ("HuberLoss", "BCEWithLogitsLoss", "PoissonNLLLoss"):
        answer = decision.contrast(loss, prove=True)
        if answer.proof is None or not answer.proof.none_up_to:
            continue
        assert not any(selects(policy, profile, tried, loss) for tried in every_set(policy, profile, 1))


def test_values_between_the_edges_are_proven_of_too() -> None:
    policy = small("target.mean + target.std > 100 and target.mean - target.std > 100")
    answer = asked(policy, VALUES)
    assert answer.proof is not None
    assert answer.answer == "reachable"
    assert answer.proof.verdict == "smallest"
    assert answer.proof.none_up_to == len(answer.changes) - 1


def test_a_change_that_drags_others_along_is_found_by_the_solver() -> None:
    policy = small("target.min > 9")
    assert "target.max" not in candidate_values(policy.compiled, facts_of(nebula.profile(VALUES)))
    assert policy.why_not(policy.decide(nebula.profile(VALUES)), "L1Loss").answer == "not found"
    answer = asked(policy, VALUES)
    assert answer.answer == "reachable"
    assert answer.proof is not None
    assert (answer.proof.verdict, answer.proof.found_by) == ("smallest", "solver")
    moved = {change.fact for change in answer.changes}
    assert {"target.min", "target.q05", "target.median", "target.max"} <= moved
    assert "Proven: no change of up to" in answer.sentence()


def test_what_the_laws_forbid_is_impossible() -> None:
    answer = asked(small("target.median > 9 and target.q95 < 3"), VALUES)
    assert answer.answer == "not found"
    assert answer.proof is not None
    assert (answer.proof.verdict, answer.proof.none_up_to, answer.proof.found_by) == ("impossible", None, None)
    assert "Proven: no data whatever, with any declarations, would select L1Loss." in answer.sentence()
    assert "no data whatever" in answer.tree()


def test_a_contract_counts_among_what_must_change() -> None:
    free = asked(small('hints.metric == "mae"'), VALUES)
    bound = asked(small('hints.metric == "mae"', "PoissonNLLLoss"), VALUES, loss="PoissonNLLLoss")
    assert len(free.changes) == 1
    assert bound.proof is not None
    assert bound.proof.none_up_to is None or bound.proof.none_up_to >= 1
    assert len(bound.changes) != 1


def test_one_fact_is_always_the_fewest() -> None:
    answer = asked(small('hints.metric == "mae"'), VALUES)
    assert answer.sentence().endswith("No smaller change is possible.")


def test_nothing_is_proven_unless_asked_for() -> None:
    policy = small("target.min > 9")
    assert policy.why_not(policy.decide(nebula.profile(VALUES)), "L1Loss").proof is None
    assert asked(policy, VALUES, loss="MSELoss").proof is None


def test_without_the_solver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("nebula.smt")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "z3", None)
    policy = small("target.min > 9")
    with pytest.raises(MissingExtraError, match="verify"):
        policy.why_not(policy.decide(nebula.profile(VALUES)), "L1Loss", prove=True)
