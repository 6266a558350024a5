"""Losses for positive and non-negative amounts: sizes, costs, durations, spend."""

from __future__ import annotations

from pydantic import Field

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract, Interval, TargetKind
from nebula.losses.params import ReducedParams
from nebula.losses.registry import LossEntry

__all__ = ["ENTRIES", "GammaNLLParams", "LogNormalNLLParams", "TweedieParams"]

_POSITIVE = Interval(low=0, low_open=True)
_NONNEGATIVE = Interval(low=0)


class _LogMeanParams(ReducedParams):
    """A loss of one output that stands for the mean."""

    log_input: bool = Field(True, description="The first argument is the logarithm of the mean, not the mean.")
    full: bool = Field(False, description="Add the terms that do not depend on the prediction.")
    eps: float = Field(1e-8, gt=0, description="Added to the mean inside the logarithm when `log_input` is false.")


class GammaNLLParams(_LogMeanParams):
    """Parameters of `GammaNLLLoss`."""

    shape: float = Field(
        1.0, ge=0.01, description="Shape k: the coefficient of variation is 1 / sqrt(k); 1 is exponential."
    )


class TweedieParams(_LogMeanParams):
    """Parameters of `TweedieLoss`."""

    power: float = Field(
        1.5, gt=1, lt=2, description="Exponent of the variance function: near 1 like Poisson, near 2 like gamma."
    )


class LogNormalNLLParams(ReducedParams):
    """Parameters of `LogNormalNLLLoss` and `ZeroInflatedLogNormalNLLLoss`."""

    scale_floor: float = Field(1e-6, gt=0, description="Added to the predicted standard deviation of log y.")


def _log_mean(kind: TargetKind, interval: Interval) -> tuple[Contract, ...]:
    return tuple(
        Contract(
            requires_params={"log_input": log_input},
            prediction_space="log_rate" if log_input else "rate",
            target_kind=kind,
            layout="same",
            target_dtype="float",
            target_interval=interval,
            empty="zero",
            finite_at_extremes=False,
            proper="mean",
        )
        for log_input in (True, False)
    )


def _parameters(kind: TargetKind, interval: Interval, *names: str) -> tuple[Contract, ...]:
    return (
        Contract(
            prediction_space="raw",
            target_kind=kind,
            layout="parameters",
            parameters=names,
            target_dtype="float",
            target_interval=interval,
            empty="zero",
            proper="mean",
        ),
    )


ENTRIES = (
    LossEntry(
        name="GammaNLLLoss",
        family="positive",
        summary="Gamma log-likelihood of a positive amount: errors count by ratio, the mean is served.",
        formula="k (z + y exp(-z)) with z the log mean, k the shape; `full` adds log Γ(k) - k log k - (k - 1) log y",
        reference="McCullagh and Nelder 1989, Generalized Linear Models, chapter 8",
        limits=(
            "Constant coefficient of variation is assumed; exp(-z) overflows float32 below a log mean of -88; a "
            "target of 0 gives a finite value whose optimum is at minus infinity; the shape only scales the loss."
        ),
        contracts=_log_mean("positive", _POSITIVE),
        params=GammaNLLParams,
        build=torch_module("positive", "GammaNLL"),
        native_link="exp",
        serves=("mean", "median", "quantile"),
    ),
    LossEntry(
        name="TweedieLoss",
        family="positive",
        summary="Half the Tweedie deviance: exact zeros and positive amounts in one mean.",
        formula=(
            "exp((2 - p) z) / (2 - p) + y exp((1 - p) z) / (p - 1) with z the log mean; `full` subtracts "
            "y^(2 - p) / ((p - 1) (2 - p))"
        ),
        reference="Jørgensen 1987, Exponential Dispersion Models, JRSS B 49(2), 127-162, section 5 (1 < p < 2)",
        limits=(
            "Only the mean is served: quantiles would need the dispersion; the power is not learnt; exp overflows "
            "float32 beyond a log mean of ±88 / max(p - 1, 2 - p)."
        ),
        contracts=_log_mean("nonnegative", _NONNEGATIVE),
        params=TweedieParams,
        build=torch_module("positive", "Tweedie"),
        native_link="exp",
        serves=("mean",),
    ),
    LossEntry(
        name="LogNormalNLLLoss",
        family="positive",
        summary="Log-normal log-likelihood with a predicted location and scale of log y.",
        formula=(
            "log y + log s + log(2π) / 2 + (log y - m)² / (2 s²), m the first output, "
            "s = softplus of the second plus `scale_floor`"
        ),
        reference="Crow and Shimizu 1988, Lognormal Distributions: Theory and Applications, equation 1.1",
        limits=(
            "The served mean exp(m + s² / 2) trusts the tail: a scale too wide by a little makes it far too high; "
            "a target of 0 gives infinity: take ZeroInflatedLogNormalNLLLoss."
        ),
        contracts=_parameters("positive", _POSITIVE, "location of log y", "raw scale of log y"),
        params=LogNormalNLLParams,
        build=torch_module("log_normal", "LogNormalNLL"),
        serves=("mean", "median", "quantile"),
    ),
    LossEntry(
        name="ZeroInflatedLogNormalNLLLoss",
        family="positive",
        summary="Whether there is an amount, and how much: a Bernoulli and a log-normal likelihood.",
        formula=(
            "log(1 + exp(a)) if y = 0, else log(1 + exp(-a)) + the log-normal loss of y; a the first output, "
            "location and raw scale of log y the second and third"
        ),
        reference=(
            "Wang, Liu and Miao 2019, A Deep Probabilistic Model for Customer Lifetime Value Prediction, equation 6, "
            "https://arxiv.org/abs/1912.07753"
        ),
        limits="The served mean trusts the tail. An amount counts as present when above 0, however small.",
        contracts=_parameters(
            "nonnegative", _NONNEGATIVE, "log-odds of an amount", "location of log y", "raw scale of log y"
        ),
        params=LogNormalNLLParams,
        build=torch_module("log_normal", "ZeroInflatedLogNormalNLL"),
        serves=("mean", "median", "quantile"),
    ),
)
