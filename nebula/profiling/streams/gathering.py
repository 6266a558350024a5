"""Origins → one accumulator, chunk by chunk, going on from where a killed run stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nebula.profiling.streams.checkpoint import Checkpoint, Position
from nebula.profiling.streams.hashing import HashAlong
from nebula.profiling.streams.origin import Origin
from nebula.profiling.streams.reader import LabelsFound, Wanted
from nebula.profiling.streams.table_accumulator import TableAccumulator

__all__ = ["Advance", "check_text", "gather"]

Advance = Callable[[int], None]


def gather(
    origins: Sequence[Origin],
    wanted: Wanted,
    state: TableAccumulator,
    *,
    start: Position | None = None,
    content: HashAlong | None = None,
    checkpoint: Checkpoint | None = None,
    advance: Advance | None = None,
) -> None:
    """Read all rows from a position on into the accumulator.

    Args:
        origins: What to read, in order.
        wanted: Columns.
        state: Holds the rows before `start`; grows.
        start: The first part to read; by default that of all.
        content: Sees the same rows.
        checkpoint: Is written after parts.
        advance: Is told the rows of every chunk.

    Raises:
        DataError: A part cannot be read, or does not fit those before.
        LabelsFound: A column of text began with numbers and holds labels: begin anew.
    """
    begin = start or Position()
    for number, origin in enumerate(origins[begin.file :], begin.file):
        first = begin.part if number == begin.file else 0
        for part, chunk in origin.read(wanted, first):
            if chunk is None:
                if checkpoint is not None:
                    checkpoint.save(state, Position(number, part + 1), as_labels=wanted.as_labels)
                continue
            with origin.naming():
                state.update(chunk)
            if content is not None:
                content.update(chunk.target)
            if advance is not None:
                advance(chunk.target.rows)
    check_text(origins, wanted, state)


def check_text(origins: Sequence[Origin], wanted: Wanted, state: TableAccumulator) -> None:
    """Check what only the whole of a text column tells.

    Raises:
        DataError: It holds mostly numbers, and a stray word.
        LabelsFound: Some blocks hold true and false, others numbers.
    """
    path = origins[0].path
    if path is None:
        return
    if state.labels is not None:
        state.labels.refuse_half_numbers(f"{path}: {wanted.target[0]}")
    elif path.suffix.lower() == ".csv" and "bool" in state.dtypes and len(state.dtypes) > 1:
        raise LabelsFound
