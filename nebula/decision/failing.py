"""Which comparison keeps a rule from firing, read from its trace alone."""

from __future__ import annotations

from collections.abc import Mapping

from nebula.decision.trace import ComparisonTrace, RuleTrace
from nebula.policy.expression.parser import ConditionError, parse_condition
from nebula.policy.expression.syntax import And, Condition, Literal, Not, Or

__all__ = ["first_failing"]

_TRUTH = {"true": True, "false": False, "unknown": None}
_Blame = tuple[bool | None, str | None]
"""Whether a part is true, false or unknown; and the text of the comparison that keeps it from being true."""


def first_failing(rule: RuleTrace) -> ComparisonTrace | None:
    """Return the first comparison, in the order written, that had to be otherwise for the rule to fire.

    Of an `and` it is the first part that is false, or else unknown; of an `or` the first alternative.
    Comparisons inside a definition stand in the trace, but not how the definition joins them; where
    the rule fails by nothing else, the first of them that is not true is named, or else the first.

    Args:
        rule: A recorded rule.

    Returns:
        The comparison; None when the rule is true, or compares nothing.
    """
    if rule.verdict not in ("false", "unknown") or not rule.comparisons:
        return None
    by_text = {comparison.text: comparison for comparison in rule.comparisons}
    named: set[str] = set()
    try:
        tree = parse_condition(rule.condition, lambda offset: (0, offset))
        blamed = _blame(tree, by_text, named, positive=True)
    except ConditionError:
        blamed = None
    if blamed is not None and blamed[1] is not None:
        return by_text[blamed[1]]
    hidden = [comparison for comparison in rule.comparisons if comparison.text not in named]
    return next((c for c in hidden if c.outcome != "true"), next(iter(hidden), None))


def _blame(node: Condition, seen: Mapping[str, ComparisonTrace], named: set[str], *, positive: bool) -> _Blame | None:
    """Judge a part of a condition; None for a definition, whose own text a trace does not hold."""
    match node:
        case Not(part):
            return _blame(part, seen, named, positive=not positive)
        case And(parts) | Or(parts):
            found = [_blame(part, seen, named, positive=positive) for part in parts]
            return _join(found, conjunction=isinstance(node, And) is positive)
        case Literal(value):
            return bool(value) is positive, None
        case _:
            comparison = seen.get(node.span.text)
            if comparison is None:
                return None
            named.add(comparison.text)
            outcome = _TRUTH[comparison.outcome]
            holds = outcome if outcome is None or positive else not outcome
            return holds, None if holds else comparison.text


def _join(parts: list[_Blame | None], *, conjunction: bool) -> _Blame | None:
    judged = [part for part in parts if part is not None]
    failing = [part for part in judged if part[0] is not True]
    false = [part for part in failing if part[0] is False]
    if conjunction and failing:
        return (false or failing)[0]
    if not conjunction and len(failing) < len(judged):
        return True, None
    if len(judged) < len(parts):
        return None
    if conjunction:
        return True, None
    unknown = len(false) < len(failing)
    return None if unknown else False, failing[0][1]
