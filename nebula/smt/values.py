"""Facts and terms as z3 sees them: a value under the condition that it is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from nebula.policy.expression.syntax import Arithmetic, FactRef, Literal, NameRef, Negative, Term
from nebula.policy.expression.words import words_of
from nebula.policy.invariants import WHOLE_WITH_THE_TARGET
from nebula.profiling.vocabulary import Fact, vocabulary
from nebula.smt.solver import z3

__all__ = ["Case", "FactTable", "constant_case", "number_of", "read_term"]


class Case(NamedTuple):
    """One value that a term may have.

    Attributes:
        guard: z3 condition under which it has it.
        value: A z3 number or truth value, or a Python string constant, or a z3 code of a string.
    """

    guard: Any
    value: Any


class FactTable:
    """The variables of all facts met so far, and what their types alone say about them.

    A fact is a variable and a truth value *known*. Strings are whole-number codes: constants have
    the first ones, and a free string may have any code beyond.

    Attributes:
        known: Truth value by fact.
        value: Variable by fact; a list has none.
    """

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}
        self.value: dict[str, Any] = {}
        self.words: dict[str, Any] = {}
        self._codes: dict[str, int] = {}
        self._free: list[str] = []

    def case(self, name: str) -> Case:
        """Return a fact's only case, declaring its variable the first time."""
        if name not in self.known:
            fact = vocabulary()[name]
            self.known[name] = z3.Bool(f"known {name}")
            self.value[name] = _variable(fact)
            if fact.kind == "str" and not fact.choices:
                self._free.append(name)
        return Case(self.known[name], self.value[name])

    def code(self, text: str) -> int:
        """Return the code of a string constant."""
        return self._codes.setdefault(text, len(self._codes))

    def word(self, word: str) -> Any:
        """Return the predicate `has this word` over codes."""
        return self.words.setdefault(word, z3.Function(f"has {word}", z3.IntSort(), z3.BoolSort()))

    def string(self, code: int) -> str | None:
        """Return the constant of a code, None for a free string's."""
        return next((text for text, number in self._codes.items() if number == code), None)

    def axioms(self) -> list[Any]:
        """Return what the types say: bounds, choices, words of constants; call it after all else is encoded."""
        found = [axiom for name in list(self.known) for axiom in self._of_type(vocabulary()[name])]
        for word, has in self.words.items():
            if words_of(word) != {word.casefold()}:
                found += [z3.Not(has(self.value[name])) for name in self._free]
            found += [has(code) == (word.casefold() in words_of(text)) for text, code in self._codes.items()]
        return found

    def _of_type(self, fact: Fact) -> list[Any]:
        value = self.value[fact.name]
        if fact.kind == "str":
            choices = [value == self.code(choice) for choice in fact.choices]
            return [z3.Or(choices)] if choices else [value >= 0]
        bounds = []
        if fact.kind in ("int", "float"):
            low, high = (None if end is None else number_of(end) for end in (fact.low, fact.high))
            bounds += [] if low is None else [value > low if fact.low_open else value >= low]
            bounds += [] if high is None else [value < high if fact.high_open else value <= high]
        if fact.name in WHOLE_WITH_THE_TARGET:
            whole = self.case("target.is_integer_valued")
            bounds.append(z3.Implies(z3.And(whole.guard, whole.value), z3.IsInt(value)))
        return bounds


def number_of(value: float) -> Any:
    """Return a number as z3 has it: the decimal it was written as, so that witnesses survive rounding."""
    if isinstance(value, int):
        return z3.IntVal(value)
    exact = Fraction(repr(value))
    return z3.Q(exact.numerator, exact.denominator)


def read_term(node: Term, resolve: Callable[[str], list[Case]], parameters: Mapping[str, Any]) -> list[Case]:
    """Return the cases of a term; where none applies it is unknown.

    Args:
        node: A checked term.
        resolve: Gives the cases of a fact or derived name.
        parameters: Effective parameters, by name.
    """
    match node:
        case Literal(value):
            return [constant_case(value)]
        case NameRef(name) if name in parameters:
            return [constant_case(parameters[name])]
        case FactRef(name) | NameRef(name):
            return resolve(name)
        case Negative(operand):
            return [Case(guard, -value) for guard, value in read_term(operand, resolve, parameters)]
        case Arithmetic(op, left, right):
            pairs = (
                (a, b) for a in read_term(left, resolve, parameters) for b in read_term(right, resolve, parameters)
            )
            return [_combine(op, a, b) for a, b in pairs]


def _combine(op: str, left: Case, right: Case) -> Case:
    a, b = z3.ToReal(left.value) if z3.is_int(left.value) else left.value, right.value
    b = z3.ToReal(b) if z3.is_int(b) else b
    both = z3.And(left.guard, right.guard)
    if op == "/":
        return Case(z3.And(both, b != 0), a / b)
    return Case(both, a + b if op == "+" else a - b if op == "-" else a * b)


def constant_case(value: float | str) -> Case:
    """Return the only case of a constant; a string stays one, so that comparing two costs the solver nothing."""
    if isinstance(value, str):
        return Case(z3.BoolVal(True), value)
    return Case(z3.BoolVal(True), z3.BoolVal(value) if isinstance(value, bool) else number_of(value))


def _variable(fact: Fact) -> Any:
    match fact.kind:
        case "bool":
            return z3.Bool(fact.name)
        case "float":
            return z3.Real(fact.name)
        case "int" | "str":
            return z3.Int(fact.name)
        case _:
            return None
