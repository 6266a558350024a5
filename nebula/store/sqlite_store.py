"""A store in one SQLite file that many processes and threads share (write-ahead log)."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from nebula.errors import DataError
from nebula.store.model import Entry, Kind, StoreInfo, Verification
from nebula.store.record import MAX_PAYLOAD, seal, unseal
from nebula.store.rest import Rest
from nebula.store.sqlite_file import ForeignFileError
from nebula.store.sqlite_session import Session, session_of
from nebula.store.sqlite_survey import check_entries, count_entries, list_entries

__all__ = ["SqliteStore"]

MAX_BYTES = 256 << 20
MAX_ENTRIES = 20_000
_logger = logging.getLogger("nebula")
Result = TypeVar("Result")


class SqliteStore:
    """Sealed values in a file, of which the longest unused ones make room.

    A file that breaks is renamed to `NAME.corrupt-TIME` and a new one is begun; a file of another
    program is left as it is. When the file cannot be used, nothing is raised: a warning is logged, and
    the store finds nothing and keeps nothing for 30 seconds.

    Uses are written down 256 at a time, and before anything makes room: the order of use is exact within
    a process and nearly so between processes.

    Args:
        path: The file. Its folder must support locks and shared memory: no network file system.
        max_entries: Most values kept.
        max_bytes: Most bytes of values kept.
        patience_s: How long to wait for a process that writes.
        clock: Nanoseconds, for the order of use.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_entries: int = MAX_ENTRIES,
        max_bytes: int = MAX_BYTES,
        patience_s: float = 5.0,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        if max_entries < 1 or max_bytes < 1:
            raise ValueError(f"expected bounds of at least 1, found {max_entries} entries and {max_bytes} bytes.")
        self._named = os.fspath(path)
        self.path = Path(path).resolve()  # one session a file, however it is named
        self._max_entries, self._max_bytes = max_entries, max_bytes
        self._patience_s, self._clock = patience_s, clock
        self._rest = Rest(self.location)

    @property
    def location(self) -> str:
        """The file, as it was named."""
        return self._named

    def read(self, kind: Kind, name: str, generation: str) -> bytes | None:
        """Return a value as it was written; one whose seal does not fit is removed and told."""

        def look(session: Session, connection: sqlite3.Connection) -> bytes | None:
            query = "SELECT sealed FROM entry WHERE kind = ? AND name = ?"
            row = connection.execute(query, (kind, name)).fetchone()
            if row is None:
                return None
            payload = unseal(kind, name, generation, row[0])
            if payload is None:
                _logger.warning(
                    "nebula: cache %s: entry %s is not what was written; it is removed", self.location, name
                )
                with _transaction(connection):
                    connection.execute("DELETE FROM entry WHERE kind = ? AND name = ?", (kind, name))
            elif session.touch(kind, name, self._clock()):
                with _transaction(connection):
                    session.write_touches(connection)
            return payload

        return self._try(look)

    def write(self, kind: Kind, name: str, generation: str, payload: bytes) -> None:
        """Store a value and make room for it; one too large for the store is left out."""
        sealed = seal(kind, name, generation, payload)
        if len(payload) > MAX_PAYLOAD or len(sealed) > self._max_bytes:
            return

        def put(session: Session, connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                connection.execute("DELETE FROM entry WHERE kind = ? AND name = ?", (kind, name))
                connection.execute(
                    "INSERT INTO entry (kind, name, generation, used, size, sealed) VALUES (?, ?, ?, ?, ?, ?)",
                    (kind, name, generation, self._clock(), len(sealed), sealed),
                )
                self._make_room(session, connection)

        self._try(put)

    def remove(self, kind: Kind, name: str) -> None:
        """Forget a value."""

        def drop(_: Session, connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM entry WHERE kind = ? AND name = ?", (kind, name))

        self._try(drop)

    def clear(self, kind: Kind | None = None) -> int:
        """Forget all values, or those of one kind, and return how many."""

        def drop(connection: sqlite3.Connection) -> int:
            with _transaction(connection):
                query = "DELETE FROM entry WHERE ?1 IS NULL OR kind = ?1"
                count = connection.execute(query, (kind,)).rowcount
            with suppress(sqlite3.OperationalError):  # somebody reads; the space is used again all the same
                connection.execute("VACUUM")
            return count

        return self._inspect(drop) if self.path.exists() else 0

    def entries(self) -> Iterator[Entry]:
        """Yield every value, last used first."""
        yield from self._inspect(list_entries) if self.path.exists() else ()

    def info(self) -> StoreInfo:
        """Say how full it is."""
        found = self._inspect(count_entries) if self.path.exists() else {"exists": False}
        return StoreInfo(location=self.location, max_entries=self._max_entries, max_bytes=self._max_bytes, **found)

    def verify(self) -> Verification:
        """Check the file and the seal of every value; nothing is changed."""
        if not self.path.exists():
            return Verification(location=self.location, entries=0)
        try:
            return Verification(location=self.location, **self._inspect(check_entries))
        except DataError as error:
            return Verification(location=self.location, entries=0, problems=(str(error),))

    def close(self) -> None:
        """Close the file for this process; the next use opens it again."""
        session = session_of(self.path)
        with session.lock:
            session.close()

    def _make_room(self, session: Session, connection: sqlite3.Connection) -> None:
        while True:
            entries, size = connection.execute("SELECT entries, bytes FROM total").fetchone()
            if entries <= self._max_entries and size <= self._max_bytes:
                return
            session.write_touches(connection)
            victims = connection.execute("SELECT id, size FROM entry ORDER BY used, id LIMIT 64").fetchall()
            if not victims:
                raise sqlite3.DatabaseError("database disk image is malformed: the totals are not those of the entries")
            for identity, freed in victims:
                connection.execute("DELETE FROM entry WHERE id = ?", (identity,))
                entries, size = entries - 1, size - freed
                if entries <= self._max_entries and size <= self._max_bytes:
                    break

    def _try(self, work: Callable[[Session, sqlite3.Connection], Result]) -> Result | None:
        """Work on the file; whatever is wrong with it is logged."""
        if self._rest.is_on:
            return None
        session = session_of(self.path)
        with session.lock:
            try:
                return work(session, session.connection(self._patience_s))
            except _FAULTS as error:
                self._mend(session, error)
        return None

    def _mend(self, session: Session, error: Exception) -> None:
        """Put a broken file aside; leave one that cannot be used alone for a while."""
        if not _is_broken(error):
            session.close()
            self._rest.begin(_trouble(error), "`nebula cache info` looks at it; `--cache PATH` names another.")
            return
        try:
            aside = session.set_aside()
        except OSError as problem:
            self._rest.begin(f"a broken file that cannot be renamed ({problem.strerror})", "Remove it.")
            return
        if aside is not None:
            _logger.warning("nebula: cache %s: the file is broken (%s); it is now %s", self.location, error, aside.name)

    def _inspect(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Work on the file; what is wrong with it is the caller's to hear."""
        session = session_of(self.path)
        with session.lock:
            try:
                return work(session.connection(self._patience_s))
            except _FAULTS as error:
                session.close()
                raise DataError(
                    f"{self.location}: expected a nebula cache that can be used, found {_trouble(error)}. "
                    "Remove the file or name another."
                ) from None


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


_NONSENSE = (TypeError, ValueError, OverflowError)
"""What reading a broken file raises beside SQLite's own errors: wrong types, text that is none."""
_FAULTS = (sqlite3.Error, OSError, ForeignFileError, MemoryError, *_NONSENSE)
_USABLE_AGAIN = ("locked", "busy", "readonly", "full", "disk i/o", "unable to open", "out of memory", "interrupted")


def _is_broken(error: Exception) -> bool:
    """Say whether the file's content is at fault, not the place where it lies."""
    if isinstance(error, _NONSENSE):
        return True
    return isinstance(error, sqlite3.Error) and not any(word in str(error).lower() for word in _USABLE_AGAIN)


def _trouble(error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return str(reason).rstrip(".")
