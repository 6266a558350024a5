"""A policy as plain data, and where its conditions stand in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["Document", "at", "conditions"]

Document = dict[str, Any]


def at(document: Any, path: list[Any]) -> Any:
    """Return what stands at a path."""
    for part in path:
        document = document[part]
    return document


def conditions(document: Document) -> Iterator[tuple[str, list[Any]]]:
    """Yield (where, path) of every condition that is written as text."""
    yield from ((f"definition {name}", ["definitions", name]) for name in document.get("definitions", {}))
    for section in ("derive", "select"):
        for index, rule in enumerate(document.get(section, [])):
            if isinstance(rule["when"], str):
                yield f"rule {rule['id']}", [section, index, "when"]
