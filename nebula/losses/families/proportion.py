"""Losses for shares strictly between 0 and 1: one share, or several that sum to 1."""

from __future__ import annotations

from pydantic import Field

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract, Interval
from nebula.losses.params import ReducedParams
from nebula.losses.registry import LossEntry

__all__ = ["ENTRIES", "BetaNLLParams"]

_OPEN_UNIT = Interval(low=0, high=1, low_open=True, high_open=True)


class BetaNLLParams(ReducedParams):
    """Parameters of `BetaNLLLoss`."""

    precision_floor: float = Field(1e-6, gt=0, description="Added to the predicted precision.")


ENTRIES = (
    LossEntry(
        name="BetaNLLLoss",
        family="proportion",
        summary="Beta log-likelihood of a share, with a predicted mean and precision.",
        formula=(
            "log Γ(a) + log Γ(b) - log Γ(a + b) - (a - 1) log y - (b - 1) log(1 - y), a = m f, b = (1 - m) f, "
            "m = sigmoid of the first output, f = softplus of the second plus `precision_floor`"
        ),
        reference=(
            "Ferrari and Cribari-Neto 2004, Beta Regression for Modelling Rates and Proportions, "
            "Journal of Applied Statistics 31(7), 799-815, equation 4"
        ),
        limits=(
            "Shares of exactly 0 or 1 have no likelihood (infinity): take BCEWithLogitsLoss where they occur; not "
            "bounded below as the precision grows; in float32 at a precision of 1e4 values err by 0.01, "
            "gradients by 0.1 %."
        ),
        contracts=(
            Contract(
                prediction_space="raw",
                target_kind="fraction",
                layout="parameters",
                parameters=("logit of the mean", "raw precision"),
                target_dtype="float",
                target_interval=_OPEN_UNIT,
                empty="zero",
                bounded_below=False,
                proper="mean",
            ),
        ),
        params=BetaNLLParams,
        build=torch_module("proportion", "BetaNLL"),
        serves=("mean", "median", "quantile"),
    ),
    LossEntry(
        name="DirichletNLLLoss",
        family="proportion",
        summary="Dirichlet log-likelihood of shares that sum to 1, one concentration per class.",
        formula="Σ_c (log Γ(a_c) - (a_c - 1) log y_c) - log Γ(Σ_c a_c), a = softplus(z)",
        reference="Kotz, Balakrishnan and Johnson 2000, Continuous Multivariate Distributions 1, equation 49.1",
        limits=(
            "A share of exactly 0 has no likelihood (infinity): take CrossEntropyLoss with soft targets where it "
            "occurs; not bounded below as the concentrations grow."
        ),
        contracts=(
            Contract(
                prediction_space="score",
                target_kind="class_probabilities",
                layout="same",
                target_dtype="float",
                target_interval=_OPEN_UNIT,
                min_outputs=2,
                empty="zero",
                bounded_below=False,
                proper="mean",
                cost="NC",
            ),
        ),
        params=ReducedParams,
        build=torch_module("proportion", "DirichletNLL"),
        serves=("mean",),
    ),
)
