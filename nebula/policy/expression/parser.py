"""Condition text → syntax tree, through Python's own grammar and a whitelist of its nodes."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

from nebula.policy.expression.syntax import (
    And,
    Arithmetic,
    Compare,
    Condition,
    FactRef,
    HasWord,
    Known,
    Literal,
    NameRef,
    Negative,
    Not,
    Operator,
    Or,
    Span,
    Term,
)

__all__ = ["MAX_COMPARISONS", "MAX_DEPTH", "MAX_LENGTH", "ConditionError", "Locate", "parse_condition"]

MAX_LENGTH = 2000
MAX_DEPTH = 32
MAX_COMPARISONS = 200

Locate = Callable[[int], tuple[int, int]]

_COMPARE: dict[type[ast.cmpop], Operator] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}
_ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_STRING = re.compile(r"'[^']*'|\"[^\"]*\"")
_DIGIT_THEN_WORD = re.compile(r"(?<![\w.])[0-9][0-9_.]*(?:and|or|in|is|if|else|not|for)\b")
_FUNCTIONS = '`known(fact)` or `has_word(text, "word", ...)`'


class ConditionError(Exception):
    """A condition cannot be read.

    Attributes:
        message: What was expected, what was found, what to do.
        code: Stable name of the kind of fault.
        line: 1-based line in the file.
        column: 1-based column in the file.
        end_column: 1-based column after the part at fault; 0 when unknown.
    """

    def __init__(self, message: str, code: str, line: int, column: int, end_column: int = 0) -> None:
        super().__init__(message)
        self.message, self.code = message, code
        self.line, self.column, self.end_column = line, column, end_column


def parse_condition(text: str, locate: Locate | None = None) -> Condition:
    """Read one condition.

    Args:
        text: A condition in the policy language; line breaks count as spaces.
        locate: Maps an offset in `text` to its (line, column) in the file, both from 1.

    Returns:
        The tree; a chain `0 <= x < 1` has become the `And` of its two-sided comparisons.

    Raises:
        ConditionError: The text is not in the language or exceeds a bound (2,000 characters,
            depth 32, 200 comparisons).
    """
    return _Parser(text, locate or (lambda offset: (1, offset + 1))).parse()


class _Parser:
    def __init__(self, text: str, locate: Locate) -> None:
        self.text = re.sub(r"\s", " ", text)
        self.start = len(self.text) - len(self.text.lstrip())
        self.body = self.text.strip()
        self.locate = locate
        self.comparisons = 0

    def parse(self) -> Condition:
        self._screen()
        try:
            tree = ast.parse(self.body, mode="eval")
        except SyntaxError as error:
            offset = min(error.offset - 1, len(self.body)) if error.offset else len(self.body)
            raise self._error(
                f"expected a condition, found {_explain(error.msg, self.body[offset:])}.", offset
            ) from None
        except (ValueError, MemoryError, RecursionError):
            raise self._error(
                f"expected at most {MAX_DEPTH} levels of nesting, found more: use definitions.", code="NEB-P051"
            ) from None
        return self.condition(tree.body, 1)

    def _screen(self) -> None:
        """Refuse what Python's tokenizer would accept with a meaning of its own."""
        if not self.body:
            raise self._error("expected a condition, found nothing.")
        if len(self.text) > MAX_LENGTH:
            raise self._error(
                f"expected at most {MAX_LENGTH} characters, found {len(self.text)}: split it into definitions.",
                code="NEB-P051",
            )
        if (place := self.body.find("\\")) >= 0:
            raise self._error("a condition has no backslashes: write the character itself.", place)
        bare = _STRING.sub(lambda match: " " * len(match[0]), self.body)
        if (place := bare.find("#")) >= 0:
            raise self._error("a condition has no comments: put them on a YAML line of their own.", place)
        if match := _DIGIT_THEN_WORD.search(bare):
            raise self._error(f"expected a space after the number in `{match[0]}`.", match.start())

    def condition(self, node: ast.expr, depth: int) -> Condition:
        self._bound(node, depth)
        match node:
            case ast.BoolOp(op, values):
                parts = tuple(self.condition(value, depth + 1) for value in values)
                return (And if isinstance(op, ast.And) else Or)(parts, self.span(node))
            case ast.UnaryOp(ast.Not(), operand):
                return Not(self.condition(operand, depth + 1), self.span(node))
            case ast.Compare():
                return self._compare(node, depth)
            case ast.Call():
                return self._call(node, depth)
            case _:
                return cast("Condition", self.term(node, depth))

    def term(self, node: ast.expr, depth: int) -> Term:
        self._bound(node, depth)
        match node:
            case ast.Constant(value):
                return self._literal(node, value)
            case ast.Name(name):
                if name in ("true", "false"):
                    return Literal(name == "true", self.span(node))
                return NameRef(name, self.span(node))
            case ast.Attribute(ast.Name(group), field):
                return FactRef(f"{group}.{field}", self.span(node))
            case ast.UnaryOp(ast.USub(), operand):
                inner = self.term(operand, depth + 1)
                if isinstance(inner, Literal) and type(inner.value) in (int, float):
                    return Literal(-cast("float", inner.value), self.span(node))
                return Negative(inner, self.span(node))
            case ast.BinOp(left, op, right) if type(op) in _ARITHMETIC:
                sides = self.term(left, depth + 1), self.term(right, depth + 1)
                return Arithmetic(cast("Any", _ARITHMETIC[type(op)]), *sides, self.span(node))
            case _:
                raise self._refuse(node)

    def _compare(self, node: ast.Compare, depth: int) -> Condition:
        sides = [node.left, *node.comparators]
        self.comparisons += len(node.ops)
        if self.comparisons > MAX_COMPARISONS:
            raise self._error(
                f"expected at most {MAX_COMPARISONS} comparisons, found more: use definitions.", code="NEB-P051"
            )
        parts = tuple(
            self._two_sided(left, op, right, depth) for (left, right), op in zip(pairwise(sides), node.ops, strict=True)
        )
        return parts[0] if len(parts) == 1 else And(parts, self.span(node))

    def _two_sided(self, left: ast.expr, op: ast.cmpop, right: ast.expr, depth: int) -> Compare:
        name = _COMPARE.get(type(op))
        if name is None:
            raise self._error("expected `==` or `!=`, found `is`: test for a value with `known(...)`.", left)
        first = self.term(left, depth + 1)
        second: Term | tuple[Term, ...]
        if name in ("in", "not in"):
            if not isinstance(right, ast.List | ast.Tuple) or not right.elts:
                raise self._error(f"expected a list after `{name}`, e.g. `{name} [1, 2]`.", right)
            second = tuple(self.term(element, depth + 1) for element in right.elts)
        else:
            second = self.term(right, depth + 1)
        begin, end = self._offset(left), self._offset(right, end=True)
        return Compare(name, first, second, self._span(begin, end))

    def _call(self, node: ast.Call, depth: int) -> Known | HasWord:
        match node:
            case ast.Call(ast.Name("known"), [argument], []):
                operand = self.term(argument, depth + 1)
                if not isinstance(operand, FactRef | NameRef):
                    raise self._error("expected one fact or derived name in `known(...)`.", argument)
                return Known(operand, self.span(node))
            case ast.Call(ast.Name("has_word"), [argument, _, *_], []):
                words = tuple(self._word(word) for word in node.args[1:])
                return HasWord(self.term(argument, depth + 1), words, self.span(node))
            case _:
                raise self._error(f"expected {_FUNCTIONS}, found `{self.span(node).text}`.", node)

    def _word(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isalpha():
            return node.value
        raise self._error(f"expected a word of letters in quotes, found `{self.span(node).text}`.", node)

    def _literal(self, node: ast.expr, value: object) -> Literal:
        if isinstance(value, bool | str) or (isinstance(value, int | float) and _is_finite(value)):
            return Literal(value, self.span(node))
        if isinstance(value, int | float):
            raise self._error(f"expected a finite number, found `{self.span(node).text}`.", node)
        raise self._refuse(node)

    def _refuse(self, node: ast.expr) -> ConditionError:
        text = self.span(node).text
        match node:
            case ast.BoolOp() | ast.Compare() | ast.UnaryOp(ast.Not()) | ast.Call(ast.Name("known" | "has_word")):
                message = f"expected a value, found the condition `{text}`: join conditions with and, or, not."
            case ast.Constant(value=None):
                message = "expected a value, found None: ask whether a fact is known with `known(...)`."
            case _:
                message = (
                    f"expected comparisons, and/or/not, in, + - * /, {_FUNCTIONS}, found `{text}` "
                    f"({type(node).__name__})."
                )
        return self._error(message, node)

    def _bound(self, node: ast.expr, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self._error(
                f"expected at most {MAX_DEPTH} levels of nesting, found more: use definitions.", node, code="NEB-P051"
            )

    def span(self, node: ast.expr) -> Span:
        """Return the node's source text and its place in the file."""
        return self._span(self._offset(node), self._offset(node, end=True))

    def _span(self, begin: int, end: int) -> Span:
        text = self.body[begin:end]
        if "'" not in text and '"' not in text:
            text = " ".join(text.split())
        return Span(text, *self._place(begin, end))

    def _place(self, begin: int, end: int) -> tuple[int, int, int]:
        """Return line, column and, when the part ends on the same line, the column after it."""
        line, column = self.locate(self.start + begin)
        last_line, last_column = self.locate(self.start + max(begin, end - 1))
        return line, column, last_column + 1 if last_line == line else 0

    def _offset(self, node: ast.expr, *, end: bool = False) -> int:
        """Return the offset in characters; Python's columns count UTF-8 bytes."""
        column = node.end_col_offset if end else node.col_offset
        if self.body.isascii():
            return column or 0
        return len(self.body.encode()[:column].decode())

    def _error(self, message: str, where: ast.expr | int = 0, *, code: str = "NEB-P050") -> ConditionError:
        if isinstance(where, int):
            return ConditionError(message, code, *self.locate(self.start + where))
        return ConditionError(message, code, *self._place(self._offset(where), self._offset(where, end=True)))


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the largest float
        return False


def _explain(message: str, rest: str) -> str:
    """Reword the parts of Python's messages that speak of Python."""
    if not rest:
        return "its end too early"
    if rest.startswith("=") or "Maybe you meant '=='" in message:
        return "a single `=`: compare with `==`"
    return message.removeprefix("invalid syntax. ") if message != "invalid syntax" else f"`{rest[:20]}`"
