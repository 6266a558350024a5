"""Comparisons whose outcome the bounds of the facts settle before any data are seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nebula.policy.expression.syntax import Compare, Condition, FactRef, Literal, NameRef, Span, Term
from nebula.policy.intervals import Interval, verdict
from nebula.policy.structure import parts_of, structure
from nebula.policy.term_ranges import Terms

__all__ = ["Finding", "find_settled"]


class Finding(NamedTuple):
    """Something in a condition that is probably not meant.

    Attributes:
        code: Stable name of the kind of finding.
        message: What was found.
        hint: What to do.
        span: Where.
    """

    code: str
    message: str
    hint: str
    span: Span


def find_settled(condition: Condition, terms: Terms) -> Iterator[Finding]:
    """Yield every comparison in a condition that can never hold, or always does.

    Args:
        condition: A checked tree; what stands in definitions is searched with them.
        terms: What is known about the names.
    """
    if isinstance(condition, Literal) and not condition.value:
        yield Finding("NEB-P101", "the condition is `false`: it can never hold.", "Leave the rule out.", condition.span)
    for node in parts_of(condition):
        if isinstance(node, Compare):
            yield from _members(node, terms) if isinstance(node.right, tuple) else _sides(node, node.right, terms)


def _sides(node: Compare, right: Term, terms: Terms) -> Iterator[Finding]:
    whole = _fraction_of_whole(node.left, right, terms) or _fraction_of_whole(right, node.left, terms)
    if node.op in ("==", "!=") and whole:
        hint = "Compare with `<` or `>`, or with a whole number."
        yield Finding("NEB-P104", f"{whole}: `{node.span.text}` {_outcome(node.op == '!=')}.", hint, node.span)
        return
    if structure(node.left) == structure(right):
        holds: bool | None = node.op in ("==", "<=", ">=")
        why = "both sides are the same"
    elif not _reads_data(node.left, right, terms):
        return
    else:
        holds = verdict(node.op, terms.range(node.left), terms.range(right))
        why = " and ".join(_lies(side, terms) for side in (node.left, right) if not isinstance(side, Literal))
    if holds is not None:
        meant = _percentage(node.left, right, terms) or _percentage(right, node.left, terms)
        yield _settled(node, why, holds=holds, hint=meant)


def _settled(node: Compare, why: str, *, holds: bool, hint: str = "") -> Finding:
    if holds:
        hint = hint or "Leave it out; to ask whether a fact was observed, write `known(...)`."
        return Finding("NEB-P102", f"{why}: `{node.span.text}` {_outcome(True)}.", hint, node.span)
    return Finding(
        "NEB-P101", f"{why}: `{node.span.text}` {_outcome(False)}.", hint or "Mend one side of it.", node.span
    )


def _members(node: Compare, terms: Terms) -> Iterator[Finding]:
    name = terms.subject(node.left)
    choices = terms.choices(name) if name is not None else None
    elements = node.right if isinstance(node.right, tuple) else ()
    if choices is not None and choices <= {terms.constant(element) for element in elements}:
        words = ", ".join(sorted(map(str, choices)))
        yield _settled(node, f"`{node.left.span.text}` is one of {words}", holds=node.op == "in")
    if terms.subject(node.left) is None or (terms.range(node.left) == Interval() and not _whole(node.left, terms)):
        return
    for element in elements:
        never = verdict("==", terms.range(node.left), terms.range(element)) is False
        if never or _fraction_of_whole(node.left, element, terms):
            why = _lies(node.left, terms) if never else f"`{node.left.span.text}` is a whole number"
            hint = _percentage(node.left, element, terms) or "Take it off the list."
            yield Finding("NEB-P101", f"{why}: it can never be `{element.span.text}`.", hint, element.span)


def _percentage(fact: Term, other: Term, terms: Terms) -> str:
    """Return a hint where a fraction is compared with what reads as a percentage: two digits or 100."""
    constant = terms.constant(other)
    if not isinstance(fact, FactRef) or not terms.is_fraction(fact.name) or not isinstance(constant, int | float):
        return ""
    return f"It is a fraction from 0 to 1: did you mean {constant / 100:g}?" if 10 <= constant <= 100 else ""


def _outcome(holds: bool) -> str:
    return "always holds once it is known" if holds else "can never hold"


def _reads_data(left: Term, right: Term, terms: Terms) -> bool:
    """The outcome of parameters alone is a switch that somebody set on purpose."""
    names = any(isinstance(side, NameRef) for side in (left, right))
    return any(terms.subjects(left)) or any(terms.subjects(right)) or not names


def _whole(term: Term, terms: Terms) -> bool:
    return isinstance(term, FactRef) and terms.is_whole(term.name)


def _fraction_of_whole(fact: Term, other: Term, terms: Terms) -> str:
    """Say so when a whole number is compared with a constant that is none."""
    constant = terms.constant(other)
    if not _whole(fact, terms) or isinstance(constant, bool | str) or constant is None or constant == constant // 1:
        return ""
    return f"`{fact.span.text}` is a whole number and `{other.span.text}` is not"


def _lies(term: Term, terms: Terms) -> str:
    interval = terms.range(term)
    if interval.point is not None:
        return f"`{term.span.text}` is {interval.point:g}"
    return f"`{term.span.text}` lies in {interval}"
