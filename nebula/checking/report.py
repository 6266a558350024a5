"""What a check reports."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["CheckReport", "Finding", "Severity"]

Severity = Literal["error", "warning", "note"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Finding(_Value):
    """One violated clause."""

    code: str = Field(description="Stable name of the kind of fault; `nebula explain-code` explains it.")
    severity: Severity = Field(
        description="`error`: the number is meaningless or the call fails; `warning`: it trains worse or is probably "
        "wrong; `note`: the data cannot tell."
    )
    message: str = Field(description="What was expected and what was found.")
    consequence: str = Field(description="What happens if it is ignored, from measurements on this batch.")
    fix: str = Field(description="Python over `loss`, `prediction`, `target` and the names of extra inputs.")

    def __str__(self) -> str:
        """Return the finding as text of four lines."""
        return (
            f"{self.severity}[{self.code}]: {self.message}\n   = if ignored: {self.consequence}\n   = fix: {self.fix}"
        )


class CheckReport(_Value):
    """Every violated clause of one call of a loss, the gravest first."""

    loss: str = Field(description="The loss as it was recognised, with the parameters that are not at their default.")
    value: float | None = Field(
        description="The loss of this batch (its mean when it is not reduced); None when it could not be run, "
        "or is not finite."
    )
    findings: tuple[Finding, ...] = Field(description="Gravest first.")

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong, as far as the data can tell: no error and no warning."""
        return all(finding.severity == "note" for finding in self.findings)

    def codes(self) -> tuple[str, ...]:
        """Return the codes of all findings, in their order."""
        return tuple(finding.code for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {"ok": self.ok, **self.model_dump(mode="json")}

    def __str__(self) -> str:
        """Return the report as text."""
        head = f"{self.loss}: {'not run' if self.value is None else f'value {self.value:.6g}'}"
        if not self.findings:
            return f"{head}; nothing found"
        return "\n\n".join((head, *map(str, self.findings)))
