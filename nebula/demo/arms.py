"""The two arms of the comparison: the naive rule, and what nebula decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nebula.decision.explain import serve_words
from nebula.decision.model import Decision
from nebula.demo.datasets import Declaration
from nebula.demo.metrics import Metric
from nebula.errors import DecisionError
from nebula.losses.spec import Link
from nebula.selection import build

__all__ = ["Arm", "naive_arm", "selected_arm"]


@dataclass(frozen=True)
class Arm:
    """How one arm trains and serves; everything else is the same for both.

    Attributes:
        name: `naive` or `nebula`.
        loss_name: Name of the loss.
        link: How its raw output becomes the quantity.
        serve_name: What it serves, in words.
        loss: From raw output and target to a scalar.
        serve: From raw output to what the metric reads.
        init_output_bias: Sets a layer's bias to the constant predictor; None keeps torch's start.
    """

    name: str
    loss_name: str
    link: Link
    serve_name: str
    loss: Callable[[Tensor, Tensor], Tensor]
    serve: Callable[[Tensor], Tensor]
    init_output_bias: Callable[[nn.Module], object] | None = None


def naive_arm(about: Declaration, metric: Metric) -> Arm:
    """Return what people take by the target's type, already told which type it is.

    Two labels get the logistic loss, several get cross entropy, every number gets the squared
    error; labels are served at 0.5 or by argmax, numbers as they come out.
    """
    if about.kind == "number":
        return Arm("naive", "MSELoss", "identity", "mean", _squared_error, lambda raw: raw)
    wants_label = metric.serves == "label"
    if about.kind == "multiclass":
        return Arm(
            "naive",
            "CrossEntropyLoss",
            "softmax",
            "argmax" if wants_label else "probability",
            nn.CrossEntropyLoss(),
            (lambda raw: raw.argmax(dim=1)) if wants_label else (lambda raw: raw.softmax(dim=1)),
        )
    return Arm(
        "naive",
        "BCEWithLogitsLoss",
        "sigmoid",
        "threshold 0.5" if wants_label else "probability",
        _logistic_loss,
        (lambda raw: (raw > 0).long()) if wants_label else torch.sigmoid,
    )


def _squared_error(raw: Tensor, target: Tensor) -> Tensor:
    return nn.functional.mse_loss(raw, target.to(raw.dtype).reshape(raw.shape))


def _logistic_loss(raw: Tensor, target: Tensor) -> Tensor:
    return nn.functional.binary_cross_entropy_with_logits(raw, target.to(raw.dtype).reshape(raw.shape))


def selected_arm(decision: Decision) -> Arm:
    """Return the loss, link, output bias and serving that nebula decided on.

    Raises:
        DecisionError: The policy named no loss.
    """
    if decision.spec is None:
        raise DecisionError(f"demo: expected a loss for every data set; {decision}")
    criterion = build(decision)
    return Arm(
        "nebula",
        decision.spec.loss,
        decision.spec.link,
        serve_words(decision.spec),
        criterion,
        criterion.predict,
        criterion.init_output_bias if decision.spec.output_bias else None,
    )
