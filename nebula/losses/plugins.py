"""Losses that other packages bring under the entry point `nebula.losses`.

An entry point names a `LossEntry`, several of them, or a module: its `ENTRIES` are registered, and
what it registers itself, with `register_loss`, as it is imported.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from nebula.losses.registry import LossEntry, find, register
from nebula.plugins import Plugins

__all__ = ["PLUGINS"]


def _add(found: Any) -> None:
    """Register all of an entry point's losses, or none."""
    new = [entry for entry in _entries(found) if find(entry.name) != entry]
    taken = [entry.name for entry in new if find(entry.name)]
    if taken:
        raise ValueError(f"loss {taken[0]!r} is already registered")
    for entry in new:
        register(entry)


def _entries(found: Any) -> list[LossEntry]:
    if isinstance(found, ModuleType):
        return _entries(getattr(found, "ENTRIES", ()))
    if isinstance(found, LossEntry):
        return [found]
    if isinstance(found, Iterable) and not isinstance(found, (str, bytes)):
        entries = list(found)
        if all(isinstance(entry, LossEntry) for entry in entries):
            return entries
    raise TypeError(f"expected a LossEntry, several, or a module, found {type(found).__name__}")


PLUGINS = Plugins("nebula.losses", _add)
"""The installed plugins."""
