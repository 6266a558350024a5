"""What a policy would choose on a profile, without a record; and how two choices differ."""

from __future__ import annotations

from nebula.decision.choice import winner
from nebula.decision.record import record_rules
from nebula.decision.trace import ComparisonTrace, DecisionTrace
from nebula.policy.compiled import CompiledPolicy
from nebula.policy.engine import NativeEngine
from nebula.policy.model import Use
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import facts_of

__all__ = ["changed_comparisons", "choose_on", "same_choice"]

_NATIVE = NativeEngine()
_SHOWN = 16


def choose_on(policy: CompiledPolicy, profile: DataProfile) -> tuple[str, ...]:
    """Return the ids of the select rules that decide on this profile; none when the policy's `otherwise` does."""
    facts = facts_of(profile)
    if policy.file.hit_policy == "collect":
        return policy.evaluate(facts, _NATIVE).fired if policy.plan.lenient else policy.outcome_only(facts)
    found = winner(policy, facts)
    return () if found is None else (found,)


def same_choice(policy: CompiledPolicy, left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Say whether two sets of deciding rules choose the same loss, in the same way."""
    return left == right or (bool(left) == bool(right) and _uses(policy, left) == _uses(policy, right))


def changed_comparisons(
    policy: CompiledPolicy, trace: DecisionTrace, profile: DataProfile
) -> tuple[ComparisonTrace, ...]:
    """Return the comparisons of the rules that decided which come out otherwise on this profile.

    Args:
        policy: The policy that decided.
        trace: The decision.
        profile: Other rows of the same data.

    Returns:
        At most 16, as they come out now.
    """
    now = {rule.id: rule for rule in record_rules(policy, policy.evaluate(facts_of(profile), _NATIVE))}
    changed: dict[str, ComparisonTrace] = {}
    for rule in trace.rules:
        if rule.verdict != "fired" or rule.id not in now:
            continue
        before = {comparison.text: comparison.outcome for comparison in rule.comparisons}
        for comparison in now[rule.id].comparisons:
            if before.get(comparison.text) != comparison.outcome:
                changed.setdefault(comparison.text, comparison)
    return tuple(changed.values())[:_SHOWN]


def _uses(policy: CompiledPolicy, rules: tuple[str, ...]) -> list[Use | None]:
    return [policy.rule(identity).use for identity in rules]
