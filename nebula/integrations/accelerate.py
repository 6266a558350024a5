"""Accelerate: one decision for all processes, kept in its checkpoints."""

from __future__ import annotations

from typing import Any

from nebula.errors import MissingExtraError
from nebula.integrations.output_layer import see_output, start_at_constant
from nebula.profiling.sources import first_input
from nebula.selector import Nebula

try:
    from accelerate import Accelerator
except ImportError:
    raise MissingExtraError("accelerate", "accelerate", "training with Accelerate") from None

__all__ = ["fit_criterion"]


def fit_criterion(
    accelerator: Accelerator,
    criterion: Nebula,
    loader: Any,
    model: Any,
    *,
    init_output_bias: bool = True,
    **options: Any,
) -> Nebula:
    """Decide on the prepared loader, the same on every process, and start the model at the constant predictor.

    A criterion that is decided already, e.g. by `accelerator.load_state`, is only moved to the device:
    call `accelerator.register_for_checkpointing(criterion)` first, and it resumes with its decision.

    Args:
        accelerator: The accelerator.
        criterion: The loss.
        loader: What `accelerator.prepare` returned for the training loader: every process reads its part.
        model: The prepared model.
        init_output_bias: Set the bias of the layer that the output comes from, where it can be found.
        **options: Of `Nebula.fit`, e.g. `prediction`, `target`, `budget`.

    Returns:
        The criterion, on the accelerator's device.

    Raises:
        DataError: The target cannot be found or profiled.
        AmbiguousDecision: The policy refuses to guess.
    """
    if criterion.decision is None:
        plain = accelerator.unwrap_model(model)
        layer = None
        if "prediction" not in options:
            options["prediction"], layer = see_output(lambda: plain(first_input(loader)), plain)
        criterion.fit(loader, group=accelerator.num_processes > 1, **options)
        if init_output_bias:
            start_at_constant(criterion, layer)
    moved: Nebula = criterion.to(accelerator.device)
    return moved
