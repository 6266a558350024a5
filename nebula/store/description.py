"""A stored value in a few words, for people who look through a cache."""

from __future__ import annotations

from pydantic import ValidationError

from nebula.decision.trace import DecisionTrace
from nebula.profiling.model import TargetFacts
from nebula.profiling.streams.source_facts import SourceFacts
from nebula.store.generation import current_generation
from nebula.store.model import Entry

__all__ = ["describe"]


def describe(entry: Entry) -> str:
    """Say what an entry holds: the loss and its rule, or the size and type of a target or of a column of files.

    Args:
        entry: As `Store.entries` yields it.

    Returns:
        A phrase; it tells when the entry is broken or was written by another nebula.
    """
    if entry.payload is None:
        return "broken: it is not what was written"
    if entry.generation != current_generation():
        return "written by another nebula"
    try:
        if entry.kind == "decision":
            return _decision(DecisionTrace.model_validate_json(entry.payload))
        if entry.kind == "source":
            return _source(SourceFacts.model_validate_json(entry.payload))
        return _target(TargetFacts.model_validate_json(entry.payload))
    except ValidationError:
        return f"broken: it is no {entry.kind}"


def _decision(trace: DecisionTrace) -> str:
    loss = trace.spec.loss if trace.spec else "no loss"
    name = f" for {trace.profile.target.name}" if trace.profile.target.name else ""
    return f"{loss}{name}, by {trace.rule_id or 'otherwise'} of {trace.policy.name} {trace.policy.version}"


def _source(found: SourceFacts) -> str:
    beside = f", beside {found.features.d} columns" if found.features.d else ""
    return f"{_target(found.target)}{beside}, read from files"


def _target(facts: TargetFacts) -> str:
    return f"{facts.n} rows of {facts.dtype}"
