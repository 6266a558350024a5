"""Conditions as masks over literals: Kleene's value of a rule from the comparisons that hold."""

from __future__ import annotations

from typing import NamedTuple

from nebula.policy.engine.program import literals_of
from nebula.policy.expression.formula import All, Any, Certain, Formula, Is

__all__ = ["Joint", "compile_joint", "verdict"]


class Joint(NamedTuple):
    """`and` or `or` of comparisons and further joints.

    Attributes:
        every: It is an `and`.
        need: The comparisons' literals as the joint wants them, as bits.
        deny: The opposite literals.
        parts: Joints inside it.
    """

    every: bool
    need: int
    deny: int
    parts: tuple[Joint, ...]


def compile_joint(formula: Formula) -> Joint:
    """Turn a condition in negation normal form into masks.

    Args:
        formula: Without `possible` comparisons: a condition, not what it becomes for the unknown.
    """
    match formula:
        case Certain(value):
            return Joint(value, 0, 0, ())
        case Is():
            return Joint(True, *_masks((formula,)), ())
        case All(parts) | Any(parts):
            inner = tuple(compile_joint(part) for part in parts if not isinstance(part, Is))
            need, deny = _masks(tuple(part for part in parts if isinstance(part, Is)))
            return Joint(isinstance(formula, All), need, deny, inner)


def _masks(comparisons: tuple[Is, ...]) -> tuple[int, int]:
    need = deny = 0
    for part in comparisons:
        need |= 1 << literals_of(part.atom, part.positive)[0]
        deny |= 1 << literals_of(part.atom, not part.positive)[0]
    return need, deny


def verdict(joint: Joint, held: int) -> bool | None:
    """Return Kleene's value.

    Args:
        joint: The condition.
        held: Bits of the literals that hold.
    """
    every, need, deny, parts = joint
    result: bool | None
    if every:
        if held & deny:
            return False
        result = True if held & need == need else None
    else:
        if held & need:
            return True
        result = False if held & deny == deny else None
    for part in parts:
        value = verdict(part, held)
        if value is not None and value is not every:
            return value
        if value is None:
            result = None
    return result
