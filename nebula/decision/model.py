"""The decision: a thin, immutable view of its trace with the questions people ask of it."""

from __future__ import annotations

from dataclasses import dataclass

from nebula.decision.explain import explain, summary, why_not
from nebula.decision.trace import DecisionTrace, Status
from nebula.losses.spec import LossSpec

__all__ = ["Decision"]


@dataclass(frozen=True)
class Decision:
    """Which loss, by which rule, on which facts.

    Attributes:
        trace: The full record; everything else is read from it.
    """

    trace: DecisionTrace

    @property
    def spec(self) -> LossSpec | None:
        """Loss × link × output bias × serving; None when the policy refuses to guess."""
        return self.trace.spec

    @property
    def rule_id(self) -> str | None:
        """The select rule that fired; None when `otherwise` answered."""
        return self.trace.rule_id

    @property
    def task(self) -> str | None:
        """The kind of quantity the target was taken for."""
        return self.trace.task

    @property
    def status(self) -> Status:
        """`decided`; `provisional` on a part of the data; `ambiguous` when the data cannot tell."""
        return self.trace.status

    def explain(self) -> str:
        """Return the reasons as plain text: the choice, each rule, what would change it."""
        return explain(self.trace)

    def why_not(self, loss: str) -> str:
        """Say why another loss was not chosen, rule by rule.

        Args:
            loss: Name of a registered loss, e.g. `MSELoss`.

        Raises:
            ContractError: No loss of that name is registered.
        """
        return why_not(self.trace, loss)

    def __str__(self) -> str:
        """Return the one readable line."""
        return summary(self.trace)
