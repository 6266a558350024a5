"""One seed's training, validation and test rows; everything that is learnt from data is learnt on training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from nebula.bench.outcome.table import Table
from nebula.demo.splits import Rows, Split

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["split_table"]

_TEST, _VALID_OF_REST = 0.2, 0.25


def split_table(table: Table, seed: int, max_levels: int) -> Split:
    """Split 60 : 20 : 20; fit the coding of the features on the training rows.

    Numbers are standardised, missing ones become the training median and are flagged; categories become
    one column a level seen in training, the rarer ones beyond `max_levels` none.

    Args:
        table: The data set.
        seed: Equal seeds give equal parts, whichever arm asks.
        max_levels: Most columns of one category.

    Returns:
        The three parts as tensors.
    """
    from sklearn.model_selection import train_test_split

    everything = np.arange(len(table.target))
    labels = table.target if table.stratify else None
    rest, test = train_test_split(everything, test_size=_TEST, random_state=seed, stratify=labels)
    train, valid = train_test_split(
        rest, test_size=_VALID_OF_REST, random_state=seed, stratify=None if labels is None else labels[rest]
    )
    features = torch.from_numpy(code_features(table.features, train, max_levels))
    target = torch.from_numpy(table.target if table.target.dtype.kind == "i" else table.target.astype(np.float32))

    def rows(places: NDArray[np.int64]) -> Rows:
        index = torch.from_numpy(places)
        return Rows(features[index], target[index], index)

    return Split(rows(train), rows(valid), rows(test))


def code_features(features: pd.DataFrame, train: NDArray[np.int64], max_levels: int) -> NDArray[np.float32]:
    """Return the features as (n, d) numbers, standardised by the training rows."""
    columns: list[NDArray[np.float64]] = []
    for name in features.columns:
        column = features[name]
        if column.dtype.kind in "iuf":
            columns += _code_numbers(column.to_numpy(dtype=np.float64), train)
        else:
            columns += _code_category(column.astype(object), train, max_levels)
    coded = np.column_stack(columns)
    centre, spread = coded[train].mean(axis=0), coded[train].std(axis=0)
    standard: NDArray[np.float32] = ((coded - centre) / np.where(spread > 0, spread, 1)).astype(np.float32)
    return standard


def _code_numbers(values: NDArray[np.float64], train: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    missing = ~np.isfinite(values)
    if not missing.any():
        return [values]
    seen = values[train][~missing[train]]
    filled = np.where(missing, np.median(seen) if len(seen) else 0.0, values)
    return [filled, missing.astype(np.float64)]


def _code_category(column: pd.Series[Any], train: NDArray[np.int64], max_levels: int) -> list[NDArray[np.float64]]:
    missing = column.isna().to_numpy()
    names = column.astype(str).to_numpy()
    names[missing] = ""
    levels, counts = np.unique(names[train], return_counts=True)
    kept = levels[np.lexsort((levels, -counts))][:max_levels]
    return [(names == level).astype(np.float64) for level in kept]
