"""When two conditions say the same, wherever they were written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from nebula.policy.expression.syntax import And, Condition, Not, Or

__all__ = ["parts_of", "structure"]


def structure(node: Any) -> Any:
    """Return a key that is equal for trees that differ in their place only."""
    if isinstance(node, tuple):
        return tuple(structure(part) for part in node)
    if is_dataclass(node):
        inner = (getattr(node, field.name) for field in fields(node) if field.name != "span")
        return (type(node).__name__, *map(structure, inner))
    return (type(node).__name__, node)


def parts_of(condition: Condition) -> Iterator[Condition]:
    """Yield a condition and every condition inside it; definitions are not put in."""
    yield condition
    inner = condition.parts if isinstance(condition, And | Or) else ()
    for part in (condition.part,) if isinstance(condition, Not) else inner:
        yield from parts_of(part)
