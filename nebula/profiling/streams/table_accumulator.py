"""The facts of a target and of the table beside it, as they grow; parts merge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch

from nebula.errors import DataError
from nebula.profiling.accumulator import TargetAccumulator
from nebula.profiling.distribution import Array
from nebula.profiling.model import FeatureFacts, TargetFacts
from nebula.profiling.streams.chunk import Chunk, FeatureCounts, Kind, Labels
from nebula.profiling.streams.label_counts import LabelCounts

__all__ = ["TableAccumulator", "unify_dtypes"]

_FORMAT = 1
_KINDS: tuple[Kind, ...] = ("empty", "numeric", "labelled", "other")


class TableAccumulator:
    """What `TargetAccumulator` is for numbers in memory, for chunks of any table.

    Any split of the rows into chunks, files and machines gives the same facts; the moments of
    more than 65,536 distinct values to rounding, everything else to the last bit.

    Args:
        ignore_value: The declared filler value (`hints.ignore_value`), or None.
    """

    def __init__(self, *, ignore_value: int | None = None) -> None:
        self.numbers = TargetAccumulator(ignore_value=ignore_value)
        self.labels: LabelCounts | None = None
        self.missing = 0
        self.dtypes: set[str] = set()
        self.features: FeatureCounts | None = None
        self.chunks = 0

    @property
    def rows(self) -> int:
        """Rows so far."""
        return self.numbers.rows + self.missing + (sum(self.labels.counts.values()) if self.labels else 0)

    def update(self, chunk: Chunk) -> None:
        """Add rows.

        Raises:
            DataError: They do not fit those before: another shape, or labels beside numbers.
        """
        piece = chunk.target
        if isinstance(piece, Labels):
            self.labels = LabelCounts() if self.labels is None else self.labels
            self.missing += self.labels.add(piece)
        else:
            if piece.values is not None:
                self.numbers.update(piece.values)
                self.dtypes.add(str(piece.dtype))
            self.missing += piece.missing
        self._check_kinds()
        if chunk.features is not None:
            self.features = chunk.features if self.features is None else self.features.merge(chunk.features)
        self.chunks += 1

    def merge(self, other: TableAccumulator) -> TableAccumulator:
        """Return the accumulator of the rows of both; neither changes.

        Raises:
            DataError: The parts do not fit together.
        """
        both = TableAccumulator()
        both.numbers = self.numbers.merge(other.numbers)
        both.labels = self.labels.merge(other.labels) if self.labels and other.labels else self.labels or other.labels
        both.missing = self.missing + other.missing
        both.dtypes = self.dtypes | other.dtypes
        both.features = self.features or other.features
        if self.features is not None and other.features is not None:
            both.features = self.features.merge(other.features)
        both.chunks = self.chunks + other.chunks
        both._check_kinds()
        return both

    def target(self) -> TargetAccumulator:
        """Return the accumulator of the target: labels as codes in sorted order, missing entries as NaN."""
        found = self.numbers if self.labels is None else self._coded(self.labels)
        if self.missing:
            found = found.merge(_missing_rows(self.missing, self.numbers.ignore_value))
        whole = TargetAccumulator(ignore_value=self.numbers.ignore_value).merge(found)
        dtype = self.dtype
        whole.dtypes = frozenset([dtype]) if dtype else frozenset()
        return whole

    def facts(self) -> TargetFacts:
        """Return the facts of all rows so far."""
        facts = self.target().facts()
        ordered = self.labels is not None and self.labels.order is not None
        kind = None if self.labels is None else "ordered" if ordered else "unordered"
        return facts.model_copy(update={"categories": kind})

    @property
    def dtype(self) -> str | None:
        """Element type that holds the whole target; None when no single one does."""
        if self.labels is not None:
            return "float64" if self.missing else "int64"
        return unify_dtypes(self.dtypes)

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Label of every code; None for numbers."""
        return None if self.labels is None else tuple(str(name) for name in self.labels.names())

    def feature_facts(self) -> FeatureFacts:
        """Return the facts of the columns beside the target."""
        counts = self.features
        if counts is None:
            return FeatureFacts()
        cells = counts.n * (counts.d or 0)
        return FeatureFacts(n=counts.n, d=counts.d, missing_fraction=counts.missing / cells if cells else None)

    def to_arrays(self) -> dict[str, Array]:
        """Return everything as plain arrays of bounded size; see `from_arrays`."""
        counts = self.features
        kinds = [_KINDS.index(kind) for kind in counts.kinds] if counts else []
        shape = [] if counts is None else [counts.n, -1 if counts.d is None else counts.d, counts.missing, *kinds]
        arrays = {f"numbers.{name}": array for name, array in self.numbers.to_arrays().items()}
        arrays |= {
            "table": np.array([_FORMAT, self.missing, self.chunks], dtype=np.int64),
            "table.dtypes": np.array(sorted(self.dtypes), dtype="U16"),
            "table.features": np.array(shape, dtype=np.int64),
        }
        return arrays | (self.labels.to_arrays() if self.labels is not None else {})

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> TableAccumulator:
        """Read what `to_arrays` returned.

        Raises:
            DataError: An array is missing, of another type or size, or contradicts another.
        """
        inner = {name.removeprefix("numbers."): array for name, array in arrays.items() if name.startswith("numbers.")}
        found = cls()
        found.numbers = TargetAccumulator.from_arrays(inner)
        try:
            form, found.missing, found.chunks = _integers(arrays["table"])
            shape = _integers(arrays["table.features"])
            found.dtypes = set(map(str, arrays["table.dtypes"].tolist()))
            if (
                form != _FORMAT
                or min(found.missing, found.chunks) < 0
                or len(found.dtypes) > 32
                or len(shape) in (1, 2)
            ):
                raise ValueError
            if shape:
                n, d, missing, *kinds = shape
                named = tuple(_KINDS[kind] for kind in kinds)
                if min(n, missing, *kinds, 0) < 0 or len(kinds) not in (0, d):
                    raise ValueError
                found.features = FeatureCounts(n, None if d < 0 else d, missing, named)
        except (KeyError, ValueError, TypeError, AttributeError, IndexError):
            raise DataError(
                f"accumulator: expected the arrays of a table, format {_FORMAT}, found something else; "
                f"write it again with to_arrays."
            ) from None
        if "labels.names" in arrays:
            found.labels = LabelCounts.from_arrays(arrays)
        found._check_kinds()
        return found

    def _coded(self, labels: LabelCounts) -> TargetAccumulator:
        coded = TargetAccumulator(ignore_value=self.numbers.ignore_value)
        coded.update(torch.empty(0, dtype=torch.int64))
        counts = np.array([labels.counts[name] for name in labels.names()], dtype=np.int64)
        coded.rows = coded.marginal.size = int(counts.sum())
        coded.marginal.add_counted(np.arange(len(counts), dtype=np.int64), counts)
        return coded

    def _check_kinds(self) -> None:
        if self.labels is not None and self.numbers.rows:
            some = next(iter(self.labels.counts), None)
            raise DataError(
                f"target: expected numbers in every part, or labels in every part, found "
                f"{self.numbers.rows} rows of numbers beside labels such as {some!r}; give the column one type."
            )
        if self.missing and self.numbers.tail:
            raise DataError(
                f"target: expected no missing rows beside rows of shape {self.numbers.tail}, found {self.missing}; "
                f"leave them out, or fill them with NaN."
            )


def unify_dtypes(names: Iterable[str]) -> str | None:
    """Return the element type that holds values of all these; float64 for none of them."""
    names = set(names)
    if len(names) == 1:
        return next(iter(names))
    try:
        wide = ["float32" if name == "bfloat16" else name for name in names]
        return str(np.result_type(*wide)) if wide else "float64"
    except TypeError:
        return None


def _missing_rows(number: int, ignore_value: int | None) -> TargetAccumulator:
    """Return what this many NaN give, in log2(number) merges."""
    total, power = TargetAccumulator(ignore_value=ignore_value), TargetAccumulator(ignore_value=ignore_value)
    power.update(torch.tensor([torch.nan], dtype=torch.float64))
    while number:
        if number & 1:
            total = total.merge(power)
        power, number = power.merge(power), number >> 1
    return total


def _integers(array: Any) -> list[int]:
    if not isinstance(array, np.ndarray) or array.dtype != np.int64 or array.size > 2**20:
        raise ValueError
    return [int(number) for number in array.reshape(-1)]
