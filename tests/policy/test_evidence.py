"""The records of a run, written when they are read, are those that every comparison gives by itself."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.errors import DataError
from nebula.policy.cells import MAX_CELLS
from nebula.policy.compiled import ComparisonOutcome, CompiledPolicy, Evaluation
from nebula.policy.engine import NativeEngine, default_engine
from nebula.policy.loader import loads
from tests.policy.random_policies import Facts, Sample, profiles, samples
from tests.policy.samples import derive, policy

NATIVE = NativeEngine()
ENGINES = [pytest.param(default_engine(), id="durable"), pytest.param(NATIVE, id="native")]


def recomputed(compiled: CompiledPolicy, facts: Facts, derived: dict[str, Any]) -> list[tuple[ComparisonOutcome, ...]]:
    """Every rule's comparisons, each evaluated anew on the values."""
    plan = compiled.plan
    seen = [facts.get(name) for name in plan.facts]
    values = [*(derived.get(name) for name in plan.derived), *(None if v != v else v for v in seen)]
    return [tuple(plan.atoms[i].record(values, plan.atoms[i].test(values)) for i in rule.atoms) for rule in plan.rules]


def recorded(evaluation: Evaluation) -> list[tuple[ComparisonOutcome, ...]]:
    return [rule.comparisons for rule in (*evaluation.derive, *evaluation.select)]


@settings(max_examples=200)
@given(samples(), st.lists(profiles(), min_size=1, max_size=5))
def test_records_equal_an_eager_evaluation_of_every_comparison(sample: Sample, facts: list[dict[str, Any]]) -> None:
    compiled = loads(sample.text())
    runs = [compiled.evaluate(profile, NATIVE) for profile in facts]
    for profile, run in zip(facts, runs, strict=True):
        assert recorded(run) == recomputed(compiled, profile, sample.derived(profile))
        # the cells that other profiles have visited make no difference
        assert run == loads(sample.text()).evaluate(profile, NATIVE)


@pytest.mark.parametrize("engine", ENGINES)
def test_records_are_of_the_values_at_the_time(engine: Any) -> None:
    compiled = loads(policy("target.n > 5 and target.mean < 0.5"))
    facts: dict[str, Any] = {"target.n": 7, "target.mean": 0.25}
    run = compiled.evaluate(facts, engine)
    facts.update({"target.n": 1, "target.mean": None})
    compiled.evaluate(facts, engine)
    (rule,) = run.select
    assert [c.values for c in rule.comparisons] == [(("target.n", 7),), (("target.mean", 0.25),)]
    assert [c.distance for c in rule.comparisons] == [2.0, 0.25]


HUGE = 2**53
EDGES = {
    "between floats": ("target.mean", "0.1", [0.1, math.nextafter(0.1, 1), math.nextafter(0.1, 0), 0, 1, True]),
    "integers beyond floats": ("target.n", f"{HUGE}.0", [HUGE - 1, HUGE, HUGE + 1, 0, 10**400]),
    "zeros": ("target.mean", "0", [0.0, -0.0, 0, 5e-324, -5e-324]),
    "infinities": ("target.mean", "1e308", [math.inf, -math.inf, 1e308]),
}


@pytest.mark.parametrize(("fact", "constant", "values"), EDGES.values(), ids=EDGES)
def test_a_cell_is_as_sharp_as_python_compares(fact: str, constant: str, values: list[Any]) -> None:
    operators = ("<", "<=", ">", ">=", "==", "!=")
    compiled = loads(policy(*(f"{fact} {op} {constant}" for op in operators), f"{fact} in [{constant}, 3]"))
    for value in (*values, *reversed(values)):
        facts = {fact: value}
        by_test = [atom.test([value]) for atom in compiled.plan.atoms]
        fired = tuple(f"r{i}" for i, result in enumerate(by_test) if result)
        if value != value or abs(value) < 1e308:
            assert [
                c.outcome == "true" for rule in compiled.evaluate(facts, NATIVE).select for c in rule.comparisons
            ] == (by_test)
        assert compiled.evaluate(facts, NATIVE).fired == compiled.outcome_only(facts) == fired


def test_more_cells_than_are_kept() -> None:
    compiled = loads(policy(*(f"target.n > {10 * i}" for i in range(MAX_CELLS))))
    for n in (*range(-5, 10 * MAX_CELLS, 7), *range(-5, 10 * MAX_CELLS, 7)):
        assert len(compiled.evaluate({"target.n": n}, NATIVE).fired) == min(MAX_CELLS, max(0, -(-n // 10)))
    kept = [len(judge.known) for judges, _ in compiled._inference.phases for judge in judges]  # type: ignore[attr-defined]
    assert kept == [MAX_CELLS]


KINDS = {
    "text": ("target.dtype == 'float32'", {"float32": True, "int64": False, None: None}),
    "text among": ("target.dtype in ['int8', 'int64']", {"float32": False, "int64": True, None: None}),
    "flag": ("target.is_one_hot", {True: True, False: False, None: None}),
    "flag compared": ("target.is_one_hot == false", {True: False, False: True, None: None}),
    "known": ("known(target.mean)", {1.5: True, 0.0: True, None: False}),
    "known beside a number": ("known(target.mean) and target.mean > 1", {1.5: True, 0.0: False, None: False}),
    "constant first": ("1 < target.mean", {1.5: True, 1.0: False, None: None}),
    "parameter": ("target.mean > p", {3.0: True, 2.5: False, None: None}),
    "negative": ("target.mean > -2", {-1.0: True, -2.0: False, None: None}),
    "arithmetic": ("target.mean * 2 > 3", {2.0: True, 1.5: False, None: None}),
    "itself": ("target.mean == target.mean", {2.0: True, None: None}),
    "constant without a value": ("target.mean > p / (p - 2.5)", {2.0: None, None: None}),
}


@pytest.mark.parametrize(("condition", "expected"), KINDS.values(), ids=KINDS)
def test_every_kind_of_comparison(condition: str, expected: dict[Any, bool | None]) -> None:
    names = ("target.dtype", "target.is_one_hot", "target.mean")
    name = next(name for name in names if name in condition)
    compiled = loads(policy(condition, parameters={"p": 2.5} if "p " in condition or "> p" in condition else {}))
    for _ in range(2):
        for value, truth in expected.items():
            (rule,) = compiled.evaluate({name: value}, NATIVE).select
            assert rule.outcome == {True: "true", False: "false", None: "unknown"}[truth]


@pytest.mark.parametrize("visited", [False, True], ids=["first", "after a sound value"])
def test_a_value_of_another_type_is_told(*, visited: bool) -> None:
    compiled = loads(policy("target.n > 5"))
    if visited:
        compiled.evaluate({"target.n": 7}, NATIVE)
    with pytest.raises(DataError, match="cannot be compared"):
        compiled.evaluate({"target.n": "many"}, NATIVE)


def test_evaluations_are_equal_by_content() -> None:
    text = policy("size == 1", derive=[derive("d", "target.n > 5", size=1)])
    first, second = loads(text), loads(text)
    assert first.evaluate({"target.n": 7}, NATIVE) == second.evaluate({"target.n": 7}, NATIVE)
    assert first.evaluate({"target.n": 7}, NATIVE) != first.evaluate({"target.n": 8}, NATIVE)
    assert first.evaluate({"target.n": 7}, NATIVE) != ("r0",)
    assert hash(first.evaluate({"target.n": 7}, NATIVE)) == hash(second.evaluate({"target.n": 7}, NATIVE))
    assert repr(first.evaluate({"target.n": 7}, NATIVE)) == (
        "Evaluation(fired=('r0',), derived={'size': 1}, engine='native 1')"
    )
