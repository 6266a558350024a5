"""`on_unknown` and hit policies: both engines, the fast path and a brute-force reference agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.decision.choice import choose, unknown_facts, winner
from nebula.errors import DecisionError, PolicyError
from nebula.policy.engine import NativeEngine, default_engine
from nebula.policy.loader import loads
from tests.policy.random_policies import Facts, Sample, profiles, samples, trees
from tests.policy.samples import HEAD

DURABLE, NATIVE = default_engine(), NativeEngine()
MODES = ("skip", "match", "error")
LOSSES = ("MSELoss", "L1Loss", "HuberLoss")


@dataclass(frozen=True)
class Lenient(Sample):
    """A random policy whose rules say what to do on the unknown; modes by rule, derive rules first."""

    modes: tuple[str, ...] = ()

    def text(self) -> str:
        document = yaml.safe_load(super().text())
        rules = (*document.get("derive", ()), *document["select"])
        for rule, mode in zip(rules, self.modes, strict=True):
            rule["on_unknown"] = mode
        return yaml.safe_dump(document, sort_keys=False, width=10_000)

    def holds(self, number: int, tree: Any, facts: Facts) -> bool:
        value = self.value(tree, facts)
        return value is True or (value is None and self.modes[number] != "skip")

    def fired(self, facts: Facts) -> tuple[str, ...]:
        first = len(self.derive)
        return tuple(f"r{i}" for i, tree in enumerate(self.select) if self.holds(first + i, tree, facts))

    def named(self, name: str, facts: Facts) -> Any:
        if "." in name:
            return super().named(name, facts)
        rules = enumerate(self.derive)
        return next((v for i, (n, v, when) in rules if n == name and self.holds(i, when, facts)), None)


@st.composite
def lenient(draw: st.DrawFn) -> Lenient:
    plain = draw(samples())
    count = len(plain.derive) + len(plain.select)
    modes = draw(st.lists(st.sampled_from(MODES), min_size=count, max_size=count))
    return Lenient(plain.definitions, plain.derive, plain.select, tuple(modes))


@settings(max_examples=120)
@given(lenient(), st.lists(profiles(), min_size=1, max_size=3))
def test_rules_that_fire_on_the_unknown(sample: Lenient, facts: list[dict[str, Any]]) -> None:
    compiled = loads(sample.text())
    for profile in facts:
        durable, native = compiled.evaluate(profile, DURABLE), compiled.evaluate(profile, NATIVE)
        assert durable.fired == native.fired == compiled.outcome_only(profile) == sample.fired(profile)
        assert durable.derived == native.derived == sample.derived(profile)
        assert (durable.derive, durable.select) == (native.derive, native.select)
        outcomes = [{True: "true", False: "false", None: "unknown"}[sample.value(t, profile)] for t in sample.select]
        assert [rule.outcome for rule in durable.select] == outcomes


@settings(max_examples=100)
@given(lenient(), profiles())
def test_an_error_names_what_is_unknown_only_where_the_rule_is_reached(sample: Lenient, facts: dict[str, Any]) -> None:
    compiled = loads(sample.text())
    evaluation = compiled.evaluate(facts, NATIVE)
    reached = [*(rule for rule in evaluation.derive if rule.applied)]
    reached += [rule for rule in evaluation.select if rule.id in evaluation.fired[:1]]
    modes = dict(zip([rule.id for rule in (*evaluation.derive, *evaluation.select)], sample.modes, strict=True))
    stuck = [rule for rule in reached if rule.outcome == "unknown" and modes[rule.id] == "error"]
    if stuck:
        with pytest.raises(DecisionError, match=f"rule `{stuck[0].id}` must know `") as caught:
            choose(compiled, evaluation)
        assert all(f"`{name}`" in str(caught.value) for name in unknown_facts(stuck[0]))
        assert winner(compiled, facts) is None
    else:
        rule = choose(compiled, evaluation)
        assert (rule.id if rule else None) == winner(compiled, facts) == next(iter(evaluation.fired), None)


def ranked(rules: list[dict[str, Any]], hit_policy: str | None) -> str:
    head = {**HEAD, "hit_policy": hit_policy} if hit_policy else HEAD
    return yaml.safe_dump({**head, "select": rules}, sort_keys=False, width=10_000)


def rules_of(conditions: list[Any], losses: list[str], priorities: list[int | None]) -> list[dict[str, Any]]:
    plain = yaml.safe_load(Sample((), (), tuple(conditions)).text())["select"]
    for rule, loss, priority in zip(plain, losses, priorities, strict=False):
        rule["use"] = {"loss": loss}
        if priority is not None:
            rule["priority"] = priority
    return plain


CONDITIONS = st.lists(trees(), min_size=1, max_size=6)
NAMED = st.lists(st.sampled_from(LOSSES), min_size=6, max_size=6)


@given(CONDITIONS, st.lists(st.none() | st.integers(-2, 2), min_size=6, max_size=6), profiles())
def test_the_highest_priority_decides(trees: list[Any], priorities: list[int | None], facts: dict[str, Any]) -> None:
    plain = Sample((), (), tuple(trees))
    compiled = loads(ranked(rules_of(trees, ["MSELoss"] * 6, priorities), "priority"))
    held = plain.fired(facts)
    expected = tuple(sorted(held, key=lambda rule: -(priorities[int(rule[1:])] or 0)))
    for engine in (DURABLE, NATIVE):
        evaluation = compiled.evaluate(facts, engine)
        assert evaluation.fired == compiled.outcome_only(facts) == expected
        chosen = choose(compiled, evaluation)
        assert (chosen.id if chosen else None) == winner(compiled, facts) == next(iter(expected), None)


@given(CONDITIONS, NAMED, profiles())
def test_a_unique_policy_refuses_a_disagreement(trees: list[Any], losses: list[str], facts: dict[str, Any]) -> None:
    compiled = loads(ranked(rules_of(trees, losses, [None] * 6), "unique"))
    held = Sample((), (), tuple(trees)).fired(facts)
    evaluation = compiled.evaluate(facts, NATIVE)
    if len({losses[int(rule[1:])] for rule in held}) > 1:
        with pytest.raises(DecisionError, match="hit_policy: unique") as caught:
            choose(compiled, evaluation)
        assert all(f"`{rule}` ({losses[int(rule[1:])]})" in str(caught.value) for rule in held)
        assert winner(compiled, facts) is None
    else:
        assert winner(compiled, facts) == next(iter(held), None)


def test_a_priority_without_its_hit_policy_is_told() -> None:
    rules = rules_of([("constant", True)], ["MSELoss"], [3])
    with pytest.raises(PolicyError, match="rule `r0`: a priority has no effect here") as caught:
        loads(ranked(rules, None))
    assert caught.value.problems[0].line == 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["select"][0].update(on_unknown="mach"), "Did you mean `match`"),
        (lambda d: d.update(hit_policy="all"), "expected 'first', 'unique', 'priority' or 'collect'"),
        (lambda d: d["select"][0].update(priority=1.5), "expected an integer"),
        (lambda d: d["select"][0].update(priority=True), "expected an integer"),
    ],
    ids=["mode", "hit-policy", "fraction", "flag"],
)
def test_a_wrong_word_is_told(change: Callable[[dict[str, Any]], object], message: str) -> None:
    document = yaml.safe_load(ranked(rules_of([("constant", True)], ["MSELoss"], [None]), "priority"))
    change(document)
    with pytest.raises(PolicyError, match=message):
        loads(yaml.safe_dump(document, sort_keys=False))
