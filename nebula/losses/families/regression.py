"""Losses for real targets: absolute, squared, and the two between them; and a Gaussian likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from nebula.losses.contract import Contract
from nebula.losses.params import ReducedParams
from nebula.losses.registry import LossEntry

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ENTRIES", "GaussianNLLParams", "HuberParams", "SmoothL1Params"]

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
                proper="mean",
            ),
        ),
        params=GaussianNLLParams,
        build=_build_gaussian_nll,
    ),
)
