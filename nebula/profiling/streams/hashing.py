"""The content hash of a source: along with the facts where that can be, else in a pass of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from nebula.profiling.content_hash import ContentHash
from nebula.profiling.streams.chunk import Labels, Piece
from nebula.profiling.streams.origin import Origin
from nebula.profiling.streams.reader import Wanted
from nebula.profiling.streams.table_accumulator import TableAccumulator

__all__ = ["HashAlong", "hash_again"]


class HashAlong:
    """Hashes numbers while they are read, betting on the element type of the first chunk.

    A fingerprint covers the type and the shape of the whole, which a stream knows at its end only.

    Args:
        rows: Rows in all, as the source declares; None when it does not.
    """

    def __init__(self, rows: int | None) -> None:
        self._rows = rows
        self._state: ContentHash | None = None
        self._lost = rows is None

    def update(self, piece: Piece) -> None:
        """Add the next rows."""
        if self._lost:
            return
        if isinstance(piece, Labels) or piece.dtype is None or (piece.values is not None and not piece.values.ndim):
            self._lost = True
            return
        dtype = getattr(torch, piece.dtype)
        if self._state is None:
            tail = tuple(piece.values.shape[1:]) if piece.values is not None else ()
            self._state = ContentHash(dtype, (self._rows or 0, *tail))
        if self._state.dtype != dtype:
            self._lost = True
            return
        self._state.update(piece.in_order(dtype))

    def fingerprint(self, rows: int) -> str | None:
        """Return the fingerprint; None when the bet was lost."""
        if self._lost or self._state is None or not self._rows == self._state.rows == rows:
            return None
        return self._state.fingerprint()


def hash_again(origins: Iterable[Origin], wanted: Wanted, state: TableAccumulator) -> str | None:
    """Read the target again and hash it, its type, shape and labels now being known.

    Returns:
        What `fingerprint` returns for the whole target in memory; None when no one type holds it,
        or the source gave other rows than before.
    """
    name = state.dtype
    if name is None:
        return None
    dtype = getattr(torch, name)
    names = state.labels.names() if state.labels is not None else []
    code = {label: place for place, label in enumerate(names)}
    content = ContentHash(dtype, (state.rows, *state.numbers.tail))
    narrow = Wanted(wanted.target, (), wanted.as_labels)
    for origin in origins:
        for _, chunk in origin.read(narrow):
            if chunk is not None:
                content.update(_in_order(chunk.target, code, dtype))
    return content.fingerprint() if content.rows == state.rows else None


def _in_order(piece: Piece, code: dict[object, int], dtype: torch.dtype) -> Tensor:
    if not isinstance(piece, Labels):
        return piece.in_order(dtype)
    places = np.array([*(code.get(name, math.nan) for name in piece.names), math.nan])
    return torch.from_numpy(places[piece.codes]).to(dtype)
