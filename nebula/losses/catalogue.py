"""Fills the registry with the losses that come with nebula."""

from __future__ import annotations

from threading import RLock

from nebula.losses.families import (
    classification,
    composition,
    constraint,
    count,
    embedding,
    fairness,
    generative,
    imbalance,
    margin,
    noise,
    ordinal,
    overlap,
    positive,
    proportion,
    ranking,
    regression,
    robust,
    sequence,
    survival,
    transfer,
)
from nebula.losses.plugins import PLUGINS
from nebula.losses.registry import LossEntry, changes, find, register

__all__ = ["FAMILIES", "builtin_entries", "load_builtin"]

FAMILIES = (
    regression,
    robust,
    count,
    positive,
    proportion,
    classification,
    margin,
    imbalance,
    overlap,
    ranking,
    noise,
    ordinal,
    survival,
    sequence,
    embedding,
    generative,
    transfer,
    fairness,
    constraint,
    composition,
)
"""The families in the order that tables show."""

_complete_at: int | None = None
_lock = RLock()  # a plugin's module may itself look up losses as it is imported


def builtin_entries() -> tuple[LossEntry, ...]:
    """Return the losses that come with nebula, whatever else is registered."""
    return tuple(entry for module in FAMILIES for entry in module.ENTRIES)


def load_builtin() -> None:
    """Register every built-in loss, then those of installed plugins; calling it again changes nothing.

    It may be called from any thread.

    Raises:
        ValueError: Another loss was registered under a built-in name.
        PluginError: A plugin cannot be used.
    """
    global _complete_at
    with _lock:
        if _complete_at != changes():
            for entry in builtin_entries():
                if find(entry.name) != entry:
                    register(entry)
            _complete_at = changes()
        PLUGINS.load()
