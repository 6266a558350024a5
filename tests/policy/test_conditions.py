"""What a condition's value is: Kleene's tables, numbers, words, and what is recorded."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.errors import DataError
from nebula.policy.engine import NativeEngine
from nebula.policy.expression.words import words_of
from nebula.policy.loader import loads
from tests.policy.samples import derive, policy

NATIVE = NativeEngine()
TRUTH: dict[str, bool | None] = {"true": True, "false": False, "unknown": None}


def outcome(condition: Any, facts: dict[str, Any], **sections: Any) -> str:
    return loads(policy(condition, **sections)).evaluate(facts, NATIVE).select[0].outcome


@pytest.mark.parametrize(("a", "b"), list(itertools.product(TRUTH, TRUTH)))
def test_connectives_follow_kleene(a: str, b: str) -> None:
    facts = {"target.is_one_hot": TRUTH[a], "target.is_simplex": TRUTH[b]}
    rank = ["false", "unknown", "true"]
    assert outcome("target.is_one_hot and target.is_simplex", facts) == min(a, b, key=rank.index)
    assert outcome("target.is_one_hot or target.is_simplex", facts) == max(a, b, key=rank.index)
    assert outcome("not target.is_one_hot", facts) == rank[2 - rank.index(a)]
    assert outcome("target.is_one_hot or not target.is_one_hot", facts) == ("unknown" if a == "unknown" else "true")
    assert outcome({"all": ["target.is_one_hot", {"not": "target.is_simplex"}]}, facts) == outcome(
        "target.is_one_hot and not target.is_simplex", facts
    )
    assert outcome({"any": ["target.is_one_hot", "target.is_simplex"]}, facts) == max(a, b, key=rank.index)


CASES = [
    ("no-data", "target.mean > 0", {}, "unknown"),
    ("nan", "target.mean > 0", {"target.mean": math.nan}, "unknown"),
    ("nan-unequal", "target.mean != 0", {"target.mean": math.nan}, "unknown"),
    ("unknown-right", "1 < target.mean", {}, "unknown"),
    ("tie-strict", "target.mean < 0.1", {"target.mean": 0.1}, "false"),
    ("tie", "target.mean <= 0.1", {"target.mean": 0.1}, "true"),
    ("no-tolerance", "target.mean == 0.3", {"target.mean": 0.1 + 0.2}, "false"),
    ("int-float-exact", "target.n == 9007199254740993.0", {"target.n": 2**53 + 1}, "false"),
    ("int-exact", "target.n == 9007199254740993", {"target.n": 2**53 + 1}, "true"),
    ("tiny", "target.mean > 1e-5", {"target.mean": 5e-05}, "true"),
    ("huge", "target.mean < 1e300", {"target.mean": 1e30}, "true"),
    ("chain-in", "0 <= target.mean < 1", {"target.mean": 0.0}, "true"),
    ("chain-out", "0 <= target.mean < 1", {"target.mean": 1.0}, "false"),
    ("chain-three", "1 < target.n < target.n_unique < 9", {"target.n": 2, "target.n_unique": 3}, "true"),
    ("negative", "target.min > -2.5", {"target.min": -2}, "true"),
    ("minus-fact", "-target.min == 2", {"target.min": -2.0}, "true"),
    ("precedence", "target.mean + 2 * 3 == 7", {"target.mean": 1.0}, "true"),
    ("parentheses", "(target.mean + 2) * 3 == 9", {"target.mean": 1.0}, "true"),
    ("divide", "target.var / target.mean > 2", {"target.var": 9.0, "target.mean": 3.0}, "true"),
    ("by-zero", "target.var / target.mean > 2", {"target.var": 9.0, "target.mean": 0.0}, "unknown"),
    ("constant-by-zero", "1 / 0 > target.mean", {"target.mean": 0.0}, "unknown"),
    ("overflow", "target.n * 1.5 > 1", {"target.n": 10**400}, "unknown"),
    ("overflow-of-floats", "target.max * 10 > 0", {"target.max": 1e308}, "unknown"),
    ("overflow-by-division", "target.max / 1e-10 < 0", {"target.max": -1e308}, "unknown"),
    ("no-overflow", "target.max * 1.0000001 > 0", {"target.max": 1e308}, "true"),
    ("infinite-times-two", "target.max * 2 > 0", {"target.max": math.inf}, "true"),
    ("finite-over-infinite", "1 / target.max == 0", {"target.max": -math.inf}, "true"),
    ("inf-minus-inf", "target.max - target.max == 0", {"target.max": math.inf}, "unknown"),
    ("in", "target.n in [1, 2, 3]", {"target.n": 2}, "true"),
    ("in-tuple", "target.n in (1, 3)", {"target.n": 2}, "false"),
    ("in-float", "target.n in [2.0]", {"target.n": 2}, "true"),
    ("not-in", "target.n not in [1]", {"target.n": 2}, "true"),
    ("in-unknown", "target.n not in [1]", {}, "unknown"),
    ("strings", 'hints.task == "count"', {"hints.task": "count"}, "true"),
    ("strings-unequal", 'hints.task != "count"', {}, "unknown"),
    ("string-in", "hints.task in ['count', 'binary']", {"hints.task": "binary"}, "true"),
    ("bool-equal", "target.is_one_hot == false", {"target.is_one_hot": False}, "true"),
    ("known", "known(target.mean)", {}, "false"),
    ("known-nan", "known(target.mean)", {"target.mean": math.nan}, "false"),
    ("known-list", "known(target.pos_weight)", {"target.pos_weight": (1.0,)}, "true"),
    ("not-known", "not known(hints.task)", {}, "true"),
    ("true", "true", {}, "true"),
    ("yaml-true", True, {}, "true"),
    ("False", "False", {}, "false"),
    ("word", 'has_word(target.name, "age")', {"target.name": "userAge"}, "true"),
    ("no-word", 'has_word(target.name, "age")', {"target.name": "mileage"}, "false"),
    ("words", 'has_word(target.name, "n", "NB", "num")', {"target.name": "nb_visits"}, "true"),
    ("word-unknown", 'has_word(target.name, "age")', {}, "unknown"),
    ("line-breaks", "target.mean > 0\n  and\n  target.mean < 2", {"target.mean": 1.0}, "true"),
    ("quoted-sign", "target.name == 'a # b'", {"target.name": "a # b"}, "true"),
    ("unicode", "target.name == 'Größe' and target.n > 1", {"target.name": "Größe", "target.n": 2}, "true"),
]


@pytest.mark.parametrize(("condition", "facts", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_value_of_a_condition(condition: Any, facts: dict[str, Any], expected: str) -> None:
    text = policy(condition)
    evaluated = loads(text).evaluate(facts)
    assert evaluated.select[0].outcome == expected
    assert evaluated.fired == (("r0",) if expected == "true" else ())
    assert loads(text).outcome_only(facts) == evaluated.fired


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nbOfHTTPRequests_2024", {"nb", "of", "http", "requests"}),
        ("AGE", {"age"}),
        ("n_days-until churn", {"n", "days", "until", "churn"}),
        ("GrößeÄnderung", {"grösse", "änderung"}),
        ("_1", set()),
        ("aB", {"a", "b"}),
    ],
)
def test_words(text: str, words: set[str]) -> None:
    assert words_of(text) == {word.casefold() for word in words}


@given(st.lists(st.text("abcxyz", min_size=2, max_size=5), min_size=1, max_size=5), st.sampled_from(" _-1"))
def test_words_survive_any_separator(words: list[str], separator: str) -> None:
    assert words_of(separator.join(words)) == set(words)
    assert words_of("".join(word.title() for word in words)) == set(words)


def test_a_comparison_records_what_it_read() -> None:
    text = policy("target.class_balance < imbalance and 3 >= target.n", parameters={"imbalance": 0.1})
    first, second = loads(text).evaluate({"target.class_balance": 0.25}).select[0].comparisons
    assert first.text == "target.class_balance < imbalance"
    assert first.values == (("target.class_balance", 0.25), ("imbalance", 0.1))
    assert (first.outcome, first.fact, first.threshold) == ("false", "target.class_balance", 0.1)
    assert first.distance == pytest.approx(0.15)
    assert (second.outcome, second.fact, second.threshold, second.distance) == ("unknown", "target.n", 3.0, None)


@pytest.mark.parametrize(
    "condition",
    [
        "target.mean > target.std",
        "target.mean + 1 > 2",
        "hints.task == 'count'",
        "target.n in [1]",
        "target.is_simplex",
    ],
)
def test_only_a_number_against_a_constant_has_a_threshold(condition: str) -> None:
    (comparison,) = loads(policy(condition)).evaluate({}).select[0].comparisons
    assert (comparison.fact, comparison.threshold, comparison.distance) == (None, None, None)


def test_every_comparison_is_evaluated_though_the_first_decides() -> None:
    (rule,) = loads(policy("target.n > 5 and target.mean > 0")).evaluate({"target.n": 1, "target.mean": 2.0}).select
    assert [c.outcome for c in rule.comparisons] == ["false", "true"]


def test_definitions_are_put_in() -> None:
    text = policy(
        "not counts", definitions={"counts": "whole and target.min >= 0", "whole": "target.is_integer_valued"}
    )
    (rule,) = loads(text).evaluate({"target.is_integer_valued": True, "target.min": -1.0}).select
    assert rule.outcome == "true"
    assert [c.text for c in rule.comparisons] == ["target.is_integer_valued", "target.min >= 0"]


def test_derived_facts_follow_their_strata_whatever_the_order_of_the_file() -> None:
    rules = [
        derive("third", "size == 'big' and task == 'counting'", label="both"),
        derive("second", "size == 'big'", task="counting"),
        derive("first", "target.n > 10", size="big"),
        derive("late", "target.n > 0", size="small", task="other"),
    ]
    evaluated = loads(policy("label == 'both'", derive=rules)).evaluate({"target.n": 11})
    assert evaluated.derived == {"size": "big", "task": "counting", "label": "both"}
    assert evaluated.fired == ("r0",)
    assert [rule.outcome for rule in evaluated.derive] == ["true"] * 4
    assert [rule.applied for rule in evaluated.derive] == [("label",), ("task",), ("size",), ()]


def test_the_first_true_rule_in_the_file_sets_a_name() -> None:
    rules = [derive("a", "target.n > 10", size=3), derive("b", "target.n > 5", size=2), derive("c", "true", size=1)]
    compiled = loads(policy("size >= 2", derive=rules))
    assert [compiled.evaluate({"target.n": n}).derived["size"] for n in (11, 6, 1)] == [3, 2, 1]
    assert [compiled.outcome_only({"target.n": n}) for n in (11, 6, 1)] == [("r0",), ("r0",), ()]


def test_an_unset_name_is_unknown_and_not_false() -> None:
    text = policy("not flag", "known(flag)", derive=[derive("a", "target.n > 10", flag=True)])
    assert [rule.outcome for rule in loads(text).evaluate({"target.n": 1}).select] == ["unknown", "false"]


def test_a_name_set_to_a_fact_takes_its_value_or_stays_unknown() -> None:
    compiled = loads(policy("task == 'count'", derive=[derive("a", "true", task="$hints.task")]))
    assert compiled.evaluate({"hints.task": "count"}).derived == {"task": "count"}
    assert compiled.evaluate({}).derived == {}


def test_a_fact_of_the_wrong_type_is_an_error_of_the_data() -> None:
    compiled = loads(policy("target.mean > 0"))
    for judge in (compiled.evaluate, compiled.outcome_only):
        with pytest.raises(DataError, match="expected values of the vocabulary's types"):
            judge({"target.mean": "0.7"})
