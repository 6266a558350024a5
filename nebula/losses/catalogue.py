"""Fills the registry with the losses that come with nebula."""

from __future__ import annotations

from threading import Lock

from nebula.losses.families import classification, composition, count, regression
from nebula.losses.registry import find, register

__all__ = ["FAMILIES", "load_builtin"]

FAMILIES = (regression, count, classification, composition)
"""The families in the order that tables show."""

_lock = Lock()


def load_builtin() -> None:
    """Register every built-in loss; calling it again, from any thread, changes nothing.

    Raises:
        ValueError: Another loss was registered under a built-in name.
    """
    with _lock:
        for module in FAMILIES:
            for entry in module.ENTRIES:
                known = find(entry.name)
                if known is not entry and known != entry:
                    register(entry)
