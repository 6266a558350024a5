"""The sweeps: the property that is turned, its levels, what is trained, and the threshold it is held against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nebula.bench.sweep import draws
from nebula.bench.sweep.candidate import Candidate
from nebula.demo.splits import Split
from nebula.profiling.model import DataProfile

__all__ = ["SWEEPS", "Sweep", "find_sweeps"]


@dataclass(frozen=True)
class Sweep:
    """One property turned up step by step.

    Attributes:
        name: Short name; also the heading's anchor in the evidence.
        axis: What the levels are.
        levels: Ascending or descending; the first is the plain case.
        draw: From a level and a generator to training, validation and test rows.
        metrics: What the candidates are judged by on test rows, each a comparison of its own.
        candidates: What is trained, by metric.
        declared: Whether the policy is told the metric; without it, it assumes the family's own.
        parameter: Threshold of the default policy that is held against the levels, if any.
        measure: The fact that the threshold is compared with.
        log_axis: Levels are drawn on a logarithmic axis.
        column: Column name that the policy is told, if any.
    """

    name: str
    axis: str
    levels: tuple[float, ...]
    draw: Callable[[float, np.random.Generator], Split]
    metrics: tuple[str, ...]
    candidates: Callable[[str], tuple[Candidate, ...]]
    declared: bool = True
    parameter: str | None = None
    measure: Callable[[DataProfile], float | None] = lambda _: None
    log_axis: bool = False
    column: str | None = None


def _classes(metric: str) -> tuple[Candidate, ...]:
    serve = "argmax" if metric == "balanced_accuracy" else "probability"
    rest = f"output_bias: log_prior, serve: {serve}"
    names = ("CrossEntropyLoss", "GeneralizedCrossEntropyLoss", "SymmetricCrossEntropyLoss")
    return tuple(Candidate(name, f"{{loss: {name}, {rest}}}", 3) for name in names)


def _numbers(_: str) -> tuple[Candidate, ...]:
    return (
        Candidate("MSELoss", "{loss: MSELoss, output_bias: link_mean, serve: mean}"),
        Candidate(
            "HuberLoss, IQR", "{loss: HuberLoss, params: {delta: $target.iqr}, output_bias: median, serve: mean}"
        ),
        Candidate("L1Loss", "{loss: L1Loss, link: identity, output_bias: median, serve: median}"),
    )


def _yes_or_no(metric: str) -> tuple[Candidate, ...]:
    label = metric == "balanced_accuracy"
    at_half = "{threshold: 0.5}" if label else "probability"
    biased = "loss: BCEWithLogitsLoss, output_bias: prior_log_odds"
    plain = (
        Candidate("BCE + prior bias", f"{{{biased}, serve: {at_half}}}"),
        Candidate("BCE", f"{{loss: BCEWithLogitsLoss, serve: {at_half}}}"),
        Candidate(
            "BCE weighted", f"{{loss: BCEWithLogitsLoss, params: {{pos_weight: $target.pos_weight}}, serve: {at_half}}}"
        ),
        Candidate("focal", f"{{loss: SigmoidFocalLoss, output_bias: prior_log_odds, serve: {at_half}}}"),
    )
    cut = Candidate("BCE + prior bias, cut at prevalence", f"{{{biased}, serve: {{threshold: prior}}}}")
    return (*plain, cut) if label else plain


_POISSON = "{loss: PoissonNLLLoss, params: {log_input: false}, link: softplus, output_bias: link_mean, serve: mean}"
_MSE = Candidate("MSELoss", "{loss: MSELoss, output_bias: link_mean, serve: mean}")
_SOFTPLUS = Candidate("PoissonNLLLoss, softplus", _POISSON)
_EXP = Candidate("PoissonNLLLoss, exp", "{loss: PoissonNLLLoss, link: exp, output_bias: link_mean, serve: mean}")


def _counts(_: str) -> tuple[Candidate, ...]:
    spread = "{loss: NegativeBinomialNLLLoss, output_bias: link_mean, serve: mean}"
    return (_SOFTPLUS, _MSE, Candidate("NegativeBinomialNLLLoss", spread, 2))


def _links(_: str) -> tuple[Candidate, ...]:
    return (_SOFTPLUS, _EXP, _MSE)


def _amounts(_: str) -> tuple[Candidate, ...]:
    return (
        _MSE,
        Candidate("GammaNLLLoss", "{loss: GammaNLLLoss, link: exp, output_bias: link_mean, serve: mean}"),
        Candidate("LogNormalNLLLoss", "{loss: LogNormalNLLLoss, output_bias: link_mean, serve: mean}", 2),
    )


def _zeros(_: str) -> tuple[Candidate, ...]:
    tweedie = "{loss: TweedieLoss, params: {log_input: false}, link: softplus, output_bias: link_mean, serve: mean}"
    return (Candidate("TweedieLoss", tweedie), _MSE, _SOFTPLUS)


def _servings(_: str) -> tuple[Candidate, ...]:
    return (
        Candidate("CrossEntropyLoss, argmax", "{loss: CrossEntropyLoss, output_bias: log_prior, serve: argmax}", 5),
        Candidate("CrossEntropyLoss, mean", "{loss: CrossEntropyLoss, output_bias: log_prior, serve: expectation}", 5),
        Candidate("CORALLoss, median", "{loss: CORALLoss, output_bias: log_prior, serve: median}", 5),
        Candidate("CORALLoss, mean", "{loss: CORALLoss, output_bias: log_prior, serve: expectation}", 5),
    )


def _kurtosis(profile: DataProfile) -> float | None:
    return profile.target.kurtosis


def _variation(profile: DataProfile) -> float | None:
    mean, std = profile.target.mean, profile.target.std
    return std / mean if mean and std is not None else None


SWEEPS: tuple[Sweep, ...] = (
    Sweep("label-noise", "share of wrong labels in training", (0, 0.1, 0.2, 0.3, 0.4), draws.noisy_labels,
          ("balanced_accuracy", "log_loss"), _classes),
    Sweep("outliers", "share of gross errors in training", (0, 0.01, 0.02, 0.05, 0.1, 0.2), draws.outliers,
          ("rmse", "mae"), _numbers, False, "heavy_kurtosis", _kurtosis),
    Sweep("tails", "1 / degrees of freedom of the noise", (0, 0.05, 0.1, 0.2, 0.3, 0.4), draws.heavy_tails,
          ("mae",), _numbers, False, "heavy_kurtosis", _kurtosis),
    Sweep("imbalance", "share of the rare class", (0.5, 0.2, 0.1, 0.03, 0.01, 0.003, 0.001), draws.imbalanced,
          ("log_loss", "balanced_accuracy"), _yes_or_no, True, "imbalance_ratio",
          lambda profile: profile.target.class_balance, True),
    Sweep("dispersion", "squared variation of the mean beyond Poisson", (0, 0.1, 0.3, 1, 3), draws.counts,
          ("poisson_deviance",), _counts, True, "overdispersion", lambda profile: profile.target.dispersion),
    Sweep("link", "share of the effect that multiplies", (0, 0.25, 0.5, 0.75, 1), draws.multiplicative_counts,
          ("poisson_deviance",), _links),
    Sweep("serving", "noise of the latent number", (0.1, 0.3, 1, 2), draws.noisy_levels, ("mae", "rmse"), _servings,
          column="rating"),
    Sweep("skew", "standard deviation of the logarithm", (0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2), draws.skewed_amounts,
          ("gamma_deviance",), _amounts, False, "high_skew", lambda profile: profile.target.skew),
    Sweep("variation", "spread of the amount before it is folded at 0", (0.1, 0.3, 0.5, 0.7, 0.9, 1.2),
          draws.folded_amounts, ("gamma_deviance",), _amounts, False, "high_variation", _variation),
    Sweep("zeros", "share of exact zeros", (0, 0.01, 0.03, 0.1, 0.3, 0.6), draws.amounts_with_zeros,
          ("poisson_deviance",), _zeros, False, "zero_share", lambda profile: profile.target.zero_fraction),
    Sweep("rows-counts", "training rows", (50, 500, 5000, 50000), draws.sized_counts,
          ("poisson_deviance",), _counts, log_axis=True),
    Sweep("rows-tails", "training rows", (50, 500, 5000, 50000), draws.sized_tails,
          ("mae",), _numbers, False, log_axis=True),
)  # fmt: skip


def find_sweeps(names: tuple[str, ...]) -> tuple[Sweep, ...]:
    """Return the sweeps of these names, all without one.

    Raises:
        HintError: There is no sweep of that name.
    """
    from nebula.errors import HintError

    known = {sweep.name: sweep for sweep in SWEEPS}
    for name in names:
        if name not in known:
            raise HintError(f"sweep: expected one of {', '.join(known)}; found {name!r}.")
    return tuple(known[name] for name in names) or SWEEPS
