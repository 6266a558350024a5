"""`all` / `any` / `not` trees and plain conditions → one syntax tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from nebula.policy import model
from nebula.policy.expression.parser import ConditionError, Locate, parse_condition
from nebula.policy.expression.syntax import And, Condition, Literal, Not, Or, Span

__all__ = ["Path", "Places", "read_condition"]

Path = tuple[str | int, ...]
Places = Callable[[Path], Locate]


def read_condition(
    condition: model.Condition, path: Path, places: Places, report: Callable[[ConditionError], None]
) -> Condition:
    """Read a condition as the policy model holds it.

    Args:
        condition: Text, true or false, or a tree.
        path: Where it stands in the file.
        places: Gives, for a path, the map from text offsets to lines and columns.
        report: Called with every fault; the faulty part then reads as `false`.

    Returns:
        The syntax tree.
    """
    locate = places(path)
    line, column = locate(0)
    if isinstance(condition, bool):
        return Literal(condition, Span("true" if condition else "false", line, column))
    if isinstance(condition, str):
        try:
            return parse_condition(condition, locate)
        except ConditionError as error:
            report(error)
            return Literal(value=False, span=Span(condition, line, column))
    if isinstance(condition, model.Not):
        part = read_condition(condition.not_, (*path, "not"), places, report)
        return Not(part, Span(f"not ({part.span.text})", line, column))
    key, inner = ("all", condition.all) if isinstance(condition, model.AllOf) else ("any", condition.any)
    parts = tuple(read_condition(part, (*path, key, index), places, report) for index, part in enumerate(inner))
    joined = (" and " if key == "all" else " or ").join(f"({part.span.text})" for part in parts)
    return cast("Condition", (And if key == "all" else Or)(parts, Span(joined, line, column)))
