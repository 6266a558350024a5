"""Columns of pandas and polars → numpy, without importing either."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nebula.errors import DataError
from nebula.profiling.model import Categories

__all__ = ["Column", "count_kinds", "count_missing", "encode_labels", "is_frame", "read_frame"]


@dataclass(frozen=True)
class Column:
    """One or more columns as numbers.

    Attributes:
        values: (N,) for a Series, (N, C) for a frame; missing entries are NaN.
        name: Name of the column, or None for several.
        class_names: Label of every integer code, when the column held categories or strings.
        categories: Whether these have an order; None for numbers.
    """

    values: np.ndarray[Any, Any]
    name: str | None = None
    class_names: tuple[str, ...] | None = None
    categories: Categories | None = None


def is_frame(data: Any) -> bool:
    """Say whether this is a pandas or polars Series or DataFrame."""
    return _is(data, "pandas", "Series", "DataFrame") or _is(data, "polars", "Series", "DataFrame")


def read_frame(data: Any, role: str = "target") -> Column:
    """Read a Series or a DataFrame of pandas or polars.

    Raises:
        DataError: A column is neither numbers, booleans, categories nor strings; or a frame of
            several columns has one that is not numbers.
    """
    if not hasattr(data, "columns"):
        return _read_series(data, role)
    columns = [_read_series(data[name], f"{role}[{name!r}]") for name in data.columns]
    if len(columns) == 1:
        return replace(columns[0], values=columns[0].values.reshape(-1, 1))
    if not columns:
        raise DataError(f"{role}: expected at least one column, found a frame without any.")
    for column in columns:
        if column.class_names is not None:
            raise DataError(
                f"{role}: expected numbers in every column, found labels in {column.name!r}; number them first."
            )
    return Column(np.column_stack([column.values for column in columns]))


def encode_labels(
    labels: Iterable[Any], order: Iterable[Any] | None = None
) -> tuple[np.ndarray[Any, Any], tuple[str, ...]]:
    """Number labels 0..K-1 in sorted order, or in the order given.

    Args:
        labels: One label a row; None for a missing one.
        order: The labels in their declared order; those that do not occur are left out.

    Returns:
        The codes (int64; float64 with NaN when a label is missing) and the label of every code.
    """
    rows = list(labels)
    present = {label for label in rows if label is not None}
    if order is not None:
        names = [label for label in order if label in present]
    else:
        try:
            names = sorted(present)
        except TypeError:
            names = sorted(present, key=str)
    code = {label: float(index) for index, label in enumerate(names)}
    codes = np.array([np.nan if label is None else code[label] for label in rows], dtype=np.float64)
    if not np.isnan(codes).any():
        codes = codes.astype(np.int64)
    return codes, tuple(str(label) for label in names)


def count_missing(frame: Any) -> int:
    """Count the missing cells of a DataFrame: null, and NaN where it is a number."""
    if _is(frame, "pandas", "DataFrame"):
        return int(frame.isna().to_numpy().sum())
    missing = 0
    for series in frame.iter_columns():
        missing += int(series.null_count())
        if series.dtype.is_float():
            missing += int(series.is_nan().sum())
    return missing


def count_kinds(frame: Any) -> tuple[int, int]:
    """Count the columns of a DataFrame that hold numbers or booleans, and those that hold categories or strings."""
    if not _is(frame, "pandas", "DataFrame"):
        kinds = [str(dtype).partition("(")[0] for dtype in frame.dtypes]
        numeric = sum(kind == "Boolean" or dtype.is_numeric() for kind, dtype in zip(kinds, frame.dtypes, strict=True))
        return numeric, sum(kind in ("String", "Categorical", "Enum") for kind in kinds)
    numeric = labelled = 0
    for place, dtype in enumerate(frame.dtypes):
        kind = getattr(dtype, "kind", "O")
        if dtype.name == "category":
            labelled += 1
        elif kind in "biuf":
            numeric += 1
        elif kind == "O":
            present = frame.iloc[:, place].dropna()
            labelled += bool(len(present)) and all(isinstance(label, str) for label in present)
    return numeric, labelled


def _read_series(series: Any, role: str) -> Column:
    name = None if series.name in (None, "") else str(series.name)
    try:
        return _read_pandas(series, name, role) if _is(series, "pandas", "Series") else _read_polars(series, name, role)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{role}: expected a column of numbers or labels, found {series.dtype}: {error}.") from None


def _read_pandas(series: Any, name: str | None, role: str) -> Column:
    dtype = series.dtype
    kind = getattr(dtype, "kind", "O")
    if dtype.name == "category":
        labels = series.astype(object).where(series.notna(), None)
        order = series.cat.categories if series.cat.ordered else None
        return _labelled(labels, order, name)
    if kind in "biuf":
        if bool(series.isna().any()):
            return Column(series.to_numpy(dtype=_missing_as_float(dtype), na_value=np.nan), name)
        plain = getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", dtype))
        return Column(series.to_numpy(dtype=plain), name)
    present = series.dropna()
    if kind == "O" and len(present) and all(isinstance(label, str) for label in present):
        return _labelled(series.astype(object).where(series.notna(), None), None, name)
    raise _refuse(role, dtype)


def _read_polars(series: Any, name: str | None, role: str) -> Column:
    dtype = series.dtype
    kind = type(dtype).__name__ if not isinstance(dtype, type) else dtype.__name__
    if dtype.is_numeric() or kind == "Boolean":
        if series.null_count() or kind == "Decimal":
            return Column(series.cast(sys.modules["polars"].Float64).to_numpy(), name)
        return Column(series.to_numpy(), name)
    if kind in ("String", "Utf8", "Categorical", "Enum"):
        order = dtype.categories.to_list() if kind == "Enum" else None
        return _labelled(series.to_list(), order, name)
    raise _refuse(role, dtype)


def _labelled(labels: Any, order: Any, name: str | None) -> Column:
    codes, names = encode_labels(labels, order)
    return Column(codes, name, names, "unordered" if order is None else "ordered")


def _missing_as_float(dtype: Any) -> Any:
    return dtype if isinstance(dtype, np.dtype) and dtype.kind == "f" else np.float64


def _refuse(role: str, dtype: Any) -> DataError:
    return DataError(
        f"{role}: expected a column of numbers, booleans, categories or strings, found {dtype}; "
        f"convert it with .astype or .cast first."
    )


def _is(data: Any, library: str, *names: str) -> bool:
    module = sys.modules.get(library)
    kinds = tuple(kind for name in names if isinstance(kind := getattr(module, name, None), type))
    return isinstance(data, kinds)
