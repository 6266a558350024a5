"""Comparisons joined by `and` that no value of a fact can make true together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

from nebula.policy.expression.syntax import (
    And,
    Compare,
    Condition,
    FactRef,
    HasWord,
    Known,
    Literal,
    NameRef,
    Not,
    Or,
    Span,
    Term,
)
from nebula.policy.intervals import Interval, satisfying
from nebula.policy.term_ranges import Terms

__all__ = ["Contradiction", "find_contradictions"]

_NEGATED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "in": "not in", "not in": "in"}
_SWAPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True)
class Contradiction:
    """One comparison that cannot hold beside earlier ones.

    Attributes:
        name: The fact that would have to differ from itself.
        text: The comparison, after `not` where it stands below one.
        earlier: The comparisons that it contradicts.
        span: Its place in the condition that was searched.
    """

    name: str
    text: str
    earlier: tuple[str, ...]
    span: Span


@dataclass(frozen=True)
class _Demand:
    """What comparisons ask of one fact; `known` is None when they do not care."""

    known: bool | None = None
    interval: Interval = Interval()  # noqa: RUF009 - it is frozen
    allowed: frozenset[object] | None = None
    excluded: frozenset[object] = frozenset()
    told: tuple[tuple[str, Span], ...] = ()
    clash: bool = False

    def join(self, other: _Demand) -> _Demand:
        sets = [demand.allowed for demand in (self, other) if demand.allowed is not None]
        return _Demand(
            self.known if other.known is None else other.known,
            self.interval.meet(other.interval),
            frozenset.intersection(*sets) if sets else None,
            self.excluded | other.excluded,
            self.told + other.told,
            clash=None not in (self.known, other.known) and self.known != other.known,
        )


def find_contradictions(
    condition: Condition, definitions: Mapping[str, Condition], terms: Terms
) -> Iterator[Contradiction]:
    """Yield the comparisons of a condition that contradict earlier ones beside them.

    What lies wholly inside one definition is found when that definition is searched.

    Args:
        condition: A checked tree.
        definitions: Conditions by name, without circles.
        terms: What is known about the names.
    """
    yield from _Search(definitions, terms).conjunction([(condition, True, None)], {})


_Item = tuple[Condition, bool, Span | None]
"""A condition, whether it is asked to be true or false, and the definition's place it came through."""


class _Search:
    def __init__(self, definitions: Mapping[str, Condition], terms: Terms) -> None:
        self.definitions, self.terms = definitions, terms

    def conjunction(self, items: list[_Item], held: dict[str, _Demand]) -> Iterator[Contradiction]:
        """Search conditions that must hold together, given what already must."""
        branches: list[_Item] = []
        for node, positive, place in self.flatten(items):
            if isinstance(node, And | Or):
                branches += [(node, positive, place)]
                continue
            text = node.span.text if positive else f"not {node.span.text}"
            for name, demand in self.demands(node, positive):
                told = replace(demand, told=((text, place or node.span),))
                if not self.possible(name, told):
                    continue  # alone out of the fact's range, which is told as such
                joined = held[name].join(told) if name in held else told
                if self.possible(name, joined):
                    held[name] = joined
                    continue
                earlier = held[name].told
                if any(span is not place for _, span in earlier):
                    yield Contradiction(name, text, tuple(dict.fromkeys(t for t, _ in earlier)), place or node.span)
        for node, positive, place in branches:
            parts = cast("And | Or", node).parts
            found = [list(self.conjunction([(part, positive, place)], dict(held))) for part in parts]
            # That one way is closed is a slip only where it was written for this very place:
            # `a and not (a and b)` and definitions with an `or` are meant.
            if (positive and place is None) or all(found):
                yield from (contradiction for way in found for contradiction in way)

    def flatten(self, items: list[_Item]) -> Iterator[_Item]:
        """Yield what must hold together: comparisons, and choices between several."""
        for node, positive, place in items:
            match node:
                case And(parts) if positive:
                    yield from self.flatten([(part, positive, place) for part in parts])
                case Or(parts) if not positive:
                    yield from self.flatten([(part, positive, place) for part in parts])
                case Not(part):
                    yield from self.flatten([(part, not positive, place)])
                case NameRef(name) if name in self.definitions:
                    yield from self.flatten([(self.definitions[name], positive, place or node.span)])
                case _:
                    yield node, positive, place

    def possible(self, name: str, demand: _Demand) -> bool:
        """Some value, or the lack of one, meets the demand."""
        interval = demand.interval.meet(self.terms.bounds(name))
        if self.terms.is_whole(name):
            interval = interval.whole()
        if demand.clash or interval.empty or interval.point in demand.excluded:
            return False
        allowed, choices = demand.allowed, self.terms.choices(name)
        if choices is not None:
            allowed = choices if allowed is None else allowed & choices
        if allowed is None:
            return True
        inside = (value for value in allowed - demand.excluded if self.fits(value, interval, name))
        return demand.known is False or next(inside, None) is not None

    def fits(self, value: object, interval: Interval, name: str) -> bool:
        """A listed number lies in the interval, and is whole where the fact is; others always fit."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        return value in interval and (value == value // 1 or not self.terms.is_whole(name))

    def demands(self, node: Condition, positive: bool) -> Iterator[tuple[str, _Demand]]:
        """Yield what a comparison asks of each fact it reads."""
        match node:
            case Known(operand):
                yield operand.name, _Demand(known=positive)
            case HasWord(operand):
                yield from ((name, _Demand(known=True)) for name in self.terms.subjects(operand))
            case Compare(op, left, right):
                yield from self.comparison(op if positive else _NEGATED[op], left, right)
            case FactRef() | NameRef():
                yield from (
                    (name, _Demand(known=True, allowed=frozenset([positive]))) for name in self.terms.subjects(node)
                )
            case Literal() | _:
                return

    def comparison(self, op: str, left: Term, right: Term | tuple[Term, ...]) -> Iterator[tuple[str, _Demand]]:
        if isinstance(right, tuple):
            members = frozenset(self.terms.constant(element) for element in right)
            demand = _Demand(allowed=members) if op == "in" else _Demand(excluded=members)
        else:
            if self.terms.subject(left) is None:
                op, left, right = _SWAPPED.get(op, op), right, left
            demand = self.against(op, self.terms.constant(right))
        name = self.terms.subject(left)
        if name is not None:
            yield name, replace(demand, known=True)
        others = (left,) if isinstance(right, tuple) else (left, right)
        yield from ((other, _Demand(known=True)) for term in others for other in self.terms.subjects(term))

    def against(self, op: str, constant: object) -> _Demand:
        """Return what `fact op constant` asks; nothing when the other side is no constant."""
        if constant is None:
            return _Demand()
        if op == "!=":
            return _Demand(excluded=frozenset([constant]))
        if isinstance(constant, int | float) and not isinstance(constant, bool):
            return _Demand(interval=satisfying(op, constant))
        return _Demand(allowed=frozenset([constant]))
