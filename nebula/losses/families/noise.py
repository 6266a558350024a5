"""Losses for labels of which some are wrong."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract, Interval
from nebula.losses.params import ReducedParams
from nebula.losses.registry import LossEntry

__all__ = [
    "ENTRIES",
    "BootstrapParams",
    "GeneralizedCrossEntropyParams",
    "MAEProbParams",
    "SymmetricCrossEntropyParams",
]


class MAEProbParams(ReducedParams):
    """Parameters of `MAEProbLoss`."""

    ignore_index: int = Field(-100, description="The label that counts for nothing.")


class GeneralizedCrossEntropyParams(MAEProbParams):
    """Parameters of `GeneralizedCrossEntropyLoss`."""

    q: float = Field(0.7, gt=0, le=1, description="Towards 0 it is the log-loss, at 1 the linear loss 1 - p_y.")


class SymmetricCrossEntropyParams(MAEProbParams):
    """Parameters of `SymmetricCrossEntropyLoss`."""

    cross_entropy_weight: float = Field(0.1, ge=0, description="α: weight of the log-loss, which fits fast.")
    reverse_weight: float = Field(1.0, ge=0, description="β: weight of the reverse log-loss, which resists noise.")
    log_zero: float = Field(-6.0, lt=0, description="A: what the logarithm of 0 is taken to be.")


class BootstrapParams(MAEProbParams):
    """Parameters of `BootstrapLoss`."""

    kind: Literal["soft", "hard"] = Field(
        "soft", description="`soft`: mix in the predicted distribution; `hard`: the most probable class."
    )
    label_weight: float | None = Field(
        None, ge=0, le=1, description="β: trust in the label; None: 0.95 for `soft`, 0.8 for `hard`."
    )
    detach: bool = Field(False, description="Take the predicted distribution as given: no gradient through it.")


def _labels(*, differentiable: bool = True) -> Contract:
    return Contract(
        prediction_space="logits",
        target_kind="class_index",
        layout="class_axis",
        target_dtype="long",
        target_interval=Interval(low=0),
        integer_valued=True,
        min_outputs=2,
        supports_ignore_index=True,
        twice_differentiable=differentiable,
        empty="zero",
        cost="NC",
    )


ENTRIES = (
    LossEntry(
        name="GeneralizedCrossEntropyLoss",
        family="noise",
        summary="Between the log-loss, which fits fast, and the linear loss, which resists wrong labels.",
        formula="(1 - p_y^q) / q, p = softmax(z)",
        reference="Zhang and Sabuncu 2018, equation 6",
        limits="A row that is very wrong has no gradient, be it noise or hard. Not proper. Label noise that depends on "
        "the input is not covered by the theory.",
        contracts=(_labels(),),
        params=GeneralizedCrossEntropyParams,
        build=torch_module("noise", "GeneralizedCrossEntropy"),
        native_link="softmax",
    ),
    LossEntry(
        name="SymmetricCrossEntropyLoss",
        family="noise",
        summary="Log-loss, and the log-loss with prediction and label exchanged.",
        formula="-α log p_y - β A (1 - p_y), p = softmax(z), A the logarithm of 0",
        reference="Wang et al. 2019, equations 7 and 9",
        limits=(
            "The defaults are those of CIFAR-10; the authors' code has A = log 1e-4 = -9.21. Half of the reverse part "
            "is MAEProbLoss up to -A: only the product β A matters."
        ),
        contracts=(_labels(),),
        params=SymmetricCrossEntropyParams,
        build=torch_module("noise", "SymmetricCrossEntropy"),
        native_link="softmax",
    ),
    LossEntry(
        name="MAEProbLoss",
        family="noise",
        summary="L1 distance of the predicted distribution from the label.",
        formula="Σ_k |p_k - [k = y]| = 2 (1 - p_y), p = softmax(z)",
        reference="Ghosh et al. 2017, section 3",
        limits=(
            "Robust to labels exchanged at random, and slow: with many classes the gradient is small from the start "
            "on. Not proper: p goes to the most frequent class."
        ),
        contracts=(_labels(),),
        params=MAEProbParams,
        build=torch_module("noise", "ProbabilityMAE"),
        native_link="softmax",
    ),
    LossEntry(
        name="BootstrapLoss",
        family="noise",
        summary="Log-loss against a mix of the label and what the model itself predicts.",
        formula="-Σ_k (β [k = y] + (1 - β) q_k) log p_k, q = p (soft) or the most probable class (hard)",
        reference="Reed et al. 2015, equations 6 and 7",
        limits=(
            "β is the weight of the label. The soft form takes the gradient through q unless `detach` is set. "
            "It strengthens what the model believes, so it must not start from scratch on very noisy labels."
        ),
        contracts=(_labels(),),
        params=BootstrapParams,
        build=torch_module("noise", "Bootstrap"),
        native_link="softmax",
    ),
)
