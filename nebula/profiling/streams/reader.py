"""What every reader of a source offers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol

from nebula.errors import DataError, MissingExtraError
from nebula.profiling.streams.chunk import Chunk

__all__ = ["LabelsFound", "Reader", "Wanted", "import_pyarrow", "require"]

_LISTED = 20


@dataclass(frozen=True)
class Wanted:
    """What to read of a source.

    Attributes:
        target: Names of the target columns.
        features: Names of the columns beside it; None for all others; empty for none.
        as_labels: Read the target of a text file as labels, be it numbers or not.
    """

    target: tuple[str, ...]
    features: tuple[str, ...] | None = None
    as_labels: bool = False

    def beside(self, known: Sequence[str]) -> list[str]:
        """Return the columns beside the target out of those known."""
        if self.features is None:
            return [name for name in known if name not in self.target]
        return list(self.features)


class Reader(Protocol):
    """A source that can be read from the start of any of its parts.

    Attributes:
        rows: Rows in all, or None when only reading tells.
        n_parts: Parts, or None when only reading tells.
    """

    rows: int | None
    n_parts: int | None

    def parts(self, start: int = 0) -> Iterator[Iterator[Chunk]]:
        """Return the parts from number `start` on; each is read in chunks, in order."""


class LabelsFound(Exception):  # noqa: N818 - a finding, not a fault
    """A text column that began with numbers holds labels: it must be read again as labels."""


def require(where: object, names: Sequence[str], known: Sequence[str]) -> None:
    """Check that every column is there, once.

    Raises:
        DataError: One is not; the message names the nearest.
    """
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            guess = f" Did you mean {near[0]!r}?" if near else ""
            listed = ", ".join(map(str, known[:_LISTED])) + (", …" if len(known) > _LISTED else "")
            raise DataError(f"{where}: expected a column {name!r}, found none of that name.{guess} Known: {listed}.")
        if list(known).count(name) > 1:
            raise DataError(f"{where}: expected one column {name!r}, found several of that name; rename them.")


def import_pyarrow(purpose: str) -> Any:
    """Return pyarrow.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.compute
    except ImportError:
        raise MissingExtraError("pyarrow", "table", purpose) from None
    return pa
