"""How the target's shape and labels lie against the prediction's shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from nebula.profiling.model import RelationFacts, TargetFacts

__all__ = ["Shape", "find_class_axis", "relate", "same_shape"]

Shape = Sequence[int | None]


def relate(target: Shape, prediction: Shape, labels: TargetFacts) -> RelationFacts:
    """Compare the shapes, and the labels with the class axis.

    Args:
        target: Shape of the target.
        prediction: Shape of the prediction; None for an unknown size.
        labels: Facts of the target.
    """
    equal = same_shape(target, prediction)
    axis = find_class_axis(target, prediction)
    outputs = 1 if equal else None if axis is None else prediction[axis]
    return RelationFacts(
        shapes_equal=equal,
        broadcasts_silently=_broadcasts(target, prediction),
        class_axis=axis,
        n_outputs_per_label=outputs,
        labels_fit=_fits(labels, axis, outputs, first=0),
        labels_fit_shifted=_fits(labels, axis, outputs, first=1),
        n_classes_agree=_counts_agree(labels, axis, outputs),
    )


def same_shape(target: Shape, prediction: Shape) -> bool:
    """Say whether two shapes are equal once axes of size 1 that hold no data are dropped; unknown sizes match.

    These are trailing axes, and the single channel of (N, 1, H, W).
    """
    return _same_layout(tuple(target), tuple(prediction))


@lru_cache(maxsize=256)
def _same_layout(target: tuple[int | None, ...], prediction: tuple[int | None, ...]) -> bool:
    return any(_match(left, right) for left in _layouts(target) for right in _layouts(prediction))


def find_class_axis(target: Shape, prediction: Shape) -> int | None:
    """Find the axis of the prediction that the target does not have.

    Removing it from the prediction's shape gives the target's; trailing axes of size 1 may be
    dropped from either, and a single channel from the target. Axis 1 is preferred, then the last. The row axis is never one, except for
    the unbatched pair of a (C,) prediction and a single label.

    Returns:
        The axis, or None when the shapes are equal or do not differ by one axis.
    """
    if same_shape(target, prediction):
        return None
    for wanted in _layouts(target):
        for shape in dict.fromkeys((tuple(prediction), _squeeze(prediction))):
            for axis in _candidates(len(shape)):
                if _match(wanted, (*shape[:axis], *shape[axis + 1 :])):
                    return axis
    return None


def _candidates(ndim: int) -> Iterator[int]:
    if ndim == 1:
        yield 0
    if ndim > 1:
        yield from dict.fromkeys((1, ndim - 1, *range(2, ndim)))


def _layouts(shape: Shape) -> Iterator[tuple[int | None, ...]]:
    """Yield the shape as it is, without trailing axes of size 1, and without a single channel."""
    yield tuple(shape)
    yield _squeeze(shape)
    if len(shape) > 2 and shape[1] == 1:
        yield (shape[0], *shape[2:])


def _squeeze(shape: Shape) -> tuple[int | None, ...]:
    sizes = tuple(shape)
    while len(sizes) > 1 and sizes[-1] == 1:
        sizes = sizes[:-1]
    return sizes


def _match(left: Shape, right: Shape) -> bool:
    return len(left) == len(right) and all(a == b or a is None or b is None for a, b in zip(left, right, strict=True))


def _broadcasts(target: Shape, prediction: Shape) -> bool | None:
    """Apply torch's rule from the last axis on; an unknown number of rows is taken as the target's."""
    if prediction and target and prediction[0] is None:
        prediction = (target[0], *prediction[1:])
    if tuple(target) == tuple(prediction):
        return False
    pairs = list(zip(reversed(target), reversed(prediction), strict=False))
    if any(a is None or b is None for a, b in pairs):
        return None
    return all(a == b or 1 in (a, b) for a, b in pairs)


def _fits(labels: TargetFacts, axis: int | None, outputs: int | None, first: int) -> bool | None:
    if axis is None:
        return False
    low, high = labels.label_min, labels.label_max
    if outputs is None or labels.n_unique in (None, 0):
        return None
    if low is None or high is None or not labels.is_integer_valued:
        return False
    starts = low >= 0 if first == 0 else low == first
    return starts and high - first <= outputs - 1


def _counts_agree(labels: TargetFacts, axis: int | None, outputs: int | None) -> bool | None:
    if axis is None:
        return False
    if outputs is None or not labels.n_unique:
        return None
    if labels.n_classes is not None:
        return labels.n_classes == outputs
    return labels.n_unique - bool(labels.void_fraction) == outputs
