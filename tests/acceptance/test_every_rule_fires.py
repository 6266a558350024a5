"""Every select rule of every shipped policy is the one that fires on some data."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nebula
from tests.acceptance.witnesses import SHIPPED

RULES = [(policy, rule) for policy, makers in SHIPPED.items() for rule in makers]


@cache
def loaded(policy: str) -> nebula.Policy:
    return nebula.load_policy(policy)


@pytest.mark.parametrize("policy", SHIPPED)
def test_every_rule_has_a_witness(policy: str) -> None:
    rules = [rule.id for rule in loaded(policy).compiled.file.select]
    assert sorted(rules) == sorted(SHIPPED[policy])


@pytest.mark.parametrize(("policy", "rule"), RULES, ids=lambda value: str(value))
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_rule_fires_on_its_witness(policy: str, rule: str, seed: int) -> None:
    case = SHIPPED[policy][rule](np.random.default_rng(seed))
    decision = nebula.select(case.target, case.prediction, name=case.name, hints=case.hints, policy=loaded(policy))
    assert decision.rule_id == rule, decision.explain()
    fired = [trace.id for trace in decision.trace.rules if trace.kind == "select" and trace.verdict == "fired"]
    assert fired == [rule]


@pytest.mark.parametrize("rule", SHIPPED["strict.yaml"])
def test_strict_refuses_exactly_where_default_calls_it_ambiguous(rule: str) -> None:
    case = SHIPPED["strict.yaml"][rule](np.random.default_rng(7))
    ask = {"name": case.name, "hints": case.hints}
    guess = nebula.select(case.target, case.prediction, policy=loaded("default.yaml"), **ask)
    strict = nebula.select(case.target, case.prediction, policy=loaded("strict.yaml"), **ask)
    assert strict.rule_id == guess.rule_id
    assert strict.status == guess.status
    if guess.status == "ambiguous":
        assert strict.spec is None
        with pytest.raises(nebula.errors.AmbiguousDecision, match="cannot tell"):
            nebula.build(strict)
    else:
        assert strict.spec == guess.spec
