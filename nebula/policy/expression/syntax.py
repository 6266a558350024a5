"""The syntax tree of a condition: what the parser makes and every later stage reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as Choice

__all__ = [
    "And",
    "Arithmetic",
    "Compare",
    "Condition",
    "FactRef",
    "HasWord",
    "Known",
    "Literal",
    "NameRef",
    "Negative",
    "Node",
    "Not",
    "Operator",
    "Or",
    "Span",
    "Term",
]

Operator = Choice["==", "!=", "<", "<=", ">", ">=", "in", "not in"]


@dataclass(frozen=True)
class Span:
    """Where a node was written.

    Attributes:
        text: The source text, on one line.
        line: 1-based line in the file.
        column: 1-based column in the file.
        end_column: 1-based column after it, on the same line; 0 when it ends on another.
    """

    text: str
    line: int
    column: int
    end_column: int = 0


@dataclass(frozen=True)
class Literal:
    """A number, a string, or true or false."""

    value: bool | int | float | str
    span: Span


@dataclass(frozen=True)
class FactRef:
    """A dotted name: a fact of the profile."""

    name: str
    span: Span


@dataclass(frozen=True)
class NameRef:
    """A bare name: a parameter, a derived fact or a definition."""

    name: str
    span: Span


@dataclass(frozen=True)
class Negative:
    """The number with the other sign."""

    operand: Term
    span: Span


@dataclass(frozen=True)
class Arithmetic:
    """One of + - * / on two numbers."""

    op: Choice["+", "-", "*", "/"]
    left: Term
    right: Term
    span: Span


Term = Literal | FactRef | NameRef | Negative | Arithmetic


@dataclass(frozen=True)
class Known:
    """The fact or derived name has a value; never unknown itself."""

    operand: FactRef | NameRef
    span: Span


@dataclass(frozen=True)
class HasWord:
    """Any of the words is a word of the text."""

    operand: Term
    words: tuple[str, ...]
    span: Span


@dataclass(frozen=True)
class Compare:
    """One comparison with two sides; `in` and `not in` have a tuple of terms on the right."""

    op: Operator
    left: Term
    right: Term | tuple[Term, ...]
    span: Span


@dataclass(frozen=True)
class And:
    """Every part holds."""

    parts: tuple[Condition, ...]
    span: Span


@dataclass(frozen=True)
class Or:
    """At least one part holds."""

    parts: tuple[Condition, ...]
    span: Span


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Condition
    span: Span


Condition = Literal | FactRef | NameRef | Known | HasWord | Compare | And | Or | Not
Node = Condition | Term
