"""Losses for real targets with outliers: bounded influence, fixed or learnt, and a heavy-tailed likelihood."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract
from nebula.losses.params import ReducedParams
from nebula.losses.registry import LossEntry

__all__ = ["ENTRIES", "AdaptiveBarronParams", "BarronParams", "StudentTNLLParams"]

_BARRON = "Barron 2019, A General and Adaptive Robust Loss Function, CVPR, "


class BarronParams(ReducedParams):
    """Parameters of `BarronLoss`."""

    shape: Annotated[float, Field(le=2)] | Literal["-inf"] = Field(
        1.0, description="2 squared, 1 Charbonnier, 0 Cauchy, -2 Geman-McClure, `-inf` Welsch; lower is more robust."
    )
    scale: float = Field(1.0, gt=0, description="Error, in the target's unit, up to which the loss is nearly a square.")


class AdaptiveBarronParams(ReducedParams):
    """Parameters of `AdaptiveBarronLoss`."""

    shape_low: float = Field(0.001, ge=0.001, lt=2, description="Lower bound of the learnt shape.")
    shape_high: float = Field(1.999, gt=0, le=1.999, description="Upper bound of the learnt shape.")
    scale_low: float = Field(1e-5, gt=0, description="Lower bound of the learnt scale, in the target's unit.")
    scale_start: float = Field(1.0, gt=0, description="Scale at the start, in the target's unit.")

    @model_validator(mode="after")
    def _ordered(self) -> AdaptiveBarronParams:
        if self.shape_low >= self.shape_high:
            raise ValueError("expected shape_low below shape_high")
        if self.scale_low >= self.scale_start:
            raise ValueError("expected scale_low below scale_start")
        return self


class StudentTNLLParams(ReducedParams):
    """Parameters of `StudentTNLLLoss`."""

    predicts_df: bool = Field(False, description="The degrees of freedom are a third output, kept above 2.")
    df: float = Field(4.0, gt=0, description="Degrees of freedom, where they are not predicted.")
    scale_floor: float = Field(1e-6, gt=0, description="Added to the predicted scale, in the target's unit.")

    @model_validator(mode="after")
    def _one_source(self) -> StudentTNLLParams:
        if self.predicts_df and "df" in self.model_fields_set:
            raise ValueError("expected either `df` or `predicts_df: true`, found both: leave one out")
        return self


def _real(proper: str | None, *, bounded_below: bool = True, learnable: bool = False) -> Contract:
    return Contract(
        prediction_space="raw",
        target_kind="real",
        layout="same",
        target_dtype="float",
        empty="zero",
        proper=proper,
        bounded_below=bounded_below,
        learnable=learnable,
    )


def _student_t(*, fixed: bool) -> Contract:
    return Contract(
        requires_params={"predicts_df": not fixed},
        prediction_space="raw",
        target_kind="real",
        layout="parameters",
        parameters=("location", "raw scale") if fixed else ("location", "raw scale", "raw degrees of freedom"),
        target_dtype="float",
        empty="zero",
        proper="mean",
    )


ENTRIES = (
    LossEntry(
        name="LogCoshLoss",
        family="robust",
        summary="Logarithm of the hyperbolic cosine: a square that turns smoothly into a line.",
        formula="log(cosh(y - z)) = softplus(2 (z - y)) - (z - y) - log 2",
        reference="Green 1990, IEEE Transactions on Medical Imaging 9(1), 84-93, equation 13 (as a potential)",
        limits=(
            "Turns at an error of about 1 in the target's unit: with an unscaled target it is L1 or MSE in disguise; "
            "under a skewed target it serves neither the mean nor the median."
        ),
        contracts=(_real(None),),
        params=ReducedParams,
        build=torch_module("regression", "LogCosh"),
    ),
    LossEntry(
        name="BarronLoss",
        family="robust",
        summary="The general robust loss: from squared to redescending by one shape.",
        formula=(
            "(|a - 2| / a) (((y - z)² / (c² |a - 2|) + 1)^(a / 2) - 1), a the shape and c the scale; "
            "its limits at a = 2, 0, -∞"
        ),
        reference=_BARRON + "equations 1 and 8",
        limits=(
            "Below shape 1 it is not convex and below 0 bounded, so far rows stop pulling: from a bad start nothing "
            "may pull; the scale is in the target's unit."
        ),
        contracts=(_real(None),),
        params=BarronParams,
        build=torch_module("robust", "Barron"),
    ),
    LossEntry(
        name="AdaptiveBarronLoss",
        family="robust",
        summary="The general robust loss as a likelihood whose shape and scale are learnt.",
        formula="rho(y - z; a, c) + log c + log ∫ exp(-rho(x; a, 1)) dx",
        reference=_BARRON + "equations 16 and 17",
        limits=(
            "One shape and one scale for all outputs; its parameters must be given to the optimiser; values may be "
            "negative; as a likelihood it takes shapes from 0 to 2 only; exact fits drive the scale to its bound."
        ),
        contracts=(_real(None, bounded_below=False, learnable=True),),
        params=AdaptiveBarronParams,
        build=torch_module("robust", "AdaptiveBarron"),
    ),
    LossEntry(
        name="StudentTNLLLoss",
        family="robust",
        summary="Student's t log-likelihood: location and scale predicted, outliers expected.",
        formula=(
            "log s + (v + 1) / 2 log(1 + ((y - m) / s)² / v) - log Γ((v + 1) / 2) + log Γ(v / 2) + log(v π) / 2, m the "
            "first output, s = softplus of the second plus `scale_floor`, v = `df`, or 2 + softplus of the third"
        ),
        reference=(
            "Lange, Little and Taylor 1989, Robust Statistical Modeling Using the t Distribution, JASA 84, 881-896, "
            "section 2 (4 degrees of freedom as the default)"
        ),
        limits=(
            "Symmetric: skewed targets bias the location; not convex in the location; below 1 degree of freedom "
            "there is no mean, and the location served as mean is the median; scales near `scale_floor` learn no more."
        ),
        contracts=(_student_t(fixed=True), _student_t(fixed=False)),
        params=StudentTNLLParams,
        build=torch_module("student_t", "StudentTNLL"),
        serves=("mean", "median", "quantile"),
    ),
)
