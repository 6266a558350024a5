"""One connection to a file for all threads of a process, made when first needed.

Closing a file drops the locks that the process holds on it through any other connection (POSIX), so
that a process has one connection to a file. A forked child makes its own.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from nebula.store.sqlite_file import connect, set_aside

__all__ = ["Session", "session_of"]

_TOUCHES = 256
_sessions: dict[Path, Session] = {}
_abandoned: list[Session] = []
_guard = threading.Lock()


class Session:
    """A file, its connection, and the uses that were not written down yet.

    Attributes:
        lock: Held by a thread while it works with the connection.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.lock = path, threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self._touched: dict[tuple[str, str], int] = {}

    def connection(self, patience_s: float) -> sqlite3.Connection:
        """Return the connection, opening the file when it is not open, or was replaced by another.

        Raises:
            ForeignFileError, sqlite3.Error, OSError: See `connect`.
        """
        if self._connection is not None and self._inode != _inode(self.path):
            self.close()
        if self._connection is None:
            self._connection = connect(self.path, patience_s)
            self._inode = _inode(self.path)
        self._connection.execute(f"PRAGMA busy_timeout = {int(patience_s * 1000)}")
        return self._connection

    def touch(self, kind: str, name: str, used: int) -> bool:
        """Note a use, to be written with the next change; return whether there are enough to write alone."""
        self._touched[kind, name] = used
        return len(self._touched) >= _TOUCHES

    def write_touches(self, connection: sqlite3.Connection) -> None:
        """Write down the uses inside the caller's transaction."""
        touched, self._touched = self._touched, {}
        connection.executemany(
            "UPDATE entry SET used = max(used, ?) WHERE kind = ? AND name = ?",
            [(used, kind, name) for (kind, name), used in touched.items()],
        )

    def set_aside(self) -> Path | None:
        """Rename the file, unless another process did so since it was opened."""
        opened = self._inode
        self.close()
        return None if opened is not None and opened != _inode(self.path) else set_aside(self.path)

    def close(self) -> None:
        """Close the connection; the next use opens it again. Uses not yet written are written if that is easy."""
        connection, self._connection, self._inode = self._connection, None, None
        if connection is None:
            return
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA busy_timeout = 100")
            if self._touched and not connection.in_transaction:
                connection.execute("BEGIN IMMEDIATE")
                self.write_touches(connection)
                connection.execute("COMMIT")
        self._touched = {}
        with suppress(sqlite3.Error):
            connection.close()


def session_of(path: Path) -> Session:
    """Return this process's session with a file."""
    with _guard:
        if path not in _sessions:
            _sessions[path] = Session(path)
        return _sessions[path]


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@atexit.register
def _close_all() -> None:
    for session in _sessions.values():
        if session.lock.acquire(timeout=1):
            session.close()


def _start_anew() -> None:
    """In a forked child, leave the parent's connections alone: to close one would disturb the parent."""
    global _guard
    _abandoned.extend(_sessions.values())
    _sessions.clear()
    _guard = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)
