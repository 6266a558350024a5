"""Every single change of a condition: its thresholds, operators and connectives."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["conditions_near", "nudged"]

STEP = 0.1
_OPERATORS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}


def nudged(value: float | str | bool) -> tuple[float, ...]:
    """Return a number a little smaller and a little larger: 10 %, or 1 for whole numbers."""
    if isinstance(value, bool | str):
        return ()
    return (
        (value - 1, value + 1)
        if isinstance(value, int)
        else (round(value * (1 - STEP), 6), round(value * (1 + STEP), 6))
    )


def conditions_near(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, change, mutated text) of one condition; the language is within Python's grammar."""
    body = " ".join(text.split())
    for index, node in enumerate(ast.walk(ast.parse(body, mode="eval"))):
        for kind, apply in _edits(node):
            tree = ast.parse(body, mode="eval")
            target = list(ast.walk(tree))[index]
            before = ast.unparse(target)
            apply(target)
            yield kind, f"{before} -> {ast.unparse(target)}", ast.unparse(tree)


def _edits(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], None]]]:
    match node:
        case ast.Compare():
            for place, op in enumerate(node.ops):
                for new in _OPERATORS[type(op)]:
                    yield "operator", lambda target, place=place, new=new: target.ops.__setitem__(place, new())
        case ast.BoolOp():
            other = ast.Or if isinstance(node.op, ast.And) else ast.And
            yield "connective", lambda target: setattr(target, "op", other())
        case ast.Constant(value) if isinstance(value, int | float) and not isinstance(value, bool):
            for changed in nudged(value):
                yield "threshold", lambda target, changed=changed: setattr(target, "value", changed)
