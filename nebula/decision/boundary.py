"""What would change the choice: the nearest threshold, found by re-deciding across it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from nebula.decision.choice import winner
from nebula.decision.trace import Boundary
from nebula.policy.compiled import ComparisonOutcome, CompiledPolicy, Evaluation
from nebula.profiling.vocabulary import FactValue, vocabulary

__all__ = ["find_boundaries"]

_SHOWN = 3


def find_boundaries(
    policy: CompiledPolicy, evaluation: Evaluation, facts: Mapping[str, FactValue]
) -> tuple[Boundary, ...]:
    """Return the nearest single-fact changes that change the loss.

    Every numeric comparison of the policy is crossed alone, by the smallest step its fact's type
    allows, and the whole policy is evaluated again, derived facts included. Measured facts only:
    the layout of the data and what the user declared do not drift. Facts are varied one at a time
    although statistics move together: a boundary is a lead, not a forecast.

    Args:
        policy: The policy that decided.
        evaluation: What it saw.
        facts: The facts it saw it on.

    Returns:
        At most three boundaries, nearest (relatively) first, one per fact.
    """
    chosen = _loss(policy, evaluation.fired[0] if evaluation.fired else None)
    nearest: dict[str, Boundary] = {}
    tried: set[tuple[str, float]] = set()
    for comparison in sorted(_numeric(evaluation), key=_relative):
        fact = str(comparison.fact)
        if fact in nearest:
            continue
        for value in _across(comparison, facts):
            if (fact, value) in tried:
                continue
            tried.add((fact, value))
            rule = winner(policy, {**facts, fact: value})
            if _loss(policy, rule) != chosen:
                nearest[fact] = _boundary(comparison, facts, rule, _loss(policy, rule))
                break
        if len(nearest) == _SHOWN:
            break
    return tuple(nearest.values())


def _numeric(evaluation: Evaluation) -> Iterator[ComparisonOutcome]:
    seen: set[int] = set()  # many rules share a comparison
    for rule in (*evaluation.derive, *evaluation.select):
        for comparison in rule.comparisons:
            if id(comparison) in seen:
                continue
            seen.add(id(comparison))
            fact = vocabulary().get(str(comparison.fact))
            if fact and comparison.distance is not None and not fact.structural and not fact.name.startswith("hints."):
                yield comparison


def _relative(comparison: ComparisonOutcome) -> float:
    threshold, distance = comparison.threshold, comparison.distance
    assert threshold is not None  # noqa: S101 - `_numeric` keeps only comparisons with both
    assert distance is not None  # noqa: S101
    if distance == 0:
        return 0.0
    value = max((float(v) for _, v in comparison.values if isinstance(v, (int, float))), key=abs, default=0.0)
    return distance / max(abs(value), abs(threshold), math.ulp(0.0))


def _across(comparison: ComparisonOutcome, facts: Mapping[str, FactValue]) -> tuple[float, ...]:
    """The values just below, on and just above the threshold, within the fact's bounds."""
    fact = vocabulary()[str(comparison.fact)]
    edge = float(comparison.threshold or 0.0)
    if fact.kind == "int":
        steps: tuple[float, ...] = (math.ceil(edge) - 1, round(edge), math.floor(edge) + 1)
    else:
        steps = (math.nextafter(edge, -math.inf), edge, math.nextafter(edge, math.inf))
    inside = (step for step in steps if fact.admits(step))
    return tuple(s for s in inside if s != facts[fact.name])


def _loss(policy: CompiledPolicy, rule_id: str | None) -> str | None:
    chooser = policy.rule(rule_id) if rule_id is not None else policy.file.otherwise
    return chooser.use.loss if chooser and chooser.use else None


def _boundary(
    comparison: ComparisonOutcome, facts: Mapping[str, FactValue], rule_id: str | None, loss: str | None
) -> Boundary:
    value = facts[str(comparison.fact)]
    return Boundary(
        fact=str(comparison.fact),
        value=float(value),  # type: ignore[arg-type]
        threshold=float(comparison.threshold or 0.0),
        distance=float(comparison.distance or 0.0),
        relative_distance=_relative(comparison),
        comparison=comparison.text,
        would_fire=rule_id,
        would_choose=loss,
    )
