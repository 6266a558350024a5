"""Proofs stand on laws about profiles; every real profile keeps all of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from nebula.policy.invariants import INVARIANTS, WHOLE_WITH_THE_TARGET
from nebula.policy.loader import loads
from nebula.profiling.model import DataProfile
from nebula.profiling.profiler import profile
from nebula.profiling.vocabulary import facts_of
from tests.acceptance.witnesses import DEFAULT
from tests.policy.samples import policy
from tests.proof.random_profiles import profiles

# The policy engine is the judge: it read no line of the encoding for z3.
LAWS = loads(policy(*(law.condition for law in INVARIANTS)))


def broken(found: DataProfile) -> list[str]:
    facts = facts_of(found)
    outcomes = LAWS.evaluate(facts).select
    laws = [law.condition for law, outcome in zip(INVARIANTS, outcomes, strict=True) if outcome.outcome == "false"]
    whole = [name for name in WHOLE_WITH_THE_TARGET if facts["target.is_integer_valued"] and facts[name] is not None]
    return laws + [name for name in whole if not float(facts[name]).is_integer()]  # type: ignore[arg-type]


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(found=profiles())
def test_random_profiles_keep_every_law(found: DataProfile) -> None:
    assert broken(found) == []


@pytest.mark.parametrize("rule", DEFAULT)
def test_the_witnesses_of_every_rule_keep_every_law(rule: str) -> None:
    for seed in range(3):
        case = DEFAULT[rule](np.random.default_rng(seed))
        assert broken(profile(case.target, case.prediction, hints=case.hints, name=case.name)) == []


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["b", "a", None, "c", "a"], name="letters"),
        pd.Series(pd.Categorical(["low", "high", "low"], categories=["low", "mid", "high"], ordered=True)),
        pd.Series(pd.Categorical([None, None], categories=["x"])),
        pd.Series([True, False, True]),
    ],
    ids=["strings", "ordered", "all missing", "flags"],
)
def test_columns_of_a_table_keep_every_law(column: pd.Series) -> None:  # type: ignore[type-arg]
    assert broken(profile(column)) == []


def test_a_broken_law_is_seen() -> None:
    wrong = DataProfile.model_validate({"target": {"min": 2.0, "q05": 1.0, "is_integer_valued": True, "max": 2.5}})
    assert "target.max" in broken(wrong)
    assert any("target.min <= target.q05" in law for law in broken(wrong))
