"""Losses for levels in an order, such as grades and ratings."""

from __future__ import annotations

from pydantic import Field

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract, Interval, PredictionSpace
from nebula.losses.params import ReducedParams
from nebula.losses.registry import LossEntry

__all__ = ["ENTRIES", "CORALParams", "EMDParams", "OrdinalLogisticParams"]


class OrdinalLogisticParams(ReducedParams):
    """Parameters of `OrdinalLogisticLoss`."""

    ignore_index: int = Field(-100, description="The level that counts for nothing.")


class CORALParams(OrdinalLogisticParams):
    """Parameters of `CORALLoss`."""


class EMDParams(OrdinalLogisticParams):
    """Parameters of `EMDLoss`."""


def _thresholds(prediction_space: PredictionSpace) -> tuple[Contract, ...]:
    return (
        Contract(
            prediction_space=prediction_space,
            target_kind="level_index",
            layout="thresholds",
            target_dtype="long",
            target_interval=Interval(low=0),
            integer_valued=True,
            supports_ignore_index=True,
            empty="zero",
            proper="probability",
            cost="NC",
        ),
    )


_LEVELS = Contract(
    prediction_space="logits",
    target_kind="class_index",
    layout="class_axis",
    target_dtype="long",
    target_interval=Interval(low=0),
    integer_valued=True,
    min_outputs=2,
    supports_ignore_index=True,
    empty="zero",
    proper="probability",
    cost="NC",
)
_DISTRIBUTIONS = Contract(
    prediction_space="logits",
    target_kind="class_probabilities",
    layout="same",
    target_dtype="float",
    target_interval=Interval(low=0, high=1),
    min_outputs=2,
    empty="zero",
    proper="probability",
    cost="NC",
)

ENTRIES = (
    LossEntry(
        name="OrdinalLogisticLoss",
        family="ordinal",
        summary="Negative log-likelihood of a cumulative logit model with ordered thresholds.",
        formula="-log[σ(η_{y-1}) - σ(η_y)], η_0 = z_0, η_k = η_{k-1} - softplus(z_k), σ(η_{-1}) = 1, σ(η_{K-1}) = 0",
        reference="McCullagh 1980, equation 2.2; the order by softplus: this library",
        limits=(
            "K - 1 outputs for K levels. Proportional odds hold where only the first output depends on the input and "
            "the others are biases; otherwise every row has gaps of its own."
        ),
        contracts=_thresholds("score"),
        params=OrdinalLogisticParams,
        build=torch_module("ordinal", "OrdinalLogistic"),
        serves=("argmax", "median", "expectation", "probability"),
    ),
    LossEntry(
        name="CORALLoss",
        family="ordinal",
        summary="Log-loss of the questions whether the level is above each threshold.",
        formula="Σ_k [y > k] softplus(-z_k) + [y <= k] softplus(z_k)",
        reference="Cao, Mirjalili and Raschka 2020, equation 4, with importance weights 1",
        limits=(
            "K - 1 outputs for K levels, or K logits, which a step turns into theirs. "
            "K - 1 keep their order only where the model shares one weight vector "
            "among them and has a bias each; where they cross, the smallest probability so far is served."
        ),
        contracts=_thresholds("logits"),
        params=CORALParams,
        build=torch_module("ordinal", "CORAL"),
        serves=("median", "argmax", "expectation", "probability"),
    ),
    LossEntry(
        name="EMDLoss",
        family="ordinal",
        summary="Squared distance of cumulative distributions over the levels.",
        formula="Σ_k (Σ_{j<=k} p_j - q_j)^2, p = softmax(z), q the level's or the given distribution",
        reference="Hou, Yu and Samaras 2016, equation 5, with exponent 2; Epstein 1969 (ranked probability score)",
        limits=(
            "Levels count as equally far apart. The sum is not divided by K. Bounded by K - 1, so the gradient "
            "vanishes where the softmax saturates, also on the wrong side."
        ),
        contracts=(_LEVELS, _DISTRIBUTIONS),
        params=EMDParams,
        build=torch_module("ordinal", "EMD"),
        native_link="softmax",
    ),
)
