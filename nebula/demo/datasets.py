"""Data sets read from installed packages: nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nebula.errors import DataError

__all__ = ["DataSet", "Declaration", "load", "read_bundled", "read_star98", "read_table"]

Arrays = tuple[npt.NDArray[Any], npt.NDArray[Any]]


@dataclass(frozen=True)
class Declaration:
    """What a data set is, and how it is judged.

    Attributes:
        name: Short name, unique in the demonstration.
        column: The target's own column name.
        metric: The metric it is judged by, as `hints.metric` takes it.
        kind: What a person would call the target.
        n_outputs: Outputs that a model for this target has.
        description: What a row and the target are, in one line.
        source: Function or module that holds the data.
        read: Returns features (n, d) and target (n,) or (n, k).
    """

    name: str
    column: str
    metric: str
    kind: Literal["binary", "multiclass", "number"]
    n_outputs: int
    description: str
    source: str
    read: Callable[[], Arrays]


@dataclass(frozen=True, eq=False)
class DataSet:
    """One learning problem.

    Attributes:
        about: Its declaration.
        features: (n, d) float32, categories one-hot, no missing values, not standardised.
        target: (n,) or (n, k): labels as int64, whole counts as int64, other numbers as float32.
    """

    about: Declaration
    features: npt.NDArray[np.float32]
    target: npt.NDArray[Any]


def load(about: Declaration) -> DataSet:
    """Read one data set from the installed packages.

    Raises:
        DataError: The installed package holds something else than rows of finite numbers.
    """
    features, target = about.read()
    whole = np.issubdtype(target.dtype, np.integer)
    data = DataSet(about, features.astype(np.float32), target.astype(np.int64 if whole else np.float32))
    if len(features) != len(target) or not (np.isfinite(data.features).all() and np.isfinite(data.target).all()):
        raise DataError(
            f"demo data set {about.name!r} ({about.source}): expected finite numbers, one target a row; "
            f"found features {features.shape} and target {target.shape}. Reinstall the `demo` extra."
        )
    return data


def read_bundled(loader: str) -> Arrays:
    """Return features and target of `sklearn.datasets.<loader>`."""
    import sklearn.datasets

    features, target = getattr(sklearn.datasets, loader)(return_X_y=True)
    return features, target


def _frame(module: str) -> Any:
    import statsmodels.api

    return getattr(statsmodels.api.datasets, module).load_pandas().data


def read_table(module: str, target: str, numeric: str, categories: str = "", *, whole: bool = False) -> Arrays:
    """Return columns of a statsmodels data set.

    Args:
        module: Name under `statsmodels.api.datasets`.
        target: Column of the target.
        numeric: Feature columns, separated by spaces.
        categories: Feature columns to code one-hot, separated by spaces.
        whole: The target holds labels or counts.
    """
    import pandas as pd

    frame = _frame(module)
    columns = pd.get_dummies(frame[numeric.split() + categories.split()], columns=categories.split(), dtype=float)
    return columns.to_numpy(dtype=np.float64), frame[target].to_numpy(dtype=np.int64 if whole else np.float64)


def read_star98() -> Arrays:
    """Return districts and the share of pupils above the median, from the two counts behind it."""
    frame = _frame("star98")
    share = frame["NABOVE"] / (frame["NABOVE"] + frame["NBELOW"])
    return frame.drop(columns=["NABOVE", "NBELOW"]).to_numpy(), share.to_numpy()
