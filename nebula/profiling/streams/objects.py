"""What a program holds: memory-mapped arrays, Arrow tables, loaders, Hugging Face data sets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from nebula.errors import DataError
from nebula.profiling.loaders import Choice, LoaderTargets, collect, is_in_memory
from nebula.profiling.streams.array_files import ArrayFile
from nebula.profiling.streams.arrow_columns import chunk_of
from nebula.profiling.streams.chunk import CHUNK_ROWS, Chunk, Numbers
from nebula.profiling.streams.reader import Reader, Wanted, require

__all__ = ["TableReader", "is_paths", "is_source", "is_table", "open_object"]

_ROWS_TOGETHER = 4096


def is_paths(data: Any) -> bool:
    """Say whether this names files."""
    if isinstance(data, list | tuple):
        return len(data) > 0 and all(isinstance(part, str | Path) for part in data)
    return isinstance(data, str | Path)


def is_source(data: Any) -> bool:
    """Say whether this is read in chunks: files, a mapped array, a table, a loader, a data set."""
    return is_paths(data) or isinstance(data, np.memmap | DataLoader | Dataset) or is_table(data)


def open_object(data: Any, wanted: Wanted, choice: Choice) -> Reader:
    """Return the reader of an object.

    Args:
        data: A `numpy.memmap`; an Arrow table, record batch or record batch reader; a Hugging Face
            data set; or anything that `collect` takes.
        wanted: Columns, for tables.
        choice: Where the target is in an item of a loader.

    Raises:
        DataError: A table comes without the name of its target, or an array with one.
    """
    if isinstance(data, Tensor) or (isinstance(data, np.ndarray) and not isinstance(data, np.memmap)):
        raise DataError(
            f"data: expected no `target=` beside one array, found {choice!r}; the array is the target: "
            f"leave it out, or name it with `name=`."
        )
    if is_in_memory(data):
        return ArrayFile("target", {"target": collect(data, target=choice).targets}, Wanted(("target",)))
    if isinstance(data, np.memmap):
        named = Wanted(wanted.target or ("target",))
        return ArrayFile("target", {named.target[0]: data}, named)
    if is_table(data):
        return TableReader(data, wanted)
    return _LoaderReader(LoaderTargets(data, choice))


class TableReader:
    """A table whose columns have names; one part."""

    def __init__(self, data: Any, wanted: Wanted) -> None:
        names = _names(data)
        if not wanted.target:
            raise DataError(f"data: expected `target=`, the name of a column, found none. Known: {names[:20]}.")
        require("data", [*wanted.target, *(wanted.features or ())], names)
        self._data, self._wanted, self._beside = data, wanted, wanted.beside(names)
        self.rows: int | None = getattr(data, "num_rows", None)
        self.n_parts: int | None = 1

    def parts(self, start: int = 0) -> Iterator[Iterator[Chunk]]:
        """Return the one part."""
        if start == 0:
            yield self._chunks()

    def _chunks(self) -> Iterator[Chunk]:
        columns = list(dict.fromkeys([*self._wanted.target, *self._beside]))
        for batch in _batches(self._data, columns):
            yield chunk_of(batch, self._wanted, "data", self._beside)


class _LoaderReader:
    """A loader; one part of which every batch is a chunk."""

    def __init__(self, targets: LoaderTargets) -> None:
        self._targets = targets
        self.rows: int | None = targets.rows
        self.n_parts: int | None = 1

    def parts(self, start: int = 0) -> Iterator[Iterator[Chunk]]:
        """Return the one part."""
        if start == 0:
            yield (Chunk(Numbers(piece)) for piece in self._targets.pieces(_ROWS_TOGETHER))


def is_table(data: Any) -> bool:
    """Say whether this is a table of Arrow or of Hugging Face, without importing either."""
    arrow, huggingface = sys.modules.get("pyarrow"), sys.modules.get("datasets")
    kinds = [getattr(arrow, name, None) for name in ("Table", "RecordBatch", "RecordBatchReader")]
    kinds += [getattr(huggingface, name, None) for name in ("Dataset", "IterableDataset")]
    return isinstance(data, tuple(kind for kind in kinds if isinstance(kind, type)))


def _names(data: Any) -> list[str]:
    schema = getattr(data, "schema", None)
    return list(schema.names if schema is not None else data.column_names or ())


def _batches(data: Any, columns: list[str]) -> Iterator[Any]:
    """Return record batches of at most `CHUNK_ROWS` rows with the wanted columns."""
    if hasattr(data, "with_format"):  # Hugging Face: tables of so many rows
        tables = data.select_columns(columns).with_format("arrow").iter(batch_size=_ROWS_TOGETHER * 4)
        for table in tables:
            yield from table.select(columns).to_batches(max_chunksize=CHUNK_ROWS)
        return
    if hasattr(data, "to_batches"):
        yield from data.select(columns).to_batches(max_chunksize=CHUNK_ROWS)
        return
    for batch in [data] if hasattr(data, "num_rows") else data:
        for start in range(0, batch.num_rows, CHUNK_ROWS):
            yield batch.slice(start, CHUNK_ROWS).select(columns)
