"""The columns of an (N, C) target, each for itself: prevalence, median, positives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nebula.profiling.device import lies_on_host
from nebula.profiling.distribution import Array, Distribution
from nebula.profiling.marginal import Marginal
from nebula.profiling.moments import mean_of
from nebula.profiling.rows import is_binary
from nebula.profiling.statistics import quantile_of
from nebula.profiling.survey import Scratch, Survey

__all__ = ["MAX_COLUMNS", "MAX_MEDIANS", "Columns"]

MAX_COLUMNS = 1024
MAX_MEDIANS = 64
CAPACITY = 2**13


class Columns:
    """A mergeable accumulator over the columns of a table.

    Pieces that hold only 0 and 1 are two counts a column. Of others, up to 64 columns keep a
    table of values each; more keep sums.

    Attributes:
        width: Number of columns.
        zeros: Zeros in pieces of 0 and 1, (C,) int64.
        ones: Ones in pieces of 0 and 1, (C,) int64.
        n: Finite values in other pieces of a wide table, (C,) int64.
        binary: Those of them that are 0 or 1, (C,) int64.
        sums: Their sums, rounded, and what rounding left, (2, C).
        parts: Columns of other pieces of a narrow table; None before the first.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.zeros, self.ones, self.n, self.binary = np.zeros((4, width), dtype=np.int64)
        self.sums = np.zeros((2, width))
        self.parts: list[Marginal] | None = None

    def add(self, piece: Tensor, seen: Survey, scratch: Scratch) -> None:
        """Add whole rows, (rows, C), contiguous."""
        if seen.is_binary and not seen.nan_count and not seen.inf_count:
            self.add_counted(piece.shape[0], _count_ones(piece))
        elif self.width <= MAX_MEDIANS:
            if self.parts is None:
                self.parts = [Marginal(capacity=CAPACITY) for _ in range(self.width)]
            for part, column in zip(self.parts, piece.T.contiguous(), strict=True):
                part.add(column, scratch)
        else:
            values = piece.double()
            finite = torch.isfinite(values)
            self.n = self.n + finite.sum(0).cpu().numpy()
            self.binary = self.binary + ((values == 0) | (values == 1)).sum(0).cpu().numpy()
            self._sum(torch.where(finite, values, 0.0).sum(0).cpu().numpy(), np.zeros(self.width))

    def add_counted(self, rows: int, ones: Array) -> None:
        """Add rows of 0 and 1, with the number of ones of every column, (C,)."""
        self.zeros = self.zeros + (rows - ones)
        self.ones = self.ones + ones

    def merge(self, other: Columns) -> Columns:
        """Return the accumulator of both; neither changes."""
        both = Columns(self.width)
        for name in ("zeros", "ones", "n", "binary", "sums"):
            setattr(both, name, getattr(self, name))
        both.zeros, both.ones = self.zeros + other.zeros, self.ones + other.ones
        both.n, both.binary = self.n + other.n, self.binary + other.binary
        both._sum(*other.sums)
        if self.parts is not None and other.parts is not None:
            both.parts = [left.merge(right) for left, right in zip(self.parts, other.parts, strict=True)]
        else:
            both.parts = self.parts or other.parts
        return both

    def describe(self, multi_hot: bool) -> dict[str, Any]:
        """Compute the facts of `TargetFacts` about each column, by field name.

        A list is None when it has no value for one of the columns.

        Args:
            multi_hot: All finite values of the target are 0 or 1.
        """
        means: list[float | None]
        medians: list[float | None] = []
        if self.width <= MAX_MEDIANS:
            columns = [self._column(place) for place in range(self.width)]
            means = [mean_of(column) for column in columns]
            medians = [quantile_of(column, 0.5) for column in columns]
            binary = [is_binary(column) for column in columns]
            positives = [(column.n, column.n - column.count_up_to(0)) for column in columns]
        else:
            n = self.n + self.zeros + self.ones
            totals = (self.sums[0] + (self.sums[1] + self.ones)).tolist()
            means = [total / count if count else None for total, count in zip(totals, n.tolist(), strict=True)]
            binary = ((self.n == self.binary) & (n > 0)).tolist()
            positives = list(zip(n.tolist(), totals, strict=True))
        facts = {
            "n_binary_columns": sum(binary),
            "last_column_is_binary": binary[-1],
            "label_prevalence": _all_known(means),
            "column_medians": _all_known(medians),
        }
        if multi_hot:
            facts["pos_weight"] = _all_known([(count - ones) / ones if ones else None for count, ones in positives])
        return facts

    def _column(self, place: int) -> Distribution:
        part = Marginal(capacity=CAPACITY) if self.parts is None else self.parts[place].copy()
        counts = np.array([self.zeros[place], self.ones[place]])
        part.size += int(counts.sum())
        part.add_counted(np.flatnonzero(counts), counts[counts > 0])
        return part.distribution()

    def _sum(self, sums: Array, rest: Array) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            total = self.sums[0] + sums
            virtual = total - self.sums[0]
            lost = (self.sums[0] - (total - virtual)) + (sums - virtual)
            self.sums = np.stack([total, self.sums[1] + rest + lost])


def _count_ones(piece: Tensor) -> Array:
    if not lies_on_host(piece):
        found: Array = (piece != 0).sum(0).cpu().numpy()
        return found
    # A float32 counts exactly up to 2^24, more than a piece has rows.
    counts = np.ones(piece.shape[0], dtype=np.float32) @ piece.float().numpy()
    ones: Array = counts.astype(np.int64)
    return ones


def _all_known(values: list[float | None]) -> tuple[float, ...] | None:
    known = tuple(value for value in values if value is not None and math.isfinite(value))
    return known if known and len(known) == len(values) else None
