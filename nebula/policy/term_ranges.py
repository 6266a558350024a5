"""Where the terms of a condition can lie, by the vocabulary's bounds and the parameters' values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import inf

from nebula.policy.expression.namespace import Name
from nebula.policy.expression.syntax import Arithmetic, FactRef, Literal, NameRef, Negative, Term
from nebula.policy.intervals import Interval, combine
from nebula.profiling.vocabulary import Fact

__all__ = ["Terms"]

Scalar = bool | int | float | str


@dataclass(frozen=True)
class Terms:
    """What is known about every name before any data are seen.

    Attributes:
        facts: The vocabulary.
        names: Parameters, definitions and derived facts.
        units: What the policy says that its parameters are measured in, by name.
    """

    facts: Mapping[str, Fact]
    names: Mapping[str, Name]
    units: Mapping[str, str] = field(default_factory=dict)

    def range(self, term: Term) -> Interval:
        """Return an interval that holds every value of a number."""
        match term:
            case Literal(value):
                return _only(value)
            case FactRef(name):
                return self.bounds(name)
            case NameRef(name):
                return _only(self.names[name].value)
            case Negative(operand):
                return combine("-", Interval(0, 0), self.range(operand))
            case Arithmetic(op, left, right):
                return combine(op, self.range(left), self.range(right))

    def bounds(self, name: str) -> Interval:
        """Return where a fact or derived fact lies."""
        fact = self.facts.get(name)
        if fact is None:
            return Interval()
        low, high = (-inf if fact.low is None else fact.low), (inf if fact.high is None else fact.high)
        return Interval(low, high, fact.low_open, fact.high_open)

    def is_whole(self, name: str) -> bool:
        """The fact is a whole number by its type."""
        return name in self.facts and self.facts[name].kind == "int"

    def is_fraction(self, name: str) -> bool:
        """The fact is a share of a whole: a number from 0 to 1 by its bounds."""
        bounds = self.bounds(name)
        return (bounds.low, bounds.high) == (0, 1) and self.facts[name].kind == "float"

    def choices(self, name: str) -> frozenset[Scalar] | None:
        """Return all values that a string or yes/no fact can take, or None when they are open."""
        if name in self.facts:
            fact = self.facts[name]
            return frozenset((True, False)) if fact.kind == "bool" else frozenset(fact.choices) or None
        known = self.names[name]
        return frozenset((True, False)) if known.kind == "bool" else frozenset(known.choices) or None

    def subject(self, term: Term) -> str | None:
        """Return the name of a fact or derived fact, None for any other term."""
        if isinstance(term, FactRef):
            return term.name
        return term.name if isinstance(term, NameRef) and self.names[term.name].role == "derived" else None

    def subjects(self, term: Term) -> Iterator[str]:
        """Yield every fact and derived fact that a term reads."""
        match term:
            case Negative(operand):
                yield from self.subjects(operand)
            case Arithmetic(_, left, right):
                yield from self.subjects(left)
                yield from self.subjects(right)
            case _:
                name = self.subject(term)
                if name is not None:
                    yield name

    def constant(self, term: Term) -> Scalar | None:
        """Return the value of a term that reads no data, None for any other."""
        match term:
            case Literal(value):
                return value
            case NameRef(name):
                return self.names[name].value
            case _:
                return None if any(self.subjects(term)) else self.range(term).point


def _only(value: object) -> Interval:
    """Return the interval of one number; nothing is known of what is no number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Interval(value, value)
    return Interval()
