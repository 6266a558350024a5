"""The account of every rule, written anew for a decision that was kept without it."""

from __future__ import annotations

from functools import cache

from nebula.decision.boundary import find_boundaries
from nebula.decision.record import record_rules
from nebula.decision.trace import DecisionTrace
from nebula.policy.compiled import CompiledPolicy, Evaluation
from nebula.profiling.vocabulary import facts_of

__all__ = ["recount", "without_account"]


def without_account(trace: DecisionTrace) -> DecisionTrace:
    """Return the record without `rules` and `boundaries`, nine tenths of its bytes; they are not written for it."""
    return trace.defer(rules=tuple, boundaries=tuple)


def recount(trace: DecisionTrace, policy: CompiledPolicy) -> DecisionTrace:
    """Return the record with its `rules` and `boundaries`: the policy is evaluated again when they are first read.

    Args:
        trace: A decision of this policy; its facts stand in `profile`.
        policy: The policy of the same digest.
    """
    facts = facts_of(trace.profile)

    @cache
    def evaluation() -> Evaluation:
        return policy.evaluate(facts)

    return trace.defer(
        boundaries=lambda: find_boundaries(policy, evaluation(), facts),
        rules=lambda: record_rules(policy, evaluation()),
    )
