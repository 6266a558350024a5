"""What other packages bring: found by entry point, loaded when first needed, refused loudly.

A package declares, in its `pyproject.toml`,

    [project.entry-points."nebula.losses"]
    mine = "my_package.losses:ENTRIES"
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from nebula.errors import PluginError

__all__ = ["Plugins", "use_plugins"]

_wanted = True
_groups: list[Plugins] = []


class Plugins:
    """The entry points of one group, each loaded once.

    Args:
        group: Name of the group, e.g. `nebula.losses`.
        add: Takes what an entry point names, and raises when it cannot be used.
    """

    def __init__(self, group: str, add: Callable[[Any], None]) -> None:
        self.group, self._add = group, add
        self._loaded: set[tuple[str, str, str]] = set()
        self.settled = False
        _groups.append(self)

    def load(self) -> None:
        """Load every installed plugin of the group that was not loaded yet.

        The caller holds a lock. A plugin that looks up losses while it is imported finds those so far.

        Raises:
            PluginError: A plugin cannot be used. It is tried again at the next call.
        """
        if self.settled or not _wanted:
            return
        self.settled = True
        try:
            for point in entry_points(group=self.group):
                key = (_distribution(point), point.name, point.value)
                if key not in self._loaded:
                    self._load(point)
                    self._loaded.add(key)
        except PluginError:
            self.settled = False
            raise

    def _load(self, point: EntryPoint) -> None:
        try:
            self._add(point.load())
        except Exception as error:
            raise PluginError(_distribution(point), self.group, f"{point.name} = {point.value}", error) from error


def use_plugins(wanted: bool) -> None:
    """Say whether installed plugins are loaded when losses or facts are first looked up; by default they are.

    What is registered already stays registered; `use_plugins(True)` looks for newly installed ones.
    """
    global _wanted
    _wanted = wanted
    for group in _groups:
        group.settled = False


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "an unnamed distribution"
