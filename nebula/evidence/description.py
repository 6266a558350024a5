"""What was counted of a target → the profile that a policy decides on."""

from __future__ import annotations

from nebula.profiling.accumulator import TargetAccumulator
from nebula.profiling.model import DataProfile, EvidenceFacts, RelationFacts, TargetFacts
from nebula.profiling.relation import relate

__all__ = ["describe"]


def describe(
    counted: TargetAccumulator,
    like: DataProfile,
    *,
    batches: int = 1,
    rows_total: int | None = None,
    complete: bool = False,
) -> DataProfile:
    """Return the profile of these rows of the same target, before the same model.

    Args:
        counted: The rows.
        like: Gives everything that is no fact of the rows: name, prediction, table, hints.
        batches: Batches that the rows came in.
        rows_total: Rows in all, or None when that is unknown.
        complete: These are all rows.
    """
    named = {"name": like.target.name, "categories": like.target.categories}
    facts = counted.facts().model_copy(update=named)
    return like.model_copy(
        update={
            "target": facts,
            "relation": _relate(facts, like),
            "evidence": EvidenceFacts(rows_seen=facts.n, rows_total=rows_total, batches=batches, complete=complete),
            "fingerprint": None,
        }
    ).with_accumulator(counted)


def _relate(facts: TargetFacts, like: DataProfile) -> RelationFacts:
    tail = like.prediction.shape_tail
    if tail is None or facts.shape_tail is None:
        return like.relation
    rows = (None,) if like.prediction.ndim else ()
    return relate((facts.n, *facts.shape_tail), (*rows, *tail), facts)
