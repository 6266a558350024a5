"""What a lockfile says about each decision."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from nebula.decision.model import Decision
from nebula.decision.trace import Status
from nebula.losses.spec import LossSpec
from nebula.profiling.hints import Hints
from nebula.profiling.model import PredictionFacts

__all__ = ["Lockfile", "Pin", "PinnedData", "PinnedPolicy", "Request", "pin"]

Scalar = bool | int | float | str
Name = Annotated[str, Field(min_length=1, max_length=500)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Request(_Value):
    """What `nebula lock` was asked, so that it can ask again. All as it is typed on the command line."""

    file: str = Field(description="Data file, from the lockfile's folder.")
    target: str = Field(description="Columns to predict, comma separated.")
    features: str | None = None
    prediction_shape: str | None = None
    prediction_space: str | None = None
    policy: str = Field("default.yaml", description="A shipped policy, or a file from the lockfile's folder.")
    hints: tuple[str, ...] = Field((), description="`name=value` each.")
    parameters: tuple[str, ...] = Field((), description="`name=value` each.")


class PinnedData(_Value):
    """Which data were decided on."""

    fingerprint: str | None = Field(None, description="Content hash: every value, their order, type and shape.")
    target: str | None = Field(None, description="Name of the target.")
    dtype: str | None = Field(None, description="Element type.")
    rows: Annotated[int, Field(ge=0)] | None = Field(None, description="Rows decided on.")


class PinnedPolicy(_Value):
    """Which policy decided."""

    name: str
    version: str
    digest: str = Field(description="Content hash of the resolved policy with its parameters.")


class Pin(_Value):
    """One decision, with all it stands on."""

    loss: str | None = Field(None, description="Null when the policy refuses to guess.")
    rule: str | None = Field(None, description="The select rule that fired; null when `otherwise` answered.")
    status: Status
    task: str | None = None
    spec: LossSpec | None = None
    data: PinnedData
    policy: PinnedPolicy
    hints: Hints = Field(default_factory=Hints)
    parameters: dict[str, Scalar] = Field(default_factory=dict, description="Of the policy, those in force.")
    prediction: str | None = Field(
        None, description="Shape of the model's output, and what it was declared to be, e.g. `(N, 10) logits`."
    )
    versions: dict[str, str] = Field(default_factory=dict, description="Of the libraries that could change it.")
    request: Request | None = Field(None, description="Null when the decision was made in code.")


class Lockfile(_Value):
    """The decisions of a project."""

    lockVersion: Literal[1] = 1  # noqa: N815 - the key as it stands in the file
    decisions: dict[Name, Pin] = Field(default_factory=dict, max_length=1000)


def pin(decision: Decision, request: Request | None = None) -> Pin:
    """Return what a lockfile keeps of a decision.

    Args:
        decision: Any decision.
        request: What was asked, if the command line asked it.
    """
    trace = decision.trace
    return Pin(
        loss=trace.spec.loss if trace.spec else None,
        rule=trace.rule_id,
        status=trace.status,
        task=trace.task,
        spec=trace.spec,
        data=PinnedData(
            fingerprint=trace.profile.fingerprint,
            target=trace.profile.target.name,
            dtype=trace.profile.target.dtype,
            rows=trace.profile.evidence.rows_seen,
        ),
        policy=PinnedPolicy(name=trace.policy.name, version=trace.policy.version, digest=trace.policy.digest),
        hints=trace.profile.hints,
        parameters=trace.parameters,
        prediction=_describe(trace.profile.prediction),
        versions=trace.versions,
        request=request,
    )


def _describe(prediction: PredictionFacts) -> str | None:
    if prediction.shape_tail is None:
        return None
    shape = ", ".join(["N", *map(str, prediction.shape_tail)])
    return f"({shape}) {prediction.space}" if prediction.space_is_declared else f"({shape})"
