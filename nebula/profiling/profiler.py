"""Target and prediction → `DataProfile`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from nebula.errors import DataError
from nebula.profiling.accumulator import TargetAccumulator
from nebula.profiling.arrays import as_source
from nebula.profiling.custom import CustomFacts, custom_facts, measure
from nebula.profiling.features import describe_features
from nebula.profiling.fingerprint import fingerprint as hash_content
from nebula.profiling.frames import is_frame
from nebula.profiling.hints import Hints, parse_hints
from nebula.profiling.model import DataProfile, EvidenceFacts, TargetFacts
from nebula.profiling.pairing import describe_pair
from nebula.profiling.streams.objects import is_source
from nebula.profiling.streams.reader import require
from nebula.profiling.streams.source_profile import profile_source

__all__ = ["TargetCache", "profile"]


class TargetCache(Protocol):
    """A map from the content of a target, and its filler value, to its facts."""

    def get(self, key: str) -> TargetFacts | None:
        """Return what is kept under this key, or None."""

    def put(self, key: str, value: TargetFacts) -> None:
        """Keep facts under a key."""


def profile(
    data: Any,
    prediction: Any = None,
    *,
    target: str | Sequence[str] | int | None = None,
    name: str | None = None,
    features: Any = None,
    hints: Hints | dict[str, Any] | None = None,
    rows_total: int | None = None,
    batches: int = 1,
    complete: bool = True,
    fingerprint: bool = True,
    cache: TargetCache | None = None,
) -> DataProfile:
    """Compute every fact that a policy may look at.

    The facts of the target do not depend on the order of its rows, on the element type that holds
    its values, on strides, or on whether a vector is (N,) or (N, 1); only `dtype`, `ndim`,
    `shape_tail` and `fingerprint` tell these apart. With more than 65,536 distinct values the
    moments are exact to rounding, and quantiles, outliers and `n_unique` are estimates
    (`docs/profiling.md` states the errors); `n_unique_is_exact` is then False. Profiles of parts
    merge: `a.merge(b)`.

    Nothing is written to the inputs or to their graphs.

    Args:
        data: The target: a torch tensor of any real dtype, a numpy array, a pandas or polars Series or
            frame, or a list of numbers, rows first. Missing entries of a Series become NaN and are
            counted; its categories and strings become integer codes in sorted order (in the
            declared order for ordered categories). The names of the classes are not kept.
            Or a source of any size, which is read in chunks (`docs/sources.md`): a path, folder or
            pattern, a mapped array, a table, a loader, a data set.
        prediction: What the model emits for these rows, in any of the same forms; or a
            `PredictionSpec`; or None when unknown.
        target: Of a table or file, the column or columns; of a loader, an index or a key.
        name: Name of the target; by default that of the Series.
        features: The table beside the target: a frame, an array, or `FeatureFacts`; of a source, names of columns.
        hints: What the user declares; see `Hints`. `ignore_value` names the filler value.
        rows_total: Rows in all; by default those seen, when `complete`.
        batches: Batches that the target was collected from.
        complete: The target is the whole data set.
        fingerprint: Hash the target's content.
        cache: Keeps the facts of targets by their content; needs the hash.

    Returns:
        The profile: plain frozen numbers, no tensor.

    Raises:
        DataError: The target or the prediction cannot be read.
        HintError: A hint is unknown or out of range.
        FactError: The function of a registered fact failed.

    Example:
        >>> profile([0, 1, 1, 1]).target.class_counts
        (1, 3)
    """
    if target is not None or is_source(data):
        return _profile_source(
            data, target, prediction, name=name, features=features, hints=hints, fingerprint=fingerprint
        )
    declared = parse_hints(hints)
    _check_evidence(rows_total, batches)
    with torch.no_grad():
        source = as_source(data, "target")
        values = source.tensor
        content = hash_content(values) if fingerprint or cache is not None else None
        facts, accumulator = _describe_target(values, declared.ignore_value, content, cache)
        named = {"name": source.name if name is None else name, "categories": source.categories}
        if any(each is not None for each in named.values()):
            facts = facts.model_copy(update=named)
        emitted, relation = describe_pair(tuple(values.shape), prediction, facts)
        found = DataProfile(
            target=facts,
            prediction=emitted,
            relation=relation,
            features=describe_features(features),
            evidence=EvidenceFacts(
                rows_seen=facts.n,
                rows_total=facts.n if rows_total is None and complete else rows_total,
                batches=batches,
                complete=complete,
            ),
            hints=declared,
            fingerprint=content,
        )
        if custom_facts():
            found = found.model_copy(update={"custom": CustomFacts(**measure(values, found))})
        return found.with_accumulator(accumulator)


def _profile_source(data: Any, target: Any, prediction: Any, *, features: Any, **options: Any) -> DataProfile:
    if is_frame(data) and hasattr(data, "columns"):
        wanted = [target] if isinstance(target, str) else list(target)
        require("data", [*wanted, *([features] if isinstance(features, str) else features or ())], list(data.columns))
        beside = [column for column in data.columns if column not in wanted] if features is None else features
        column = data[wanted[0]] if len(wanted) == 1 else data[wanted]
        return profile(
            column, prediction, features=data[[beside] if isinstance(beside, str) else list(beside)], **options
        )
    return profile_source(data, target, features=features, prediction=prediction, **options).profile


def _describe_target(
    values: Tensor, ignore_value: int | None, content: str | None, cache: TargetCache | None
) -> tuple[TargetFacts, TargetAccumulator | None]:
    """Take the facts from the cache, or compute and keep them."""
    key = f"{content}|{ignore_value}"
    known = cache.get(key) if cache is not None else None
    if known is not None:
        return known, None
    accumulator = TargetAccumulator(ignore_value=ignore_value)
    accumulator.update(values)
    facts = accumulator.facts()
    if cache is not None:
        cache.put(key, facts)
    return facts, accumulator


def _check_evidence(rows_total: int | None, batches: int) -> None:
    for what, count in (("rows_total", rows_total), ("batches", batches)):
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 0):
            raise DataError(f"{what}: expected a whole number >= 0, found {count!r}.")
