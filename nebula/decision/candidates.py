"""The values worth trying for each fact that a policy reads: its thresholds' edges, its choices, unknown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ValidationError

from nebula.policy.compiled import CompiledPolicy
from nebula.policy.expression.evaluate import Atom
from nebula.policy.expression.syntax import Compare, HasWord
from nebula.policy.expression.terms import Constant, Scope, Values, compile_term, reader
from nebula.policy.invariants import WHOLE_WITH_THE_TARGET
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import Fact, FactValue, vocabulary

__all__ = ["candidate_values"]

_MARGIN = 1e-9


def candidate_values(policy: CompiledPolicy, facts: Mapping[str, FactValue]) -> dict[str, tuple[FactValue, ...]]:
    """Return, for every fact that the policy reads, the other values that can turn a comparison over.

    A number is put on, just below and just above each constant it is compared with, and where two
    sides that both vary become equal; a name takes each of its choices; and whatever is known can
    be unknown. Lists have no other value. Values outside a fact's bounds are left out.

    Args:
        policy: The policy.
        facts: Present values by dotted name.

    Returns:
        Values by dotted name, in the order of the comparisons that read them.
    """
    plan = policy.plan
    scope = Scope(plan.derived, policy.parameters, {name: len(plan.derived) + i for i, name in enumerate(plan.facts)})
    values: Values = [*[None] * len(plan.derived), *[facts.get(name) for name in plan.facts]]
    found: dict[str, list[FactValue]] = {name: [] for name in plan.facts}
    for atom in plan.atoms:
        for name, _ in atom.reads:
            if name in found:
                found[name].extend(_from_comparison(atom, vocabulary()[name], scope, values))
    return {
        name: tuple(_distinct(name, _all(vocabulary()[name], tried), facts.get(name))) for name, tried in found.items()
    }


def _all(fact: Fact, tried: list[FactValue]) -> list[FactValue]:
    """Put unknown first where it means taking a declaration back, and last where it means not seeing the data."""
    known = [*tried, *_anywhere(fact, tried)]
    return [None, *known] if fact.name.startswith("hints.") else [*known, None]


def _from_comparison(atom: Atom, fact: Fact, scope: Scope, values: Values) -> Iterator[FactValue]:
    node = atom.node
    if fact.choices:
        return
    if fact.kind == "str":
        if isinstance(node, HasWord):
            yield node.words[0]
        elif isinstance(node, Compare):
            yield from (constant for constant in _constants(node, scope) if isinstance(constant, str))
    elif fact.kind in ("int", "float") and isinstance(node, Compare):
        constants = [c for c in _constants(node, scope) if isinstance(c, int | float)]
        crossings = [*constants, *_root(node, fact, scope, values)]
        edges = [atom.threshold] if atom.threshold is not None else crossings
        for edge in edges:
            yield from _around(fact, float(edge))


def _constants(node: Compare, scope: Scope) -> Iterator[bool | int | float | str]:
    sides = (node.left, *(node.right if isinstance(node.right, tuple) else (node.right,)))
    for side in sides:
        value = compile_term(side, scope)
        if isinstance(value, Constant) and value.value is not None:
            yield value.value


def _root(node: Compare, fact: Fact, scope: Scope, values: Values) -> Iterator[float]:
    """Find where two sides that both vary are equal, the other facts as they are, if they are linear."""
    if isinstance(node.right, tuple) or fact.name not in scope.facts:
        return
    left, right = compile_term(node.left, scope), compile_term(node.right, scope)
    slot, first, second = scope.facts[fact.name], reader(left), reader(right)

    def gap(value: float) -> float | None:
        tried = [*values[:slot], value, *values[slot + 1 :]]
        a, b = first(tried), second(tried)
        return float(a) - float(b) if isinstance(a, int | float) and isinstance(b, int | float) else None

    at_one, at_two = gap(1.0), gap(2.0)
    if at_one is None or at_two is None or not 0 < abs(at_two - at_one) < math.inf:
        return
    root = 1 - at_one / (at_two - at_one)
    yield from (root - _MARGIN * abs(root), root, root + _MARGIN * abs(root))


def _around(fact: Fact, edge: float) -> Iterator[FactValue]:
    if not math.isfinite(edge):
        return
    whole = (math.ceil(edge) - 1, math.floor(edge) + 1)
    if fact.kind == "int":
        yield from (round(edge), *whole)
        return
    yield from (edge, math.nextafter(edge, -math.inf), math.nextafter(edge, math.inf))
    if fact.name in WHOLE_WITH_THE_TARGET:
        yield from map(float, whole)


def _anywhere(fact: Fact, tried: list[FactValue]) -> Iterator[FactValue]:
    """Yield the values that do not hang on a comparison."""
    if fact.kind == "bool":
        yield from (True, False)
    elif fact.kind == "str":
        yield from fact.choices
    elif fact.kind in ("int", "float") and not tried:
        low = 0.0 if fact.low is None else fact.low
        middle = (low + fact.high) / 2 if fact.high is not None else low + 1
        yield from (int(low), int(low) + 1) if fact.kind == "int" else (low, middle)


def _distinct(name: str, tried: list[FactValue], present: FactValue) -> Iterator[FactValue]:
    """Leave out the present value, repeats, and what the fact's type does not allow."""
    group, _, field = name.partition(".")
    model = DataProfile.model_fields[group].annotation
    seen = {present}
    for value in tried:
        if value not in seen and isinstance(model, type) and issubclass(model, BaseModel):
            seen.add(value)
            if value is None or _allowed(model, field, value):
                yield value


def _allowed(model: type[BaseModel], field: str, value: FactValue) -> bool:
    try:
        return bool(getattr(model.model_validate({field: value}), field) == value)
    except ValidationError:
        return False
