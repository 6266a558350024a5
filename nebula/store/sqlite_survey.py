"""What the file of a store holds, as a person asks: how much, what, and whether it is sound."""

from __future__ import annotations

import sqlite3
from typing import Any

from nebula.store.generation import current_generation
from nebula.store.model import Entry
from nebula.store.record import unseal

__all__ = ["check_entries", "count_entries", "list_entries"]

_Row = tuple[str, str, str, int, int, object]


def count_entries(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return the counted fields of `StoreInfo`."""
    kinds = connection.execute("SELECT kind, count(*), sum(size) FROM entry GROUP BY kind").fetchall()
    query = "SELECT count(*) FROM entry WHERE generation != ?"
    (stale,) = connection.execute(query, (current_generation(),)).fetchone()
    return {
        "exists": True,
        "entries": sum(entries for _, entries, _ in kinds),
        "bytes": sum(size for _, _, size in kinds),
        "by_kind": {kind: entries for kind, entries, _ in kinds},
        "stale": stale,
    }


def list_entries(connection: sqlite3.Connection) -> list[Entry]:
    """Return every entry, last used first."""
    query = "SELECT kind, name, generation, size, used, sealed FROM entry ORDER BY used DESC, id DESC"
    return [_entry(row) for row in connection.execute(query)]


def _entry(row: _Row) -> Entry:
    kind, name, generation, size, used, sealed = row
    payload = unseal(kind, name, generation, sealed)
    return Entry(kind=kind, name=name, generation=generation, size=size, used=used / 1e9, payload=payload)


def check_entries(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return the found fields of `Verification`."""
    found = [str(line) for (line,) in connection.execute("PRAGMA integrity_check(20)")]
    problems = [] if found == ["ok"] else found
    broken, entries, size = [], 0, 0
    for kind, name, generation, stated, sealed in connection.execute(
        "SELECT kind, name, generation, size, sealed FROM entry ORDER BY id"
    ):
        entries, size = entries + 1, size + stated
        if unseal(kind, name, generation, sealed) is None or stated != len(sealed):
            broken.append(name)
    if connection.execute("SELECT entries, bytes FROM total").fetchone() != (entries, size):
        problems.append("the totals are not those of the entries")
    return {"entries": entries, "broken": tuple(broken), "problems": tuple(problems)}
