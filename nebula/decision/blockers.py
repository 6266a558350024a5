"""Which facts stand between a profile and a rule: unless one of them changes, the rule cannot decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nebula.policy.compiled import CompiledPolicy
from nebula.policy.expression.formula import All, Certain, Formula, Is, kleene
from nebula.policy.expression.formula import Any as AnyOf
from nebula.policy.expression.terms import Constant, Slot
from nebula.policy.plan import Setter
from nebula.profiling.vocabulary import FactValue

__all__ = ["blocking_facts"]

Facts = frozenset[str]

_NONE: Facts = frozenset()


def blocking_facts(policy: CompiledPolicy, facts: Mapping[str, FactValue], rule: int | None) -> Facts | None:
    """Return facts of which at least one must change for a select rule to be the one that decides.

    Where several parts of a condition fail, the part that fewest facts bear on is taken, for each of
    them must change; where one of several ways would do, the facts of all of them are returned.

    Args:
        policy: The policy.
        facts: Present values by dotted name.
        rule: Place of the rule among the select rules; None for `otherwise`.

    Returns:
        The facts; none at all when nothing could help; None when the rule already fires and no rule
        stands in its way.
    """
    state = _State(policy, facts)
    first = len(policy.file.derive)
    select = range(first, first + len(policy.file.select))
    if rule is not None and not state.holds[first + rule]:
        return state.make(policy.plan.rules[first + rule].formula)
    unique = policy.file.hit_policy == "unique" and rule is not None
    own = policy.file.select[rule].use if rule is not None else None
    together = unique or rule is None
    rivals = select if together else select[:0] if policy.file.hit_policy == "collect" else select[:rule]
    for number in rivals:
        if state.holds[number] and not (unique and policy.file.select[number - first].use == own):
            return state.undo(policy.plan.rules[number].formula)
    return None


def _anything(value: Any) -> bool:
    return True


class _State:
    """A policy's comparisons and rules on one profile, and what bears on them."""

    def __init__(self, policy: CompiledPolicy, facts: Mapping[str, FactValue]) -> None:
        self.plan = plan = policy.plan
        self.n_derived = len(plan.derived)
        self.values: list[Any] = [*[None] * self.n_derived, *[facts.get(name) for name in plan.facts]]
        self.judged: list[bool | None] = [None] * len(plan.atoms)
        self.holds = [False] * len(plan.rules)
        self.setters: dict[int, tuple[Setter, ...]] = {}
        self._known: dict[tuple[int, bool, bool, bool], Facts] = {}
        for phase, rules in enumerate(plan.rule_phases):
            for index in plan.atom_phases[phase]:
                self.judged[index] = plan.atoms[index].test(self.values)
            for number in rules:
                self.holds[number] = kleene(plan.rules[number].formula, self.judged) is True
            for slot, setters in plan.settled[phase] if phase < len(plan.settled) else ():
                self.setters[slot] = setters
                current = self._current(slot)
                if current is not None:
                    self.values[slot] = self._value(current)

    def make(self, formula: Formula) -> Facts:
        """Return the facts of which one must change for a formula that is not true to become so."""
        match formula:
            case Is():
                return self._turn(formula, wanted=True)
            case All(parts):
                failing = [self.make(part) for part in parts if kleene(part, self.judged) is not True]
                return min(failing, key=len, default=_NONE)
            case AnyOf(parts):
                return _NONE.union(*(self.make(part) for part in parts))
            case Certain():
                return _NONE

    def undo(self, formula: Formula) -> Facts:
        """Return the facts of which one must change for a formula that is true to cease to be so."""
        match formula:
            case Is():
                return self._turn(formula, wanted=False)
            case All(parts):
                return _NONE.union(*(self.undo(part) for part in parts))
            case AnyOf(parts):
                holding = [self.undo(part) for part in parts if kleene(part, self.judged) is True]
                return min(holding, key=len, default=_NONE)
            case Certain():
                return _NONE

    def _turn(self, leaf: Is, *, wanted: bool) -> Facts:
        key = (leaf.atom, leaf.positive, leaf.possible, wanted)
        if key not in self._known:
            self._known[key] = self._bearing(leaf, wanted=wanted)
        return self._known[key]

    def _bearing(self, leaf: Is, *, wanted: bool) -> Facts:
        atom = self.plan.atoms[leaf.atom]
        slots = {source.index for _, source in atom.reads if isinstance(source, Slot)}
        found = frozenset(self.plan.facts[slot - self.n_derived] for slot in slots if slot >= self.n_derived)
        for slot in slots:
            if slot < self.n_derived:
                accept = partial(self._answers, leaf, wanted, slot) if len(slots) == 1 else _anything
                found = found.union(self._settle_otherwise(slot, accept))
        return found

    def _answers(self, leaf: Is, wanted: bool, slot: int, value: Any) -> bool:
        """Say whether a comparison is as wanted when the name in a slot has this value."""
        result = self.plan.atoms[leaf.atom].test([*self.values[:slot], value, *self.values[slot + 1 :]])
        holds = result is not (not leaf.positive) if leaf.possible else result is leaf.positive
        return holds is wanted

    def _settle_otherwise(self, slot: int, accept: Callable[[Any], bool]) -> Facts:
        """Return the facts of which one must change for a derived name to take another, acceptable value."""
        current = self._current(slot)
        held = _NONE if current is None else self.undo(self.plan.rules[current.rule].formula)
        ways = [held] if current is not None and accept(None) else []
        for setter in self.setters[slot]:
            if isinstance(setter.value, Slot):
                ways.append(self._behind(setter.value.index))
            elif not accept(setter.value.value):
                continue
            if not self.holds[setter.rule]:
                ways.append(self.make(self.plan.rules[setter.rule].formula))
            elif setter is not current:
                ways.append(held)
        return _NONE.union(*ways)

    def _behind(self, slot: int) -> Facts:
        """Return every fact that can change the value in a slot by being copied there."""
        if slot >= self.n_derived:
            return frozenset({self.plan.facts[slot - self.n_derived]})
        return self._settle_otherwise(slot, _anything)

    def _current(self, slot: int) -> Setter | None:
        return next((setter for setter in self.setters[slot] if self.holds[setter.rule]), None)

    def _value(self, setter: Setter) -> Any:
        return setter.value.value if isinstance(setter.value, Constant) else self.values[setter.value.index]
