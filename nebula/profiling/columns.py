"""The columns of an (N, C) target, each for itself: prevalence, median, positives."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from nebula.profiling.distribution import Distribution, distribute
from nebula.profiling.moments import mean_of
from nebula.profiling.rows import has_columns, is_binary
from nebula.profiling.statistics import quantile_of

__all__ = ["describe_columns"]

_MAX_COLUMNS = 1024
_MAX_MEDIANS = 64


def describe_columns(tensor: Tensor, data: Distribution) -> dict[str, Any]:
    """Compute the facts of `TargetFacts` about each column of an (N, C) target, by field name.

    A list is None when it has no value for one of the columns.

    Args:
        tensor: The target, of any shape.
        data: The values of the same target.
    """
    if not data.n or tensor.ndim != 2 or not has_columns(tensor):
        return {}
    multi_hot = is_binary(data)
    # The odds of the whole target are no weight for its columns.
    facts: dict[str, Any] = {"pos_weight": None} if multi_hot else {}
    width = tensor.shape[1]
    if width > _MAX_COLUMNS:
        return facts
    means: list[float | None] = []
    medians: list[float | None] = []
    odds: list[float | None] = []
    binary = 0
    for column in tensor.unbind(1):
        part = distribute(column)
        means.append(mean_of(part))
        binary += is_binary(part)
        if width <= _MAX_MEDIANS:
            medians.append(quantile_of(part, 0.5))
        if multi_hot:
            positives = part.n - part.count_up_to(0)
            odds.append((part.n - positives) / positives if positives else None)
    facts |= {"n_binary_columns": binary, "label_prevalence": _all_known(means), "column_medians": _all_known(medians)}
    return facts | ({"pos_weight": _all_known(odds)} if multi_hot else {})


def _all_known(values: list[float | None]) -> tuple[float, ...] | None:
    known = tuple(value for value in values if value is not None)
    return known if known and len(known) == len(values) else None
