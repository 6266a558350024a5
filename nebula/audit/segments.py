"""The files of a log: `log.jsonl`, then `log.00001.jsonl` and on; the first one is what writers lock."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

__all__ = ["Line", "locked", "read_lines", "segment", "segments"]

_LOCK_SECONDS = 30.0
_LONGEST_WAIT = 0.02


class Line(NamedTuple):
    """One line of a segment.

    Attributes:
        file: The segment.
        number: 1-based.
        start: Offset of its first byte.
        content: Its bytes without the line end.
        closed: It ends in a line end.
    """

    file: Path
    number: int
    start: int
    content: bytes
    closed: bool

    @property
    def place(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.number}"

    @property
    def end(self) -> int:
        """Offset after the line end."""
        return self.start + len(self.content) + self.closed


def segment(path: Path, number: int) -> Path:
    """Return the file of a segment; number 0 is the path itself."""
    return path if number == 0 else path.with_name(f"{path.stem}.{number:05d}{path.suffix}")


def segments(path: Path) -> list[int]:
    """Return the numbers of the segments that exist, in order."""
    pattern = re.compile(rf"{re.escape(path.stem)}\.([0-9]{{5,9}}){re.escape(path.suffix)}")
    try:
        names = [file.name for file in path.parent.iterdir()]
    except FileNotFoundError:
        return []
    found = sorted(int(match[1]) for match in map(pattern.fullmatch, names) if match and int(match[1]))
    return [0, *found] if path.exists() else found


def read_lines(file: Path, until: int | None = None, longest: int = 1 << 24) -> Iterator[Line]:
    """Yield the lines of one segment; a line longer than `longest` comes in pieces that are not closed.

    Args:
        file: The segment.
        until: Offset at which to stop, at a line end.
        longest: Most bytes of a line that are held at once.

    Raises:
        OSError: The file cannot be read.
    """
    start = 0
    with file.open("rb") as stream:
        number = 1
        while until is None or start < until:
            content = stream.readline(longest if until is None else min(longest, until - start))
            if not content:
                return
            closed = content.endswith(b"\n")
            yield Line(file, number, start, content[:-1] if closed else content, closed)
            start, number = start + len(content), number + closed


@contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[int]:
    """Hold the log's lock, where the platform has locks; yields the open first segment.

    Args:
        path: The first segment; a writer makes it when missing.
        shared: Keep out writers only.

    Raises:
        TimeoutError: Somebody else held it for 30 seconds.
        OSError: The file cannot be opened, or is a device or a pipe, whose end a writer would never find.
    """
    flags = os.O_RDONLY if shared else os.O_RDWR | os.O_CREAT | os.O_APPEND
    while True:
        descriptor = os.open(path, flags, 0o644)
        try:
            if not shared and not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "expected a file, found a device or a pipe: name another", str(path))
            _lock(descriptor, path, shared=shared)
            if not _is_still(descriptor, path):  # it was moved away while we waited
                continue
            yield descriptor
            return
        finally:
            os.close(descriptor)


def _is_still(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _lock(descriptor: int, path: Path, *, shared: bool) -> None:
    if sys.platform == "win32":
        return None
    import fcntl

    until, wait = time.monotonic() + _LOCK_SECONDS, 0.0002
    while True:
        try:
            return fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise TimeoutError(
                    errno.ETIMEDOUT, f"expected its lock within {_LOCK_SECONDS:g} s, found it held", str(path)
                ) from None
        time.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)
