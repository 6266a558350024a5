"""Whether facts can belong to one data set, and its declarations be meant: laws, run on them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from nebula.policy.expression.parser import parse_condition
from nebula.policy.inference import holding
from nebula.policy.invariants import INVARIANTS, WHOLE_WITH_THE_TARGET
from nebula.policy.plan import Plan, make_plan
from nebula.policy.strata import Strata
from nebula.profiling.vocabulary import FactValue

__all__ = ["broken_laws", "facts_of_law", "laws_kept"]

_WHOLE = "target.is_integer_valued"

_MEANT: dict[str, str] = {
    "binary": "target.n_unique <= 2 or known(target.void_value)",
    "multiclass": "target.is_integer_valued or target.is_simplex",
    "multilabel": "target.n_columns >= 2",
    "distribution": "target.is_simplex",
    "ordinal": "target.repeat_rate > 0",
    "count": "target.is_integer_valued and target.min >= 0",
    "proportion": "target.min >= 0 and target.max <= 100",
    "positive": "target.min > 0",
    "zero_inflated_positive": "target.min >= 0 and target.zero_fraction > 0",
    "survival": "target.min >= 0",
}
"""What a declared task says of the data: nobody is advised to declare what they contradict."""

_LAWS = (
    *(law.condition for law in INVARIANTS),
    *(f"hints.task != '{task}' or {says}" for task, says in _MEANT.items()),
)


def broken_laws(facts: Mapping[str, FactValue]) -> frozenset[int]:
    """Return the numbers of the laws that these facts break; unknown facts break none by themselves.

    Args:
        facts: Values by dotted name; a missing or None one is unknown.
    """
    found = set(holding(_plan(), facts))
    if facts.get(_WHOLE):
        for place, name in enumerate(WHOLE_WITH_THE_TARGET):
            value = facts.get(name)
            if isinstance(value, float) and not value.is_integer():
                found.add(len(_LAWS) + place)
    return frozenset(found)


def laws_kept(broken: frozenset[int]) -> tuple[str, ...]:
    """Return the laws as conditions that are never false, without the broken ones.

    Args:
        broken: Numbers of laws, as `broken_laws` gives them.
    """
    return tuple(law for number, law in enumerate(_LAWS) if number not in broken)


@cache
def facts_of_law(number: int) -> frozenset[str]:
    """Return the facts that a law speaks of: whoever breaks it must change one of them."""
    if number >= len(_LAWS):
        return frozenset({_WHOLE, WHOLE_WITH_THE_TARGET[number - len(_LAWS)]})
    plan = _plan()
    return frozenset(name for atom in plan.rules[number].atoms for name, _ in plan.atoms[atom].reads)


@cache
def _plan() -> Plan:
    """Compile, for each law, the condition that it is broken."""
    conditions = [parse_condition(f"not ({law})", lambda offset: (0, offset)) for law in _LAWS]
    return make_plan(conditions, [], lenient=(), definitions={}, parameters={}, strata=Strata((), {}, 0))
