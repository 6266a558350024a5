"""The value that names a loss completely: what a policy chooses and a factory builds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nebula.losses.schedule import Schedule, Weight

__all__ = [
    "COMPOSITE",
    "AdaptStep",
    "BiasKind",
    "Functional",
    "Link",
    "LossSpec",
    "OutputBias",
    "Penalty",
    "Serve",
    "Term",
]

COMPOSITE = "CompositeLoss"
"""The loss whose value is the weighted sum of a spec's terms."""

Link = Literal["identity", "exp", "softplus", "sigmoid", "softmax"]
BiasKind = Literal["prior_log_odds", "log_prior", "link_mean", "median", "quantile", "column_means", "column_log_odds"]
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

    kind: str = Field(
        description="How it was computed: `prior_log_odds`, `log_prior`, `link_mean`, `median`, `quantile`."
    )
    values: tuple[float, ...] = Field(description="One number per output; a single one serves all outputs.")


class Serve(_Value):
    """The functional of the raw output that answers the metric."""

    functional: Functional = Field(description="What `predict` returns.")
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = Field(None, description="Cut on the probability.")
    quantile: Annotated[float, Field(gt=0, lt=1)] | None = Field(None, description="Level, for `quantile`.")
    labels: tuple[float, ...] | None = Field(None, description="The user's own label of every class, in output order.")
    scale: float = Field(1.0, description="Factor back to the target's unit, e.g. 100 for percentages.")


class Penalty(_Value):
    """A penalty on the size of the model's weights, added to the loss."""

    kind: Literal["l1", "l2", "elastic_net"] = Field(
        description="`l1`: Σ|θ|; `l2`: Σθ²/2; `elastic_net`: a mixture of both."
    )
    strength: Weight = Field(description="Factor of the whole penalty.")
    l1_share: Annotated[float, Field(ge=0, le=1)] = Field(0.5, description="Share of the `l1` part in `elastic_net`.")
    include: tuple[str, ...] = Field((), description="Patterns of parameter names, e.g. `encoder.*`; empty: all.")
    exclude: tuple[str, ...] = Field((), description="Patterns of parameter names to leave out.")
    biases_and_norms: bool = Field(False, description="Penalise biases and the scales of normalisations as well.")


class Term(_Value):
    """One named part of a composite loss."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)] = Field(
        description="Under which its value is told, and its prediction and target are found in a mapping."
    )
    weight: Weight | Schedule = Field(1.0, description="Factor of the term: a number, or a schedule over steps.")
    spec: LossSpec = Field(description="The loss, with the steps that it needs.")


class LossSpec(_Value):
    """Loss × link × output bias × serving, with everything needed to build and use it."""

    loss: str = Field(description="Name in the registry of losses.")
    params: dict[str, Any] = Field(default_factory=dict, description="Parameters of the loss.")
    link: Link = Field("identity", description="How the raw output becomes the quantity.")
    adapt: tuple[AdaptStep, ...] = Field((), description="Steps before the loss, in order.")
    modifiers: tuple[str, ...] = Field((), description="Named changes of the plain loss, e.g. `class weights`.")
    output_bias: OutputBias | None = Field(None, description="Start of the last layer's bias.")
    serve: Serve = Field(description="What `predict` returns.")
    terms: tuple[Term, ...] = Field((), max_length=64, description="Parts of a `CompositeLoss`, served by the first.")
    penalties: tuple[Penalty, ...] = Field((), max_length=16, description="Penalties on the model's weights.")

    @model_validator(mode="after")
    def _terms_belong_to_composites(self) -> LossSpec:
        names = [term.name for term in self.terms]
        if bool(self.terms) != (self.loss == COMPOSITE):
            raise ValueError(f"expected `terms` with {COMPOSITE}, and with no other loss")
        if self.penalties and not self.terms:
            raise ValueError(f"expected `penalties` with {COMPOSITE} only; a composite may have a single term")
        if len(set(names)) < len(names):
            raise ValueError(f"expected terms of different names, found {', '.join(names)}")
        if any(term.spec.terms or term.spec.penalties for term in self.terms):
            raise ValueError("expected terms that are single losses: nest no composites")
        return self


Term.model_rebuild()
LossSpec.model_rebuild()
