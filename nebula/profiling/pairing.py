"""Target and prediction together: what is emitted, and how it fits."""

from __future__ import annotations

from typing import Any

from nebula.profiling.arrays import as_tensor
from nebula.profiling.model import PredictionFacts, RelationFacts, TargetFacts
from nebula.profiling.prediction import PredictionSpec, describe_prediction
from nebula.profiling.relation import Shape, find_class_axis, relate

__all__ = ["describe_pair"]


def describe_pair(shape: Shape, prediction: Any, target: TargetFacts) -> tuple[PredictionFacts, RelationFacts]:
    """Describe a prediction, and how the target's shape and labels lie against it.

    Args:
        shape: Shape of the target.
        prediction: A tensor or array, a `PredictionSpec`, or None when unknown.
        target: Facts of the target.

    Raises:
        DataError: The prediction cannot be read.
    """
    if prediction is None:
        return PredictionFacts(), RelationFacts()
    emitted = prediction if isinstance(prediction, PredictionSpec) else as_tensor(prediction, "prediction")
    axis = find_class_axis(shape, tuple(emitted.shape))
    return describe_prediction(emitted, axis), relate(shape, tuple(emitted.shape), target)
