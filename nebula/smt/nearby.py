"""Profiles that differ from a given one in few facts, and on which a policy names a loss."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from nebula.policy.compiled import CompiledPolicy
from nebula.policy.model import SelectRule, Use
from nebula.profiling.vocabulary import FactValue, facts_of
from nebula.smt.clauses import breaches
from nebula.smt.encoding import EncodedPolicy
from nebula.smt.oracle import Oracle
from nebula.smt.solver import z3
from nebula.smt.values import number_of
from nebula.smt.witness import read_profile

__all__ = ["Nearby"]


class Nearby:
    """Sets of facts whose change makes a policy name a loss, over all values that they can take.

    A profile is excluded when it breaks a law, or a clause of the contract of the loss that the rule
    names. Numbers are real numbers: the rounding of arithmetic inside conditions is left out of account.

    Args:
        policy: The policy.
        facts: Present values by dotted name; None is unknown.
        loss: Name of a loss.
        laws: Conditions that no changed profile may make false.

    Attributes:
        questions: How often the solver was asked.
    """

    def __init__(self, policy: CompiledPolicy, facts: Mapping[str, FactValue], loss: str, laws: Sequence[str]) -> None:
        self._base = facts
        self._oracle = Oracle(laws)
        self._goal = _named(self._oracle, self._oracle.learn(policy), loss)
        names = list(self._oracle.facts.known)
        self._unchanged = {name: self._keeps(name) for name in names}
        self._changed = {name: z3.Bool(f"changed {name}") for name in names}
        self._told = [self._changed[name] == z3.Not(self._unchanged[name]) for name in names]

    @property
    def questions(self) -> int:
        """How often the solver was asked."""
        return self._oracle.questions

    def consistent(self) -> bool:
        """Say whether the present facts themselves keep every law; otherwise nothing would follow from a proof."""
        return self._oracle.find(*self._unchanged.values(), about="the present facts") is not None

    def none_within(self, size: int | None) -> bool:
        """Say whether it is proven that no set of so many changed facts, or fewer, makes the policy name the loss.

        Args:
            size: The most facts; None for any number.
        """
        return not self._oracle.possible(*self._wanted(size), about=f"{size} changes")

    def within(self, size: int) -> Iterator[dict[str, FactValue]]:
        """Yield sets of at most so many facts with their new values; whoever takes the next one refused the last.

        Args:
            size: The most facts.
        """
        refused: list[Any] = []
        others: list[Any] = []
        about = f"{size} changes"
        while True:
            model = self._oracle.find(*self._wanted(size), *refused, *others, about=about)
            if model is None and others:  # every set of names was shown once: now other values of theirs
                others.clear()
                continue
            if model is None:
                return
            names = [name for name, changed in self._changed.items() if z3.is_true(model.eval(changed))]
            others.append(z3.Not(z3.And([self._changed[name] for name in names])))
            kept = [unchanged for name, unchanged in self._unchanged.items() if name not in names]
            refused.append(z3.Not(z3.And(*kept, *(self._same(model, name) for name in names))))
            try:
                seen = facts_of(read_profile(model, self._oracle.facts))
            except ValidationError:  # values that no profile can hold, such as a number beyond the floats
                continue
            yield {name: seen[name] for name in names}

    def _wanted(self, size: int | None) -> list[Any]:
        few = [] if size is None else [z3.AtMost(*self._changed.values(), size)]
        return [self._goal, *self._told, *few]

    def _same(self, model: Any, name: str) -> Any:
        """The fact is as in the model."""
        known, value = self._oracle.facts.known[name], self._oracle.facts.value[name]
        seen = model.eval(known, model_completion=True)
        if value is None or z3.is_false(seen):
            return known == seen
        return z3.And(known, value == model.eval(value, model_completion=True))

    def _keeps(self, name: str) -> Any:
        """The fact is as it is."""
        before, known, value = self._base[name], self._oracle.facts.known[name], self._oracle.facts.value[name]
        if before is None or (isinstance(before, float) and not math.isfinite(before)):
            return z3.Not(known)
        if value is None:
            return known
        return z3.And(known, value == self._constant(before))

    def _constant(self, value: FactValue) -> Any:
        if isinstance(value, str):
            return z3.IntVal(self._oracle.facts.code(value))
        return z3.BoolVal(value) if isinstance(value, bool) else number_of(value)  # type: ignore[arg-type]  # no list


def _named(oracle: Oracle, encoded: EncodedPolicy, loss: str) -> Any:
    """When a policy names a loss, the contract of the rule's choice kept."""
    file = encoded.policy.file
    select = encoded.holds[len(file.derive) :]
    ways = []
    for place, rule in enumerate(file.select):
        if _names(rule.use, loss) and not (rule.ambiguous and file.on_ambiguous == "refuse"):
            ways.append(z3.And(_decides(encoded, select, place), _fits(oracle, rule.use)))
    if file.otherwise and _names(file.otherwise.use, loss):
        ways.append(z3.And(*map(z3.Not, select), _fits(oracle, file.otherwise.use)))
    return z3.Or(ways)


def _decides(encoded: EncodedPolicy, select: Sequence[Any], place: int) -> Any:
    rules: tuple[SelectRule, ...] = encoded.policy.file.select
    match encoded.policy.file.hit_policy:
        case "collect":
            return select[place]
        case "unique":
            others = [z3.Not(select[i]) for i, rule in enumerate(rules) if rule.use != rules[place].use]
            return z3.And(select[place], *others)
        case _:
            return encoded.first[place]


def _names(use: Use | None, loss: str) -> bool:
    return use is not None and loss in {use.loss, *(part.loss for part in use.parts())}


def _fits(oracle: Oracle, use: Use | None) -> Any:
    clauses = breaches(use) if use is not None else ()
    return z3.And([z3.Not(oracle.condition(breach.when)[0]) for breach in clauses])
