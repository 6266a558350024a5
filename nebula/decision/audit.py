"""Where traces go: one readable log line, and a JSON Lines file when asked."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from nebula.decision.explain import summary
from nebula.decision.trace import DecisionTrace
from nebula.errors import DataError

__all__ = ["TraceFile", "log_decision"]

_logger = logging.getLogger("nebula")


def log_decision(trace: DecisionTrace) -> None:
    """Write the one human line; a decision the data cannot carry is a warning."""
    level = logging.WARNING if trace.status == "ambiguous" else logging.INFO
    question = f" {trace.ambiguity.ask}" if trace.ambiguity else ""
    _logger.log(level, "%s%s", summary(trace), question)


def _lock(descriptor: int) -> None:
    """Keep other writers out until the file is closed, where the platform can."""
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _is_torn(descriptor: int) -> bool:
    """Say whether the last writer was stopped before its line ended."""
    end = os.lseek(descriptor, 0, os.SEEK_END)
    if end == 0:
        return False
    os.lseek(descriptor, end - 1, os.SEEK_SET)
    return os.read(descriptor, 1) != b"\n"


class TraceFile:
    """An append-only JSON Lines file of decision traces.

    Each record is written by a single `write` to a locked file opened for appending, so that records
    of several processes do not mix; a record torn by a killed writer costs only itself.

    Args:
        path: The file; its folder is made when missing.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def append(self, trace: DecisionTrace) -> None:
        """Write one record at the end.

        Raises:
            OSError: The file cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        record = trace.to_json().encode() + b"\n"
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            _lock(descriptor)
            if _is_torn(descriptor):
                _logger.warning("nebula: %s ends in a torn record; the new one starts on a line of its own", self.path)
                record = b"\n" + record
            os.write(descriptor, record)
        finally:
            os.close(descriptor)

    def read(self) -> Iterator[DecisionTrace]:
        """Yield every record in order.

        Raises:
            DataError: The file is missing, or a line is not a trace; names the line.
        """
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{self.path}: expected a file of decision traces: {error}.") from None
        for number, line in enumerate(lines, start=1):
            yield self._parse(line, number)

    def _parse(self, line: str, number: int) -> DecisionTrace:
        try:
            return DecisionTrace.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            raise DataError(f"{self.path}:{number}: expected a decision trace: {first['msg']}.") from None
