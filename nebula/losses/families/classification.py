"""Losses for classes, labels and distributions over classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nebula.losses.contract import Contract, Interval
from nebula.losses.params import LossParams, ReducedParams
from nebula.losses.registry import LossEntry
from nebula.losses.weights import Weights

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "ENTRIES",
    "BCEWithLogitsParams",
    "CrossEntropyParams",
    "KLDivParams",
    "MultiLabelSoftMarginParams",
    "NLLParams",
]

_TORCH = "https://docs.pytorch.org/docs/stable/generated/torch.nn."
_UNIT = Interval(low=0, high=1)


class NLLParams(ReducedParams):
    """Parameters of `NLLLoss`."""

    weight: Weights | None = Field(None, description="One weight per class, in output order.")
    ignore_index: int = Field(-100, description="The label that counts for nothing.")


class CrossEntropyParams(NLLParams):
    """Parameters of `CrossEntropyLoss`."""

    label_smoothing: float = Field(0.0, ge=0, le=1, description="Share of the label spread over all classes.")


class BCEWithLogitsParams(ReducedParams):
    """Parameters of `BCEWithLogitsLoss`; weights are per output column, or one for all."""

    weight: Weights | None = Field(None, description="Weight of every column.")
    pos_weight: Weights | None = Field(None, description="Weight of the positives of every column.")


class MultiLabelSoftMarginParams(ReducedParams):
    """Parameters of `MultiLabelSoftMarginLoss`."""

    weight: Weights | None = Field(None, description="One weight per column.")


class KLDivParams(LossParams):
    """Parameters of `KLDivLoss`; torch's `mean` is left out because it is not the divergence."""

    log_target: bool = Field(False, description="The target holds log-probabilities.")
    reduction: Literal["batchmean", "sum", "none"] = Field("batchmean", description="`batchmean`: sum / rows.")


def _build_cross_entropy(params: CrossEntropyParams) -> nn.Module:
    from nebula.losses.modules.weighted import WeightedCrossEntropy

    return WeightedCrossEntropy(
        weight=params.weight,
        ignore_index=params.ignore_index,
        reduction=params.reduction,
        label_smoothing=params.label_smoothing,
    )


def _build_nll(params: NLLParams) -> nn.Module:
    from nebula.losses.modules.weighted import WeightedNLL

    return WeightedNLL(weight=params.weight, ignore_index=params.ignore_index, reduction=params.reduction)


def _build_bce(params: BCEWithLogitsParams) -> nn.Module:
    from nebula.losses.modules.weighted import WeightedBCEWithLogits

    return WeightedBCEWithLogits(weight=params.weight, pos_weight=params.pos_weight, reduction=params.reduction)


def _build_soft_margin(params: MultiLabelSoftMarginParams) -> nn.Module:
    from nebula.losses.modules.weighted import WeightedMultiLabelSoftMargin

    return WeightedMultiLabelSoftMargin(weight=params.weight, reduction=params.reduction)


def _build_kl(params: KLDivParams) -> nn.Module:
    from torch import nn

    return nn.KLDivLoss(reduction=params.reduction, log_target=params.log_target)


def _class_index(prediction_space: Literal["logits", "log_probabilities"]) -> Contract:
    return Contract(
        prediction_space=prediction_space,
        target_kind="class_index",
        layout="class_axis",
        target_dtype="long",
        target_interval=Interval(low=0),
        integer_valued=True,
        min_outputs=2,
        supports_ignore_index=True,
        proper="probability",
    )


_CLASS_PROBABILITIES = Contract(
    prediction_space="logits",
    target_kind="class_probabilities",
    layout="same",
    target_dtype="float",
    target_interval=_UNIT,
    min_outputs=2,
    proper="probability",
)


def _divergence(*, log_target: bool) -> Contract:
    return Contract(
        requires_params={"log_target": log_target},
        prediction_space="log_probabilities",
        target_kind="class_probabilities",
        layout="same",
        target_dtype="float",
        target_interval=Interval(high=0) if log_target else _UNIT,
        min_outputs=2,
        proper="probability",
        reductions=("batchmean", "sum", "none"),
    )


def _logits(target_kind: Literal["binary", "multi_hot"]) -> Contract:
    return Contract(
        prediction_space="logits",
        target_kind=target_kind,
        layout="same",
        target_dtype="float",
        target_interval=_UNIT,
        proper="probability",
    )


ENTRIES = (
    LossEntry(
        name="CrossEntropyLoss",
        family="classification",
        summary="Log-loss of one class out of several, from logits.",
        formula="-log softmax(z)_y; with class probabilities q: -Σ_k q_k log softmax(z)_k",
        reference=_TORCH + "CrossEntropyLoss.html",
        limits=(
            "One output is a constant 0. With `weight`, index targets are averaged over the weights and "
            "probability targets over the rows. All labels ignored gives NaN."
        ),
        contracts=(_class_index("logits"), _CLASS_PROBABILITIES),
        params=CrossEntropyParams,
        build=_build_cross_entropy,
        native_link="softmax",
    ),
    LossEntry(
        name="NLLLoss",
        family="classification",
        summary="Log-loss of one class out of several, from log-probabilities.",
        formula="-z_y with z the log-probabilities",
        reference=_TORCH + "NLLLoss.html",
        limits="Logits or probabilities in place of log-probabilities give a number without meaning, and no error.",
        contracts=(_class_index("log_probabilities"),),
        params=NLLParams,
        build=_build_nll,
        native_link="softmax",
    ),
    LossEntry(
        name="BCEWithLogitsLoss",
        family="classification",
        summary="Log-loss of independent yes/no questions, or of fractions, from logits.",
        formula="w [p y softplus(-z) + (1 - y) softplus(z)], p the weight of positives",
        reference=_TORCH + "BCEWithLogitsLoss.html",
        limits="Targets outside [0, 1] make it unbounded below; `pos_weight` changes the served probability.",
        contracts=(_logits("binary"),),
        params=BCEWithLogitsParams,
        build=_build_bce,
        native_link="sigmoid",
    ),
    LossEntry(
        name="KLDivLoss",
        family="classification",
        summary="Kullback-Leibler divergence of the predicted from the target distribution.",
        formula="Σ_k q_k (log q_k - z_k) with z the log-probabilities",
        reference="Kullback and Leibler 1951; " + _TORCH + "KLDivLoss.html",
        limits="The divergence is per row only as `batchmean`; anything but log-probabilities can turn negative.",
        contracts=(_divergence(log_target=False), _divergence(log_target=True)),
        params=KLDivParams,
        build=_build_kl,
        native_link="softmax",
    ),
    LossEntry(
        name="MultiLabelSoftMarginLoss",
        family="classification",
        summary="Log-loss of several labels a row, averaged over the labels first.",
        formula="Σ_k w_k [y_k softplus(-z_k) + (1 - y_k) softplus(z_k)] / C",
        reference=_TORCH + "MultiLabelSoftMarginLoss.html",
        limits="`none` returns one value per row; without weights it equals BCEWithLogitsLoss, which has pos_weight.",
        contracts=(_logits("multi_hot"),),
        params=MultiLabelSoftMarginParams,
        build=_build_soft_margin,
        native_link="sigmoid",
    ),
)
