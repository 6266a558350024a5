"""Groups of commands that are imported when one of them is asked for: `nebula --help` needs their names only."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup
from typer.main import get_group

__all__ = ["LOADERS", "later"]


class _Commands(UserDict[str, Any]):
    """The commands of a group, by name."""

    def __init__(self, load: Callable[[], typer.Typer]) -> None:
        self._load = load

    @cached_property
    def data(self) -> dict[str, Any]:  # type: ignore[override]  # where UserDict keeps what it holds
        """Import the group."""
        return dict(get_group(self._load()).commands)


class _Later(TyperGroup):
    """A group whose help is known and whose commands are not yet."""

    load: ClassVar[Callable[[], typer.Typer]]

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands(type(self).load)


def later(load: Callable[[], typer.Typer]) -> type[TyperGroup]:
    """Return the class of a group whose commands this function imports.

    Args:
        load: Returns the commands, with `rich_markup_mode` as in the whole.
    """
    return type("Later", (_Later,), {"load": staticmethod(load)})


def _policy() -> typer.Typer:
    from nebula.cli.policy import policy

    return policy


def _bench() -> typer.Typer:
    from nebula.cli.bench import bench

    return bench


def _audit() -> typer.Typer:
    from nebula.cli.audit import audit

    return audit


def _cache() -> typer.Typer:
    from nebula.cli.cache import cache

    return cache


LOADERS: dict[str, tuple[str, Callable[[], typer.Typer]]] = {
    "policy": ("Check and read policies.", _policy),
    "bench": ("Measure the choice: against expert labels, and by training.", _bench),
    "audit": ("Read, verify and replay the log of decisions.", _audit),
    "cache": ("See, check and empty the cache of facts and decisions.", _cache),
}
"""Name of every group, its help, and what imports it."""
