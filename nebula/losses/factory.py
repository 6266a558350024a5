"""From a spec to a module: the only place that builds one."""

from __future__ import annotations

from typing import cast

from nebula.losses.adaptation import entry_of, validated_params
from nebula.losses.composite import CompositeCriterion
from nebula.losses.criterion import Criterion
from nebula.losses.families.composition import CompositeParams
from nebula.losses.spec import LossSpec

__all__ = ["AnyCriterion", "build_criterion"]

AnyCriterion = Criterion | CompositeCriterion


def build_criterion(spec: LossSpec) -> AnyCriterion:
    """Build the criterion of a spec.

    Args:
        spec: Loss, parameters, steps, link, output bias and serving; or terms.

    Returns:
        A module on the CPU in float32; move it with `.to(device)`.

    Raises:
        ContractError: The loss or a step is unknown, or a parameter is out of range.
    """
    entry = entry_of(spec.loss)
    params = validated_params(entry, spec.params)
    if entry.composed:
        terms = [_build_single(term.spec) for term in spec.terms]
        return CompositeCriterion(spec, cast("CompositeParams", params), terms)
    return Criterion(spec, entry, params)


def _build_single(spec: LossSpec) -> Criterion:
    entry = entry_of(spec.loss)
    return Criterion(spec, entry, validated_params(entry, spec.params))
