"""Loaders, data sets and pairs of tensors → all targets as one tensor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from nebula.errors import DataError
from nebula.profiling.arrays import as_tensor
from nebula.profiling.distribution import SAMPLE_LIMIT

__all__ = ["Choice", "Collected", "LoaderTargets", "collect", "first_input", "is_in_memory", "is_stream"]

Choice = int | str | None


class Collected(NamedTuple):
    """Targets, and how much of the data they are.

    Attributes:
        targets: Rows first.
        rows_seen: Rows collected.
        rows_total: Rows in all, or None when that cannot be known.
        batches: Batches read; 1 for tensors and data sets.
        complete: Nothing was left unread.
    """

    targets: Tensor
    rows_seen: int
    rows_total: int | None
    batches: int
    complete: bool


def collect(data: Any, limit: int = SAMPLE_LIMIT, *, target: Choice = None) -> Collected:
    """Collect the targets of a data set.

    Args:
        data: The targets themselves; `(inputs, targets)`; a torch `Dataset` (one row an item); a
            `DataLoader` or any other iterable of batches. Reading a loader does not advance
            torch's global random numbers.
        limit: Stop reading once this many values have come; tensors in memory are never cut.
        target: Where the target is in an item or batch: an index, or the key of a dict. By default
            element 1 of a pair.

    Raises:
        DataError: The target's place is not clear, or the batches do not fit together.
    """
    if isinstance(data, TensorDataset):
        data = tuple(data.tensors)
    if _is_array(data) or _is_numbers(data):
        return _whole(as_tensor(data))
    if _is_record(data) or isinstance(data, Mapping):
        return _whole(as_tensor(_pick(data, target, 1)))
    with torch.random.fork_rng(devices=[]):
        return _collect_stream(data, limit, target)


def is_in_memory(data: Any) -> bool:
    """Say whether whole targets lie in `data` by place or key: (inputs, targets), a dict of arrays, a `TensorDataset`."""
    return isinstance(data, TensorDataset) or _is_record(data) or isinstance(data, Mapping)


class LoaderTargets:
    """The targets of a loader, data set or iterable, batch by batch: what `collect` holds at once.

    Attributes:
        rows: Rows in all, or None when that cannot be known.
        counts_batches: Each piece is a batch; otherwise a row.

    Args:
        data: As for `collect`.
        target: Where the target is in an item or batch.
    """

    def __init__(self, data: Any, target: Choice = None) -> None:
        self._data, self._target = data, target
        self.counts_batches = not _yields_rows(data)
        self.rows = None if isinstance(data, DataLoader) and data.drop_last else _length(data)

    def pieces(self, rows: int) -> Iterator[Tensor]:
        """Return the targets batch by batch; single rows together, this many at a time.

        Raises:
            DataError: The target's place is not clear, or the rows do not fit together.
        """
        with torch.random.fork_rng(devices=[]):
            parts: list[Tensor] = []
            for part in _targets_of(self._data, self._target):
                if self.counts_batches:
                    yield part
                    continue
                parts.append(part)
                if len(parts) == rows:
                    yield _join(parts)
                    parts = []
            if parts:
                yield _join(parts)


def is_stream(data: Any) -> bool:
    """Say whether `collect` would read this item by item, rather than take it whole."""
    whole = isinstance(data, TensorDataset | Mapping) or _is_array(data) or _is_numbers(data) or _is_record(data)
    return not whole


def first_input(data: Any) -> Any:
    """Return the inputs of the first batch: what a model is called with.

    Args:
        data: As for `collect`. Of `(inputs, targets)` in memory, all inputs; of a `Dataset`, the
            first item's input with a row axis in front.

    Raises:
        DataError: There are no inputs.
    """
    if isinstance(data, TensorDataset):
        data = tuple(data.tensors)
    if _is_record(data):
        return _pick(data, None, 0)
    if _is_array(data) or _is_numbers(data) or isinstance(data, Mapping):
        raise DataError(
            "inputs: expected (inputs, targets) or a loader, found targets alone; pass `prediction=` instead."
        )
    with torch.random.fork_rng(devices=[]):
        for item in _iterate(data):
            if isinstance(item, Mapping):
                raise DataError(
                    f"inputs: expected pairs (inputs, targets), found dict with keys {list(item)[:8]}; "
                    f"pass `prediction=` instead of a model."
                )
            first = _pick(item, None, 0)
            return as_tensor(first, "inputs").unsqueeze(0) if _yields_rows(data) else first
    raise DataError("inputs: expected at least one batch, found none.")


def _collect_stream(data: Any, limit: int, target: Choice) -> Collected:
    parts: list[Tensor] = []
    seen = 0
    complete = True
    for part in _targets_of(data, target):
        if seen >= limit:
            complete = False
            break
        seen += part.numel()
        parts.append(part)
    if not parts:
        raise DataError("data: expected at least one batch, found none.")
    targets = _join(parts)
    rows = targets.shape[0]
    batches = 1 if _yields_rows(data) else len(parts)
    return Collected(targets, rows, rows if complete else _length(data), batches, complete)


def _join(parts: list[Tensor]) -> Tensor:
    try:
        return torch.cat(parts)
    except RuntimeError:
        shapes = sorted({tuple(part.shape[1:]) for part in parts})[:4]
        raise DataError(
            f"target: expected the same shape in every batch, found rows of {', '.join(map(str, shapes))}; "
            f"pad them, and declare the filler as hints.ignore_value."
        ) from None


def _targets_of(data: Any, target: Choice) -> Iterator[Tensor]:
    for item in _iterate(data):
        part = as_tensor(_pick(item, target, 1))
        yield part.unsqueeze(0) if _yields_rows(data) or not part.ndim else _check_batch(item, part)


def _iterate(data: Any) -> Iterator[Any]:
    if isinstance(data, Dataset) and not isinstance(data, IterableDataset):
        length = _length(data)
        if length is None:
            raise DataError(
                f"data: expected a Dataset with a length, found {type(data).__name__}; wrap it in a DataLoader."
            )
        return (data[index] for index in range(length))
    if isinstance(data, Iterable) and not isinstance(data, str | bytes):
        return iter(data)
    raise DataError(
        f"data: expected targets, (inputs, targets), a Dataset, a DataLoader or an iterable of batches, "
        f"found {type(data).__name__}."
    )


def _yields_rows(data: Any) -> bool:
    """Say whether an item is one row: a data set, or a loader that does not batch."""
    if isinstance(data, DataLoader):
        return data.batch_size is None and data.batch_sampler is None and _yields_rows(data.dataset)
    return isinstance(data, Dataset)


def _length(data: Any) -> int | None:
    """Return the rows that a source says it has."""
    source: Any = data.sampler if isinstance(data, DataLoader) else data
    if isinstance(data, DataLoader) and isinstance(data.dataset, IterableDataset):
        source = data.dataset
    elif not isinstance(data, Dataset | DataLoader):
        return None
    try:
        return len(source)
    except (TypeError, NotImplementedError):
        return None


def _pick(item: Any, choice: Choice, default: int) -> Any:
    """Take one element of an item or batch; without a choice only of a pair."""
    if choice is None:
        if isinstance(item, list | tuple) and len(item) == 2:
            return item[default]
        keys = f" with keys {list(item)[:20]}" if isinstance(item, Mapping) else ""
        size = f" of {len(item)}" if isinstance(item, list | tuple) else ""
        raise DataError(
            f"data: expected pairs (inputs, targets), found {type(item).__name__}{size}{keys}; "
            f"say where the target is with `target=`, an index or a key."
        )
    try:
        return item[choice]
    except (KeyError, IndexError, TypeError):
        known = f"keys {list(item)[:20]}" if isinstance(item, Mapping) else f"{type(item).__name__}"
        raise DataError(f"data: expected an element target={choice!r} in every item, found {known}.") from None


def _check_batch(item: Any, part: Tensor) -> Tensor:
    """Refuse rows that come one by one where batches are expected."""
    inputs = item[0] if isinstance(item, list | tuple) else None
    if isinstance(inputs, Tensor | np.ndarray) and inputs.ndim and inputs.shape[0] != part.shape[0]:
        raise DataError(
            f"data: expected batches with as many targets as inputs, found inputs of shape {tuple(inputs.shape)} and "
            f"targets of shape {tuple(part.shape)}; put single rows into a torch Dataset."
        )
    return part


def _is_numbers(data: Any) -> bool:
    return isinstance(data, list | tuple) and len(data) > 0 and isinstance(data[0], bool | int | float)


def _is_array(data: Any) -> bool:
    """Say whether this is one column or table of numbers."""
    return isinstance(data, Tensor | np.ndarray) or type(data).__module__.partition(".")[0] in ("pandas", "polars")


def _is_record(data: Any) -> bool:
    """Say whether this is (inputs, targets) in memory, and not a list of batches."""
    return isinstance(data, list | tuple) and len(data) > 0 and all(_is_array(part) for part in data)


def _whole(targets: Tensor) -> Collected:
    rows = targets.shape[0] if targets.ndim else 1
    return Collected(targets, rows, rows, 1, True)
