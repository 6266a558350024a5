"""What a model's last layer must look like for a loss: how many outputs a row has, and what each one is."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from nebula.losses.adaptation import validated_params
from nebula.losses.catalogue import load_builtin
from nebula.losses.contract import Contract
from nebula.losses.registry import find
from nebula.losses.spec import LossSpec
from nebula.profiling.model import DataProfile

__all__ = ["NeededOutputs", "needed_outputs"]


class NeededOutputs(BaseModel):
    """The outputs of the last layer that a decision asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int | None = Field(None, ge=1, description="Outputs on the class axis, or the last; None: not known yet.")
    meaning: str = Field(description="What they are, in one clause.")

    def __str__(self) -> str:
        """Return the count and the meaning."""
        return f"{self.count}, {self.meaning}" if self.count is not None else self.meaning


def needed_outputs(spec: LossSpec, profile: DataProfile) -> NeededOutputs | None:
    """Say which outputs the loss reads.

    Args:
        spec: What was decided; of a composite, its first term's loss is the one served.
        profile: The data that it was decided on.

    Returns:
        The outputs; None for losses of free shapes, such as embeddings and sequences, and for a loss
        that is not registered here.
    """
    served = spec.terms[0].spec if spec.terms else spec
    load_builtin()
    entry = find(served.loss)
    if entry is None:
        return None
    params = validated_params(entry, served.params).model_dump()
    contract = entry.contracts_for(served.params)[0]
    match contract.layout:
        case "free":
            return None
        case "class_axis":
            return _per_class(profile)
        case "thresholds":
            return _per_threshold(served, profile)
        case "time_and_event":
            return _per_time(contract, params)
        case "mean_and_variance":
            return NeededOutputs(count=2, meaning="a mean and a raw variance")
        case "parameters":
            names = contract.parameters
            return NeededOutputs(count=len(names), meaning=f"{', '.join(names[:-1])} and {names[-1]}")
        case "levels" if len(params["levels"]) > 1:
            return NeededOutputs(count=len(params["levels"]), meaning="one per quantile level")
        case _:
            return _like_the_target(profile)


def _per_class(profile: DataProfile) -> NeededOutputs:
    return NeededOutputs(count=_levels(profile), meaning="one logit per class")


def _per_threshold(spec: LossSpec, profile: DataProfile) -> NeededOutputs:
    if any(step.step == "cumulative_logits" for step in spec.adapt):
        return NeededOutputs(count=profile.prediction.n_outputs, meaning="one logit per level")
    levels = None if profile.relation.class_axis is not None else _levels(profile)
    count = profile.prediction.n_outputs if profile.relation.class_axis is not None else levels and levels - 1
    return NeededOutputs(count=count or None, meaning="one per threshold between neighbouring levels")


def _per_time(contract: Contract, params: dict[str, Any]) -> NeededOutputs:
    if "cuts" in params:
        return NeededOutputs(count=len(params["cuts"] or ()) or None, meaning="one hazard logit per interval")
    if contract.shapes[0][-1] == "2":
        return NeededOutputs(count=2, meaning="log scale and log shape of the time")
    return NeededOutputs(count=1, meaning="the log hazard")


def _like_the_target(profile: DataProfile) -> NeededOutputs:
    columns = profile.target.n_columns
    return NeededOutputs(count=columns, meaning="one per target value")


def _levels(profile: DataProfile) -> int | None:
    """Return the number of classes: as many as outputs, or as the labels take."""
    facts = profile.target
    if profile.relation.class_axis is not None:
        return profile.prediction.n_outputs
    if facts.is_one_hot or facts.is_simplex:
        return facts.n_columns
    if facts.label_min == 0 and facts.label_max is not None:
        return int(facts.label_max) + 1
    return facts.n_classes
