"""The decisions in a log, in order; what cannot be read is told and passed over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from nebula.audit.record import MAX_LINE, AuditRecord, sealed_by
from nebula.audit.segments import Line, read_lines, segment, segments
from nebula.decision.drift_event import DriftEvent
from nebula.decision.trace import DecisionTrace
from nebula.errors import DataError

__all__ = ["Entry", "Unreadable", "read_events", "read_log"]

_Model = TypeVar("_Model", bound=BaseModel)


class Entry(NamedTuple):
    """A decision in the log.

    Attributes:
        seq: Number of its record; None for a trace from before the chain.
        place: `file:line`.
        trace: The record of the decision.
        masked: Facts left out of it, with their digests.
    """

    seq: int | None
    place: str
    trace: DecisionTrace
    masked: dict[str, str]


class Unreadable(NamedTuple):
    """A line that gives no decision and should.

    Attributes:
        place: `file:line`.
        problem: What was expected and found, as a sentence.
    """

    place: str
    problem: str


def read_log(path: Path) -> Iterator[Entry | Unreadable]:
    """Yield every decision of a log, or of a file of plain traces.

    Args:
        path: The first segment.

    Raises:
        DataError: There is no such log, or it cannot be read.
    """
    try:
        for file in _files(path, "an audit log or a file of traces"):
            yield from _entries(file)
    except OSError as error:
        raise DataError(f"{path}: expected an audit log or a file of traces: {error}.") from None


def read_events(path: Path) -> Iterator[DriftEvent]:
    """Yield what the guard noticed after the decisions of a log, in order.

    Args:
        path: The first segment.

    Raises:
        DataError: There is no such log, or it cannot be read.
    """
    try:
        for file in _files(path, "an audit log"):
            for line in read_lines(file, longest=MAX_LINE):
                seal = sealed_by(line.content)
                if seal is not None and seal.kind == "drift":
                    event = _parse(AuditRecord, line).event
                    if event is not None:
                        yield event
    except (OSError, ValidationError) as error:
        raise DataError(f"{path}: expected an audit log: {error}.") from None


def _files(path: Path, expected: str) -> list[Path]:
    """The segments of a log, of which there must be one."""
    files = [segment(path, number) for number in segments(path)]
    if not files:
        raise DataError(f"{path}: expected {expected}, found no such file.")
    return files


def _entries(file: Path) -> Iterator[Entry | Unreadable]:
    held: Line | None = None  # whether a line is torn shows only when the next one is read
    for line in read_lines(file, longest=MAX_LINE):
        if held is not None:
            yield from _read(held, torn=_tells_of_tear(line))
        held = line
    if held is not None:
        yield from _read(held, torn=not held.closed)


def _tells_of_tear(line: Line) -> bool:
    seal = sealed_by(line.content)
    return seal is not None and seal.kind == "gap"


def _read(line: Line, *, torn: bool) -> Iterator[Entry | Unreadable]:
    try:
        if line.content.startswith(b'{"seq":') and sealed_by(line.content) is not None:
            record = _parse(AuditRecord, line)
            if record.trace is not None:
                yield Entry(record.seq, line.place, record.trace, record.masked)
        elif torn and not line.content.startswith(b'{"trace_version"'):
            yield Unreadable(line.place, "torn: its writer was stopped in the middle of the record.")
        elif line.content.startswith(b'{"seq":'):
            yield Unreadable(line.place, "expected a record with its own hash, found it changed.")
        else:
            yield Entry(None, line.place, _parse(DecisionTrace, line), {})
    except ValidationError as error:
        yield Unreadable(line.place, f"expected a decision trace: {error.errors()[0]['msg']}.")


def _parse(model: type[_Model], line: Line) -> _Model:
    return model.model_validate_json(line.content)
