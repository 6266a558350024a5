"""Points in a file, one a line: what was finished survives a kill, and is not run twice."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from nebula.bench.sweep.point import Point
from nebula.errors import DataError

__all__ = ["append_point", "read_points", "write_points"]


def read_points(file: Path) -> tuple[Point, ...]:
    """Read the finished points, the last one of each key; a torn last line is left out.

    Raises:
        DataError: A line before the last is no point.
    """
    if not file.exists():
        return ()
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    found: dict[tuple[str, float, str], Point] = {}
    for number, line in enumerate(lines, start=1):
        try:
            point = Point.model_validate_json(line)
        except ValidationError as error:
            if number == len(lines) and not line.endswith("\n"):
                break
            raise DataError(
                f"{file}:{number}: expected a point of a sweep, found {error.errors()[0]['msg']}. Remove the line."
            ) from None
        found[point.key] = point
    return tuple(found.values())


def append_point(file: Path, point: Point) -> None:
    """Add a point; it is on disk when this returns."""
    with file.open("a", encoding="utf-8") as stream:
        stream.write(point.model_dump_json() + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def write_points(file: Path, points: Iterable[Point]) -> None:
    """Replace the file by these points, all or nothing."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_text("".join(point.model_dump_json() + "\n" for point in points), encoding="utf-8")
    fresh.replace(file)
