"""The target read as class labels: filler value, classes, balance, weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from nebula.profiling.distribution import Distribution

__all__ = ["MAX_CLASSES", "describe_labels", "find_void"]

MAX_CLASSES = 1024
_MAX_LABELS_BELOW_255 = 128


def describe_labels(data: Distribution, void: float | None) -> dict[str, Any]:
    """Compute the facts of `TargetFacts` that speak of labels or classes, by field name.

    The classes are known only when the finite values, `void` left out, can be labels: whole with at
    most 1,024 distinct ones, or exactly two distinct values of any kind. The smallest and largest
    label are known for any number of whole ones, such as the words of a vocabulary.

    Args:
        data: The whole target's values.
        void: The filler value, or None; see `find_void`.
    """
    if not data.n:
        return {}
    labels = data if void is None else data.without(void)
    facts: dict[str, Any] = {"void_value": void, "void_fraction": (data.n - labels.n) / data.n}
    classes = len(labels.values)
    if labels.n and (labels.whole or classes == 2):
        facts |= {"label_min": labels.low, "label_max": labels.high}
        if labels.exact and classes <= MAX_CLASSES:
            facts |= _classes(labels)
    return facts


def find_void(data: Distribution, declared: int | None = None) -> float | None:
    """Name the value that fills places without a label.

    Args:
        data: The whole target's values.
        declared: The user's own word (`hints.ignore_value`); it is taken as it is.

    Returns:
        `declared`; or the first of 255, -1 and -100 that occurs, when all other values are whole
        and lie in a block of labels from 0 that it is not part of; or None. The block must be
        without holes for 255, whose neighbours could be counts; it must hold two labels for 255
        and three for -1, so that {0, 255}, {-1, 0} and {-1, 0, 1} are labels throughout.
    """
    if declared is not None:
        return float(declared)
    if data.whole:
        for value in (255, -1, -100):
            if value in (data.low, data.high) and _is_filler(value, data.without(value)):
                return float(value)
    return None


def _is_filler(value: int, others: Distribution) -> bool:
    if others.low != 0 or others.high is None:
        return False
    distinct = len(others.values)
    if value == 255:
        return 2 <= distinct <= _MAX_LABELS_BELOW_255 and others.high == distinct - 1
    return distinct >= (3 if value == -1 else 1)


def _classes(labels: Distribution) -> dict[str, Any]:
    counts, n = labels.counts, labels.n
    classes = len(counts)
    share = counts / n
    rarest, commonest = int(counts.min()), int(counts.max())
    facts: dict[str, Any] = {
        "n_classes": classes,
        "labels_are_contiguous": _are_contiguous(labels),
        "class_counts": tuple(counts.tolist()),
        "class_balance": rarest / commonest,
        "minority_fraction": rarest / n,
        "entropy": max(0.0, -float((share * np.log(share)).sum())),
        "class_weight": tuple((n / (classes * counts)).tolist()),
    }
    if classes == 2:
        facts["positive_fraction"] = int(counts[1]) / n
        facts["pos_weight"] = (int(counts[0]) / int(counts[1]),)
    return facts


def _are_contiguous(labels: Distribution) -> bool:
    span = int(labels.values[-1]) - int(labels.values[0])
    return bool(labels.whole) and span == len(labels.values) - 1
