"""A plan being drawn up: the steps so far, and the clauses that no step can mend."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nebula.losses.contract import Contract
from nebula.losses.spec import AdaptStep
from nebula.profiling.model import DataProfile

__all__ = ["Draft"]


@dataclass
class Draft:
    """What one pass over a contract's clauses collects.

    Attributes:
        loss: Name of the loss.
        contract: The clauses that apply.
        params: The loss's parameters, defaults filled in.
        profile: The data.
        on_prediction: Steps on the prediction, in order.
        on_target: Steps on the target, in order.
        violations: One sentence per clause that the data break.
    """

    loss: str
    contract: Contract
    params: dict[str, Any]
    profile: DataProfile
    on_prediction: list[AdaptStep] = field(default_factory=list)
    on_target: list[AdaptStep] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def change_prediction(self, step: str, reason: str, **params: Any) -> None:
        """Append a step on the prediction."""
        self.on_prediction.append(AdaptStep(on="prediction", step=step, params=params, reason=reason))

    def change_target(self, step: str, reason: str, **params: Any) -> None:
        """Append a step on the target."""
        self.on_target.append(AdaptStep(on="target", step=step, params=params, reason=reason))

    def refuse(self, expected: str, found: str, advice: str) -> None:
        """Record a broken clause: what was expected, what was found, what to do."""
        self.violations.append(f"{self.loss}: expected {expected}, found {found}: {advice}.")
