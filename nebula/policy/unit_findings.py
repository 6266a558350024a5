"""Comparisons and sums of facts that are measured in different units."""

from __future__ import annotations

from collections.abc import Iterator

from nebula.policy.expression.syntax import Arithmetic, Compare, Condition, FactRef, Literal, NameRef, Negative, Term
from nebula.policy.range_findings import Finding
from nebula.policy.structure import parts_of
from nebula.policy.term_ranges import Terms

__all__ = ["find_mixed_units"]

_COUNT, _FRACTION = "a count", "a fraction"
_QUANTITIES = {
    "rows": _COUNT,
    "values": _COUNT,
    "fraction": _FRACTION,
    "percent": "a percentage",
    "%": "a percentage",
    "of the target": "in the unit of the target",
}
"""What a unit measures; any other word stands for itself in a fact, and for anything in a parameter."""

_HINT = "Compare it with a constant, a parameter or a fact of its own unit; a ratio `a / b` of one unit has none."


def find_mixed_units(condition: Condition, terms: Terms) -> Iterator[Finding]:
    """Yield every comparison, sum or difference of two units in a condition.

    Products and quotients are left alone, and so is what has no unit that is known.

    Args:
        condition: A checked tree; what stands in definitions is searched with them.
        terms: What is known about the names.
    """
    for node in parts_of(condition):
        if isinstance(node, Compare):
            rights = node.right if isinstance(node.right, tuple) else (node.right,)
            for side in (node.left, *rights):
                yield from _sums(side, terms)
            yield from (found for right in rights for found in _mixed(node, node.left, right, terms))


def _sums(term: Term, terms: Terms) -> Iterator[Finding]:
    match term:
        case Negative(operand):
            yield from _sums(operand, terms)
        case Arithmetic(op, left, right):
            yield from _sums(left, terms)
            yield from _sums(right, terms)
            if op in "+-":
                yield from _mixed(term, left, right, terms)


def _mixed(node: Compare | Arithmetic, left: Term, right: Term, terms: Terms) -> Iterator[Finding]:
    one, other = _quantity(left, terms), _quantity(right, terms)
    if one and other and one != other:
        message = f"`{left.span.text}` is {one} and `{right.span.text}` is {other}: `{node.span.text}` mixes them."
        yield Finding("NEB-P110", message, _HINT, node.span)


def _quantity(term: Term, terms: Terms) -> str | None:
    """Return what a term measures; None when it has no unit, or none that is known."""
    match term:
        case FactRef(name):
            return _of_fact(name, terms)
        case NameRef(name):
            return _QUANTITIES.get(terms.units.get(name, ""))
        case Negative(operand):
            return _quantity(operand, terms)
        case Arithmetic("+" | "-", left, right):
            one, other = _quantity(left, terms), _quantity(right, terms)
            return one if other in (None, one) else other if one is None else None
        case Arithmetic(op, left, right) if isinstance(right, Literal) or (op == "*" and isinstance(left, Literal)):
            return _quantity(left if isinstance(right, Literal) else right, terms)
        case _:
            return None


def _of_fact(name: str, terms: Terms) -> str | None:
    fact = terms.facts[name]
    if fact.unit is not None:
        return _QUANTITIES.get(fact.unit, f"in {fact.unit}")
    return _FRACTION if terms.is_fraction(name) else None
