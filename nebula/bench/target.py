"""A table and a task → the target as a training script would hold it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nebula.bench.task import Task
from nebula.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Target", "make_target"]


@dataclass(frozen=True)
class Target:
    """A target ready to be asked about.

    Attributes:
        values: (N,) or (N, K); class names are coded 0 to K - 1 in sorted order, or in the order of the levels.
        outputs: Outputs that the model of an expert would have.
        name: The column's name; None for several columns.
        n_classes: Distinct codes of named classes; None for numbers.
    """

    values: NDArray[Any]
    outputs: int
    name: str | None
    n_classes: int | None


def make_target(task: Task, table: pd.DataFrame, column: str) -> Target:
    """Take the target out of a table; rows in which it is missing are left out.

    Args:
        task: What the target is.
        table: The table of the task.
        column: The target column, where the task has a single one.

    Returns:
        The target.

    Raises:
        DataError: A level occurs that the task does not list, or no row is left.
    """
    if task.time is not None and task.event is not None:
        rows = table[[task.time, task.event.column]].dropna()
        values = np.column_stack([rows[task.time], rows[task.event.column] == task.event.seen]).astype(np.float64)
        return Target(values, task.outputs or 1, None, None)
    if task.columns:
        values = table[list(task.columns)].dropna().to_numpy(copy=True)
        if task.normalised:
            values = values / values.sum(axis=1, keepdims=True)
        return Target(values, values.shape[1], None, None)
    series = table[column].dropna()
    if series.empty:
        raise DataError(f"{task.id}: expected rows with a target, found none.")
    if series.dtype.kind not in "if":
        codes = _codes(task, series.astype(str))
        return Target(codes, task.outputs or int(codes.max()) + 1, column, int(codes.max()) + 1)
    numbers = _narrow(series.to_numpy())
    return Target(numbers.copy(), task.outputs or len(np.unique(numbers)), column, None)  # pandas' own is read-only


def _codes(task: Task, names: pd.Series[str]) -> NDArray[np.int64]:
    levels = list(task.levels) or sorted(set(names))
    unknown = sorted(set(names) - set(levels))
    if unknown:
        raise DataError(f"{task.id}: expected the levels {', '.join(levels)}, found {', '.join(unknown)}.")
    position = {level: place for place, level in enumerate(levels)}
    return np.array([position[name] for name in names], dtype=np.int64)


def _narrow(values: NDArray[Any]) -> NDArray[Any]:
    """Give whole numbers an integer type: a missing value elsewhere in the column made them floats."""
    if values.dtype.kind == "f" and np.isfinite(values).all() and np.array_equal(values, np.rint(values)):
        return values.astype(np.int64)
    return values
