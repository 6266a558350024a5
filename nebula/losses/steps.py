"""The adapt steps by name: the only names that a spec can use."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from nebula.errors import ContractError
from nebula.losses import prediction_steps as prediction
from nebula.losses import target_steps as target
from nebula.losses.spec import AdaptStep
from nebula.losses.step import Step

__all__ = ["PREDICTION_STEPS", "TARGET_STEPS", "build_step"]

PREDICTION_STEPS: dict[str, type[Step[Any]]] = {
    "move_class_axis": prediction.MoveClassAxis,
    "log_softmax": prediction.LogSoftmax,
    "cumulative_logits": prediction.CumulativeLogits,
    "log_of_probabilities": prediction.LogOfProbabilities,
    "logit_of_probabilities": prediction.LogitOfProbabilities,
    "log_of_rate": prediction.LogOfRate,
    "apply_link": prediction.ApplyLink,
    "split_mean_variance": prediction.SplitMeanVariance,
}
TARGET_STEPS: dict[str, type[Step[Any]]] = {
    "squeeze_last": target.SqueezeLast,
    "squeeze_axis": target.SqueezeAxis,
    "unsqueeze_axis": target.UnsqueezeAxis,
    "unsqueeze_last": target.UnsqueezeLast,
    "align_trailing_axis": target.AlignTrailingAxis,
    "one_hot_to_index": target.OneHotToIndex,
    "to_long": target.ToLong,
    "void_to_ignore": target.VoidToIgnore,
    "shift_labels": target.ShiftLabels,
    "remap_labels": target.RemapLabels,
    "scale_target": target.ScaleTarget,
    "to_prediction_dtype": target.ToPredictionDtype,
}


def build_step(step: AdaptStep) -> Step[Any]:
    """Make the module of a declared step.

    Raises:
        ContractError: The argument has no step of that name, or a parameter is wrong.
    """
    known = PREDICTION_STEPS if step.on == "prediction" else TARGET_STEPS
    kind = known.get(step.step)
    if kind is None:
        near = get_close_matches(step.step, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(known)}."
        raise ContractError(f"adapt: expected a step on the {step.on}, found `{step.step}`: {hint}")
    try:
        return kind(**step.params)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "params"
        raise ContractError(
            f"adapt: {step.step}.{where}: {first['msg']}, found {first['input']!r}: mend the spec."
        ) from None
