"""What a verification found, as data."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import FactValue

__all__ = ["Finding", "Kind", "Verification", "Witness"]

Kind = Literal[
    "contradictory", "shadowed", "never true", "never false", "gap", "overlap", "values", "layout", "reference"
]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Witness(_Value):
    """A profile that shows a finding."""

    facts: dict[str, FactValue] = Field(description="The facts that matter: without one of them it shows nothing.")
    profile: DataProfile = Field(description="The whole partial profile.")
    confirmed: bool = Field(description="The real engine says the same; false is a fault of the verification.")


class Finding(_Value):
    """One thing that holds of a policy."""

    kind: Kind
    severity: Literal["fault", "note"] = Field(description="A fault is the policy's own; a note is to be known.")
    rule: str | None = Field(None, description="The rule it is about.")
    others: tuple[str, ...] = Field((), description="Other rules that take part, e.g. those that shadow it.")
    file: str = ""
    line: int = 0
    message: str
    witness: Witness | None = None


class Verification(_Value):
    """All that was asked of a policy, and the answers."""

    policy: str
    version: str
    digest: str
    findings: tuple[Finding, ...]
    undecided: tuple[str, ...] = Field((), description="Questions on which the solver gave up.")
    questions: int = Field(description="How often the solver was asked.")
    solver_seconds: float = Field(description="Time the solver took.")

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that a policy's author should mend."""
        return tuple(finding for finding in self.findings if finding.severity == "fault")
