"""A problem → its table of features and its target, read from an installed package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nebula.bench.outcome.manifest import Kind, Problem
from nebula.bench.packages import load_table
from nebula.bench.target import make_target
from nebula.bench.task import Labels, Task
from nebula.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table", "load_problem"]

_NAMES_OF_ROWS = ("rownames",)
_FEWEST = 10


@dataclass(frozen=True, eq=False)
class Table:
    """One data set, not yet split.

    Attributes:
        features: (n, columns) as the package holds them; missing values are allowed.
        target: (n,) codes 0 to K - 1 of classes, levels as they are coded, or numbers.
        levels: The distinct values of classes and levels, in order; empty for numbers.
        stratify: Splits keep the shares of the values.
    """

    features: pd.DataFrame
    target: NDArray[Any]
    levels: tuple[float, ...]
    stratify: bool


def load_problem(problem: Problem, kind: Kind, max_rows: int) -> Table:
    """Read a problem's data.

    Args:
        problem: Data set, target and columns to leave out.
        kind: What the target is.
        max_rows: More rows are thinned out, by a draw that is the same in every run.

    Returns:
        The table: rows without a target are left out, and classes with fewer than 10 rows, which no
        split into three parts can hold.

    Raises:
        DataError: The package, the data set or a column is missing.
    """
    package, item = problem.source
    task = Task(
        package=package,
        item=item,
        target=problem.target or None,
        levels=problem.levels,
        family=problem.family,
        metric=problem.metric,
        labels=Labels(preferred=("any",)),
        why="an outcome problem",
    )
    frame, column = load_table(task)
    unknown = [name for name in problem.drop if name not in frame.columns]
    if unknown:
        raise DataError(f"{problem.id}: expected the columns to drop to exist, found no {', '.join(unknown)}.")
    frame = frame[frame[column].notna()].reset_index(drop=True)
    target = make_target(task, frame, column).values
    if kind in ("binary", "multiclass"):
        target = np.unique(target, return_inverse=True)[1].astype(np.int64)
    places = _places(target, kind, max_rows)
    target = target[places]
    if kind in ("binary", "multiclass"):
        target = np.unique(target, return_inverse=True)[1].astype(np.int64)
    features = frame.drop(columns=[column, *problem.drop, *(n for n in _NAMES_OF_ROWS if n in frame.columns)])
    if not features.shape[1]:
        raise DataError(f"{problem.id}: expected at least one feature, found none.")
    levels = () if kind == "number" else tuple(float(level) for level in np.unique(target))
    return Table(features.iloc[places].reset_index(drop=True), target, levels, stratify=kind != "number")


def _places(target: NDArray[Any], kind: Kind, max_rows: int) -> NDArray[np.int64]:
    """Return the rows to keep, in their order."""
    places = np.arange(len(target))
    if len(places) > max_rows:
        places = np.sort(np.random.default_rng(0).choice(places, max_rows, replace=False))
    if kind == "number":
        return places
    values, counts = np.unique(target[places], return_counts=True)
    return places[np.isin(target[places], values[counts >= _FEWEST])]
