"""Which of the rules that fire decides, and when a policy rather refuses than decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nebula.errors import DecisionError
from nebula.policy.compiled import CompiledPolicy, Evaluation, RuleOutcome
from nebula.policy.engine import NativeEngine
from nebula.policy.model import DeriveRule, SelectRule
from nebula.profiling.vocabulary import FactValue

__all__ = ["choose", "unknown_facts", "winner"]

_NATIVE = NativeEngine()


def choose(policy: CompiledPolicy, evaluation: Evaluation) -> SelectRule | None:
    """Return the rule that decides, the first one with `hit_policy: collect`; None when none fires.

    Args:
        policy: The policy that was evaluated.
        evaluation: What came out.

    Raises:
        DecisionError: A rule with `on_unknown: error` was reached and its condition is unknown, or
            the hit policy is `unique` and rules that fire disagree.
    """
    fired = [policy.rule(identity) for identity in evaluation.fired]
    unique = policy.file.hit_policy == "unique"
    if evaluation.assumed:
        together = policy.file.hit_policy in ("unique", "collect")
        _refuse_unknown(policy, evaluation, fired if together else fired[:1])
    if unique and any(rule.use != fired[0].use for rule in fired[1:]):
        named = ", ".join(f"`{rule.id}` ({rule.use.loss if rule.use else 'no loss'})" for rule in fired)
        raise DecisionError(
            f"{_name(policy)}: expected at most one rule to fire (hit_policy: unique), found {named}: "
            "make their conditions exclude each other, or let an order decide."
        )
    return fired[0] if fired else None


def _refuse_unknown(policy: CompiledPolicy, evaluation: Evaluation, deciding: list[SelectRule]) -> None:
    select = {outcome.id: outcome for outcome in evaluation.select}
    derive = zip(policy.file.derive, evaluation.derive, strict=True)
    reached: list[tuple[DeriveRule | SelectRule, RuleOutcome]] = [pair for pair in derive if pair[1].applied]
    reached += [(rule, select[rule.id]) for rule in deciding]
    for rule, outcome in reached:
        if rule.on_unknown == "error" and outcome.outcome == "unknown":
            raise DecisionError(_unknown(policy, rule, outcome))


def winner(policy: CompiledPolicy, facts: Mapping[str, FactValue]) -> str | None:
    """Return the id of the rule that decides on these facts; None when none fires or the policy refuses.

    Args:
        policy: The policy.
        facts: Values by dotted name; a missing, None or NaN one is unknown.
    """
    if policy.file.hit_policy == "unique" or policy.plan.lenient:
        try:
            rule = choose(policy, policy.evaluate(facts, _NATIVE))
        except DecisionError:
            return None
        return rule.id if rule else None
    return next(iter(policy.outcome_only(facts)), None)


def unknown_facts(outcome: RuleOutcome) -> tuple[str, ...]:
    """Return the names that a rule's unknown comparisons lack, in the order read."""
    return tuple(dict.fromkeys(_lacking(outcome)))


def _lacking(outcome: RuleOutcome) -> Iterator[str]:
    for comparison in outcome.comparisons:
        if comparison.outcome == "unknown":
            absent = [name for name, value in comparison.values if value is None]
            yield from absent or [comparison.text]


def _unknown(policy: CompiledPolicy, rule: DeriveRule | SelectRule, outcome: RuleOutcome) -> str:
    names = ", ".join(f"`{name}`" for name in unknown_facts(outcome))
    return (
        f"{_name(policy)}: rule `{rule.id}` must know {names} to be judged (on_unknown: error), "
        "which these data do not tell: give the data that show it, or declare it."
    )


def _name(policy: CompiledPolicy) -> str:
    return f"{policy.file.name} {policy.file.version}"
