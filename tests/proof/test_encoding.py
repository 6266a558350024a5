"""The formulas given to the solver say what the real engine does."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from nebula.policy.loader import loads
from nebula.smt.encoding import EncodedPolicy
from nebula.smt.solver import z3
from nebula.smt.values import FactTable, number_of
from tests.policy.random_policies import Sample, profiles, samples
from tests.policy.samples import derive, policy


def holding(text: str, facts: dict[str, Any]) -> tuple[str, ...]:
    """The select rules that hold on these facts, by the solver alone."""
    compiled, table = loads(text), FactTable()
    encoded = EncodedPolicy(compiled, table)
    solver = z3.Solver()
    solver.add(*encoded.definitions, *table.axioms())
    for name, known in table.known.items():
        value = facts.get(name)
        seen = value is not None and value == value
        solver.add(known == seen)
        if seen:
            coded = table.code(value) if isinstance(value, str) else value
            solver.add(table.value[name] == (coded if isinstance(coded, bool) else number_of(coded)))
    select = encoded.holds[len(compiled.file.derive) :]
    return tuple(
        rule.id for rule, holds in zip(compiled.file.select, select, strict=True) if solver.check(holds) == z3.sat
    )


def possible(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts without a number of rows that no data have."""
    rows = facts["target.n"]
    return facts if rows is None or rows in (0, 1, 3, 1e30) else {**facts, "target.n": None}


@settings(max_examples=100, deadline=None)
@given(sample=samples(), facts=profiles().map(possible))
def test_a_random_policy_holds_where_the_engine_says(sample: Sample, facts: dict[str, Any]) -> None:
    text = sample.text()
    assert holding(text, facts) == loads(text).outcome_only(facts)


def test_strings_words_arithmetic_and_references() -> None:
    text = policy(
        'task == "count"',
        'task in ["count", "binary"]',
        'task != "count"',
        'has_word(target.name, "price", "cost")',
        'target.name == "x" or not has_word(target.name, "price")',
        "target.std > 0.5 * target.mean",
        "target.std / target.mean > 0.5",
        "-target.mean < target.std - 2",
        'hints.metric not in ["mae", "rmse"]',
        derive=[
            derive("declared", "known(hints.task)", task="$hints.task"),
            derive("whole", "target.is_integer_valued", task="count"),
        ],
    )
    compiled = loads(text)
    for task in (None, "count", "binary"):
        for whole in (None, False, True):
            for std, mean in ((1.0, 2.0), (3.0, 2.0), (1.0, 0.0), (None, 2.0)):
                for metric in (None, "mae", "f1"):
                    facts = {
                        "hints.task": task,
                        "target.is_integer_valued": whole,
                        "hints.metric": metric,
                        "target.std": std,
                        "target.mean": mean,
                    }
                    assert holding(text, facts) == compiled.outcome_only(facts)


def test_a_rule_that_matches_the_unknown() -> None:
    text = policy("target.mean > 1", "target.mean > 2").replace(
        "when: target.mean > 2", "when: target.mean > 2\n  on_unknown: match"
    )
    for mean in (None, 0.0, 1.5, 3.0):
        facts = {"target.mean": mean}
        assert holding(text, facts) == loads(text).outcome_only(facts)
