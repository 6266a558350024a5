"""Rows of class probabilities, index lists, and log-targets: NEB-C015, NEB-C025, NEB-C048."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from nebula.checking.case import Case, found, number, shape_of
from nebula.checking.clauses.class_axis import class_dim, reads_probabilities
from nebula.checking.distribution import is_log_simplex, tolerance
from nebula.checking.report import Finding

__all__ = ["check_index_lists", "check_log_target", "check_target_rows"]


def check_log_target(case: Case) -> Iterator[Finding]:
    """Find targets of KLDivLoss in the other space than `log_target` says."""
    if case.name != "KLDivLoss":
        return
    target, is_log = case.target, bool(case.subject.option("log_target"))
    non_negative = bool((target >= 0).all())
    if is_log and non_negative and bool((target > 0).any()):
        wrong, space, then = True, "probabilities", case.value(target=target.log())
    else:
        wrong = (
            not is_log
            and bool((target <= tolerance(target)).all())
            and any(is_log_simplex(target, dim) for dim in range(target.ndim))
        )
        space, then = "log-probabilities", case.value(target=target.exp())
    if wrong:
        yield found(
            "NEB-C048",
            "error",
            f"KLDivLoss(log_target={is_log}) expected another space of the target, found {space}.",
            f"the loss is {number(case.value())}; read as {space} it is {number(then)}.",
            case.subject.rewritten(log_target=not is_log),
        )


def check_target_rows(case: Case) -> Iterator[Finding]:
    """Find target rows that are no distribution; a row of zeros leaves itself out on purpose."""
    target = case.target
    if not reads_probabilities(case) or not target.is_floating_point() or target.ndim == 0 or target.numel() == 0:
        return
    probabilities = target.double().exp() if case.subject.option("log_target") else target.double()
    dims = range(target.ndim) if case.name == "KLDivLoss" else [class_dim(target)]
    if _whole(probabilities, tolerance(target)) or any(_sums(probabilities, d, tolerance(target)) for d in dims):
        return
    dim = class_dim(target)
    sums = probabilities.sum(dim)
    off = ((sums - 1).abs() > tolerance(target)) & (sums.abs() > tolerance(target))
    negative = bool((probabilities < 0).any())
    multi_hot = bool(((target == 0) | (target == 1)).all())
    soft = "target = target.softmax(-1)" if target.ndim < 3 else "target = target.softmax(1)"
    fix = f"target = target / target.sum({dim}, keepdim=True).clamp(min=1e-12)"
    if multi_hot and case.name == "CrossEntropyLoss":
        fix = "loss = nn.BCEWithLogitsLoss()  # several labels a row are yes/no questions"
    elif negative:
        fix = f"{soft}  # if these are logits"
    scaled = case.value(target=(target / sums.unsqueeze(dim).to(target.dtype).clamp(min=1e-12)))
    yield found(
        "NEB-C025",
        "error",
        f"expected target rows that sum to 1, found sums {number(float(sums.min()))} to {number(float(sums.max()))}"
        f" in {float(off.double().mean()):.0%} of the rows{' and negative numbers' if negative else ''}.",
        f"each row weighs as much as it sums to: loss {number(case.value())}"
        + ("." if negative else f", with rows that sum to 1 {number(scaled)}."),
        fix,
    )


def _sums(probabilities: Tensor, dim: int, limit: float) -> bool:
    sums = probabilities.sum(dim)
    return bool((probabilities >= 0).all() and (((sums - 1).abs() <= limit) | (sums == 0)).all() and (sums > 0).any())


def _whole(probabilities: Tensor, limit: float) -> bool:
    """Say whether the tensor is one joint distribution."""
    return bool((probabilities >= 0).all()) and abs(float(probabilities.sum()) - 1) <= limit


def check_index_lists(case: Case) -> Iterator[Finding]:
    """Find multi-hot rows where MultiLabelMarginLoss expects lists of labels, padded with -1."""
    if case.subject.traits.target != "index_list":
        return
    target, outputs = case.target, case.prediction.shape[-1] if case.prediction.ndim else 1
    if case.name != "MultiLabelMarginLoss" or outputs < 3 or target.ndim == 0 or target.shape[-1] != outputs:
        return
    binary = bool(((target == 0) | (target == 1)).all())
    if binary and target.dtype != torch.bool:
        lists = _as_lists(target)
        yield found(
            "NEB-C015",
            "error",
            f"expected lists of labels padded with -1, found only 0 and 1 in {shape_of(target)}: multi-hot rows.",
            f"torch reads them as the labels 0 and 1: loss {number(case.value())}, "
            f"as lists {number(case.value(target=lists))}.",
            "target = (target > 0).float().mul(torch.arange(1, target.shape[-1] + 1)).sub(1).long()"
            ".sort(-1, descending=True).values",
        )


def _as_lists(target: Tensor) -> Tensor:
    positions = torch.arange(1, target.shape[-1] + 1)
    return ((target > 0).float() * positions - 1).long().sort(-1, descending=True).values
