"""From a spec to a module: the only place that builds one."""

from __future__ import annotations

from nebula.losses.adaptation import entry_of, validated_params
from nebula.losses.criterion import Criterion
from nebula.losses.spec import LossSpec

__all__ = ["build_criterion"]


def build_criterion(spec: LossSpec) -> Criterion:
    """Build the criterion of a spec.

    Args:
        spec: Loss, parameters, steps, link, output bias and serving.

    Returns:
        A module on the CPU in float32; move it with `.to(device)`.

    Raises:
        ContractError: The loss or a step is unknown, or a parameter is out of range.
    """
    entry = entry_of(spec.loss)
    return Criterion(spec, entry, validated_params(entry, spec.params))
