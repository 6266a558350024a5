"""How much of a stream may be read before a decision is made."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Budget"]


class Budget(BaseModel):
    """Bounds on reading a loader; whichever is met first ends it.

    Example:
        >>> Budget(rows=100_000, seconds=30).enough
        True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int | None = Field(None, ge=1, description="Most rows, to the next whole batch.")
    batches: int | None = Field(None, ge=1, description="Most batches.")
    seconds: float | None = Field(None, gt=0, description="Longest time, to the next whole batch.")
    enough: bool = Field(True, description="Stop as soon as the evidence suffices; see `Sufficiency`.")
