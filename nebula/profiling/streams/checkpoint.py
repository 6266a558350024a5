"""A file that holds how far a source was read, and what was counted so far."""

from __future__ import annotations

import json
import os
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nebula.errors import DataError
from nebula.profiling.streams.table_accumulator import TableAccumulator

__all__ = ["Checkpoint", "Position"]

_FORMAT = 1
_MOST_BYTES = 2**28


@dataclass(frozen=True)
class Position:
    """The next part to read.

    Attributes:
        file: Number of the file.
        part: Number of the part in it.
    """

    file: int = 0
    part: int = 0


class Checkpoint:
    """Writes progress now and then, atomically: a killed run leaves the last whole state.

    Args:
        path: The file.
        key: What is read and how: a state of another source is refused, not continued.
        seconds: Time between two writes at least.
    """

    def __init__(self, path: Path, key: str, seconds: float = 5.0) -> None:
        self._path, self._key, self._seconds = path, key, seconds
        self._written = time.monotonic()

    def load(self) -> tuple[TableAccumulator, Position, bool] | None:
        """Return the state, the position and whether text is read as labels; None without a file.

        Raises:
            DataError: The file is no checkpoint of this source.
        """
        if not self._path.exists():
            return None
        try:
            with zipfile.ZipFile(self._path) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > _MOST_BYTES:
                    raise ValueError
            with np.load(self._path, allow_pickle=False) as content:
                arrays: dict[str, Any] = {name: content[name] for name in content.files}
            about = json.loads(arrays.pop("checkpoint").tobytes())
            form, key, file, part, as_labels = (about[name] for name in ("format", "key", "file", "part", "as_labels"))
            if form != _FORMAT or type(file) is not int or type(part) is not int or min(file, part) < 0:
                raise ValueError
        except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):
            raise DataError(
                f"{self._path}: expected a checkpoint of format {_FORMAT}, found something else; remove the file."
            ) from None
        if key != self._key:
            raise DataError(
                f"{self._path}: expected a checkpoint of this source, target and hints, found one of others, or a file "
                f"changed since; remove the checkpoint to begin anew."
            )
        return TableAccumulator.from_arrays(arrays), Position(file, part), bool(as_labels)

    def save(self, state: TableAccumulator, position: Position, *, as_labels: bool, now: bool = False) -> None:
        """Write the state, unless the last write was a short while ago."""
        if not now and time.monotonic() - self._written < self._seconds:
            return
        about = {"format": _FORMAT, "key": self._key, "file": position.file, "part": position.part}
        text = json.dumps(about | {"as_labels": as_labels}).encode()
        arrays: dict[str, Any] = dict(state.to_arrays(), checkpoint=np.frombuffer(text, dtype=np.uint8))
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        with beside.open("wb") as stream:
            np.savez(stream, **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(self._path)
        self._written = time.monotonic()

    def remove(self) -> None:
        """Remove the file: the run is complete."""
        self._path.unlink(missing_ok=True)
