"""durable-rules, its native twin, the fast path and a brute-force reference give the same rules."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nebula.errors import EngineError
from nebula.policy.engine import NativeEngine, default_engine
from nebula.policy.engine.program import MAX_CLAUSES_PER_RULE, Program
from nebula.policy.loader import loads
from tests.policy.random_policies import NUMBERS, Sample, profiles, samples, trees
from tests.policy.samples import derive, policy

DURABLE = default_engine()  # the native twin again where durable-rules does not build
NATIVE = NativeEngine()
ENGINES = [pytest.param(DURABLE, id="durable"), pytest.param(NATIVE, id="native")]


@settings(max_examples=300)
@given(samples(), st.lists(profiles(), min_size=1, max_size=4))
def test_all_agree_on_random_policies(sample: Sample, facts: list[dict[str, Any]]) -> None:
    compiled = loads(sample.text())
    for profile in facts:
        expected = sample.fired(profile)
        durable, native = compiled.evaluate(profile, DURABLE), compiled.evaluate(profile, NATIVE)
        assert durable.fired == native.fired == compiled.outcome_only(profile) == expected
        assert durable.derived == native.derived == sample.derived(profile)
        assert (durable.derive, durable.select) == (native.derive, native.select)
        outcomes = [{True: "true", False: "false", None: "unknown"}[sample.value(t, profile)] for t in sample.select]
        assert [rule.outcome for rule in durable.select] == outcomes


@settings(max_examples=60)
@given(trees(), profiles())
def test_a_condition_and_its_negation_are_opposite(tree: Any, facts: dict[str, Any]) -> None:
    sample = Sample((), (), (tree, ("not", tree), ("not", ("not", tree))))
    plain, negated, twice = (rule.outcome for rule in loads(sample.text()).evaluate(facts, NATIVE).select)
    assert negated == {"true": "false", "false": "true", "unknown": "unknown"}[plain]
    assert twice == plain


@settings(max_examples=60)
@given(st.lists(trees(), min_size=1, max_size=6), profiles(), st.sampled_from(NUMBERS))
def test_a_rule_that_fires_on_less_fires_on_more(conditions: list[Any], facts: dict[str, Any], name: str) -> None:
    """Without `known`, Kleene's logic is monotone: what was learnt takes no rule back."""
    assume("known" not in str(conditions))
    compiled = loads(Sample((), (), tuple(conditions)).text())
    assert set(compiled.outcome_only({**facts, name: None})) <= set(compiled.outcome_only(facts))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("count", [1, 59, 60, 61, 64, 65, 130, 500])
def test_any_number_of_rules_may_hold_at_once(engine: Any, count: int) -> None:
    compiled = loads(policy(*["target.n > 1"] * count, "target.n > 5"))
    assert compiled.evaluate({"target.n": 2}, engine).fired == tuple(f"r{index}" for index in range(count))
    assert compiled.evaluate({"target.n": 1}, engine).fired == ()
    assert compiled.evaluate({}, engine).fired == ()
    assert len(compiled.evaluate({"target.n": 9}, engine).fired) == count + 1


@pytest.mark.parametrize("engine", ENGINES)
def test_more_comparisons_than_a_fact_has_fields(engine: Any) -> None:
    conditions = [" and ".join(f"target.n != {40 * rule + part}" for part in range(40)) for rule in range(20)]
    compiled = loads(policy(*conditions))
    assert compiled.evaluate({"target.n": 10_000}, engine).fired == tuple(f"r{index}" for index in range(20))
    assert compiled.evaluate({"target.n": 85}, engine).fired == tuple(f"r{i}" for i in range(20) if i != 2)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_conjunction_at_the_bound_on_its_length(engine: Any) -> None:
    halves = [" and ".join(f"target.n != {100 * half + part}" for part in range(100)) for half in range(2)]
    compiled = loads(policy({"all": halves}))
    assert compiled.evaluate({"target.n": 200}, engine).fired == ("r0",)
    assert compiled.evaluate({"target.n": 199}, engine).fired == ()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_product_of_alternatives_does_not_explode(engine: Any) -> None:
    """(a or b) and (c or d) and … twelve times has 4,096 clauses multiplied out; facts in between make it few."""
    parts = [f"(target.n == {index} or target.mean != {index})" for index in range(12)]
    compiled = loads(policy(" and ".join(parts), "not (" + " or ".join(f"(not {part})" for part in parts) + ")"))
    program: Program = compiled._plan.program
    assert sum(map(len, program.strata)) < 2 * MAX_CLAUSES_PER_RULE + 12 * 2 + 4
    for facts in ({"target.n": 3, "target.mean": 3.0}, {"target.n": 3, "target.mean": 4.0}, {"target.mean": -1.0}, {}):
        expected = all(
            facts.get("target.n", -1) == index or ("target.mean" in facts and facts["target.mean"] != index)
            for index in range(12)
        )
        assert compiled.evaluate(facts, engine).fired == (("r0", "r1") if expected else ())


@pytest.mark.parametrize("engine", ENGINES)
def test_a_long_alternative_becomes_one_fact(engine: Any) -> None:
    wide = " or ".join(f"target.n == {index}" for index in range(60))
    compiled = loads(policy(f"({wide}) and target.mean > 0", f"not ({wide})", wide))
    assert compiled.evaluate({"target.n": 59, "target.mean": 1.0}, engine).fired == ("r0", "r2")
    assert compiled.evaluate({"target.n": 60, "target.mean": 1.0}, engine).fired == ("r1",)
    assert compiled.evaluate({"target.mean": 1.0}, engine).fired == ()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_rule_without_conditions_fires_on_nothing_known(engine: Any) -> None:
    compiled = loads(policy("true", "false", "true or target.n > 1", "known(target.n) and not known(target.n)"))
    assert compiled.evaluate({}, engine).fired == ("r0", "r2")


def test_a_policy_without_rules_decides_nothing() -> None:
    assert loads(policy()).evaluate({}).fired == ()


def test_equal_programs_are_one_object() -> None:
    first = loads(policy("target.n > 1", derive=[derive("d", "target.n > p", size=1)], parameters={"p": 1}))
    second = loads(policy("target.n > 7", derive=[derive("d", "target.n > p", size=2)], parameters={"p": 3}))
    assert first._plan.program is second._plan.program
    assert first.digest != second.digest


class Lying:
    """An engine that forgets its last head, or makes one up."""

    name = "lying"
    version = "0"

    def __init__(self, *, forgets: bool) -> None:
        self.forgets = forgets

    def fire(self, program: Program, stratum: int, literals: frozenset[int]) -> tuple[int, ...]:
        heads = NATIVE.fire(program, stratum, literals)
        return heads[:-1] if self.forgets else (*heads, program.first_rule + program.rules - 1)

    def close(self, program: Program) -> None: ...


@pytest.mark.parametrize("forgets", [True, False], ids=["forgets", "invents"])
def test_an_engine_that_disagrees_is_an_error_naming_both(*, forgets: bool) -> None:
    compiled = loads(policy("target.n > 1", "target.n > 9" if not forgets else "target.n > 2"))
    with pytest.raises(EngineError, match=r"lying 0 and the conditions' own values disagree.*fired .*hold for `r0`"):
        compiled.evaluate({"target.n": 5}, Lying(forgets=forgets))


def test_the_default_engine_is_durable_rules_where_it_builds_and_one_object() -> None:
    assert sys.version_info >= (3, 13) or default_engine().name == "durable-rules"
    assert default_engine() is default_engine()
    assert loads(policy("true")).evaluate({}).engine == f"{DURABLE.name} {DURABLE.version}"
