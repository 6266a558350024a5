"""Losses for counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract, Interval
from nebula.losses.params import ReducedParams
from nebula.losses.registry import LossEntry

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ENTRIES", "NegativeBinomialNLLParams", "PoissonNLLParams", "ZeroInflatedNegativeBinomialNLLParams"]


class PoissonNLLParams(ReducedParams):
    """Parameters of `PoissonNLLLoss`."""

    log_input: bool = Field(True, description="The first argument is the logarithm of the rate, not the rate.")
    full: bool = Field(False, description="Add Stirling's approximation of log y!, for counts above 1.")
    eps: float = Field(1e-8, gt=0, description="Added to the rate inside the logarithm when `log_input` is false.")


class ZeroInflatedNegativeBinomialNLLParams(ReducedParams):
    """Parameters of `ZeroInflatedNegativeBinomialNLLLoss`."""

    dispersion_floor: float = Field(
        1e-6, gt=0, description="Added to the predicted dispersion; there the counts are Poisson's."
    )


class NegativeBinomialNLLParams(ZeroInflatedNegativeBinomialNLLParams):
    """Parameters of `NegativeBinomialNLLLoss`."""

    predicts_dispersion: bool = Field(True, description="The dispersion is the second of two outputs.")
    dispersion: float = Field(
        1.0, ge=1e-6, description="(variance - mean) / mean², where it is not predicted: then there is one output."
    )
    log_input: bool = Field(
        True, description="The first argument is the logarithm of the mean; false needs a fixed dispersion."
    )
    eps: float = Field(1e-8, gt=0, description="Added to the mean inside the logarithm when `log_input` is false.")

    @model_validator(mode="after")
    def _one_source(self) -> NegativeBinomialNLLParams:
        if self.predicts_dispersion and "dispersion" in self.model_fields_set:
            raise ValueError("expected either `dispersion` or `predicts_dispersion: true`: set the latter to false")
        if self.predicts_dispersion and not self.log_input:
            raise ValueError("expected `log_input: true` with a predicted dispersion: fix it to give means")
        return self


def _negative_binomial(**fixed: bool) -> Contract:
    log_input = fixed.get("log_input", True)
    return Contract(
        requires_params=fixed,
        prediction_space="log_rate" if log_input else "rate",
        finite_at_extremes=log_input,
        target_kind="count",
        layout="parameters" if fixed["predicts_dispersion"] else "same",
        parameters=("log mean", "raw dispersion") if fixed["predicts_dispersion"] else (),
        target_dtype="float",
        target_interval=Interval(low=0),
        integer_valued=True,
        empty="zero",
        proper="mean",
    )


def _contract(*, log_input: bool) -> Contract:
    return Contract(
        requires_params={"log_input": log_input},
        prediction_space="log_rate" if log_input else "rate",
        target_kind="count",
        layout="same",
        target_dtype="float",
        target_interval=Interval(low=0),
        proper="mean",
        finite_at_extremes=False,
    )


def _build(params: PoissonNLLParams) -> nn.Module:
    from torch import nn

    return nn.PoissonNLLLoss(log_input=params.log_input, full=params.full, eps=params.eps, reduction=params.reduction)


ENTRIES = (
    LossEntry(
        name="PoissonNLLLoss",
        family="count",
        summary="Poisson log-likelihood of a count, without the constant log y!.",
        formula="exp(z) - y z with z the log rate; z - y log(z + eps) with z the rate",
        reference=(
            "McCullagh and Nelder 1989, Generalized Linear Models, chapter 6; "
            "https://docs.pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html"
        ),
        limits=(
            "Variance equal to the mean is assumed; exp overflows float32 above a log rate of 88; "
            "non-negative reals are accepted as a quasi-likelihood."
        ),
        contracts=(_contract(log_input=True), _contract(log_input=False)),
        params=PoissonNLLParams,
        build=_build,
        native_link="exp",
    ),
    LossEntry(
        name="NegativeBinomialNLLLoss",
        family="count",
        summary="Negative binomial log-likelihood: counts that spread wider than Poisson's.",
        formula=(
            "log y! - log(Γ(y + r) / Γ(r)) - r log(r / (r + m)) - y log(m / (r + m)), log m the first output, "
            "1 / r = softplus of the second plus `dispersion_floor`, or `dispersion`"
        ),
        reference="Cameron and Trivedi 2013, Regression Analysis of Count Data, 2nd edition, equation 3.26 (NB2)",
        limits=(
            "Variance is mean + dispersion · mean²: under-dispersed counts end at the floor, which is Poisson; "
            "in float32 the value errs by up to 0.02 at counts of 1e4 and 0.3 at 1e5, the gradient by 0.2 % and 2 %."
        ),
        contracts=(
            _negative_binomial(predicts_dispersion=True),
            _negative_binomial(predicts_dispersion=False, log_input=True),
            _negative_binomial(predicts_dispersion=False, log_input=False),
        ),
        params=NegativeBinomialNLLParams,
        build=torch_module("count", "NegativeBinomialNLL"),
        native_link="exp",
        serves=("mean", "median", "quantile"),
    ),
    LossEntry(
        name="ZeroInflatedNegativeBinomialNLLLoss",
        family="count",
        summary="Negative binomial log-likelihood with zeros of a second kind.",
        formula=(
            "-log(p + (1 - p) NB(0)) if y = 0, else -log((1 - p) NB(y)); log mean and raw dispersion of NB are the "
            "first two outputs, p = sigmoid of the third"
        ),
        reference="Greene 1994, Accounting for Excess Zeros, NYU Stern working paper EC-94-10, section 3; "
        "Cameron and Trivedi 2013, section 4.8",
        limits=(
            "A high dispersion explains zeros as well: with few counts above 0 the two are hardly told apart; "
            "the served mean is (1 - p) times the first output's exp."
        ),
        contracts=(
            Contract(
                prediction_space="log_rate",
                target_kind="count",
                layout="parameters",
                parameters=("log mean", "raw dispersion", "log-odds of an extra zero"),
                target_dtype="float",
                target_interval=Interval(low=0),
                integer_valued=True,
                empty="zero",
                proper="mean",
            ),
        ),
        params=ZeroInflatedNegativeBinomialNLLParams,
        build=torch_module("count", "ZeroInflatedNegativeBinomialNLL"),
        native_link="exp",
        serves=("mean", "median", "quantile"),
    ),
)
