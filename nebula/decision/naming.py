"""Which losses a choice names, alone or as terms, and which rule puts one into the decision."""

from __future__ import annotations

from collections.abc import Mapping

from nebula.decision.choice import winner
from nebula.losses.spec import LossSpec
from nebula.policy.compiled import CompiledPolicy
from nebula.policy.engine import NativeEngine
from nebula.policy.model import Otherwise, SelectRule, Use
from nebula.profiling.vocabulary import FactValue

__all__ = ["choosing_rule", "losses_chosen", "losses_named"]

_NATIVE = NativeEngine()


def losses_named(use: Use | None) -> frozenset[str]:
    """Return the losses that a rule's choice names; of a composite, its terms too."""
    return frozenset({use.loss, *(part.loss for part in use.parts())} if use else ())


def losses_chosen(spec: LossSpec | None) -> frozenset[str]:
    """Return the losses that a decision uses; of a composite, its terms too."""
    return frozenset({spec.loss, *(term.spec.loss for term in spec.terms)} if spec else ())


def choosing_rule(policy: CompiledPolicy, facts: Mapping[str, FactValue], loss: str) -> SelectRule | Otherwise | None:
    """Return the rule, or `otherwise`, by which a loss is in the choice on these facts; None when it is not.

    Args:
        policy: The policy.
        facts: Values by dotted name; a missing or None one is unknown.
        loss: Name of the loss.
    """
    chooser: SelectRule | Otherwise | None
    if policy.file.hit_policy == "collect":
        lenient = policy.plan.lenient
        fired = policy.evaluate(facts, _NATIVE).fired if lenient else policy.outcome_only(facts)
        if fired:
            rules = map(policy.rule, fired)
            return next((rule for rule in rules if loss in losses_named(rule.use)), None)
        chooser = policy.file.otherwise
    else:
        rule_id = winner(policy, facts)
        chooser = policy.rule(rule_id) if rule_id is not None else policy.file.otherwise
    return chooser if chooser is not None and loss in losses_named(chooser.use) else None
