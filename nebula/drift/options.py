"""How closely the batches are watched, and what happens when they no longer fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nebula.decision.drift_event import DriftEvent
from nebula.policy.model import OnDrift

__all__ = ["GuardOptions"]


@dataclass(frozen=True)
class GuardOptions:
    """Settings of a `Guard`.

    Attributes:
        every: Most batches that are looked at together. Between two looks a batch is only kept. The
            first looks come sooner, and so do those after a finding: after 64 batches, 128, 256, …
        facts_every: Batches between two judgements of the recent rows by the policy; doubled while
            they agree with the decision, up to eight times as many.
        window: Most values of the recent rows.
        on_drift: `warn`, `raise` or `redecide`; the policy's own when None, and `warn` when it says nothing.
        sink: Called with every event, e.g. to store it.

    Raises:
        ValueError: A number is not positive, or `on_drift` is another word.
    """

    every: int = 1024
    facts_every: int = 1024
    window: int = 2**16
    on_drift: OnDrift | None = None
    sink: Callable[[DriftEvent], object] | None = None

    def __post_init__(self) -> None:
        for name in ("every", "facts_every", "window"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, found {getattr(self, name)}.")
        if self.on_drift not in (None, "warn", "raise", "redecide"):
            raise ValueError(f"on_drift: expected warn, raise or redecide, found {self.on_drift!r}.")
