"""Comparisons in three-valued logic: true, false, or unknown when a fact was not observed."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from nebula.policy.expression.syntax import (
    Arithmetic,
    Compare,
    FactRef,
    HasWord,
    Known,
    NameRef,
    Negative,
    Term,
)
from nebula.policy.expression.terms import Constant, Scope, Slot, Value, Values, compile_term, reader
from nebula.policy.expression.words import words_of
from nebula.profiling.vocabulary import FactValue

__all__ = ["Atom", "ComparisonOutcome", "Leaf", "Outcome", "Test", "compile_atom", "outcome_name"]

Outcome = Literal["true", "false", "unknown"]
Test = Callable[[Values], bool | None]
Leaf = Compare | HasWord | Known | FactRef | NameRef

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class ComparisonOutcome(NamedTuple):
    """One comparison on one profile.

    Attributes:
        text: The comparison as written.
        outcome: `unknown` when an operand was.
        values: Every fact, derived fact and parameter read, by name.
        fact: The fact, when a single number is compared with a constant.
        threshold: That constant.
        distance: |value - threshold|; None when the value is unknown.
    """

    text: str
    outcome: Outcome
    values: tuple[tuple[str, FactValue], ...]
    fact: str | None
    threshold: float | None
    distance: float | None


def outcome_name(result: bool | None) -> Outcome:
    """Return the name of a Kleene truth value."""
    return "unknown" if result is None else "true" if result else "false"


@dataclass(frozen=True, eq=False)
class Atom:
    """A comparison compiled against a policy's slots.

    Attributes:
        text: The comparison as written.
        test: Kleene value of the comparison on a list of slot values.
        reads: (name, slot) of each fact and derived fact read; (name, constant) of a parameter.
        fact: (name, slot) of the single number compared with a constant, if it is one.
        threshold: That constant.
        node: Its syntax tree, for those who reason about it instead of running it.
    """

    text: str
    test: Test
    reads: tuple[tuple[str, Slot | Constant], ...]
    fact: tuple[str, int] | None
    threshold: float | None
    node: Leaf

    def record(self, values: Values, result: bool | None) -> ComparisonOutcome:
        """Return the outcome with everything that was read."""
        seen = tuple(
            (name, values[source.index] if isinstance(source, Slot) else source.value) for name, source in self.reads
        )
        if self.fact is None or self.threshold is None:
            return ComparisonOutcome(self.text, outcome_name(result), seen, None, None, None)
        value = values[self.fact[1]]
        distance = None if value is None else abs(float(value) - self.threshold)
        return ComparisonOutcome(self.text, outcome_name(result), seen, self.fact[0], self.threshold, distance)


def compile_atom(node: Leaf, scope: Scope) -> Atom:
    """Compile one comparison.

    Args:
        node: A comparison, a test for a word or a value, or a boolean fact, type-checked.
        scope: Where its names find values.
    """
    fact, threshold = _threshold(node, scope)
    reads = tuple(dict.fromkeys((name, _source(name, scope)) for name in _names(node)))
    return Atom(node.span.text, _test(node, scope), reads, fact, threshold, node)


def _test(node: Leaf, scope: Scope) -> Test:
    match node:
        case Known(operand):
            index = scope.slot(operand.name)
            return lambda values: values[index] is not None
        case HasWord(operand, words):
            return _word_test(reader(compile_term(operand, scope)), frozenset(word.casefold() for word in words))
        case Compare(op, left, right):
            value = compile_term(left, scope)
            if isinstance(right, tuple):
                members = frozenset(_constant(element, scope) for element in right)
                return _member_test(reader(value), members, positive=op == "in")
            return _compare_test(_COMPARE[op], value, compile_term(right, scope))
        case _:
            return reader(compile_term(node, scope))


def _compare_test(op: Callable[[Any, Any], bool], left: Value, right: Value) -> Test:
    if isinstance(left, Slot) and isinstance(right, Constant) and right.value is not None:
        index, constant = left.index, right.value

        def compare_constant(values: Values) -> bool | None:
            value = values[index]
            return None if value is None else op(value, constant)

        return compare_constant
    first, second = reader(left), reader(right)

    def compare(values: Values) -> bool | None:
        a, b = first(values), second(values)
        return None if a is None or b is None else op(a, b)

    return compare


def _member_test(read: Callable[[Values], Any], members: frozenset[Any], *, positive: bool) -> Test:
    def member(values: Values) -> bool | None:
        value = read(values)
        return None if value is None else (value in members) is positive

    return member


def _word_test(read: Callable[[Values], Any], words: frozenset[str]) -> Test:
    def has_word(values: Values) -> bool | None:
        text = read(values)
        return None if text is None else not words.isdisjoint(words_of(text))

    return has_word


def _constant(term: Term, scope: Scope) -> bool | int | float | str:
    value = compile_term(term, scope)
    if not isinstance(value, Constant):
        raise TypeError(f"a list of constants holds {term.span.text!r}")
    constant: bool | int | float | str = value.value
    return constant


def _threshold(node: Leaf, scope: Scope) -> tuple[tuple[str, int] | None, float | None]:
    """Find the fact and the constant of `fact < constant` or `constant < fact`."""
    if not isinstance(node, Compare) or isinstance(node.right, tuple):
        return None, None
    for side, other in ((node.left, node.right), (node.right, node.left)):
        if isinstance(side, FactRef):
            constant = compile_term(other, scope)
            if isinstance(constant, Constant) and type(constant.value) in (int, float):
                try:
                    return (side.name, scope.slot(side.name)), float(constant.value)
                except OverflowError:
                    return None, None
    return None, None


def _source(name: str, scope: Scope) -> Slot | Constant:
    return Constant(scope.parameters[name]) if name in scope.parameters else Slot(scope.slot(name))


def _names(node: Leaf | Term) -> Iterator[str]:
    match node:
        case FactRef(name) | NameRef(name):
            yield name
        case Known(operand) | HasWord(operand) | Negative(operand):
            yield from _names(operand)
        case Compare(_, left, right):
            for side in (left, *(right if isinstance(right, tuple) else (right,))):
                yield from _names(side)
        case Arithmetic(_, left, right):
            yield from _names(left)
            yield from _names(right)
