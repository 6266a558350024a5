"""The SQLite file of a store: whose it is, how it is laid out, and how a broken one is put out of the way."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

__all__ = ["ForeignFileError", "connect", "set_aside", "user_cache_file"]

_APPLICATION_ID = 0x6E62756C
_MAGIC, _MAGIC_PLACE, _ID_PLACE, _HEADER = b"SQLite format 3\0", slice(0, 16), slice(68, 72), 100
_VERSION = 1
_ENTRY = """CREATE TABLE entry (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,
generation TEXT NOT NULL, used INTEGER NOT NULL, size INTEGER NOT NULL, sealed BLOB NOT NULL, UNIQUE (kind, name))"""
_USED = "CREATE INDEX entry_used ON entry (used, id)"
_TOTAL = (
    "CREATE TABLE total (one INTEGER PRIMARY KEY CHECK (one = 1), entries INTEGER NOT NULL, bytes INTEGER NOT NULL)"
)
_ADDED = """CREATE TRIGGER entry_added AFTER INSERT ON entry BEGIN
UPDATE total SET entries = entries + 1, bytes = bytes + NEW.size; END"""
_REMOVED = """CREATE TRIGGER entry_removed AFTER DELETE ON entry BEGIN
UPDATE total SET entries = entries - 1, bytes = bytes - OLD.size; END"""
_LAYOUT = (_ENTRY, _USED, _TOTAL, _ADDED, _REMOVED)


class ForeignFileError(Exception):
    """The file is not a cache of this nebula; it is left as it is."""


def user_cache_file() -> Path:
    """Return the file in the user's cache folder."""
    return user_cache_path("nebula", appauthor=False) / "cache.sqlite3"


def connect(path: Path, patience_s: float) -> sqlite3.Connection:
    """Open the cache, laying out a new file when there is none; only the user may read it.

    Args:
        path: The file; its folder is made when missing.
        patience_s: How long to wait for other processes.

    Raises:
        ForeignFileError: Something else is in the file.
        sqlite3.Error: The file is broken, locked, or cannot be written.
        OSError: The file cannot be made or read.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        header = os.read(descriptor, _HEADER)
    finally:
        os.close(descriptor)
    _recognise(path, header)
    connection = sqlite3.connect(path, timeout=patience_s, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, patience_s)
    except BaseException:
        connection.close()
        raise
    return connection


def _recognise(path: Path, header: bytes) -> None:
    """Tell a cache, also a broken one, from a file that somebody needs."""
    marked = header[_ID_PLACE] == _APPLICATION_ID.to_bytes(4, "big")
    if header and not marked and path != user_cache_file().resolve():
        is_sqlite = header[_MAGIC_PLACE] == _MAGIC
        raise ForeignFileError("an SQLite file of another program" if is_sqlite else "a file that is no cache")
    if header and not (marked and header[_MAGIC_PLACE] == _MAGIC):
        raise sqlite3.DatabaseError("file is not a database")


def _prepare(connection: sqlite3.Connection, patience_s: float) -> None:
    connection.text_factory = _decode
    # NORMAL: a commit waits for no disk. A crash of the machine may lose the last ones, and breaks nothing.
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "synchronous = NORMAL", "journal_size_limit = 0"):
        connection.execute(f"PRAGMA {pragma}")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        _lay_out(connection, patience_s)
    elif version != _VERSION:
        raise ForeignFileError(f"a cache of version {version}, which this nebula does not know")
    layout = [
        sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
    ]
    if sorted(layout) != sorted(_LAYOUT):
        raise sqlite3.DatabaseError("database disk image is malformed: the layout is another")


def _lay_out(connection: sqlite3.Connection, patience_s: float) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application == 0:  # before the write-ahead log: another process must find the mark in the file itself
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    _use_write_ahead_log(connection, patience_s)
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:  # another process may have been first
            for statement in _LAYOUT:
                connection.execute(statement)
            connection.execute("INSERT INTO total VALUES (1, 0, 0)")
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _use_write_ahead_log(connection: sqlite3.Connection, patience_s: float) -> None:
    """Change the journal; for this one step, SQLite does not wait for other processes by itself."""
    end = time.monotonic() + patience_s
    while not _has_write_ahead_log(connection):
        if time.monotonic() > end:
            raise sqlite3.OperationalError("database is locked")
        time.sleep(0.01)


def _has_write_ahead_log(connection: sqlite3.Connection) -> bool:
    try:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return False
        raise
    if mode != "wal":
        raise sqlite3.OperationalError(f"unable to open with a write-ahead log, but with {mode}")
    return True


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def set_aside(path: Path) -> Path:
    """Rename a broken file and its journals, so that a new one can take its place.

    Returns:
        The file's new name.

    Raises:
        OSError: It cannot be renamed.
    """
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    aside = path.with_name(f"{path.name}.corrupt-{stamp}-{os.getpid()}")
    # The journals first: a new file beside an old journal would take over the journal's content.
    for journal in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + journal).replace(aside.with_name(aside.name + journal))
    path.replace(aside)
    return aside
