"""Arrow record batches → chunks."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from nebula.errors import DataError
from nebula.profiling.streams.chunk import Chunk, FeatureCounts, Kind, Labels, Numbers, Piece
from nebula.profiling.streams.reader import Wanted, import_pyarrow

__all__ = ["chunk_of", "labels_of", "numbers_of"]


def chunk_of(batch: Any, wanted: Wanted, where: str, beside: list[str]) -> Chunk:
    """Read one record batch.

    Args:
        batch: With unique column names.
        wanted: What to read.
        where: The source, for error messages.
        beside: The columns beside the target.

    Raises:
        DataError: A target column is neither numbers, booleans, categories nor strings; or labels
            stand among several target columns.
    """
    pieces = [_read(batch.column(name), f"{where}: {name}") for name in wanted.target]
    piece = pieces[0] if len(pieces) == 1 else _stack(pieces, wanted.target, where)
    return Chunk(piece, count_features([batch.column(name) for name in beside], batch.num_rows))


def count_features(columns: list[Any], rows: int) -> FeatureCounts:
    """Count missing cells, and tell what each column holds."""
    pa = import_pyarrow("reading tables")
    missing = 0
    for column in columns:
        missing += column.null_count
        if pa.types.is_floating(column.type):
            missing += pa.compute.sum(pa.compute.is_nan(column)).as_py() or 0
    return FeatureCounts(rows, len(columns), missing, tuple(_kind(pa, column.type) for column in columns))


def numbers_of(column: Any) -> Numbers:
    """Read an array of numbers or booleans; null entries are missing."""
    if not column.null_count:
        return Numbers(_tensor(column))
    places = column.is_valid().to_numpy(zero_copy_only=False)
    values = None if column.null_count == len(column) else _tensor(column.drop_null())
    return Numbers(values, column.null_count, places)


def labels_of(column: Any, *, ordered: bool = False) -> Labels:
    """Read an array of dictionary type, or of anything that can be encoded as one."""
    pa = import_pyarrow("reading tables")
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    names = coded.dictionary.to_pylist()
    codes = coded.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    if None in names or len(set(names)) != len(names):  # a dictionary may hold null, or a label twice
        distinct = tuple(dict.fromkeys(name for name in names if name is not None))
        where = {name: place for place, name in enumerate(distinct)}
        codes = np.array([*(where.get(name, -1) for name in names), -1], dtype=np.int64)[codes]
        return Labels(codes, distinct, ordered)
    return Labels(codes, tuple(names), ordered)


def _read(column: Any, where: str) -> Piece:
    pa = import_pyarrow("reading tables")
    kind = column.type
    if hasattr(pa, "ExtensionArray") and isinstance(column, pa.ExtensionArray):
        column, kind = column.storage, column.storage.type
    if pa.types.is_null(kind):
        return Numbers(None, len(column), np.zeros(len(column), dtype=bool))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return numbers_of(column)
    if pa.types.is_decimal(kind):
        return numbers_of(column.cast(pa.float64()))
    if pa.types.is_dictionary(kind):
        return labels_of(column, ordered=bool(kind.ordered))
    if _is_text(pa, kind):
        return labels_of(column)
    if pa.types.is_fixed_size_list(kind) and not column.null_count and not column.flatten().null_count:
        inner = numbers_of(column.flatten())
        if inner.values is not None:
            return Numbers(inner.values.reshape(len(column), kind.list_size))
    raise DataError(
        f"{where}: expected a column of numbers, booleans, categories or strings, found {kind}; convert it first."
    )


def _stack(pieces: list[Piece], names: tuple[str, ...], where: str) -> Numbers:
    columns = []
    for piece, name in zip(pieces, names, strict=True):
        if isinstance(piece, Labels):
            raise DataError(f"{where}: expected numbers in every column, found labels in {name!r}; number them first.")
        columns.append(piece.in_order(getattr(torch, piece.dtype or "float64")).numpy())
    return Numbers(torch.from_numpy(np.column_stack(columns)))


def _tensor(column: Any) -> torch.Tensor:
    array = column.to_numpy(zero_copy_only=False)
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def _is_text(pa: Any, kind: Any) -> bool:
    is_view = getattr(pa.types, "is_string_view", lambda _: False)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or is_view(kind))


def _kind(pa: Any, kind: Any) -> Kind:
    if pa.types.is_null(kind):
        return "empty"
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    ):
        return "numeric"
    return "labelled" if pa.types.is_dictionary(kind) or _is_text(pa, kind) else "other"
