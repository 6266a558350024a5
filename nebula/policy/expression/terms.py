"""Values inside a comparison, compiled once to closures over a list of fact values."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from nebula.policy.expression.syntax import Arithmetic, FactRef, Literal, NameRef, Negative, Term

__all__ = ["Constant", "Scope", "Slot", "Value", "Values", "compile_term", "reader"]

Values = list[Any]
"""The values of one evaluation by slot: derived facts first, then the facts that the policy reads."""

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


@dataclass
class Scope:
    """Where names find their values.

    Attributes:
        derived: Names of the derived facts; they have the first slots.
        parameters: Effective parameters; constants.
        facts: Facts met so far, in the order of their slots.
    """

    derived: tuple[str, ...]
    parameters: Mapping[str, bool | int | float | str]
    facts: dict[str, int] = field(default_factory=dict)

    def slot(self, name: str) -> int:
        """Return the slot of a fact or derived name, giving a new fact the next one."""
        if name in self.derived:
            return self.derived.index(name)
        return self.facts.setdefault(name, len(self.derived) + len(self.facts))


@dataclass(frozen=True)
class Constant:
    """A value known at load; None is unknown (a constant division by zero)."""

    value: Any


@dataclass(frozen=True)
class Slot:
    """A value read at evaluation."""

    index: int


_INFINITE = (inf, -inf)
Value = Constant | Slot | Callable[[Values], Any]


def compile_term(node: Term, scope: Scope) -> Value:
    """Return how a value is read: a constant, a slot, or a closure for arithmetic.

    Args:
        node: The term.
        scope: Where its names find values.
    """
    match node:
        case Literal(value):
            return Constant(value)
        case FactRef(name):
            return Slot(scope.slot(name))
        case NameRef(name):
            return Constant(scope.parameters[name]) if name in scope.parameters else Slot(scope.slot(name))
        case Negative(operand):
            return _compute(operator.sub, Constant(0), compile_term(operand, scope))
        case Arithmetic(op, left, right):
            return _compute(_OPERATORS[op], compile_term(left, scope), compile_term(right, scope))


def reader(value: Value) -> Callable[[Values], Any]:
    """Return a closure that reads the value."""
    if isinstance(value, Constant):
        constant = value.value
        return lambda _: constant
    if isinstance(value, Slot):
        return operator.itemgetter(value.index)
    return value


def _overflowed(result: float, a: float, b: float) -> bool:
    """Two finite numbers gave an infinite one: too large for a float, which says nothing about the data."""
    return result in _INFINITE and a not in _INFINITE and b not in _INFINITE


def _compute(op: Callable[[Any, Any], Any], left: Value, right: Value) -> Value:
    first, second = reader(left), reader(right)

    def compute(values: Values) -> Any:
        a, b = first(values), second(values)
        if a is None or b is None:
            return None
        try:
            result = op(a, b)
        except (ZeroDivisionError, OverflowError):
            return None
        return None if result != result or _overflowed(result, a, b) else result

    if isinstance(left, Constant) and isinstance(right, Constant):
        return Constant(compute([]))
    return compute
