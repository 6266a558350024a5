"""Probabilities, logits and log-probabilities over classes: NEB-C040 to NEB-C043, NEB-C045, NEB-C047."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from nebula.checking.case import Case, attempt, found, number
from nebula.checking.clauses.binary_spaces import looks_like_probabilities
from nebula.checking.clauses.class_axis import class_dim
from nebula.checking.distribution import is_log_simplex, is_simplex, log_mass, tolerance
from nebula.checking.report import Finding, Severity

__all__ = ["check_class_spaces", "check_divergence_reduction"]

_SHARE_NORMALISED = 0.99
_FEWEST = 24
"""Fewest outputs from which a sigmoid is read."""


def check_class_spaces(case: Case) -> Iterator[Finding]:
    """Find predictions that are in another space than the loss reads them in."""
    prediction, space = case.prediction, case.subject.traits.space
    if prediction.ndim == 0 or not prediction.is_floating_point() or prediction.numel() == 0:
        return
    dim = -1 if case.name == "CTCLoss" else class_dim(prediction)
    if prediction.shape[dim] < 2:
        return
    if space == "logits" and is_simplex(prediction, dim):
        yield _double_softmax(case, dim)
    elif space == "logits" and _normalised_over_rows(prediction):
        yield _wrong_axis(case, "softmax", dim)
    elif space == "logits" and _went_through_sigmoid(prediction):
        yield _sigmoid(case, dim)
    elif space == "log_probabilities":
        yield from _log_probabilities(case, dim)


def _double_softmax(case: Case, dim: int) -> Finding:
    probabilities = case.prediction.double()
    classes = probabilities.shape[dim]
    floor = math.log(1 + (classes - 1) / math.e)
    rows = probabilities.numel() // classes
    mended = case.value(prediction=probabilities.clamp(min=1e-38).log().to(case.prediction.dtype))
    return found(
        "NEB-C040",
        "error" if rows > 1 else "warning",
        f"{case.name} expected logits, found {rows} rows that sum to 1: a softmax was taken before.",
        f"the softmax is taken twice: loss {number(case.value())}, of these probabilities {number(mended)}; even a "
        f"perfect answer costs {floor:.3f}, and gradients shrink.",
        "prediction = prediction.clamp(min=1e-38).log()  # better: take the softmax out of the model",
    )


def _went_through_sigmoid(prediction: Tensor) -> bool:
    inside = bool(((prediction >= 0) & (prediction <= 1)).all())
    between = bool(((prediction > 0) & (prediction < 1)).any())
    return prediction.numel() >= _FEWEST and inside and between and looks_like_probabilities(prediction)


def _sigmoid(case: Case, dim: int) -> Finding:
    prediction = case.prediction
    floor = math.log(1 + (prediction.shape[dim] - 1) / math.e)
    return found(
        "NEB-C045",
        "warning",
        f"{case.name} expected logits, found {prediction.numel()} values from {number(float(prediction.min()))} to "
        f"{number(float(prediction.max()))}, all in [0, 1]: a sigmoid was taken before.",
        f"logits that differ by 1 at most leave a loss of {floor:.3f} even to a perfect answer; loss "
        f"{number(case.value())}, without the sigmoid {number(case.value(prediction=torch.logit(prediction, 1e-6)))}.",
        "prediction = torch.logit(prediction, eps=1e-6)  # better: take the sigmoid out of the model",
    )


def _log_probabilities(case: Case, dim: int) -> Iterator[Finding]:
    prediction = case.prediction
    axis = _distribution_axis(case) if case.name == "KLDivLoss" else None
    normalised = [d for d in range(prediction.ndim) if is_log_simplex(prediction, d)]
    if axis is not None and normalised and axis not in normalised:
        yield _wrong_axis(case, "log_softmax", axis)
        return
    dims = range(-1, prediction.ndim - 1) if case.name == "KLDivLoss" else [dim]
    if any(is_log_simplex(prediction, d) for d in dims) or _one_joint(case):
        return
    if is_simplex(prediction, dim) or (case.name == "KLDivLoss" and is_simplex(prediction, -1)):
        mended = case.value(prediction=prediction.clamp(min=1e-38).log())
        yield found(
            "NEB-C041",
            "error",
            f"{case.name} expected log-probabilities, found probabilities: rows that sum to 1.",
            f"the loss is {number(case.value())}; of their logarithms it is {number(mended)}.",
            "prediction = prediction.clamp(min=1e-38).log()  # better: log_softmax in place of softmax",
        )
        return
    other = [d for d in range(prediction.ndim) if d != dim % prediction.ndim and prediction.shape[d] > 1]
    if case.name != "KLDivLoss" and any(is_log_simplex(prediction, d) for d in other):
        yield _wrong_axis(case, "log_softmax", dim)
        return
    yield from _logits(case, -1 if case.name == "KLDivLoss" and prediction.ndim < 3 else dim)


def _distribution_axis(case: Case) -> int | None:
    """Return the only axis along which the target's rows sum to 1; None when none or several do."""
    if case.target.shape != case.prediction.shape:
        return None
    holds = is_log_simplex if case.subject.option("log_target", False) else is_simplex
    axes = [d for d in range(case.target.ndim) if case.target.shape[d] > 1 and holds(case.target, d)]
    return axes[0] if len(axes) == 1 else None


def _logits(case: Case, dim: int) -> Iterator[Finding]:
    prediction = case.prediction
    mass = log_mass(prediction, dim)
    limit = tolerance(prediction)
    above, below = bool((mass > limit).any()), bool((mass < -limit).any())
    if float((mass.abs() <= limit).double().mean()) >= _SHARE_NORMALISED and not above:
        return
    severity: Severity = "error" if above or bool((prediction > 0).any()) else "warning"
    mended = case.value(prediction=prediction.log_softmax(dim))
    sums = f"{number(float(mass.min().exp()))} to {number(float(mass.max().exp()))}"
    worse = "a number that falls without bound as the outputs grow" if above or not below else "a number off by a shift"
    yield found(
        "NEB-C042",
        severity,
        f"{case.name} expected log-probabilities, found rows whose probabilities sum to {sums}: logits.",
        f"the loss is {number(case.value())}, {worse}; of log-probabilities it is {number(mended)}.",
        f"prediction = prediction.log_softmax({dim})",
    )


def _wrong_axis(case: Case, function: str, dim: int) -> Finding:
    probabilities = case.prediction if function == "softmax" else case.prediction.exp()
    sums = probabilities.double().sum(dim)
    mended = attempt(lambda: case.subject.call({**case.tensors, "prediction": case.prediction.log_softmax(dim)}))
    return found(
        "NEB-C043",
        "error",
        f"expected rows that sum to 1 on the class axis, found sums from {number(float(sums.min()))} to "
        f"{number(float(sums.max()))}, and 1 along another axis: {function} with the wrong `dim`.",
        f"rows compete with each other instead of classes: loss {number(case.value())}, normalised over the classes "
        f"again {number(mended)}.",
        f"prediction = prediction.clamp(min=1e-38).log()  # better: leave softmax out, or dim={dim}"
        if function == "softmax"
        else f"prediction = prediction.log_softmax({dim})  # better: dim={dim} in the model",
    )


def _normalised_over_rows(prediction: Tensor) -> bool:
    dims = [d for d in range(prediction.ndim) if d != class_dim(prediction) and prediction.shape[d] > 1]
    return any(is_simplex(prediction, d) for d in dims)


def _one_joint(case: Case) -> bool:
    """Say whether the whole tensor is one distribution, as t-SNE and other matrices of pairs are."""
    if case.name != "KLDivLoss":
        return False
    mass = float(torch.logsumexp(case.prediction.double().reshape(-1), 0))
    return abs(mass) <= tolerance(case.prediction)


def check_divergence_reduction(case: Case) -> Iterator[Finding]:
    """Find the reduction `mean` of KLDivLoss, which divides by the classes too."""
    if case.name != "KLDivLoss" or case.subject.reduction != "mean" or case.prediction.ndim < 2:
        return
    if case.prediction.shape[0] == 0 or case.prediction[0].numel() < 2:
        return
    value = case.value()
    factor = case.prediction[0].numel()
    divergence = None if value is None else value * factor
    yield found(
        "NEB-C047",
        "warning",
        "expected reduction='batchmean', found 'mean', the default, which divides by the number of classes too.",
        f"the loss is {number(value)} where the divergence is {number(divergence)}: {factor} times too small beside "
        "other terms and the learning rate.",
        case.subject.rewritten(reduction="batchmean"),
    )
