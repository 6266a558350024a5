"""CSV files, block by block, with the types that the whole column has.

A type guessed from the first block may be wrong for a later one, so every cell is read as text and
each block is converted by itself; numbers give way to labels when one block demands it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from nebula.errors import DataError
from nebula.profiling.stores.stored_file import DataPath, StoredFile, opened
from nebula.profiling.streams.arrow_columns import labels_of, numbers_of
from nebula.profiling.streams.chunk import Chunk, FeatureCounts, Kind, Numbers, Piece
from nebula.profiling.streams.reader import LabelsFound, Wanted, import_pyarrow, require

__all__ = ["CsvFile"]

_BLOCK = 2**22
_BOOLEANS = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}
# What pandas takes for a missing cell.
_MISSING = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
]  # fmt: skip


class CsvFile:
    """A CSV file with a header line; a part is a block of about 4 MiB."""

    def __init__(self, path: DataPath, wanted: Wanted) -> None:
        self._pa = import_pyarrow("reading CSV files")
        self._path, self._wanted = path, wanted
        self.rows: int | None = None
        self.n_parts: int | None = None
        with _open_text(path) as file:
            names = next(csv.reader(file), [])
        if not names:
            raise DataError(f"{path}: expected a header line, found an empty file.")
        self._beside = wanted.beside(names)
        require(path, [*wanted.target, *self._beside], names)

    def parts(self, start: int = 0) -> Iterator[Iterator[Chunk]]:
        """Return the blocks from number `start` on; those before are read over."""
        from pyarrow import csv as arrow_csv

        columns = list(dict.fromkeys([*self._wanted.target, *self._beside]))
        with (
            opened(self._path) as source,
            arrow_csv.open_csv(
                source,
                read_options=arrow_csv.ReadOptions(block_size=_BLOCK),
                parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(
                    include_columns=columns,
                    column_types=dict.fromkeys(columns, self._pa.string()),
                    strings_can_be_null=True,
                    null_values=_MISSING,
                ),
            ) as blocks,
        ):
            for place, batch in enumerate(blocks):
                if place >= start:
                    yield iter([self._chunk(batch)])

    def _chunk(self, batch: Any) -> Chunk:
        columns = [batch.column(name) for name in self._beside]
        counts = FeatureCounts(
            batch.num_rows,
            len(columns),
            sum(column.null_count for column in columns),
            tuple(self._kind(column) for column in columns),
        )
        pieces = [self._read(batch.column(name)) for name in self._wanted.target]
        if len(pieces) == 1:
            return Chunk(pieces[0], counts)
        return Chunk(self._stack([piece for piece in pieces if isinstance(piece, Numbers)]), counts)

    def _read(self, column: Any) -> Piece:
        if self._wanted.as_labels:
            return labels_of(column)
        if column.null_count == len(column):
            return Numbers(None, len(column), np.zeros(len(column), dtype=bool))
        numbers = self._as_numbers(column)
        if numbers is None:
            if len(self._wanted.target) > 1:
                raise DataError(
                    f"{self._path}: expected numbers in every column of {', '.join(self._wanted.target)}, found labels; "
                    f"number them first."
                )
            raise LabelsFound
        return numbers_of(numbers)

    def _stack(self, pieces: list[Numbers]) -> Numbers:
        # The type of a column is known when all of it was read; float64 holds what each block has.
        columns = [piece.in_order(torch.float64) for piece in pieces]
        whole = all(piece.dtype == "int64" for piece in pieces)
        return Numbers(torch.stack([c.to(torch.int64) if whole else c for c in columns], dim=1))

    def _as_numbers(self, column: Any) -> Any:
        """Return the column as int64, uint64, float64 or bool, whichever comes first; None for text."""
        compute = self._pa.compute
        trimmed = compute.utf8_trim_whitespace(column)
        for kind in (self._pa.int64(), self._pa.uint64(), self._pa.float64()):
            try:
                numbers = trimmed.cast(kind)
            except self._pa.ArrowInvalid:
                continue
            # Arrow reads 0x1F as a number; a label is what was meant.
            hexadecimal = compute.any(compute.match_substring(column, "x", ignore_case=True)).as_py()
            return None if hexadecimal else numbers
        distinct = compute.unique(column)
        if len(distinct) <= len(_BOOLEANS) + 1 and set(distinct.to_pylist()) <= {*_BOOLEANS, None}:
            truth = compute.is_in(column, self._pa.array([name for name, value in _BOOLEANS.items() if value]))
            return compute.if_else(column.is_valid(), truth, None)
        return None

    def _kind(self, column: Any) -> Kind:
        if column.null_count == len(column):
            return "empty"
        return "labelled" if self._as_numbers(column) is None else "numeric"


def _open_text(path: DataPath) -> io.TextIOBase:
    encoding: Any = {"encoding": "utf-8-sig", "newline": ""}
    return io.TextIOWrapper(path.open(), **encoding) if isinstance(path, StoredFile) else path.open(**encoding)
