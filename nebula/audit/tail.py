"""The end of a log as a writer finds it: the last record, and what a stopped writer left after it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from nebula.audit.record import MAX_LINE, Gap, Reason, Seal, digest, is_torn, sealed_by
from nebula.audit.segments import Line, read_lines, segment, segments
from nebula.decision.trace import DecisionTrace
from nebula.errors import DataError

__all__ = ["Tail", "find_tail", "is_trace", "judge_gap"]

_GLANCES = (1 << 16, 1 << 19, MAX_LINE)
"""Bytes from the end, tried in turn, that hold the last line."""


class Tail(NamedTuple):
    """Where and after what the next record is written.

    Attributes:
        number: Of the newest segment.
        size: Of that segment, in bytes.
        last: The last record of the log; None when there is none.
        closed: The last record's line has its line end.
        gap: What stands after the last record; None when nothing does.
    """

    number: int
    size: int
    last: Seal | None
    closed: bool = True
    gap: Gap | None = None


def find_tail(path: Path) -> Tail:
    """Find the last record. The log's lock must be held.

    Args:
        path: The first segment.

    Raises:
        DataError: The file holds something else than a log or traces.
        OSError: A segment cannot be read.
    """
    numbers = segments(path)
    newest = numbers[-1] if numbers else 0
    file = segment(path, newest)
    size = file.stat().st_size
    last = _glance(file, size)
    if last is not None:
        return Tail(newest, size, last)
    before = None
    for number in reversed(numbers[:-1]):
        before = _last_in(segment(path, number))
        if before is not None:
            break
    return _search(file, newest, size, before)


def _glance(file: Path, size: int) -> Seal | None:
    """Return the record on the last line, when it is there and closed."""
    with file.open("rb") as stream:
        for glance in _GLANCES:
            stream.seek(max(0, size - glance), os.SEEK_SET)
            end = stream.read(glance)
            if not end.endswith(b"\n"):
                return None
            before, _, line = end[:-1].rpartition(b"\n")
            if before or size <= glance:
                return sealed_by(line)
    return None


def _last_in(file: Path) -> Seal | None:
    last = None
    for line in read_lines(file, longest=MAX_LINE):
        last = sealed_by(line.content) or last
    return last


def _search(file: Path, number: int, size: int, last: Seal | None) -> Tail:
    loose: list[Line] = []
    closed = True
    for line in read_lines(file, longest=MAX_LINE):
        seal = sealed_by(line.content)
        if seal:
            last, loose, closed = seal, [], line.closed
        else:
            loose.append(line)
    if not loose:
        return Tail(number, size, last, closed)
    reason = judge_gap([line.content for line in loose], last)
    if reason == "damaged" and last is None:
        raise DataError(f"{loose[0].place}: expected an audit log, found something else: write to another file.")
    with file.open("rb") as stream:
        stream.seek(loose[0].start)
        content = stream.read(size - loose[0].start)
    if not loose[-1].closed:
        content += b"\n"  # which the writer adds before its record
    return Tail(number, size, last, loose[-1].closed, Gap(reason=reason, bytes=len(content), digest=digest(content)))


def judge_gap(lines: list[bytes], after: Seal | None) -> Reason:
    """Say how lines that are no records came about.

    Args:
        lines: In order, without line ends.
        after: The record before them.
    """
    if all(is_torn(line, after) for line in lines):
        return "torn"
    # A writer of the older format may have been stopped as well.
    traces = lines if is_trace(lines[-1]) or not lines[-1].startswith(b'{"trace_version"') else lines[:-1]
    return "unchained" if after is None and all(map(is_trace, traces)) else "damaged"


def is_trace(line: bytes) -> bool:
    """Say whether a line is a trace without a seal, as older versions wrote them."""
    try:
        DecisionTrace.model_validate_json(line)
    except ValidationError:
        return False
    return True
