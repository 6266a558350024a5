"""A pinned decision beside the one that is made now."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from nebula.lockfile.comparison import Change, compare_pins, is_drift
from nebula.lockfile.model import Pin

__all__ = ["Revision"]


@dataclass(frozen=True)
class Revision:
    """One name of a lockfile, looked at again.

    Attributes:
        name: Its name in the lockfile.
        pinned: As the lockfile has it; None when it has no such name.
        found: As it is decided now.
    """

    name: str
    pinned: Pin | None
    found: Pin

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """Every difference; none for a new name."""
        return () if self.pinned is None else compare_pins(self.pinned, self.found)

    @property
    def differs(self) -> bool:
        """More changed than the versions of libraries, or it is not pinned."""
        return self.pinned is None or is_drift(self.changes)

    @property
    def verdict(self) -> str:
        """`not pinned`, `unchanged`, `same decision` on other grounds, or `changed`."""
        if self.pinned is None:
            return "not pinned"
        if not self.changes:
            return "unchanged"
        return "changed" if any(change.cause == "outcome" for change in self.changes) else "same decision"

    @property
    def unexplained(self) -> bool:
        """Another outcome, and nothing else is different that the lockfile records."""
        return bool(self.changes) and all(change.cause == "outcome" for change in self.changes)

    def document(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "name": self.name,
            "verdict": self.verdict,
            "differs": self.differs,
            "unexplained": self.unexplained,
            "loss": self.found.loss,
            "changes": [asdict(change) for change in self.changes],
        }
