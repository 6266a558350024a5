"""The constant predictor: the zero of every metric's scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nebula.demo.datasets import Declaration
from nebula.demo.metrics import Metric

__all__ = ["serve_constant"]

Array = npt.NDArray[Any]


def serve_constant(about: Declaration, metric: Metric, target: Array, n: int) -> Array:
    """Return the best answer that ignores the features, n times.

    Args:
        about: The data set's declaration.
        metric: The declared metric.
        target: Training targets, (m,) or (m, k).
        n: Rows to answer for.

    Returns:
        The commonest label, the class shares, the median for `mae`, else the mean; (n,) or (n, k).
    """
    answer: Array
    if metric.serves == "label":
        labels, counts = np.unique(target, return_counts=True)
        answer = labels[counts.argmax()]
    elif metric.serves == "probability" and about.kind == "multiclass":
        answer = np.bincount(target, minlength=about.n_outputs) / len(target)
    elif metric.name == "mae":
        answer = np.median(target, axis=0)
    else:
        answer = target.mean(axis=0, dtype=np.float64)
    return np.repeat(np.asarray(answer)[None], n, axis=0)
