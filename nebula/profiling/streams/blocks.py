"""Files cut into blocks that any worker can read, and the tree that merges what they counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial, reduce

from nebula.profiling.distribution import Array
from nebula.profiling.stores.stored_file import DataPath
from nebula.profiling.streams.files import open_file
from nebula.profiling.streams.origin import Origin
from nebula.profiling.streams.reader import LabelsFound, Wanted
from nebula.profiling.streams.table_accumulator import TableAccumulator

__all__ = ["Block", "merge_states", "read_block", "split_blocks"]


@dataclass(frozen=True)
class Block:
    """Some parts of one file.

    Attributes:
        path: The file.
        start: The first part.
        stop: The part after the last; None reads to the end.
    """

    path: DataPath
    start: int = 0
    stop: int | None = None


def split_blocks(paths: Sequence[DataPath], wanted: Wanted, blocks: int) -> list[Block]:
    """Cut files into about so many blocks of whole parts; a file whose parts are unknown is one block."""
    parts = [open_file(path, wanted).n_parts for path in paths]
    total = sum(count or 1 for count in parts)
    step = max(1, -(-total // max(blocks, 1)))
    found: list[Block] = []
    for path, count in zip(paths, parts, strict=True):
        if count is None:
            found.append(Block(path))
            continue
        found += [Block(path, start, min(start + step, count)) for start in range(0, count, step)]
    return found or [Block(path) for path in paths[:1]]


def read_block(block: Block, wanted: Wanted, ignore_value: int | None) -> dict[str, Array] | None:
    """Count one block, on whatever machine this runs.

    Returns:
        The arrays of a `TableAccumulator`; None when a column of text turned out to hold labels.

    Raises:
        DataError: The block cannot be read.
    """
    state = TableAccumulator(ignore_value=ignore_value)
    try:
        origin = Origin(partial(open_file, block.path), block.path)
        for _, chunk in origin.read(wanted, block.start, block.stop):
            if chunk is not None:
                state.update(chunk)
    except LabelsFound:
        return None
    return state.to_arrays()


def merge_states(states: Iterable[dict[str, Array] | None]) -> dict[str, Array] | None:
    """Merge arrays of accumulators, in order; None when one is None."""
    found = list(states)
    if any(state is None for state in found):
        return None
    parts = [TableAccumulator.from_arrays(state) for state in found if state is not None]
    return reduce(TableAccumulator.merge, parts).to_arrays()
