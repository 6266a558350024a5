"""The table beside the target: its size and its holes."""

from __future__ import annotations

from typing import Any

import torch

from nebula.errors import DataError
from nebula.profiling.arrays import as_tensor
from nebula.profiling.frames import count_kinds, count_missing, is_frame
from nebula.profiling.model import FeatureFacts

__all__ = ["describe_features"]


def describe_features(features: Any) -> FeatureFacts:
    """Count rows, columns by what they hold, and missing cells.

    Args:
        features: A DataFrame of pandas or polars with columns of any type; an array or tensor with
            rows first (a vector is one column); ready facts; or None.

    Raises:
        DataError: The features are none of these.
    """
    if features is None:
        return FeatureFacts()
    if isinstance(features, FeatureFacts):
        return features
    if is_frame(features) and hasattr(features, "columns"):
        rows, columns = features.shape
        missing = count_missing(features)
        numeric, labelled = count_kinds(features)
    else:
        tensor = as_tensor(features, "features")
        if not tensor.ndim:
            raise DataError("features: expected a table with rows first, found a single number.")
        rows = tensor.shape[0]
        columns = tensor[:1].numel() if rows else (tensor.shape[1] if tensor.ndim > 1 else 1)
        missing = int(torch.isnan(tensor).sum()) if tensor.dtype.is_floating_point else 0
        numeric, labelled = columns, 0
    cells = rows * columns
    return FeatureFacts(
        n=rows,
        d=columns,
        n_numeric=numeric,
        n_labelled=labelled,
        missing_fraction=missing / cells if cells else None,
    )
