"""Why this loss: what came of every rule, as a sentence, a tree and JSON, from the trace alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nebula.decision.explain import show_value
from nebula.decision.failing import first_failing
from nebula.decision.trace import ComparisonTrace, DecisionTrace, RuleTrace, Status, Verdict
from nebula.policy.expression.evaluate import Outcome
from nebula.profiling.vocabulary import FactValue, vocabulary

__all__ = ["FailingComparison", "RuleAccount", "Why", "explain_why"]

State = Literal["fired", "failed", "unknown", "not reached"]

_MARK: dict[State, str] = {"fired": "=>", "failed": "-", "unknown": "?", "not reached": "."}


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FailingComparison(_Value):
    """The first comparison that had to be otherwise for its rule to fire."""

    text: str = Field(description="Source text.")
    outcome: Outcome
    values: dict[str, FactValue] = Field(description="Every name it read, with the value; null is unknown.")
    fact: str | None = Field(description="The one numeric fact compared to a constant, if that is its form.")
    value: float | None = Field(description="That fact's value; null when it is unknown.")
    threshold: float | None = Field(description="The constant.")
    distance: float | None = Field(description="|value - threshold|, in the fact's unit.")
    relative_distance: float | None = Field(description="distance / max(|value|, |threshold|); 0 is on the edge.")
    unit: str | None = Field(description="Unit of the fact, where it has one.")

    def sentence(self) -> str:
        """Say what it compared, what it found, and how far that is from the threshold."""
        seen = ", ".join(f"{name} = {show_value(value)}" for name, value in self.values.items())
        far = ""
        if self.distance is not None and self.relative_distance is not None:
            unit = f" {self.unit}" if self.unit else ""
            far = f"; {self.distance:.3g}{unit} away, {self.relative_distance:.0%}"
        return f"`{self.text}` is {self.outcome} [{seen}{far}]"


class RuleAccount(_Value):
    """What came of one rule."""

    id: str
    kind: Literal["derive", "select"]
    state: State = Field(
        description="`not reached`: an earlier rule had chosen, or had set the same names; `verdict` tells the rest."
    )
    verdict: Verdict = Field(description="What its condition came to, reached or not.")
    loss: str | None = Field(description="The loss a select rule names.")
    because: str | None
    condition: str = Field(description="Source text of `when`.")
    failing: FailingComparison | None = Field(description="Null when the condition is true.")

    def sentence(self) -> str:
        """Say what came of it in one line."""
        name = f"{self.id} -> {self.loss}" if self.loss else self.id
        held = f" (its condition is {'true' if self.verdict == 'also true' else self.verdict})"
        state = self.state + (held if self.state == "not reached" else "")
        return f"{name}: {state}{f' at {self.failing.sentence()}' if self.failing else ''}"


class Why(_Value):
    """Why a loss was chosen, rule by rule."""

    loss: str | None = Field(description="The loss; null when the policy refuses to guess.")
    rule_id: str | None = Field(description="The rule that chose it; null for `otherwise`.")
    because: str | None
    status: Status
    policy: str = Field(description="Name and version.")
    rules: tuple[RuleAccount, ...] = Field(description="Derive rules first, then select rules, in order.")

    def sentence(self) -> str:
        """Say in one sentence what decided and what came of all other rules."""
        count = Counter(rule.state for rule in self.rules)
        told = ", ".join(f"{count[state]} {state}" for state in _MARK if count[state])
        by = f"rule `{self.rule_id}`" if self.rule_id else "`otherwise`, for no rule fired"
        return (
            f"{self.loss or 'no loss'} by {by} of {self.policy} ({self.status}): {self.because} "
            f"Of {len(self.rules)} rules: {told}."
        )

    def tree(self) -> str:
        """Draw every rule under its section; `=>` fired, `-` failed, `?` unknown, `.` not reached."""
        return "\n".join(self._branches())

    def _branches(self) -> Iterator[str]:
        yield self.sentence()
        sections = [(kind, [r for r in self.rules if r.kind == kind]) for kind in ("derive", "select")]
        sections = [(kind, rules) for kind, rules in sections if rules]
        for place, (kind, rules) in enumerate(sections):
            last = place == len(sections) - 1
            yield f"{'└' if last else '├'}─ {kind}"
            for rule in rules:
                trunk, twig = " " if last else "│", "└" if rule is rules[-1] else "├"
                yield f"{trunk}  {twig}─ {_MARK[rule.state]} {rule.sentence()}"


def explain_why(trace: DecisionTrace) -> Why:
    """Give the account of a decision, made now or read back from a file.

    Args:
        trace: The record.

    Returns:
        What came of every rule.
    """
    fired = False
    rules = []
    for rule in trace.rules:
        rules.append(_account(rule, after=fired))
        fired = fired or (rule.kind == "select" and rule.verdict == "fired")
    return Why(
        loss=trace.spec.loss if trace.spec else None,
        rule_id=trace.rule_id,
        because=trace.because,
        status=trace.status,
        policy=f"{trace.policy.name} {trace.policy.version}",
        rules=tuple(rules),
    )


def _account(rule: RuleTrace, *, after: bool) -> RuleAccount:
    states: dict[Verdict, State] = {
        "fired": "fired",
        "also true": "not reached",
        "false": "failed",
        "unknown": "unknown",
    }
    failing = first_failing(rule)
    return RuleAccount(
        id=rule.id,
        kind=rule.kind,
        state="not reached" if after else states[rule.verdict],
        verdict=rule.verdict,
        loss=rule.loss,
        because=rule.because,
        condition=rule.condition,
        failing=_failing(failing) if failing else None,
    )


def _failing(comparison: ComparisonTrace) -> FailingComparison:
    value = comparison.values.get(comparison.fact) if comparison.fact else None
    number = float(value) if isinstance(value, int | float) else None
    relative = None
    if number is not None and comparison.threshold is not None and comparison.distance is not None:
        largest = max(abs(number), abs(comparison.threshold))
        relative = comparison.distance / largest if comparison.distance else 0.0
    fact = vocabulary().get(comparison.fact or "")
    return FailingComparison(
        text=comparison.text,
        outcome=comparison.outcome,
        values=comparison.values,
        fact=comparison.fact,
        value=number,
        threshold=comparison.threshold,
        distance=comparison.distance,
        relative_distance=relative,
        unit=fact.unit if fact else None,
    )
