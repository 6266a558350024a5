"""What came out of evaluating a policy on one profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from nebula.policy.expression.evaluate import ComparisonOutcome, Outcome

__all__ = ["Evaluation", "RuleOutcome"]


class RuleOutcome(NamedTuple):
    """One rule on one profile.

    Attributes:
        id: The rule.
        outcome: Whether its condition is true, false or unknown.
        comparisons: Every comparison of the condition, definitions put in, in the order written.
        applied: For a derive rule, the names that took their value from it.
        fires: The condition is true, or it is unknown and the rule's `on_unknown` is not `skip`.
    """

    id: str
    outcome: Outcome
    comparisons: tuple[ComparisonOutcome, ...]
    applied: tuple[str, ...] = ()
    fires: bool = False


@dataclass(frozen=True)
class Evaluation:
    """All rules on one profile.

    Attributes:
        derived: The derived facts that are known, by name.
        derive: Every derive rule, in file order.
        select: Every select rule, in order.
        fired: Ids of all select rules that fire, in the order in which they decide.
        engine: Name and version of the engine that inferred it.
    """

    derived: dict[str, bool | int | float | str]
    derive: tuple[RuleOutcome, ...]
    select: tuple[RuleOutcome, ...]
    fired: tuple[str, ...]
    engine: str
