"""Losses for times until an event, some of which were not seen to the end."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator

from nebula.losses.axes import Axes
from nebula.losses.building import torch_module
from nebula.losses.contract import Contract, Cost, Interval, PredictionSpace
from nebula.losses.params import LossParams, ReducedParams
from nebula.losses.registry import LossEntry

__all__ = ["ENTRIES", "CoxPHParams", "DiscreteTimeSurvivalParams", "WeibullAFTParams"]

_MOST_INTERVALS = 1000


class CoxPHParams(LossParams):
    """Parameters of `CoxPHLoss`."""

    ties: Literal["efron", "breslow"] = Field(
        "efron",
        description=(
            "Events of equal time: `breslow` compares each with the whole risk set; `efron` lets them leave it by "
            "equal parts, which is nearer to the exact likelihood."
        ),
    )
    reduction: Literal["mean", "sum"] = Field("mean", description="`mean`: over the events; `sum`.")


class WeibullAFTParams(ReducedParams):
    """Parameters of `WeibullAFTNLLLoss`."""


class DiscreteTimeSurvivalParams(ReducedParams):
    """Parameters of `DiscreteTimeSurvivalNLLLoss`."""

    cuts: (
        Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1, max_length=_MOST_INTERVALS)] | None
    ) = Field(
        None,
        description=(
            "Upper edges of the intervals, rising, one per output, in the target's unit of time; there is no default "
            "that fits all data."
        ),
    )

    @field_validator("cuts")
    @classmethod
    def _rising(cls, cuts: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if cuts is not None and any(low >= high for low, high in pairwise(cuts)):
            raise ValueError("expected cuts that rise")
        return cuts


def _censored(
    space: PredictionSpace,
    prediction: Axes,
    *,
    cost: Cost = "N",
    reductions: tuple[str, ...] = ("mean", "sum", "none"),
    finite_at_extremes: bool = True,
) -> Contract:
    return Contract(
        prediction_space=space,
        target_kind="time_and_event",
        layout="time_and_event",
        axes=(prediction, ("N", "2")),
        target_dtype="float",
        target_interval=Interval(low=0),
        reductions=reductions,
        couples_samples="none" not in reductions,
        empty="zero",
        cost=cost,
        finite_at_extremes=finite_at_extremes,
        twice_differentiable=True,
    )


ENTRIES = (
    LossEntry(
        name="CoxPHLoss",
        family="survival",
        summary="Cox's partial likelihood: who of those still at risk has the event.",
        formula=(
            "Σ_{i: event} (log Σ_{j: t_j >= t_i} exp(z_j) - z_i) / events; `efron` takes l / d of the tied events' "
            "hazards out of the sum for the l-th of d, l from 0"
        ),
        reference="Cox 1975, Partial likelihood, Biometrika 62(2); ties: Efron 1977, JASA 72(359), section 4",
        limits=(
            "Only the order of hazards is learnt, not the time: the level of z is free. The risk set is the batch, so "
            "small batches are another loss; batches without an event count 0. Hazards are proportional."
        ),
        contracts=(_censored("log_hazard", ("N",), reductions=("mean", "sum")),),
        params=CoxPHParams,
        build=torch_module("cox", "CoxPH"),
        serves=("risk", "raw"),
    ),
    LossEntry(
        name="WeibullAFTNLLLoss",
        family="survival",
        summary="Weibull likelihood of a time, with a predicted scale and shape, under right censoring.",
        formula="(t / λ)^k - e (log k + k log(t / λ) - log t), log λ, log k the outputs, e = 1 if the event was seen",
        reference="Kalbfleisch and Prentice 2002, Statistical Analysis of Failure Time Data, sections 2.2.2 and 3.2",
        limits=(
            "A time of 0 gives infinity. The cumulative hazard overflows float32 once k log(t / λ) is above 88: start "
            "the scale's bias near the log of the median time. Censoring must not depend on the time itself."
        ),
        contracts=(_censored("raw", ("N", "2"), finite_at_extremes=False),),
        params=WeibullAFTParams,
        build=torch_module("survival", "WeibullAFTNLL"),
        serves=("median", "mean", "quantile"),
    ),
    LossEntry(
        name="DiscreteTimeSurvivalNLLLoss",
        family="survival",
        summary="Likelihood of hazards in intervals of time: any shape of survival, under right censoring.",
        formula="Σ_k log(1 + exp(z_k)) over the intervals reached, less z_k of the one in which the event was seen",
        reference="Gensheimer and Narasimhan 2019, A scalable discrete-time survival model, equation 3",
        limits=(
            "Within an interval time has no order, and beyond the last edge nothing is known. A row censored within an "
            "interval says nothing of it: choose cuts finer than the censoring."
        ),
        contracts=(_censored("logits", ("N", "K"), cost="NC"),),
        params=DiscreteTimeSurvivalParams,
        build=torch_module("survival", "DiscreteTimeSurvivalNLL"),
        serves=("median", "quantile", "risk"),
        example={"cuts": [1.0, 2.0, 4.0]},
    ),
)
