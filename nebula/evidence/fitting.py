"""A data set → one decision: on all of it, on as much as suffices, or on all shards of a process group."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from nebula.decision.cache import DecisionCache
from nebula.decision.model import Decision
from nebula.decision.policy import Policy
from nebula.decision.trace import Note
from nebula.evidence.budget import Budget
from nebula.evidence.gathering import gather
from nebula.evidence.ranks import merge_ranks
from nebula.profiling.hints import Hints
from nebula.profiling.loaders import Choice, LoaderTargets, collect, is_stream
from nebula.profiling.model import DataProfile
from nebula.profiling.prediction import PredictionSpec
from nebula.profiling.profiler import profile
from nebula.selection import decide

__all__ = ["decide_on"]


def decide_on(
    data: Any,
    policy: Policy,
    prediction: Tensor | PredictionSpec | None,
    *,
    hints: Hints,
    name: str | None = None,
    target: Choice = None,
    cache: DecisionCache | None = None,
    budget: Budget | None = None,
    group: Any = None,
) -> Decision:
    """Decide on a data set.

    Args:
        data: As for `collect`.
        policy: The loaded policy.
        prediction: The model's output, on all rows or on some.
        hints: What the user declares.
        name: Column name of the target.
        target: Where the target is in an item or batch.
        cache: Facts and decisions by content; not asked under a budget or for a group, whose
            rows have no content hash.
        budget: Bounds on reading a loader; data in memory are never cut.
        group: A `torch.distributed` process group, or True for all processes; this is then a
            collective call.

    Raises:
        TypeError: The budget is no `Budget`.
        DataError: The target cannot be found or profiled, on any rank.
        NoRuleFits: No rule fired and the policy's `otherwise` is an error.
    """
    if budget is not None and not isinstance(budget, Budget):
        raise TypeError(f"budget: expected a Budget such as Budget(rows=10_000), found {budget!r}.")
    policy = policy.current()
    bounded = budget if budget is not None and is_stream(data) else None
    if bounded is None and not group:
        found = collect(data, target=target)
        return decide(
            policy,
            found.targets,
            _laid_along(prediction, len(found.targets)),
            hints=hints,
            name=name,
            cache=cache,
            rows_total=found.rows_total,
            batches=found.batches,
            complete=found.complete,
        )
    ended = ""

    def count() -> DataProfile:
        nonlocal ended
        if bounded is None:
            found = collect(data, target=target)
            return profile(
                found.targets,
                _laid_along(prediction, -1),
                name=name,
                hints=hints,
                rows_total=found.rows_total,
                batches=found.batches,
                complete=found.complete,
                fingerprint=False,
            )
        source = LoaderTargets(data, target)
        gathered = gather(source, policy, bounded, prediction=_laid_along(prediction, -1), hints=hints, name=name)
        ended = gathered.ended
        return gathered.profile

    facts = merge_ranks(count, group) if group else count()
    decision = policy.decide(facts)
    if not ended or group or facts.evidence.complete:
        return decision
    total = "" if facts.evidence.rows_total is None else f" of {facts.evidence.rows_total}"
    note = Note(kind="assumption", text=f"decided on {facts.evidence.rows_seen}{total} rows: {ended}")
    trace = decision.trace
    return Decision(trace.model_copy(update={"notes": (*trace.notes, note)}), policy=decision.policy)


def _laid_along(prediction: Any, rows: int) -> Any:
    """Return the prediction itself where it has these rows, else what its shape says of any."""
    if isinstance(prediction, Tensor) and len(prediction) != rows:
        return PredictionSpec.from_batch(prediction)
    return prediction
