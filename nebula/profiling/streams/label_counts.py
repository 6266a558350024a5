"""Labels of many chunks → counts that merge, and codes that do not depend on the chunks.

Each chunk numbers its labels in its own way, so labels are kept by name until all rows were seen;
their codes are then their places in sorted (or declared) order, as for a column in memory. All
facts of labels follow from the counts, so no second pass is needed for them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from nebula.errors import DataError
from nebula.profiling.distribution import Array
from nebula.profiling.streams.chunk import Labels

__all__ = ["MAX_LABELS", "LabelCounts"]

MAX_LABELS = 2**20
_MAX_BYTES = 2**27


class LabelCounts:
    """How often each label occurs.

    Attributes:
        counts: Label → rows.
        order: The declared order, or None.
    """

    def __init__(self, counts: Mapping[Any, int] | None = None, order: tuple[Any, ...] | None = None) -> None:
        self.counts: dict[Any, int] = dict(counts or {})
        self.order = order
        self._check_size()

    def add(self, piece: Labels) -> int:
        """Add rows and return how many labels were missing.

        Raises:
            DataError: There are more than 1,048,576 different labels, or two declared orders.
        """
        present = piece.codes[piece.codes >= 0]
        for place, count in enumerate(np.bincount(present, minlength=len(piece.names)).tolist()):
            if count:
                name = piece.names[place]
                self.counts[name] = self.counts.get(name, 0) + count
        if piece.ordered:
            self.order = _same_order(self.order, piece.names)
        self._check_size()
        return len(piece.codes) - len(present)

    def merge(self, other: LabelCounts) -> LabelCounts:
        """Return the counts of both; neither changes."""
        both = LabelCounts(self.counts, self.order)
        for name, count in other.counts.items():
            both.counts[name] = both.counts.get(name, 0) + count
        if other.order is not None:
            both.order = _same_order(both.order, other.order)
        both._check_size()
        return both

    def names(self) -> list[Any]:
        """Return the labels that occur in the order of their codes."""
        if self.order is not None:
            return [name for name in self.order if name in self.counts]
        try:
            return sorted(self.counts)
        except TypeError:
            return sorted(self.counts, key=str)

    def refuse_half_numbers(self, where: str) -> None:
        """Refuse a column of numbers that one stray word would turn into labels.

        Raises:
            DataError: More than half of the entries, but not all, read as numbers.
        """
        strays = [name for name in self.counts if isinstance(name, str) and not _reads_as_number(name)]
        total = sum(self.counts.values())
        numbers = total - sum(self.counts[name] for name in strays)
        if strays and total // 2 < numbers:
            raise DataError(
                f"{where}: expected numbers or labels, found {numbers} numbers among {total} entries, and "
                f"{min(strays)!r}; mend or empty the others."
            )

    def to_arrays(self) -> dict[str, Array]:
        """Return the counts as plain arrays; see `from_arrays`."""
        names = list(self.counts)
        text = json.dumps([names, self.order], ensure_ascii=False).encode()
        counts = np.array([self.counts[name] for name in names], dtype=np.int64)
        return {"labels.names": np.frombuffer(text, dtype=np.uint8).copy(), "labels.counts": counts}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> LabelCounts:
        """Read what `to_arrays` returned.

        Raises:
            DataError: The arrays are something else.
        """
        text, counts = arrays.get("labels.names"), arrays.get("labels.counts")
        try:
            if text.nbytes > _MAX_BYTES or text.dtype != np.uint8 or counts.dtype != np.int64:  # type: ignore[union-attr]
                raise ValueError
            names, order = json.loads(text.tobytes())  # type: ignore[union-attr]
            found = dict(zip(names, counts.tolist(), strict=True))  # type: ignore[union-attr]
            if len(found) != len(names) or min(found.values(), default=1) < 1:
                raise ValueError
            return cls(found, None if order is None else tuple(order))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                "labels: expected the arrays of to_arrays, found something else; write them again."
            ) from None

    def _check_size(self) -> None:
        if len(self.counts) > MAX_LABELS:
            raise DataError(
                f"target: expected at most {MAX_LABELS} different labels, found more; "
                f"is it an identifier or free text? Choose another column, or number the labels first."
            )


def _same_order(left: tuple[Any, ...] | None, right: tuple[Any, ...]) -> tuple[Any, ...]:
    if left is not None and left != right:
        raise DataError(
            f"target: expected the categories in one order, found {list(left)[:8]} and {list(right)[:8]}; "
            f"declare the same categories in every part."
        )
    return right


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text
