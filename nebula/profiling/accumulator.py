"""Everything that the facts of a target need, gathered piece by piece, in bounded memory.

Accumulators merge: any split of the rows, any order and any tree of merges gives the same facts;
the moments of more than 65,536 distinct values to rounding, everything else to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nebula.errors import DataError
from nebula.profiling.columns import MAX_COLUMNS, Columns
from nebula.profiling.device import lies_on_host
from nebula.profiling.distribution import Array
from nebula.profiling.fused import open_fused
from nebula.profiling.labels import describe_labels, find_void
from nebula.profiling.marginal import Marginal
from nebula.profiling.model import TargetFacts
from nebula.profiling.rows import SumRange, describe_rows, is_binary, sum_rows
from nebula.profiling.state import pack_columns, pack_marginal, read_array, unpack_columns, unpack_marginal
from nebula.profiling.statistics import describe_distribution
from nebula.profiling.survey import PIECE, Scratch, join_surveys
from nebula.profiling.threads import one_thread

__all__ = ["TargetAccumulator"]

_FORMAT = 1
_DEVICE_PIECE = 2**24
_HOST_TYPES = (torch.uint16, torch.uint32, torch.uint64)  # accelerators do not order these


class TargetAccumulator:
    """The facts of a target, as they grow.

    Args:
        ignore_value: The declared filler value (`hints.ignore_value`), or None.

    Example:
        >>> left, right = TargetAccumulator(), TargetAccumulator()
        >>> left.update(torch.tensor([0, 1]))
        >>> right.update(torch.tensor([1, 1]))
        >>> left.merge(right).facts().class_counts
        (1, 3)
    """

    def __init__(self, *, ignore_value: int | None = None) -> None:
        self.ignore_value = ignore_value
        self.rows = 0
        self.ndim: int | None = None
        self.tail: tuple[int, ...] = ()
        self.dtypes: frozenset[str] = frozenset()
        self.marginal = Marginal(ignore_value)
        self.sums: SumRange | None = None
        self.columns: Columns | None = None

    def update(self, values: Tensor) -> None:
        """Add rows.

        Args:
            values: (n, *tail), real, dense, of any element type, on any device; nothing is
                written to it. The tail must be that of the rows before.

        Raises:
            DataError: The rows have another shape than those before.
        """
        values = values.detach()
        self._set_layout(values.ndim, tuple(values.shape[1:]))
        with torch.no_grad(), one_thread(values.numel()):
            self._scan(values)

    def merge(self, other: TargetAccumulator) -> TargetAccumulator:
        """Return the accumulator of the rows of both; neither changes.

        Raises:
            DataError: The rows differ in shape, or the declared filler values differ.
        """
        if self.ignore_value != other.ignore_value:
            raise DataError(
                f"merge: expected the same ignore_value on both sides, found {self.ignore_value!r} and "
                f"{other.ignore_value!r}; profile both with the same hints."
            )
        both = TargetAccumulator(ignore_value=self.ignore_value)
        for side in (self, other):
            if side.ndim is not None:
                both._set_layout(side.ndim, side.tail)
        both.rows = self.rows + other.rows
        both.dtypes = self.dtypes | other.dtypes
        both.marginal = self.marginal.merge(other.marginal)
        both.sums = self.sums.merge(other.sums) if self.sums and other.sums else self.sums or other.sums
        if self.columns is not None and other.columns is not None:
            both.columns = self.columns.merge(other.columns)
        else:
            both.columns = self.columns or other.columns
        return both

    def facts(self) -> TargetFacts:
        """Return the facts of all rows so far; `name` and `categories` are not known here."""
        data = self.marginal.distribution()
        layout = {} if self.ndim is None else {
            "ndim": self.ndim,
            "shape_tail": self.tail,
            "n_columns": self.tail[0] if self.tail else 1,
        }  # fmt: skip
        width = self.tail[0] if self.tail else 1
        described = describe_distribution(data) | describe_labels(data, find_void(data, self.ignore_value))
        described |= describe_rows(data, width, self.sums)
        if data.n and width >= 2 and len(self.tail) == 1:
            # The odds of the whole target are no weight for its columns.
            described |= {"pos_weight": None} if is_binary(data) else {}
            described |= {} if self.columns is None else self.columns.describe(is_binary(data))
        return TargetFacts(
            dtype=next(iter(self.dtypes)) if len(self.dtypes) == 1 else None,
            n=self.rows,
            n_elements=data.size,
            **layout,
            **described,
        )

    def to_arrays(self) -> dict[str, Array]:
        """Return everything as plain arrays of bounded size, at most 10 MB: see `from_arrays`."""
        layout = [_FORMAT, self.rows, -1 if self.ndim is None else self.ndim, *self.tail]
        arrays = {
            "layout": np.array(layout, dtype=np.int64),
            "dtypes": np.array(sorted(self.dtypes), dtype="U16"),
            "ignore": np.array([] if self.ignore_value is None else [self.ignore_value], dtype=np.int64),
            "row_sums": np.array([] if self.sums is None else [self.sums.low, self.sums.high], dtype=np.float64),
        }
        arrays |= pack_marginal(self.marginal, "marginal")
        return arrays if self.columns is None else arrays | pack_columns(self.columns)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> TargetAccumulator:
        """Read what `to_arrays` returned, be it through numpy's own files, a network or shared memory.

        Raises:
            DataError: An array is missing, of another type or size, or contradicts another.
        """
        layout = read_array(arrays, "layout", np.int64, None).tolist()
        ignore = read_array(arrays, "ignore", np.int64, None).tolist()
        sums = read_array(arrays, "row_sums", np.float64, None).tolist()
        names = arrays.get("dtypes")
        if (
            len(layout) < 3 or layout[0] != _FORMAT or layout[1] < 0 or min([0, *layout[3:]]) < 0 or len(ignore) > 1
            or len(sums) not in (0, 2) or not isinstance(names, np.ndarray) or names.dtype.kind != "U" or names.size > 16
            or layout[2] not in ((-1,) if len(layout) == 3 else ()) + ((0, 1) if len(layout) == 3 else (len(layout) - 2,))
        ):  # fmt: skip
            raise DataError(
                f"accumulator: expected the arrays of to_arrays, format {_FORMAT}, found layout {layout[:8]}; "
                f"write it again with this version."
            )
        found = cls(ignore_value=ignore[0] if ignore else None)
        if layout[2] >= 0:
            found._set_layout(layout[2], tuple(layout[3:]))
        found.rows = layout[1]
        found.dtypes = frozenset(names.tolist())
        found.sums = SumRange(*sums) if sums else None
        found.marginal = unpack_marginal(arrays, "marginal", found.ignore_value)
        if found.marginal.size != found.rows * math.prod(found.tail):
            raise DataError(
                f"accumulator: expected {found.rows} rows of {found.tail}, found {found.marginal.size} values; "
                f"write it again with to_arrays."
            )
        if found.columns is not None:
            found.columns = unpack_columns(arrays, found.columns.width)
        return found

    def _scan(self, values: Tensor) -> None:
        self.rows += values.shape[0] if values.ndim else 1
        self.dtypes |= {str(values.dtype).removeprefix("torch.")}
        on_host = lies_on_host(values) or values.dtype in _HOST_TYPES
        size = PIECE if on_host else _DEVICE_PIECE
        scratch = Scratch(min(PIECE, max(values.numel(), 1)) if on_host else 1)
        fused, start, guessed = open_fused(values), 0, None
        rows = values if values.ndim else values.reshape(1)
        while values.numel() and start < rows.shape[0]:
            read, sums = (0, None) if fused is None else fused.read(start, self.marginal, self.columns)
            if read:
                self._add_sums(sums)
            else:
                piece = _cut(rows, start, size)
                read = piece.shape[0]
                to_come = (rows.shape[0] - start - read) * math.prod(self.tail)
                self._add(piece.cpu() if on_host else piece, scratch, to_come)
            if self.marginal.is_guess and guessed is None:
                guessed = start
            start += read
        if not self.marginal.confirm() and guessed is not None:
            self._recount(rows, guessed, size, scratch)

    def _recount(self, rows: Tensor, start: int, size: int, scratch: Scratch) -> None:
        while start < rows.shape[0]:
            piece = _cut(rows, start, size)
            for part in torch.split(piece.reshape(-1), PIECE):
                self.marginal.recount(part, scratch)
            start += piece.shape[0]
        self.marginal.settle()

    def _add_sums(self, found: SumRange | None) -> None:
        if found is not None:
            self.sums = found if self.sums is None else self.sums.merge(found)

    def _set_layout(self, ndim: int, tail: tuple[int, ...]) -> None:
        if self.ndim is not None and self.tail != tail:
            raise DataError(
                f"target: expected the same shape in every part, found rows of {self.tail} and {tail}; "
                f"pad them, and declare the filler as hints.ignore_value."
            )
        self.ndim, self.tail = max(ndim, self.ndim or 0), tail
        if self.columns is None and len(tail) == 1 and 2 <= tail[0] <= MAX_COLUMNS:
            self.columns = Columns(tail[0])

    def _add(self, piece: Tensor, scratch: Scratch, to_come: int) -> None:
        flat = piece.reshape(-1)
        most = PIECE if lies_on_host(piece) else _DEVICE_PIECE
        parts = [flat] if flat.numel() <= most else torch.split(flat, most)
        # What is guessed at one part of a piece could not be recounted from there.
        seen = [self.marginal.add(part, scratch, to_come if len(parts) == 1 else 0) for part in parts]
        if piece.ndim >= 2 and piece.shape[1] >= 2:
            whole_piece = seen[0] if len(seen) == 1 else join_surveys(seen)
            self._add_sums(sum_rows(piece, whole_piece))
            if self.columns is not None:
                self.columns.add(piece, whole_piece, scratch)


def _cut(rows: Tensor, start: int, size: int) -> Tensor:
    """Return whole rows from `start` on, contiguous, of this many values where rows allow."""
    step = max(1, size // max(1, rows[:1].numel()))
    return rows[start : start + step].contiguous()
