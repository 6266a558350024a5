"""A few rows of a source: what every reader gives and every accumulator takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

__all__ = ["CHUNK_ROWS", "Chunk", "FeatureCounts", "Kind", "Labels", "Numbers", "Piece"]

CHUNK_ROWS = 2**18
Kind = Literal["empty", "numeric", "labelled", "other"]


@dataclass(frozen=True, eq=False)
class Numbers:
    """Rows of a target of numbers.

    Attributes:
        values: (n, *tail), without the missing entries of a vector; None when all are missing.
        missing: How many entries were missing.
        places: (n + missing,) True where an entry is present; None when all are.
    """

    values: Tensor | None
    missing: int = 0
    places: np.ndarray[Any, Any] | None = None

    @property
    def rows(self) -> int:
        """Rows, the missing ones included."""
        return (0 if self.values is None else len(self.values)) + self.missing

    @property
    def dtype(self) -> str | None:
        """Element type that holds every entry; None when nothing was present."""
        if self.values is None:
            return None
        wide = self.values.dtype if self.values.dtype.is_floating_point else torch.float64
        return str(wide if self.missing else self.values.dtype).removeprefix("torch.")

    def in_order(self, dtype: torch.dtype) -> Tensor:
        """Return all entries in their order, NaN for the missing ones."""
        if not self.missing:
            return self.values.to(dtype) if self.values is not None else torch.empty(0, dtype=dtype)
        whole = torch.full((self.rows,), torch.nan, dtype=dtype)
        if self.values is not None:
            whole[torch.from_numpy(self.places)] = self.values.to(dtype)
        return whole


@dataclass(frozen=True, eq=False)
class Labels:
    """Rows of a target of labels.

    Attributes:
        codes: (n,) int64, a place in `names`; -1 for a missing label.
        names: The labels of this chunk, each once.
        ordered: `names` are in their declared order, the same in every chunk.
    """

    codes: np.ndarray[Any, Any]
    names: tuple[Any, ...]
    ordered: bool = False

    @property
    def rows(self) -> int:
        """Rows, the missing ones included."""
        return len(self.codes)


Piece = Numbers | Labels


@dataclass(frozen=True)
class FeatureCounts:
    """The columns beside the target, as counts that add up.

    Attributes:
        n: Rows.
        d: Columns; None where parts differ in them.
        missing: Missing cells: null, or NaN.
        kinds: What each column holds.
    """

    n: int
    d: int | None
    missing: int
    kinds: tuple[Kind, ...]

    def merge(self, other: FeatureCounts) -> FeatureCounts:
        """Return the counts of the rows of both."""
        if not self.n or not other.n:
            return other if not self.n else self
        same = self.d is not None and self.d == other.d
        kinds = tuple(_unify(a, b) for a, b in zip(self.kinds, other.kinds, strict=False)) if same else ()
        return FeatureCounts(self.n + other.n, self.d if same else None, self.missing + other.missing, kinds)


def _unify(left: Kind, right: Kind) -> Kind:
    if left == right or right == "empty":
        return left
    if left == "empty":
        return right
    return "other" if "other" in (left, right) else "labelled"


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some rows: their target, and counts of the columns beside it (None when not asked for)."""

    target: Piece
    features: FeatureCounts | None = field(default=None)
