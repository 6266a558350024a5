"""Conditions in negation normal form: what the trace, the fast path and the engines all read.

In Kleene's strong logic pushing `not` down to the comparisons changes no value, and a condition is
true exactly when its normal form is, reading every comparison as "is known to be true" or
"is known to be false". Nothing may be simplified by the excluded middle. A condition is not known to
be false exactly when its normal form holds with every comparison read as "may be true" or "may be
false": that is what `possibly` makes of it, for rules that fire on the unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from nebula.policy.expression.evaluate import Leaf, Test
from nebula.policy.expression.parser import MAX_DEPTH
from nebula.policy.expression.syntax import And, Condition, Literal, NameRef, Not, Or
from nebula.policy.expression.terms import Values

__all__ = [
    "MAX_EXPANDED",
    "All",
    "Any",
    "Certain",
    "ExpansionError",
    "Formula",
    "Is",
    "compile_holds",
    "kleene",
    "normalise",
    "possibly",
]

MAX_EXPANDED = 1000
MAX_EXPANDED_DEPTH = 3 * MAX_DEPTH


class ExpansionError(Exception):
    """A condition is too large once its definitions are put in."""


@dataclass(frozen=True)
class Is:
    """Comparison `atom` is known to be true, or (`positive=False`) known to be false.

    With `possible` it may be so: it is not known to be the opposite.
    """

    atom: int
    positive: bool
    possible: bool = False


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True)
class Any:
    """At least one part holds."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True)
class Certain:
    """True or false, whatever the data."""

    value: bool


Formula = Is | All | Any | Certain


def normalise(
    condition: Condition, definitions: Mapping[str, Condition], number: Callable[[Leaf], int]
) -> tuple[Formula, tuple[int, ...]]:
    """Put definitions in and push `not` down to the comparisons.

    Args:
        condition: A checked tree.
        definitions: Conditions by name, without cycles.
        number: Gives each comparison its number.

    Returns:
        The formula, and the numbers of all its comparisons in the order they were written.

    Raises:
        ExpansionError: More than 1,000 comparisons, or nested deeper than 96.
    """
    seen: list[int] = []

    def expand(node: Condition, depth: int, *, positive: bool) -> Formula:
        if depth > MAX_EXPANDED_DEPTH:
            raise ExpansionError(f"expected at most {MAX_EXPANDED_DEPTH} levels with definitions put in, found more.")
        match node:
            case And(parts) | Or(parts):
                inner = [expand(part, depth + 1, positive=positive) for part in parts]
                return _join(All if isinstance(node, And) is positive else Any, inner)
            case Not(part):
                return expand(part, depth + 1, positive=not positive)
            case Literal(value):
                return Certain(bool(value) is positive)
            case NameRef(name) if name in definitions:
                return expand(definitions[name], depth + 1, positive=positive)
            case _:
                if len(seen) >= MAX_EXPANDED:
                    raise ExpansionError(
                        f"expected at most {MAX_EXPANDED} comparisons with definitions put in, found more."
                    )
                seen.append(number(node))
                return Is(seen[-1], positive)

    return expand(condition, 1, positive=True), tuple(dict.fromkeys(seen))


def possibly(formula: Formula) -> Formula:
    """Return the formula that is true exactly when this one is not known to be false, else false."""
    match formula:
        case Is(atom, positive):
            return Is(atom, positive, possible=True)
        case All(parts):
            return All(tuple(possibly(part) for part in parts))
        case Any(parts):
            return Any(tuple(possibly(part) for part in parts))
        case _:
            return formula


def _join(kind: type[All | Any], parts: list[Formula]) -> Formula:
    """Flatten equal connectives and fold constants, which Kleene's logic allows."""
    absorbing, neutral = Certain(kind is Any), Certain(kind is All)
    flat = list(dict.fromkeys(_flatten(kind, parts)))
    if absorbing in flat:
        return absorbing
    kept = tuple(part for part in flat if part != neutral)
    if not kept:
        return neutral
    return kept[0] if len(kept) == 1 else kind(kept)


def _flatten(kind: type[All | Any], parts: list[Formula]) -> Iterator[Formula]:
    for part in parts:
        if isinstance(part, kind):
            yield from part.parts
        else:
            yield part


def kleene(formula: Formula, outcomes: list[bool | None]) -> bool | None:
    """Return the formula's Kleene value, given each comparison's."""
    if isinstance(formula, Is):
        value = outcomes[formula.atom]
        if formula.possible:
            return value is not (not formula.positive)
        return value if value is None or formula.positive else not value
    if isinstance(formula, Certain):
        return formula.value
    absorbing = isinstance(formula, Any)
    result: bool | None = not absorbing
    for part in formula.parts:
        value = kleene(part, outcomes)
        if value is absorbing:
            return absorbing
        if value is None:
            result = None
    return result


def compile_holds(formula: Formula, tests: Mapping[int, Test] | list[Test]) -> Test:
    """Compile to a closure that is truthy exactly when the formula is true; it stops early.

    Args:
        formula: In negation normal form.
        tests: Each comparison's Kleene test.
    """
    if isinstance(formula, Certain):
        value = formula.value
        return lambda _: value
    if isinstance(formula, Is):
        test = tests[formula.atom]
        if formula.possible:
            opposite = not formula.positive
            return lambda values: test(values) is not opposite
        return test if formula.positive else lambda values: test(values) is False
    parts = [compile_holds(part, tests) for part in formula.parts]
    return _every(parts) if isinstance(formula, All) else _some(parts)


def _every(parts: list[Test]) -> Test:
    if len(parts) == 2:
        first, second = parts
        return lambda values: first(values) and second(values)

    def every(values: Values) -> bool:
        for part in parts:  # noqa: SIM110 - a generator inside all() costs twice as much
            if not part(values):
                return False
        return True

    return every


def _some(parts: list[Test]) -> Test:
    def some(values: Values) -> bool:
        for part in parts:  # noqa: SIM110 - a generator inside any() costs twice as much
            if part(values):
                return True
        return False

    return some
