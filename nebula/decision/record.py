"""What a trace records beside the choice: every rule, notes for the reader, library versions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from nebula.decision.metrics import judges
from nebula.decision.trace import ComparisonTrace, Note, RuleTrace, Verdict
from nebula.losses.spec import LossSpec
from nebula.policy.compiled import ComparisonOutcome, CompiledPolicy, Evaluation, RuleOutcome
from nebula.policy.model import SelectRule, Use
from nebula.profiling.model import DataProfile

__all__ = ["library_versions", "record_rules", "take_notes"]


def record_rules(policy: CompiledPolicy, evaluation: Evaluation) -> tuple[RuleTrace, ...]:
    """Record every rule in order, derive rules first, with every comparison as it was seen."""
    first = evaluation.fired[0] if evaluation.fired else None
    seen: dict[int, ComparisonTrace] = {}
    derive = (
        _record(policy, rule, "derive", _verdict(rule, fired=bool(rule.applied)), seen) for rule in evaluation.derive
    )
    select = (
        _record(policy, rule, "select", _verdict(rule, fired=rule.id == first), seen) for rule in evaluation.select
    )
    return (*derive, *select)


def _verdict(rule: RuleOutcome, *, fired: bool) -> Verdict:
    if rule.outcome != "true" and not rule.fires:
        return rule.outcome
    return "fired" if fired else "also true"


def _record(
    policy: CompiledPolicy,
    outcome: RuleOutcome,
    kind: Literal["derive", "select"],
    verdict: Verdict,
    seen: dict[int, ComparisonTrace],
) -> RuleTrace:
    rule = policy.rule(outcome.id) if kind == "select" else None
    return RuleTrace(
        id=outcome.id,
        kind=kind,
        verdict=verdict,
        condition=policy.text(outcome.id),
        because=rule.because if rule else None,
        loss=rule.use.loss if rule and rule.use else None,
        comparisons=tuple([_compared(comparison, seen) for comparison in outcome.comparisons]),
        taken_for_true=outcome.fires and outcome.outcome == "unknown",
    )


def _compared(comparison: ComparisonOutcome, seen: dict[int, ComparisonTrace]) -> ComparisonTrace:
    """Record a comparison once, though many rules make it: the evaluation shares the object."""
    record = seen.get(id(comparison))
    if record is None:
        record = seen[id(comparison)] = ComparisonTrace(
            text=comparison.text,
            outcome=comparison.outcome,
            values=dict(comparison.values),
            fact=comparison.fact,
            threshold=comparison.threshold,
            distance=comparison.distance,
        )
    return record


def take_notes(
    rule: SelectRule | None, use: Use | None, spec: LossSpec | None, profile: DataProfile, task: str | None
) -> tuple[Note, ...]:
    """Collect what a reader should know: assumptions, better losses, alternatives, warnings."""
    notes = [*_rule_notes(rule, profile)] if rule else []
    if use and use.output_bias and spec and spec.output_bias is None:
        text = f"output bias `{use.output_bias}` is unknown on this data: start at zero"
        notes.append(Note(kind="warning", text=text))
    metric = profile.hints.metric
    if metric and task and not judges(metric, task):
        text = f"hints.metric = {metric} does not judge a {task} target: check the metric, or declare hints.task"
        notes.append(Note(kind="warning", text=text))
    bad = (profile.target.nan_count or 0) + (profile.target.inf_count or 0)
    if bad:
        text = f"the target has {bad} NaN or infinite values, which make every mean NaN: remove or mask those rows"
        notes.append(Note(kind="warning", text=text))
    if profile.relation.broadcasts_silently and task != "survival":
        text = "target and prediction differ in shape and torch would broadcast them: a step aligns them"
        notes.append(Note(kind="warning", text=text))
    return tuple(notes)


def _rule_notes(rule: SelectRule, profile: DataProfile) -> Iterator[Note]:
    if rule.score and profile.hints.metric is None:
        text = f"no metric was declared: {rule.score} is assumed; declare hints.metric to be judged by another"
        yield Note(kind="assumption", text=text)
    if rule.better:
        text = f"{' or '.join(rule.better)} would fit better; this version does not have it yet"
        yield Note(kind="better", text=text)
    for text in rule.alternatives:
        yield Note(kind="alternative", text=text)


@cache
def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that could change an outcome, without importing them."""
    found: dict[str, str] = {}
    for distribution in ("nebula-selector", "torch", "numpy", "durable-rules"):
        with suppress(PackageNotFoundError):
            found[distribution] = version(distribution)
    return found
