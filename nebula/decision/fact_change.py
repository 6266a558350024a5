"""One fact that would have to be otherwise: how far, whose to change, and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from nebula.decision.changes import Changes, Whose, kind_of, relative_move
from nebula.decision.explain import show_value
from nebula.decision.naming import choosing_rule
from nebula.policy.compiled import CompiledPolicy
from nebula.policy.expression.evaluate import Atom
from nebula.policy.expression.syntax import Compare
from nebula.profiling.vocabulary import FactValue, vocabulary

__all__ = ["FactChange", "describe_changes"]

_FURTHER = 0.01


class FactChange(BaseModel):
    """A fact and the value it would have to take."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    fact: str = Field(description="Dotted name.")
    kind: Whose = Field(
        description="`declaration`: a hint, which the user may give; `prediction`: follows from the model's output; "
        "`data`: only other data would show it."
    )
    before: FactValue = Field(description="Present value; null is unknown.")
    after: FactValue = Field(description="Nearest value tried that selects the loss; null is unknown.")
    comparison: str | None = Field(description="The policy's comparison whose truth this changes.")
    threshold: float | None = Field(description="The constant it is compared with, if that is its form.")
    distance: float | None = Field(description="|after - before| of two numbers, in the fact's unit.")
    relative_distance: float | None = Field(description="distance / max(|after|, |before|).")
    unit: str | None = Field(description="Unit of the fact, where it has one.")
    further: bool = Field(description="A little further (1 %; 1 for whole numbers) selects the loss as well.")

    def clause(self) -> str:
        """Say the change as the second half of a sentence with *if*."""
        if self.kind == "declaration":
            if self.after is None:
                return f"you did not declare {self.fact} (now {show_value(self.before)})"
            now = f" instead of {show_value(self.before)}" if self.before is not None else ""
            return f"you declared {self.fact}={show_value(self.after)}{now}"
        if self.after is None:
            return f"{self.fact} were unknown instead of {show_value(self.before)}"
        if self.before is None:
            return f"{self.fact} were {self._goal()} (now unknown)"
        if self.distance is None:
            return f"{self.fact} were {show_value(self.after)} instead of {show_value(self.before)}"
        verb = "rose" if self._rising() else "fell"
        return f"{self.fact} {verb} from {show_value(self.before)} to {self._goal()}"

    def owner(self) -> str:
        """Say who can change it."""
        return {
            "declaration": "yours to declare",
            "prediction": "follows from the model's output",
            "data": "a fact of the data",
        }[self.kind]

    def _rising(self) -> bool | None:
        before, after = _number(self.before), _number(self.after)
        return None if before is None or after is None else after > before

    def _goal(self) -> str:
        after, edge, rising = _number(self.after), self.threshold, self._rising()
        if after is None:
            return show_value(self.after)
        wide = self.further and rising is not None
        if edge is not None and after == math.nextafter(edge, math.inf):
            return f"{'' if wide and rising else 'just '}above {show_value(edge)}"
        if edge is not None and after == math.nextafter(edge, -math.inf):
            return f"{'' if wide and not rising else 'just '}below {show_value(edge)}"
        bound = ("at least " if rising else "at most ") if wide else ""
        return f"{bound}{show_value(self.after)}"


def describe_changes(
    policy: CompiledPolicy, facts: Mapping[str, FactValue], changes: Changes, loss: str
) -> tuple[FactChange, ...]:
    """Describe the changes that a search found.

    Args:
        policy: The policy.
        facts: Present values by dotted name.
        changes: Facts and their new values, which together select the loss.
        loss: Its name.
    """
    return tuple(_describe(policy, facts, changes, place, loss) for place in range(len(changes)))


def _describe(
    policy: CompiledPolicy, facts: Mapping[str, FactValue], changes: Changes, place: int, loss: str
) -> FactChange:
    name, after = changes[place]
    before = facts[name]
    atom = _crossed(policy, facts, name, after)
    numbers = _number(before) is not None and _number(after) is not None
    return FactChange(
        fact=name,
        kind=kind_of(name),
        before=before,
        after=after,
        comparison=atom.text if atom else None,
        threshold=atom.threshold if atom else None,
        distance=abs(float(after) - float(before)) if numbers else None,  # type: ignore[arg-type]  # just checked
        relative_distance=relative_move(before, after) if numbers else None,
        unit=vocabulary()[name].unit,
        further=choosing_rule(policy, {**facts, **dict(changes), name: _further(before, after)}, loss) is not None,
    )


def _number(value: FactValue) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _crossed(policy: CompiledPolicy, facts: Mapping[str, FactValue], name: str, after: FactValue) -> Atom | None:
    """Find the comparison that turns over, one with a constant on its edge before any other."""
    plan = policy.plan
    if name not in plan.facts:  # a law or a contract asks for the change, no rule
        return None
    values = [*[None] * len(plan.derived), *[facts.get(fact) for fact in plan.facts]]
    slot = len(plan.derived) + plan.facts.index(name)
    changed = [*values[:slot], after, *values[slot + 1 :]]
    turned = [
        atom
        for atom in plan.atoms
        if any(read == name for read, _ in atom.reads) and atom.test(values) is not atom.test(changed)
    ]
    edge = _number(after)
    for atom in turned:
        if edge is not None and atom.threshold is not None and isinstance(atom.node, Compare):
            near = (math.nextafter(atom.threshold, -math.inf), atom.threshold, math.nextafter(atom.threshold, math.inf))
            if edge in near:
                return atom
    return next(iter(turned), None)


def _further(before: FactValue, after: FactValue) -> FactValue:
    start, end = _number(before), _number(after)
    if end is None:
        return after
    upwards = start is None or end > start
    step = 1 if isinstance(after, int) else max(abs(end) * _FURTHER, math.ulp(end))
    return after + step if upwards else after - step  # type: ignore[operator]  # a number, as `end` tells
