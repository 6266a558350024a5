"""Conditions checked against the vocabulary before any data are seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nebula.policy.expression.namespace import Kind, Name, did_you_mean, kind_of_fact, kind_of_value
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
    Or,
    Span,
    Term,
)
from nebula.profiling.vocabulary import Fact

__all__ = ["Report", "check_types"]

Report = Callable[[str, str, Span], None]

_ORDER = frozenset({"<", "<=", ">", ">="})
_NOUNS = {"bool": "true or false", "number": "a number", "string": "a string", "list": "a list"}


def check_types(condition: Condition, *, facts: Mapping[str, Fact], names: Mapping[str, Name], report: Report) -> None:
    """Report every name and type that does not fit.

    Args:
        condition: The tree.
        facts: The vocabulary, by dotted name.
        names: Parameters, derived facts and definitions, by bare name; `*` stands for names
            that an unreadable file would have declared.
        report: Called with each problem's code, message and place.
    """
    _Checker(facts, names, report).condition(condition)


class _Checker:
    def __init__(self, facts: Mapping[str, Fact], names: Mapping[str, Name], report: Report) -> None:
        self.facts, self.names, self.report = facts, names, report

    def condition(self, node: Condition) -> None:
        """Check a node that must be true, false or unknown."""
        match node:
            case And(parts) | Or(parts):
                for part in parts:
                    self.condition(part)
            case Not(part):
                self.condition(part)
            case Compare():
                self._compare(node)
            case HasWord(operand):
                self._expect(operand, "string", "in `has_word(...)`")
            case Known(operand):
                self._known(operand)
            case NameRef(name) if name in self.names and self.names[name].role == "definition":
                pass
            case _:
                kind = self.term(node)
                if kind not in ("bool", "any"):
                    found = "fact" if isinstance(node, FactRef) else "value"
                    example = "" if kind == "list" else f": compare it, e.g. `{node.span.text} == ...`"
                    text = f"`{node.span.text}`, which is {_NOUNS[kind]}{example}"
                    self.report("NEB-P054", f"expected a condition, found the {found} {text}.", node.span)

    def term(self, node: Term) -> Kind:
        """Return the type of a value; `any` after a problem, so that one fault is told once."""
        match node:
            case Literal(value):
                return kind_of_value(value)
            case FactRef(name):
                return self._fact(name, node.span)
            case NameRef(name):
                return self._name(name, node.span)
            case Negative(operand):
                return self._expect(operand, "number", "after `-`")
            case Arithmetic(op, left, right):
                for side in (left, right):
                    self._expect(side, "number", f"beside `{op}`")
                return "number"

    def _fact(self, name: str, span: Span) -> Kind:
        fact = self.facts.get(name)
        if fact is None:
            self.report("NEB-P052", f"unknown fact `{name}`.{did_you_mean(name, self.facts)}", span)
            return "any"
        return kind_of_fact(fact)

    def _name(self, name: str, span: Span) -> Kind:
        found = self.names.get(name)
        if found is None and "*" in self.names:
            return "any"
        if found is None:
            guess = did_you_mean(name, self.names) or did_you_mean(name, self.facts)
            self.report(
                "NEB-P053",
                f"unknown name `{name}`: expected a parameter, definition or derived fact; "
                f"facts are written with their group.{guess}",
                span,
            )
            return "any"
        if found.role == "definition":
            self.report(
                "NEB-P055", f"expected a value, found the definition `{name}`: join conditions with and, or, not.", span
            )
            return "any"
        return found.kind

    def _known(self, operand: FactRef | NameRef) -> None:
        self.term(operand)
        if isinstance(operand, NameRef) and (name := self.names.get(operand.name)) and name.role == "parameter":
            self.report(
                "NEB-P055", f"expected a fact or a derived fact, found the parameter `{operand.name}`.", operand.span
            )

    def _expect(self, node: Term, kind: Kind, where: str) -> Kind:
        found = self.term(node)
        if found not in (kind, "any"):
            self.report(
                "NEB-P054",
                f"expected {_NOUNS[kind]} {where}, found `{node.span.text}`, which is {_NOUNS[found]}.",
                node.span,
            )
        return kind

    def _compare(self, node: Compare) -> None:
        rights = node.right if isinstance(node.right, tuple) else (node.right,)
        left = self.term(node.left)
        for right in rights:
            kind = self.term(right)
            if isinstance(node.right, tuple) and self._constant(right) is None and kind != "any":
                self.report("NEB-P055", f"expected constants in the list, found `{right.span.text}`.", right.span)
            if "list" in (left, kind):
                self._refuse_list(node.left if left == "list" else right)
            elif kind != left and "any" not in (left, kind):
                self.report(
                    "NEB-P054",
                    f"expected both sides of one type, found `{node.left.span.text}` ({_NOUNS[left]}) "
                    f"{node.op} `{right.span.text}` ({_NOUNS[kind]}).",
                    node.span,
                )
            elif node.op in _ORDER and kind in ("string", "bool"):
                self.report(
                    "NEB-P058",
                    f"expected numbers beside `{node.op}`, found {_NOUNS[kind]} in `{node.span.text}`: "
                    "compare with `==`, `!=` or `in`.",
                    node.span,
                )
            else:
                self._check_choice(node.left, right)
                self._check_choice(right, node.left)

    def _refuse_list(self, side: Term) -> None:
        self.report(
            "NEB-P056",
            f"expected a single value, found the list `{side.span.text}`: lists go in `known(...)`.",
            side.span,
        )

    def _constant(self, node: Term) -> bool | int | float | str | None:
        match node:
            case Literal(value):
                return value
            case NameRef(name) if name in self.names:
                return self.names[name].value
            case _:
                return None

    def _check_choice(self, side: Term, other: Term) -> None:
        """A string compared with what the fact can never be is a slip of the pen."""
        choices: tuple[str, ...] = ()
        if isinstance(side, FactRef) and side.name in self.facts:
            choices = self.facts[side.name].choices
        elif isinstance(side, NameRef) and side.name in self.names:
            choices = self.names[side.name].choices
        value = self._constant(other)
        if choices and isinstance(value, str) and value not in choices:
            guess = did_you_mean(value, choices) or f" Known: {', '.join(choices)}."
            self.report("NEB-P057", f"`{side.span.text}` is never {value!r}.{guess}", other.span)
