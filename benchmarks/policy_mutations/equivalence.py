"""Why some mutants are no other policy: proofs by form, where no profile can tell them from the original."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from benchmarks.policy_mutations.document import Document, at, conditions

__all__ = ["same_either_way", "unread"]


def same_either_way(first: Document, second: Document, definitions: Document) -> str | None:
    """Prove that two neighbours may change places: they set the same, or cannot hold together."""
    if "set" in first and first["set"] == second.get("set"):
        return "both set the same"
    one, other = (dict(_conjuncts(rule["when"], definitions)) for rule in (first, second))
    for text in one.keys() & other.keys():
        if one[text] is not other[text]:
            return f"`{text}` cannot be both true and false"
    equal = [
        {t.partition(" == ")[0]: t for t, holds in found.items() if holds and " == " in t} for found in (one, other)
    ]
    for name in equal[0].keys() & equal[1].keys():
        if equal[0][name] != equal[1][name]:
            return f"`{name}` cannot have both values"
    return None


def _conjuncts(condition: Any, definitions: Document, holds: bool = True) -> Iterator[tuple[str, bool]]:
    """Yield (comparison, truth) of everything that must be so for the condition to hold."""
    if not isinstance(condition, str | ast.expr):
        return
    node = ast.parse(" ".join(condition.split()), mode="eval").body if isinstance(condition, str) else condition
    match node:
        case ast.BoolOp(op, values) if isinstance(op, ast.And) is holds:
            for value in values:
                yield from _conjuncts(value, definitions, holds)
        case ast.BoolOp():
            return
        case ast.UnaryOp(ast.Not(), operand):
            yield from _conjuncts(operand, definitions, not holds)
        case ast.Name(name) if name in definitions:
            yield from _conjuncts(definitions[name], definitions, holds)
        case ast.Compare(left, [ast.NotEq()], [right]):
            yield f"{ast.unparse(left)} == {ast.unparse(right)}", not holds
        case _:
            yield ast.unparse(node), holds


def unread(document: Document, name: str) -> str | None:
    """Prove that a definition does not matter: no condition names it."""
    texts = [at(document, path) for where, path in conditions(document) if where != f"definition {name}"]
    names = {
        node.id for text in texts for node in ast.walk(ast.parse(" ".join(text.split()))) if isinstance(node, ast.Name)
    }
    return None if name in names else "no condition reads it"
