"""Losses for real targets: absolute, squared, between the two, of logarithms, of quantiles; a Gaussian likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator, model_validator

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract, Interval
from nebula.losses.params import ReducedParams
from nebula.losses.registry import LossEntry

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "ENTRIES",
    "AsymmetricMSEParams",
    "GaussianNLLParams",
    "HuberParams",
    "MSLEParams",
    "QuantileParams",
    "SmoothL1Params",
]

_TORCH = "https://docs.pytorch.org/docs/stable/generated/torch.nn."


class SmoothL1Params(ReducedParams):
    """Parameters of `SmoothL1Loss`."""

    beta: float = Field(1.0, ge=0, description="Error, in the target's unit, where the square turns into a line.")


class HuberParams(ReducedParams):
    """Parameters of `HuberLoss`."""

    delta: float = Field(1.0, gt=0, description="Error, in the target's unit, where the square turns into a line.")


class GaussianNLLParams(ReducedParams):
    """Parameters of `GaussianNLLLoss`."""

    full: bool = Field(False, description="Add the constant log(2π)/2, so that values are true log-likelihoods.")
    eps: float = Field(1e-6, gt=0, description="Smallest variance used; smaller ones count as this.")


class QuantileParams(ReducedParams):
    """Parameters of `QuantileLoss`."""

    levels: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=1, max_length=100)] = Field(
        (0.5,), description="Quantile levels, increasing, one output each on a last axis; a number alone is one level."
    )
    crossing_weight: float = Field(
        0.0, ge=0, description="Weight of the amount by which a quantile falls below the next lower level's."
    )

    @field_validator("levels", mode="before")
    @classmethod
    def _list(cls, levels: Any) -> Any:
        return (levels,) if isinstance(levels, (int, float)) and not isinstance(levels, bool) else levels

    @model_validator(mode="after")
    def _increasing(self) -> QuantileParams:
        if any(low >= high for low, high in zip(self.levels, self.levels[1:], strict=False)):
            raise ValueError("expected increasing levels without repetition: order them as the outputs are")
        return self


class AsymmetricMSEParams(ReducedParams):
    """Parameters of `AsymmetricMSELoss`."""

    under_weight: float = Field(1.0, gt=0, description="Weight of a prediction below its target.")
    over_weight: float = Field(1.0, gt=0, description="Weight of a prediction above its target.")


class MSLEParams(ReducedParams):
    """Parameters of `MSLELoss`."""

    log_input: bool = Field(True, description="The first argument is log(1 + quantity), not the quantity.")


def _msle(*, log_input: bool) -> Contract:
    return Contract(
        requires_params={"log_input": log_input},
        prediction_space="score" if log_input else "rate",
        target_kind="nonnegative",
        layout="same",
        target_dtype="float",
        target_interval=Interval(low=0),
        empty="zero",
        finite_at_extremes=log_input,
    )


def _real(proper: str | None) -> tuple[Contract, ...]:
    return (Contract(prediction_space="raw", target_kind="real", layout="same", target_dtype="float", proper=proper),)


def _build_l1(params: ReducedParams) -> nn.Module:
    from torch import nn

    return nn.L1Loss(reduction=params.reduction)


def _build_mse(params: ReducedParams) -> nn.Module:
    from torch import nn

    return nn.MSELoss(reduction=params.reduction)


def _build_smooth_l1(params: SmoothL1Params) -> nn.Module:
    from torch import nn

    return nn.SmoothL1Loss(reduction=params.reduction, beta=params.beta)


def _build_huber(params: HuberParams) -> nn.Module:
    from torch import nn

    return nn.HuberLoss(reduction=params.reduction, delta=params.delta)


def _build_gaussian_nll(params: GaussianNLLParams) -> nn.Module:
    from nebula.losses.modules.gaussian import GaussianNLL

    return GaussianNLL(full=params.full, eps=params.eps, reduction=params.reduction)


ENTRIES = (
    LossEntry(
        name="L1Loss",
        family="regression",
        summary="Mean absolute error.",
        formula="|y - z|",
        reference=_TORCH + "L1Loss.html",
        limits="The gradient keeps its size near the optimum; serves the median, not the mean.",
        contracts=_real("median"),
        params=ReducedParams,
        build=_build_l1,
    ),
    LossEntry(
        name="MSELoss",
        family="regression",
        summary="Mean squared error.",
        formula="(y - z)²",
        reference=_TORCH + "MSELoss.html",
        limits="One far outlier can outweigh all other rows; overflows fp16 from an error of 256.",
        contracts=_real("mean"),
        params=ReducedParams,
        build=_build_mse,
    ),
    LossEntry(
        name="SmoothL1Loss",
        family="regression",
        summary="Squared below `beta`, absolute above; its slope never exceeds 1.",
        formula="(y - z)² / (2 beta) if |y - z| < beta, else |y - z| - beta / 2",
        reference="Girshick 2015, Fast R-CNN, equation 3; " + _TORCH + "SmoothL1Loss.html",
        limits="`beta` is in the target's unit: with an unscaled target it is L1 or MSE in disguise.",
        contracts=_real(None),
        params=SmoothL1Params,
        build=_build_smooth_l1,
    ),
    LossEntry(
        name="HuberLoss",
        family="regression",
        summary="Squared below `delta`, linear above: outliers pull with bounded force.",
        formula="(y - z)² / 2 if |y - z| <= delta, else delta (|y - z| - delta / 2)",
        reference="Huber 1964, Annals of Mathematical Statistics 35(1), 73-101; " + _TORCH + "HuberLoss.html",
        limits="`delta` is in the target's unit; under a skewed target it serves neither the mean nor the median.",
        contracts=_real(None),
        params=HuberParams,
        build=_build_huber,
    ),
    LossEntry(
        name="GaussianNLLLoss",
        family="regression",
        summary="Normal log-likelihood with a predicted mean and a predicted variance.",
        formula="(log v + (y - m)² / v) / 2, m the first output, v > 0 the variance",
        reference="Nix and Weigend 1994, ICNN, equation 4; " + _TORCH + "GaussianNLLLoss.html",
        limits="Needs two outputs per value; a variance near 0 makes steep gradients; unbounded below as it shrinks.",
        contracts=(
            Contract(
                prediction_space="raw",
                target_kind="real",
                layout="mean_and_variance",
                target_dtype="float",
                min_outputs=2,
                bounded_below=False,
                finite_at_extremes=False,
                proper="mean",
            ),
        ),
        params=GaussianNLLParams,
        build=_build_gaussian_nll,
    ),
    LossEntry(
        name="QuantileLoss",
        family="regression",
        summary="Pinball loss: one conditional quantile, or several at once.",
        formula="max(q (y - z), (q - 1) (y - z)) for every level q",
        reference=(
            "Koenker and Bassett 1978, Regression Quantiles, Econometrica 46(1), 33-50, equation 2.2; "
            "the crossing penalty is a hinge on neighbouring quantiles."
        ),
        limits=(
            "Levels are fitted apart, so quantiles may cross unless `crossing_weight` forbids it, which biases "
            "them where they are close; a level beyond 1 / rows is not estimable."
        ),
        contracts=(
            Contract(
                prediction_space="raw",
                target_kind="real",
                layout="levels",
                target_dtype="float",
                empty="zero",
                proper="quantile",
                twice_differentiable=False,
            ),
        ),
        params=QuantileParams,
        build=torch_module("quantile", "Quantile"),
        serves=("raw", "quantile", "median"),
    ),
    LossEntry(
        name="AsymmetricMSELoss",
        family="regression",
        summary="Squared error that costs more on one side.",
        formula="under_weight (y - z)² if y > z, else over_weight (y - z)²",
        reference="Newey and Powell 1987, Asymmetric Least Squares, Econometrica 55(4), 819-847, equation 2.2",
        limits=(
            "Serves an expectile, at level under_weight / (under_weight + over_weight), and no quantile: for a cost "
            "per unit take QuantileLoss; one far outlier can outweigh all other rows."
        ),
        contracts=(
            Contract(
                prediction_space="raw",
                target_kind="real",
                layout="same",
                target_dtype="float",
                empty="zero",
                proper="expectile",
            ),
        ),
        params=AsymmetricMSEParams,
        build=torch_module("regression", "AsymmetricMSE"),
    ),
    LossEntry(
        name="MSLELoss",
        family="regression",
        summary="Squared error of log(1 + y): errors count by ratio.",
        formula="(log(1 + y) - z)² with z = log(1 + quantity); (log(1 + y) - log(1 + z))² with z the quantity",
        reference="https://scikit-learn.org/stable/modules/model_evaluation.html#mean-squared-log-error",
        limits=(
            "Served values lie below the mean of a skewed target, never above it: for totals take GammaNLLLoss or "
            "TweedieLoss; a prediction of the quantity at or below -1 gives NaN."
        ),
        contracts=(_msle(log_input=True), _msle(log_input=False)),
        params=MSLEParams,
        build=torch_module("regression", "MSLE"),
        serves=("median",),
    ),
)
