"""Addresses of folders and patterns → the files there."""

from __future__ import annotations

import glob
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from nebula.errors import DataError
from nebula.profiling.stores.address import Address
from nebula.profiling.stores.connecting import connect
from nebula.profiling.stores.faults import store_fault
from nebula.profiling.stores.stored_file import StoredFile

__all__ = ["find_stored", "fits"]


def find_stored(address: Address, suffixes: tuple[str, ...]) -> list[StoredFile]:
    """List the files that an address means, in the order of their names.

    Args:
        address: Of a file, a folder or a pattern. A file needs no right to list.
        suffixes: Endings of the files wanted out of a folder.

    Raises:
        DataError: There are none, or the store does not answer.
        MissingExtraError: pyarrow is not installed.
    """
    store = connect(address)
    try:
        return _find(store, address, suffixes)
    except OSError as error:
        fault = store_fault(address, error)
        raise fault or DataError(f"{address}: expected a store, found one that cannot be listed.") from None


def fits(names: list[str], patterns: list[str]) -> bool:
    """Say whether the names along a path fit a pattern, as `glob` reads it: `**` stands for any folders.

    Args:
        names: Names of the folders and the file.
        patterns: One for each name. Names that begin with a dot fit only patterns that do.
    """
    reached = _skip({0}, patterns)
    for name in names:
        after = {at + (patterns[at] != "**") for at in reached if at < len(patterns) and _fits_one(name, patterns[at])}
        reached = _skip(after, patterns)
    return len(patterns) in reached


def _skip(places: set[int], patterns: list[str]) -> set[int]:
    """Add the places behind every `**`, which may stand for no folder at all."""
    found = set(places)
    for at, pattern in enumerate(patterns):
        if at in found and pattern == "**":
            found.add(at + 1)
    return found


def _fits_one(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) and (pattern.startswith(".") or not name.startswith("."))


def _find(store: Any, address: Address, suffixes: tuple[str, ...]) -> list[StoredFile]:
    parts = [part for part in address.path.split("/") if part]
    fixed = next((place for place, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    base = _join(address, [unquote(part) for part in parts[:fixed]])
    if fixed < len(parts):
        patterns = [unquote(part) for part in parts[fixed:]]
        found = [
            names for names in _list(store, base, deep=len(patterns) > 1 or "**" in patterns) if fits(names, patterns)
        ]
        if not found:
            raise DataError(f"{address}: expected files that match, found none; check the pattern and the bucket.")
    elif (about := store.get_file_info(base)).is_file:
        return [_file(address, base)]
    elif about.type.name == "NotFound":
        raise DataError(f"{address}: expected a file or a folder, found nothing there.")
    else:
        found = [
            names
            for names in _list(store, base, deep=True)
            if names[-1].lower().endswith(suffixes) and not any(name.startswith((".", "_")) for name in names)
        ]
        if not found:
            raise DataError(f"{address}: expected files ending in {', '.join(suffixes)}, found none in the folder.")
    return [_file(address, "/".join([base.rstrip("/"), *names])) for names in sorted(found)]


def _list(store: Any, base: str, *, deep: bool) -> list[list[str]]:
    """Return the names along the path of every file below a folder; no folder holds none."""
    from pyarrow import fs

    entries = store.get_file_info(fs.FileSelector(base, allow_not_found=True, recursive=deep))
    start = len(base.rstrip("/")) + 1
    return [entry.path[start:].split("/") for entry in entries if entry.is_file]


def _join(address: Address, names: list[str]) -> str:
    return "/" + "/".join(names) if address.scheme == "hdfs" else "/".join([address.place, *names])


def _file(address: Address, path: str) -> StoredFile:
    within = path if address.scheme == "hdfs" else path[len(address.place) :]
    return StoredFile(address.at(within), path)
