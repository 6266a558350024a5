"""What came out of evaluating a policy on one profile."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import NamedTuple

from nebula.policy.engine.program import literals_of
from nebula.policy.expression.evaluate import ComparisonOutcome, Outcome, outcome_name
from nebula.policy.expression.terms import Values
from nebula.policy.plan import Plan

__all__ = ["Evaluation", "Evidence", "RuleOutcome"]


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


class Evidence(NamedTuple):
    """What a run saw and found, without the words: every record is written from it when it is read.

    Attributes:
        plan: The compiled policy, which never changes.
        ids: Ids of the rules, derive rules first.
        n_derive: How many of them are derive rules.
        values: The values seen, by slot.
        literals: What held of the comparisons, as the bits of their literals.
        results: Kleene's value of each rule's condition.
        fires: Numbers of the rules that fire.
        applied: By number of a derive rule, the names that took their value from it.
    """

    plan: Plan
    ids: tuple[str, ...]
    n_derive: int
    values: Values
    literals: int
    results: list[bool | None]
    fires: AbstractSet[int]
    applied: dict[int, tuple[str, ...]]

    def outcomes(self) -> tuple[RuleOutcome, ...]:
        """Write every rule's outcome with its comparisons; nothing is evaluated again."""
        records = [atom.record(self.values, self._judged(number)) for number, atom in enumerate(self.plan.atoms)]
        return tuple(
            RuleOutcome(
                identity,
                outcome_name(result),
                tuple([records[index] for index in rule.atoms]),
                self.applied.get(number, ()),
                number in self.fires,
            )
            for number, (identity, rule, result) in enumerate(zip(self.ids, self.plan.rules, self.results, strict=True))
        )

    def _judged(self, atom: int) -> bool | None:
        for value in (True, False):
            if self.literals >> literals_of(atom, value)[0] & 1:
                return value
        return None


class Evaluation:
    """All rules on one profile; immutable. The rules' outcomes are written when they are first read.

    Attributes:
        derived: The derived facts that are known, by name.
        fired: Ids of all select rules that fire, in the order in which they decide.
        engine: Name and version of the engine that inferred it.
        assumed: Some rule fires although its condition is unknown.
    """

    __slots__ = ("_evidence", "_outcomes", "assumed", "derived", "engine", "fired")

    def __init__(self, evidence: Evidence, *, derived: dict[str, bool | int | float | str], engine: str) -> None:
        self._evidence = evidence
        self._outcomes: tuple[RuleOutcome, ...] | None = None
        self.derived, self.engine = derived, engine
        ids, results, first = evidence.ids, evidence.results, evidence.n_derive
        self.fired = tuple([ids[rule] for rule in sorted(evidence.fires) if rule >= first])
        self.assumed = evidence.plan.lenient and any(results[rule] is None for rule in evidence.fires)

    @property
    def derive(self) -> tuple[RuleOutcome, ...]:
        """Every derive rule, in file order."""
        return self._rules()[: self._evidence.n_derive]

    @property
    def select(self) -> tuple[RuleOutcome, ...]:
        """Every select rule, in order."""
        return self._rules()[self._evidence.n_derive :]

    def __eq__(self, other: object) -> bool:
        """Compare what was found and every record of it."""
        return isinstance(other, Evaluation) and self._content() == other._content()

    def __hash__(self) -> int:
        """Hash by what decides."""
        return hash((self.fired, self.engine))

    def __repr__(self) -> str:
        """Name what fired and who inferred it."""
        return f"Evaluation(fired={self.fired!r}, derived={self.derived!r}, engine={self.engine!r})"

    def _content(self) -> tuple[object, ...]:
        return self.derived, self._rules(), self.fired, self.engine

    def _rules(self) -> tuple[RuleOutcome, ...]:
        if self._outcomes is None:
            self._outcomes = self._evidence.outcomes()
        return self._outcomes
