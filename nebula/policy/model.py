"""The file format of a policy (`nebula/v1`): what YAML may say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nebula.losses.schedule import Schedule, Weight
from nebula.losses.spec import COMPOSITE, BiasKind, Functional, Link, Penalty

__all__ = [
    "AllOf",
    "Ambiguity",
    "AnyOf",
    "Condition",
    "DeriveRule",
    "HitPolicy",
    "Not",
    "OnDrift",
    "OnUnknown",
    "Otherwise",
    "Parameter",
    "PolicyFile",
    "SelectRule",
    "ServeChoice",
    "TermUse",
    "Use",
]

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
RuleId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=64)]
Scalar = bool | int | float | str
OnUnknown = Literal["skip", "match", "error"]
OnDrift = Literal["warn", "raise", "redecide"]
HitPolicy = Literal["first", "unique", "priority", "collect"]
Reference = Annotated[str, Field(pattern=r"^\$[a-z][a-z0-9_.]*$", max_length=256)]
TermWeight = Weight | Reference | Schedule


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class AllOf(_Part):
    """Every condition holds."""

    all: tuple[Condition, ...] = Field(min_length=1, max_length=64)


class AnyOf(_Part):
    """At least one condition holds."""

    any: tuple[Condition, ...] = Field(min_length=1, max_length=64)


class Not(_Part):
    """The condition does not hold."""

    not_: Condition = Field(alias="not")


Condition = bool | Annotated[str, Field(min_length=1, max_length=2000)] | AllOf | AnyOf | Not


class ServeChoice(_Part):
    """What `predict` returns, as a policy says it; `threshold: prior` cuts at the prevalence."""

    functional: Functional | None = Field(
        None, description="mean, median, quantile, probability, threshold, argmax or expectation."
    )
    threshold: Annotated[float, Field(gt=0, lt=1)] | str | None = Field(
        None, description="Cut on the probability: a number, `prior` (the prevalence) or a `$fact`."
    )
    quantile: Annotated[float, Field(gt=0, lt=1)] | str | None = Field(
        None, description="Level of the quantile: a number or a `$fact`."
    )


class TermUse(_Part):
    """One term of a composite: a loss and its factor."""

    loss: str = Field(description="Name of a registered loss.", examples=["DiceLoss"])
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)] | None = Field(
        None, description="Under which the term's value is told; the loss's name in small letters when left out."
    )
    params: dict[str, Any] = Field(default_factory=dict, description="Parameters of the loss, as in `use`.")
    link: Link | None = Field(None, description="How the raw output becomes the quantity.")
    weight: TermWeight = Field(
        1.0, description="Factor: a number, a `$fact`, or a schedule over steps.", examples=[0.5]
    )


class Use(_Part):
    """What a rule chooses: loss × link × output bias × serving; or a sum of several losses."""

    loss: str = Field(
        COMPOSITE,
        description="Name of a registered loss; left out where `compose` names several.",
        examples=["PoissonNLLLoss"],
    )
    compose: tuple[TermUse, ...] = Field(
        (), max_length=64, description="Terms of a composite; the first one is served."
    )
    penalties: tuple[Penalty, ...] = Field(
        (), max_length=16, description="With `compose`: penalties on the size of the model's weights."
    )
    weight: TermWeight = Field(
        1.0, description="With `hit_policy: collect`: factor of the term that this rule contributes."
    )
    params: dict[str, Any] = Field(
        default_factory=dict,
        description="Parameters of the loss; `$target.pos_weight` takes a fact's value, `$name` a parameter's.",
    )
    link: Link | None = Field(
        None, description="How the raw output becomes the quantity; the loss's own link when left out."
    )
    output_bias: BiasKind | None = Field(None, description="Start of the last layer's bias.")
    serve: Functional | ServeChoice | None = Field(None, description="What `predict` returns.")
    modifiers: tuple[str, ...] = Field(
        (), description="Names of what is changed against the plain loss, for the trace."
    )

    @model_validator(mode="after")
    def _one_loss_or_terms(self) -> Use:
        if (self.loss == COMPOSITE) != bool(self.compose):
            raise ValueError("expected `loss`, or `compose` with at least one term")
        if self.penalties and not self.compose:
            raise ValueError("expected `penalties` beside `compose`, which may have a single term")
        return self

    def parts(self) -> tuple[Use, ...]:
        """Return this choice as single losses: itself, or one choice a term."""
        if not self.compose:
            return (self,)
        return tuple(Use(loss=term.loss, params=term.params, link=term.link) for term in self.compose)


class Ambiguity(_Part):
    """What the data cannot tell, and the declaration that would settle it."""

    between: tuple[str, ...] = Field(min_length=2, description="The readings that fit the data equally well.")
    ask: str = Field(description="One question whose answer settles it, naming the hint.")


_ON_UNKNOWN = (
    "When the condition is unknown because a fact was not observed: `skip` the rule (default), let it `match`, "
    "or refuse to decide with an `error` that names the facts."
)
_REPLACE = "With `extends`: there must be an inherited rule of this id, which this one replaces."


class DeriveRule(_Part):
    """A forward-chained fact: when the condition is true, the names are set."""

    id: RuleId
    when: Condition
    on_unknown: OnUnknown = Field("skip", description=_ON_UNKNOWN)
    set: dict[Identifier, Scalar] = Field(
        min_length=1, description="Derived facts; `$hints.task` takes a fact's value."
    )
    because: str | None = Field(None, description="Why, in one sentence.")
    replace: bool = Field(False, description=_REPLACE)


class SelectRule(_Part):
    """One ordered choice."""

    id: RuleId
    when: Condition
    on_unknown: OnUnknown = Field("skip", description=_ON_UNKNOWN)
    priority: Annotated[int, Field(strict=True, ge=-1_000_000, le=1_000_000)] | None = Field(
        None, description="With `hit_policy: priority`: the highest wins, 0 when left out; equal ones in file order."
    )
    use: Use | None = Field(None, description="What is chosen; left out, the rule names no loss and asks.")
    because: str = Field(min_length=1, description="Why this loss, in one sentence a person can check.")
    cite: str | None = Field(None, description="Source of the rule: section of a text, or an experiment.")
    score: str | None = Field(None, description="The family's proper score, assumed when no metric is declared.")
    better: tuple[str, ...] = Field((), description="Losses not yet registered that would fit better.")
    alternatives: tuple[str, ...] = Field((), description="What else fits, and when, one clause each.")
    ambiguous: Ambiguity | None = Field(None, description="What the data cannot tell here.")
    before: RuleId | None = Field(None, description="With `extends`: stand before this inherited rule.")
    after: RuleId | None = Field(None, description="With `extends`: stand after this inherited rule.")
    replace: bool = Field(False, description=_REPLACE)

    @model_validator(mode="after")
    def _chooses_or_asks(self) -> SelectRule:
        if self.use is None and self.ambiguous is None:
            raise ValueError("expected `use`, or `ambiguous` for a rule that names no loss")
        return self


class Otherwise(_Part):
    """What happens when no rule fires: an error with one sentence, or a choice."""

    error: str | None = None
    use: Use | None = None
    because: str | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Otherwise:
        if (self.error is None) == (self.use is None):
            raise ValueError("expected exactly one of `error` and `use`")
        return self


class Parameter(_Part):
    """A parameter with what it may be set to."""

    value: Scalar = Field(description="The default.")
    type: Literal["float", "int", "bool", "str"] | None = Field(
        None, description="Type of the value; that of the default when left out."
    )
    low: float | None = Field(None, description="Least value allowed.")
    high: float | None = Field(None, description="Greatest value allowed.")
    unit: str | None = Field(None, description="What it is measured in.", examples=["rows"])
    description: str | None = Field(None, description="What it means, in one sentence.")


class PolicyFile(_Part):
    """A policy as written: ordered rules over the facts of a profile."""

    api_version: Literal["nebula/v1"] = Field(alias="apiVersion")
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=64)]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    description: str | None = None
    extends: tuple[str, ...] = Field((), max_length=8, description="Policies whose rules come first, overridden by id.")
    disable: tuple[RuleId, ...] = Field((), max_length=1000, description="Ids of inherited rules to leave out.")
    hit_policy: HitPolicy | None = Field(
        None,
        description="Which of several select rules that fire decides: the `first` (default), the one of highest "
        "`priority`, or none, which is an error: `unique`; with `collect` all do, each with a term of a CompositeLoss.",
    )
    on_ambiguous: Literal["warn", "refuse"] | None = Field(
        None, description="`warn` answers with the best guess (default); `refuse` names no loss."
    )
    on_drift: OnDrift | None = Field(
        None,
        description="When later batches no longer fit the decision: `warn` (default), `raise` an error, or "
        "`redecide` on the evidence so far and change the loss, which is told.",
    )
    parameters: dict[Identifier, Scalar | Parameter] = Field(
        default_factory=dict, description="Thresholds, named once: a value, or a value with its range and unit."
    )
    definitions: dict[Identifier, Condition] = Field(default_factory=dict, description="Reusable named conditions.")
    derive: tuple[DeriveRule, ...] = Field((), max_length=1000)
    select: tuple[SelectRule, ...] = Field((), max_length=1000)
    otherwise: Otherwise | None = None


AllOf.model_rebuild()
AnyOf.model_rebuild()
Not.model_rebuild()
DeriveRule.model_rebuild()
SelectRule.model_rebuild()
PolicyFile.model_rebuild()
