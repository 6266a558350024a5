"""The value that names a loss completely: what a policy chooses and a factory builds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["AdaptStep", "BiasKind", "Functional", "Link", "LossSpec", "OutputBias", "Serve"]

Link = Literal["identity", "exp", "softplus", "sigmoid", "softmax"]
BiasKind = Literal["prior_log_odds", "log_prior", "link_mean", "median", "column_means", "column_log_odds"]
Functional = Literal["mean", "median", "quantile", "probability", "threshold", "argmax", "expectation", "risk", "raw"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class AdaptStep(_Value):
    """One declared change of shape, type or coding that lets the loss run on what the user has."""

    on: Literal["target", "prediction"] = Field(description="Which argument is changed.")
    step: str = Field(description="Name of the step, e.g. `to_long`, `remap_labels`, `squeeze_last`.")
    params: dict[str, Any] = Field(default_factory=dict, description="Parameters of the step.")
    reason: str = Field(description="Why the step is needed, in one clause.")


class OutputBias(_Value):
    """Start of the last layer's bias: the constant predictor's raw output."""

    kind: str = Field(description="How it was computed: `prior_log_odds`, `log_prior`, `link_mean`, `median`.")
    values: tuple[float, ...] = Field(description="One number per output; a single one serves all outputs.")


class Serve(_Value):
    """The functional of the raw output that answers the metric."""

    functional: Functional = Field(description="What `predict` returns.")
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = Field(None, description="Cut on the probability.")
    quantile: Annotated[float, Field(gt=0, lt=1)] | None = Field(None, description="Level, for `quantile`.")
    labels: tuple[float, ...] | None = Field(None, description="The user's own label of every class, in output order.")
    scale: float = Field(1.0, description="Factor back to the target's unit, e.g. 100 for percentages.")


class LossSpec(_Value):
    """Loss × link × output bias × serving, with everything needed to build and use it."""

    loss: str = Field(description="Name in the registry of losses.")
    params: dict[str, Any] = Field(default_factory=dict, description="Parameters of the loss.")
    link: Link = Field("identity", description="How the raw output becomes the quantity.")
    adapt: tuple[AdaptStep, ...] = Field((), description="Steps before the loss, in order.")
    modifiers: tuple[str, ...] = Field((), description="Named changes of the plain loss, e.g. `class weights`.")
    output_bias: OutputBias | None = Field(None, description="Start of the last layer's bias.")
    serve: Serve = Field(description="What `predict` returns.")
