"""Where in a file every value, and every character of a condition, was written."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nebula.errors import Problem
from nebula.policy.expression.parser import Locate
from nebula.policy.expression.trees import Path

__all__ = ["Place", "Source"]


_ESCAPE_LENGTH = {"x": 4, "u": 6, "U": 10}


@dataclass(frozen=True)
class Place:
    """The span of a YAML value.

    Attributes:
        line: 1-based line.
        column: 1-based column.
        start: Offset of its first character in the text.
        end: Offset after its last character.
        style: YAML's scalar style: empty (plain), a quote, `|` or `>`.
    """

    line: int
    column: int
    start: int
    end: int
    style: str


@dataclass(frozen=True)
class Source:
    """A file that was read.

    Attributes:
        name: The file as the user named it.
        text: Its text.
        data: Its plain data.
        places: Place of each value, by path.
        keys: Place of each mapping key, by the path of its value.
    """

    name: str
    text: str
    data: Any
    places: Mapping[Path, Place]
    keys: Mapping[Path, Place]

    def place(self, path: Path) -> tuple[int, int]:
        """Return (line, column) of the value at the path, or of the nearest one that holds it."""
        while path not in self.places and path:
            path = path[:-1]
        found = self.places.get(path)
        return (found.line, found.column) if found else (1, 1)

    def key_place(self, path: Path) -> tuple[int, int]:
        """Return (line, column) of the key whose value is at the path."""
        found = self.keys.get(path)
        return (found.line, found.column) if found else self.place(path)

    def problem(self, path: Path, message: str, *, key: bool = False, code: str = "") -> Problem:
        """Return a problem at the value of a path, or at its key."""
        line, column = self.key_place(path) if key else self.place(path)
        place = (self.keys if key else self.places).get(path)
        end = self._end_column(place) if place else 0
        return Problem(self.name, line, column, message, code, end_column=end)

    def _end_column(self, place: Place) -> int:
        """Return the column after a value that stands on one line, else 0."""
        text = self.text[place.start : place.end].rstrip()
        return place.column + len(text) if text and "\n" not in text else 0

    def locate(self, path: Path) -> Locate:
        """Return the map from offsets in the string at the path to lines and columns of the file."""
        place, value = self.places.get(path), self._value(path)
        if place is None or not isinstance(value, str):
            line, column = self.place(path)
            return lambda _: (line, column)
        offsets: list[int] = []

        def locate(offset: int) -> tuple[int, int]:
            if not offsets:
                offsets.extend(self._align(value, place))
            index = offsets[min(offset, len(offsets) - 1)]
            line = bisect_right(self._line_starts, index)
            return line, index - self._line_starts[line - 1] + 1

        return locate

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(index + 1 for index, character in enumerate(self.text) if character == "\n")]

    def _value(self, path: Path) -> Any:
        value = self.data
        for part in path:
            inside = part in value if isinstance(value, dict) else isinstance(value, list) and part in range(len(value))
            if not inside:
                return None
            value = value[part]
        return value

    def _align(self, value: str, place: Place) -> list[int]:
        """Find each character of a scalar in the file: folding and escapes shift them."""
        index = place.start
        if place.style in ("|", ">"):
            index = self.text.find("\n", index) + 1
        elif place.style:
            index += 1
        offsets = []
        for character in value:
            if place.style == '"' and self.text[index] == "\\":
                offsets.append(index)
                index += _ESCAPE_LENGTH.get(self.text[index + 1], 2)
            elif character.isspace():
                offsets.append(index)
                while index < place.end and self.text[index].isspace():
                    index += 1
            else:
                while index < place.end and self.text[index] != character:
                    index += 1
                offsets.append(index)
                index += 1
        return [*offsets, min(index, place.end)]
