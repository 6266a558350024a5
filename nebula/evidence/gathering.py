"""A loader read batch by batch, until the evidence suffices or the budget is spent."""

from __future__ import annotations

import time
from functools import partial
from typing import NamedTuple

from nebula.decision.policy import Policy
from nebula.errors import DataError
from nebula.evidence.budget import Budget
from nebula.evidence.description import describe
from nebula.evidence.sufficiency import FIRST_CHECK, Sufficiency
from nebula.profiling.accumulator import TargetAccumulator
from nebula.profiling.custom import CustomFacts, custom_facts, merge_custom
from nebula.profiling.hints import Hints
from nebula.profiling.loaders import LoaderTargets
from nebula.profiling.model import DataProfile
from nebula.profiling.prediction import PredictionSpec
from nebula.profiling.profiler import profile

__all__ = ["Gathered", "gather"]

_ROWS_AT_A_TIME = 1024


class Gathered(NamedTuple):
    """What was read.

    Attributes:
        profile: Its facts.
        ended: Why reading ended, as a clause.
    """

    profile: DataProfile
    ended: str


def gather(
    source: LoaderTargets,
    policy: Policy,
    budget: Budget,
    *,
    prediction: PredictionSpec | None,
    hints: Hints,
    name: str | None,
) -> Gathered:
    """Count the targets of a loader; memory does not grow with the rows.

    Args:
        source: The targets, batch by batch.
        policy: The policy that is to decide; the evidence suffices for its choice.
        budget: When to stop at the latest.
        prediction: The model's output.
        hints: What the user declares.
        name: Column name of the target.

    Raises:
        DataError: There is no batch, or the batches do not fit together.
    """
    began = time.monotonic()
    old, new = (TargetAccumulator(ignore_value=hints.ignore_value) for _ in range(2))
    sufficiency = Sufficiency(policy.compiled)
    like: DataProfile | None = None
    batches, next_check, ended = 0, FIRST_CHECK, ""
    describe_piece = partial(profile, prediction=prediction, name=name, hints=hints, fingerprint=False)
    pieces = source.pieces(_ROWS_AT_A_TIME)
    measured, combined = custom_facts(), any(fact.combine for fact in custom_facts())
    for piece in pieces:
        if like is None:
            like = describe_piece(piece)
        elif measured:
            here = describe_piece(piece).custom if combined else CustomFacts()
            like = like.model_copy(update={"custom": merge_custom(like.custom, here)})
        new.update(piece)
        batches += 1
        rows = old.rows + new.rows
        if rows >= next_check and budget.enough:
            half, old = new, old.merge(new)
            new = TargetAccumulator(ignore_value=hints.ignore_value)
            if sufficiency.check(describe(old, like), describe(half, like)):
                ended = f"the evidence suffices after {rows} rows"
            next_check = 2 * rows
        ended = ended or _spent(budget, rows, batches, time.monotonic() - began)
        if ended:
            break
    if like is None:
        raise DataError("data: expected at least one batch, found none.")
    counted = old.merge(new)
    complete = next(pieces, None) is None if counted.rows == source.rows or not ended else False
    total = counted.rows if complete else source.rows
    found = describe(
        counted, like, batches=batches if source.counts_batches else 1, rows_total=total, complete=complete
    )
    return Gathered(found, "all rows were read" if complete else ended)


def _spent(budget: Budget, rows: int, batches: int, seconds: float) -> str:
    if budget.rows is not None and rows >= budget.rows:
        return f"the budget of {budget.rows} rows is spent"
    if budget.batches is not None and batches >= budget.batches:
        return f"the budget of {budget.batches} batches is spent"
    if budget.seconds is not None and seconds >= budget.seconds:
        return f"the budget of {budget.seconds:g} seconds is spent"
    return ""
