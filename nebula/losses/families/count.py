"""Losses for counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from nebula.losses.contract import Contract, Interval
from nebula.losses.params import ReducedParams
from nebula.losses.registry import LossEntry

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ENTRIES", "PoissonNLLParams"]


class PoissonNLLParams(ReducedParams):
    """Parameters of `PoissonNLLLoss`."""

    log_input: bool = Field(True, description="The first argument is the logarithm of the rate, not the rate.")
    full: bool = Field(False, description="Add Stirling's approximation of log y!, for counts above 1.")
    eps: float = Field(1e-8, gt=0, description="Added to the rate inside the logarithm when `log_input` is false.")


def _contract(*, log_input: bool) -> Contract:
    return Contract(
        requires_params={"log_input": log_input},
        prediction_space="log_rate" if log_input else "rate",
        target_kind="count",
        layout="same",
        target_dtype="float",
        target_interval=Interval(low=0),
        proper="mean",
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
)
