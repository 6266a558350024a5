"""Which numbers of a log's records have come, and which are missing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import count
from typing import NamedTuple

__all__ = ["Missing", "Numbering"]

_NUMBER = re.compile(rb'\{"seq":([1-9][0-9]{0,17}),')


class Missing(NamedTuple):
    """Numbers in a row that are not in the log.

    Attributes:
        at: How many lines had been read when that showed.
        place: `file:line` before which they should stand.
        numbers: They.
    """

    at: int
    place: str
    numbers: range


class Numbering:
    """The books of a reader who sees the records in the order of the file.

    Attributes:
        highest: Greatest number that has come.
        missing: Numbers below it that have not.
    """

    def __init__(self) -> None:
        self.highest = 0
        self.missing: list[Missing] = []

    def come(self, number: int) -> None:
        """Note a record."""
        self.highest = max(self.highest, number)

    def come_late(self, number: int) -> None:
        """Note a record that stands after a later one: it is not missing any more."""
        self.missing = [
            missing._replace(numbers=part)
            for missing in self.missing
            for part in _without(missing.numbers, [number] if number in missing.numbers else [])
        ]

    def assign(self, lines: Sequence[bytes], upto: int | None, at: int, place: str) -> list[int | None]:
        """Say which record each line stood for that does not match its hash.

        A line stands for the number that it names, if that may stand here, else for the first one that is free. The
        numbers before `upto` that none stands for are missing from now on.

        Args:
            lines: In order.
            upto: Number of the record that follows them; None at the end of the log.
            at: How many lines have been read.
            place: Of the record that follows.

        Returns:
            A number for each line; None for one too many.
        """
        open_numbers = range(self.highest + 1, upto if upto is not None else self.highest + len(lines) + 1)
        named = [_named(line, open_numbers) for line in lines]
        free = (number for number in count(open_numbers.start) if number not in named)
        taken = []
        for number in named:
            if number is None or number in taken:
                number = next(free)
            taken.append(number if number in open_numbers else None)
        if upto is not None:
            left = _without(open_numbers, [number for number in taken if number is not None])
            self.missing.extend(Missing(at, place, part) for part in left)
        return taken


def _named(line: bytes, among: range) -> int | None:
    found = _NUMBER.match(line)
    return int(found[1]) if found and int(found[1]) in among else None


def _without(numbers: range, taken: Collection[int]) -> Iterator[range]:
    start = numbers.start
    for number in sorted(taken):
        if start < number:
            yield range(start, number)
        start = number + 1
    if start < numbers.stop:
        yield range(start, numbers.stop)
