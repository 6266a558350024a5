"""The record of one thing that the guard noticed."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from nebula.decision.trace import ComparisonTrace, DecisionTrace
from nebula.policy.model import OnDrift

__all__ = ["EVENT_VERSION", "DriftEvent", "Kind", "Outcome"]

EVENT_VERSION = "1"

Kind = Literal["not finite", "below", "above", "not whole", "unknown label", "rule", "evidence", "complete"]
Outcome = Literal["told", "raised", "kept", "switched"]


class DriftEvent(BaseModel):
    """What was expected of the batches, what came, and what was done about it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    event_version: str = EVENT_VERSION
    id: str = Field(description="Unique name of this record.")
    time: str = Field(description="UTC, ISO 8601.")
    kind: Kind = Field(
        description="`not finite`, `below`, `above`, `not whole`, `unknown label`: a target outside what the loss is "
        "defined for; `rule`: recent rows would have decided otherwise; `evidence`: a provisional decision would be "
        "another one by now; `complete`: the whole data set confirms it."
    )
    message: str = Field(description="What was expected, what was found, where, what to do.")
    expected: str
    found: str
    dataset: str | int | None = Field(None, description="Name of the data set, when one object serves several.")
    decision: str = Field(description="`id` of the trace of the decision in force.")
    policy_digest: str
    rule_id: str | None
    loss: str | None
    calls: int = Field(ge=0, description="Batches watched since the decision.")
    rows: int = Field(ge=0, description="Rows watched since the decision.")
    changed: tuple[ComparisonTrace, ...] = Field(
        (), description="Comparisons of the rules that decided, as they come out now, where they came out otherwise."
    )
    on_drift: OnDrift = Field(description="What the policy, or the code, asked for.")
    outcome: Outcome = Field(
        description="`told`; `raised`; `kept`: decided anew, and the loss stays; `switched` to the new decision."
    )
    new_decision: str | None = Field(None, description="`id` of the trace of the new decision, if one was made.")
    new_loss: str | None = Field(None, description="The loss that it names.")

    @classmethod
    def about(cls, trace: DecisionTrace, **told: Any) -> DriftEvent:
        """Return an event about the decision of this trace, with an id and the time of now."""
        return cls(
            id=uuid.uuid4().hex,
            time=datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            decision=trace.id,
            policy_digest=trace.policy.digest,
            rule_id=trace.rule_id,
            loss=trace.spec.loss if trace.spec else None,
            **told,
        )

    def to_json(self) -> str:
        """Return the record as JSON; `DriftEvent.model_validate_json` reads it back."""
        return self.model_dump_json()
