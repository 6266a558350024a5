"""The record of one decision: self-contained, replayable, readable by people and programs."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timezone
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from nebula.decision.deferred import Deferred
from nebula.losses.spec import LossSpec
from nebula.policy.model import Ambiguity
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import FactValue

__all__ = [
    "TRACE_VERSION",
    "Boundary",
    "CacheUse",
    "ComparisonTrace",
    "DecisionTrace",
    "Note",
    "PolicyIdentity",
    "RuleTrace",
    "RunnerUp",
    "Status",
    "new_record",
]

TRACE_VERSION = "1"

Truth = Literal["true", "false", "unknown"]
Status = Literal["decided", "provisional", "ambiguous"]
Verdict = Literal["fired", "also true", "false", "unknown"]

_INCIDENTAL = {"id", "time", "timings_ms", "cache"}


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PolicyIdentity(_Value):
    """Which policy decided, down to the content."""

    name: str
    version: str
    digest: str = Field(description="Content hash of the resolved policy with its parameters.")
    source: str = Field(description="The policy as the user named it.")


class ComparisonTrace(_Value):
    """One comparison of a rule's condition, as it was seen."""

    text: str = Field(description="Source text.")
    outcome: Truth
    values: dict[str, FactValue] = Field(description="Every name it read, with the value; null is unknown.")
    fact: str | None = Field(None, description="The one numeric fact compared to a constant, if that is its form.")
    threshold: float | None = Field(None, description="The constant.")
    distance: float | None = Field(None, description="|value - threshold|, in the fact's unit.")


class RuleTrace(_Value):
    """One rule, with all of its comparisons."""

    id: str
    kind: Literal["derive", "select"]
    verdict: Verdict = Field(description="`also true`: held, but an earlier rule had chosen, or set the same facts.")
    condition: str = Field(description="Source text of `when`.")
    comparisons: tuple[ComparisonTrace, ...]
    because: str | None = None
    loss: str | None = Field(None, description="The loss a select rule names.")
    taken_for_true: bool = Field(False, description="The condition is unknown, and `on_unknown` lets the rule fire.")


class RunnerUp(_Value):
    """The loss that would have been chosen next."""

    rule_id: str
    loss: str
    because: str | None


class Boundary(_Value):
    """The nearest single change of one fact that changes the choice."""

    fact: str
    value: float
    threshold: float
    distance: float = Field(description="|value - threshold|, in the fact's unit.")
    relative_distance: float = Field(description="distance / max(|value|, |threshold|); 0 is on the edge, 1 is far.")
    comparison: str = Field(description="The comparison whose truth would change.")
    would_fire: str | None = Field(description="The rule that would fire instead; null: none.")
    would_choose: str | None = Field(description="The loss it names.")


class Note(_Value):
    """Something a reader of the decision should know."""

    kind: Literal["assumption", "alternative", "better", "warning"]
    text: str


class CacheUse(_Value):
    """Whether earlier work was reused."""

    target: Literal["hit", "miss", "off"] = "off"
    decision: Literal["hit", "miss", "off"] = "off"


class DecisionTrace(_Value, Deferred):
    """All that is kept of one decision: which rule fired, on which facts, and why no other.

    Same profile and same policy give the same bytes of `canonical_json()`; `id`, `time`,
    `timings_ms` and `cache` are incidental and left out of it.
    """

    trace_version: str = TRACE_VERSION
    id: str = Field(description="Unique name of this record.")
    time: str = Field(description="UTC, ISO 8601.")
    status: Status
    rule_id: str | None = Field(description="The select rule that fired; null when `otherwise` answered.")
    task: str | None = Field(description="The derived fact `task`, when the policy derives one.")
    because: str | None
    cite: str | None = None
    spec: LossSpec | None = Field(description="Null when the policy refuses to guess.")
    ambiguity: Ambiguity | None = None
    notes: tuple[Note, ...] = ()
    runner_up: RunnerUp | None = None
    boundaries: tuple[Boundary, ...] = Field(
        (), description="What would change the choice, nearest first (three at most)."
    )
    derived: dict[str, bool | int | float | str] = Field(default_factory=dict)
    rules: tuple[RuleTrace, ...] = ()
    parameters: dict[str, bool | int | float | str] = Field(default_factory=dict)
    policy: PolicyIdentity
    profile: DataProfile
    engine: str = Field(description="Name and version of the engine that did the inference.")
    versions: dict[str, str] = Field(default_factory=dict)
    cache: CacheUse = CacheUse()
    timings_ms: dict[str, float] = Field(default_factory=dict)

    def to_json(self, *, indent: int | None = None) -> str:
        """Return the whole record as JSON; `DecisionTrace.model_validate_json` reads it back."""
        return self.model_dump_json(indent=indent)

    def canonical_json(self) -> str:
        """Return the bytes that a replay must reproduce: sorted keys, no incidental fields."""
        document: dict[str, Any] = self.model_dump(mode="json", exclude=_INCIDENTAL)
        return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)


def new_record() -> dict[str, str]:
    """Return a new record's own fields: `id` and `time`."""
    return {"id": uuid.uuid4().hex, "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds")}
