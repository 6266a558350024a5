"""What every store can do, and what it says about itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["KINDS", "Entry", "Kind", "Store", "StoreInfo", "Verification"]

Kind = Literal["target", "decision", "source"]
KINDS: tuple[Kind, ...] = ("target", "decision", "source")


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Entry(_Value):
    """One stored value."""

    kind: str
    name: str = Field(description="Under which it is stored: a hash of what it was computed from.")
    generation: str = Field(description="The nebula that wrote it, as `current_generation` names it.")
    size: int = Field(description="Bytes.")
    used: float | None = Field(description="Last use, seconds since 1970; null when the store does not tell.")
    payload: bytes | None = Field(exclude=True, description="JSON; null when the seal does not fit.")


class StoreInfo(_Value):
    """How full a store is."""

    location: str
    exists: bool
    entries: int = 0
    bytes: int = Field(0, description="Of the values, seals included.")
    by_kind: dict[str, int] = Field(default_factory=dict, description="Entries of each kind.")
    stale: int = Field(0, description="Entries of another nebula; they make room first, as nobody uses them.")
    max_entries: int | None = Field(None, description="Bound; null when the server has its own.")
    max_bytes: int | None = None


class Verification(_Value):
    """What a look at every entry found."""

    location: str
    entries: int = Field(description="Entries read.")
    broken: tuple[str, ...] = Field((), description="Names of entries whose seal does not fit.")
    problems: tuple[str, ...] = Field((), description="Faults of the file itself.")

    @property
    def is_sound(self) -> bool:
        """Nothing was found."""
        return not self.broken and not self.problems


class Store(Protocol):
    """Sealed values by kind and name. What goes wrong in `read`, `write` and `remove` is logged, never raised."""

    @property
    def location(self) -> str:
        """Where it is, without passwords."""

    def read(self, kind: Kind, name: str, generation: str) -> bytes | None:
        """Return a value as it was written, or None."""

    def write(self, kind: Kind, name: str, generation: str, payload: bytes) -> None:
        """Store a value, in the place of an earlier one of that name."""

    def remove(self, kind: Kind, name: str) -> None:
        """Forget a value."""

    def clear(self, kind: Kind | None = None) -> int:
        """Forget all values, or those of one kind, and return how many.

        Raises:
            DataError: The store cannot be used.
        """

    def entries(self) -> Iterator[Entry]:
        """Yield every value, last used first.

        Raises:
            DataError: The store cannot be read.
        """

    def info(self) -> StoreInfo:
        """Say how full it is.

        Raises:
            DataError: The store cannot be read.
        """

    def verify(self) -> Verification:
        """Check the seal of every value; nothing is changed.

        Raises:
            DataError: The store cannot be reached.
        """
