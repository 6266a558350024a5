"""The cut on a probability that serves a metric best, found on validation data and kept with the decision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nebula.decision.trace import Note
from nebula.errors import ContractError, DecisionError
from nebula.losses.factory import build_criterion
from nebula.losses.spec import Serve
from nebula.selector import DatasetId, Nebula

__all__ = ["tune_threshold"]

_EDGE = 1e-6


def tune_threshold(
    criterion: Nebula, raw: Tensor, target: Tensor, metric: Any = "balanced_accuracy", *, dataset: DatasetId = None
) -> float:
    """Set the cut at which `criterion.predict` answers the second class.

    From then on `predict` serves labels. The decision in force says so in its notes, and a `state_dict`
    keeps it; the loss stays as it is.

    Args:
        criterion: Has decided on a target of two classes.
        raw: The model's raw output on validation data, (N,), (N, 1) or (N, 2).
        target: The labels of the same rows, as the user has them, (N,) or (N, 1).
        metric: Name of a scikit-learn scoring, or a scorer, of predicted labels; more is better.
        dataset: Name of the data set, when one object serves several.

    Returns:
        The cut, in (0, 1).

    Raises:
        DecisionError: Nothing is decided for the data set.
        ContractError: The loss serves no single probability, or the rows or labels do not fit.

    Source: scikit-learn, `TunedThresholdClassifierCV` with `cv="prefit"`, whose search this is.
    """
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.model_selection import TunedThresholdClassifierCV

    decision = criterion.decisions.get(dataset)
    if decision is None or decision.spec is None:
        raise DecisionError(f"tune_threshold: expected a decision for {dataset!r}, found none: call fit() first.")
    spec = decision.spec
    asked = spec.model_copy(update={"serve": Serve(functional="probability", labels=spec.serve.labels)})
    with torch.no_grad():
        served = build_criterion(asked).to(raw.device).predict(raw.detach().float())
    if served.ndim == 2 and served.shape[1] == 2:
        served = served[:, 1]
    probability = served.flatten().cpu().numpy().astype(np.float64)
    labels = spec.serve.labels or (0.0, 1.0)
    truth = target.detach().flatten().cpu().numpy()
    if len(truth) != len(probability) or len(labels) != 2 or set(np.unique(truth)) != set(labels):
        raise ContractError(
            f"tune_threshold: expected one probability and one of the labels {list(labels)} per row, both occurring, "
            f"found raw output {tuple(raw.shape)} against target {tuple(target.shape)} with the values "
            f"{np.unique(truth)[:4].tolist()}: give validation rows of both classes."
        )

    class Served(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
        """The model as scikit-learn sees it: its inputs are its probabilities."""

        classes_ = np.array([0, 1])

        def fit(self, *_: Any) -> Any:
            return self

        def predict_proba(self, column: Any) -> Any:
            return np.hstack([1 - column, column])

    search = TunedThresholdClassifierCV(Served(), scoring=metric, cv="prefit", refit=False)
    search.fit(probability[:, None], (truth == labels[1]).astype(int))
    cut = float(min(max(search.best_threshold_, _EDGE), 1 - _EDGE))
    name = metric if isinstance(metric, str) else "a scorer"
    text = f"predict cuts at {cut:.6g}: {name} of {search.best_score_:.4g} on {len(truth)} validation rows"
    serve = Serve(functional="threshold", threshold=cut, labels=spec.serve.labels)
    trace = decision.trace.model_copy(
        update={
            "spec": spec.model_copy(update={"serve": serve}),
            "notes": (*decision.trace.notes, Note(kind="assumption", text=text)),
        }
    )
    criterion.adopt(replace(decision, trace=trace), dataset)
    return cut
