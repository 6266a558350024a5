"""Profiles of parts → the profile of all."""

from __future__ import annotations

from typing import Any

from nebula.errors import DataError
from nebula.profiling.custom import merge_custom
from nebula.profiling.model import (
    DataProfile,
    EvidenceFacts,
    FeatureFacts,
    PredictionFacts,
    PredictionSpace,
    RelationFacts,
    TargetFacts,
)
from nebula.profiling.relation import relate

__all__ = ["merge_profiles"]


def merge_profiles(left: DataProfile, right: DataProfile) -> DataProfile:
    """Merge two profiles; see `DataProfile.merge`."""
    parts = (left.accumulator, right.accumulator)
    if None in parts:
        which = "the first" if parts[0] is None else "the second"
        raise DataError(
            f"merge: expected profiles that still hold what they counted, found that {which} was read from JSON or "
            f"from a cache, which keep the facts alone; profile its data again."
        )
    if left.hints != right.hints:
        raise DataError("merge: expected the same hints on both sides, found others; profile both with the same hints.")
    if left.target.categories or right.target.categories:
        raise DataError(
            "merge: expected numbers, found categories or strings, which each part has coded by itself; "
            "give all parts the same integer codes first."
        )
    accumulator: Any = parts[0].merge(parts[1])
    facts: TargetFacts = accumulator.facts().model_copy(update={"name": _same(left, right, "name")})
    prediction = _merge_predictions(left.prediction, right.prediction)
    return DataProfile(
        target=facts,
        prediction=prediction,
        relation=_relate(facts, prediction),
        features=_merge_features(left.features, right.features),
        evidence=_merge_evidence(left.evidence, right.evidence),
        hints=left.hints,
        custom=merge_custom(left.custom, right.custom),
        fingerprint=None,
    ).with_accumulator(accumulator)


def _same(left: DataProfile, right: DataProfile, name: str) -> Any:
    first, second = getattr(left.target, name), getattr(right.target, name)
    return first if first == second else None


def _merge_predictions(left: PredictionFacts, right: PredictionFacts) -> PredictionFacts:
    if left == right or PredictionFacts() in (left, right):
        return left if left == right else PredictionFacts()
    if (left.ndim, left.shape_tail, left.n_outputs) != (right.ndim, right.shape_tail, right.n_outputs):
        raise DataError(
            f"merge: expected predictions of the same shape, found rows of {left.shape_tail} and {right.shape_tail}; "
            f"profile both with the same model."
        )
    spaces: set[PredictionSpace | None] = {left.space, right.space}
    finite = {left.is_finite, right.is_finite}
    return left.model_copy(
        update={
            "dtype": left.dtype if left.dtype == right.dtype else None,
            # Logits are told by what lies outside every other space, so one part is enough.
            "space": left.space if len(spaces) == 1 else "logits" if "logits" in spaces else "unknown",
            "space_is_declared": bool(left.space_is_declared and right.space_is_declared),
            "is_finite": False if False in finite else None if None in finite else True,
            "min": _pick(min, left.min, right.min),
            "max": _pick(max, left.max, right.max),
        }
    )


def _pick(choose: Any, left: float | None, right: float | None) -> float | None:
    known = [value for value in (left, right) if value is not None]
    return choose(known) if known else None


def _relate(target: TargetFacts, prediction: PredictionFacts) -> RelationFacts:
    if prediction.shape_tail is None or target.shape_tail is None:
        return RelationFacts()
    rows = (None,) if prediction.ndim else ()
    return relate((target.n, *target.shape_tail), (*rows, *prediction.shape_tail), target)


def _merge_features(left: FeatureFacts, right: FeatureFacts) -> FeatureFacts:
    if left.n is None or right.n is None:
        return FeatureFacts()
    n = left.n + right.n
    d = left.d if left.d == right.d else None
    missing = None
    if d and n and None not in (left.missing_fraction, right.missing_fraction):
        missing = ((left.missing_fraction or 0) * left.n + (right.missing_fraction or 0) * right.n) / n
    same = d is not None and (left.n_numeric, left.n_labelled) == (right.n_numeric, right.n_labelled)
    kinds = (left.n_numeric, left.n_labelled) if same else (None, None)
    return FeatureFacts(n=n, d=d, n_numeric=kinds[0], n_labelled=kinds[1], missing_fraction=missing)


def _merge_evidence(left: EvidenceFacts, right: EvidenceFacts) -> EvidenceFacts:
    """Add what was seen; parts that name the same total are parts of one whole."""
    seen = (left.rows_seen or 0) + (right.rows_seen or 0)
    complete = bool(left.complete and right.complete)
    total = left.rows_total if left.rows_total == right.rows_total else None
    if complete:
        total = seen
    return EvidenceFacts(
        rows_seen=seen,
        rows_total=total,
        batches=(left.batches or 0) + (right.batches or 0),
        complete=complete or (total is not None and seen >= total),
    )
