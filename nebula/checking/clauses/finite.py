"""Numbers that are none, and numbers of the wrong type: NEB-C002, NEB-C003, NEB-C008, NEB-C018."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from nebula.checking.case import Case, found, number
from nebula.checking.report import Finding

__all__ = ["check_dtypes", "check_finite"]

_CODE = {"target": "NEB-C003"}
_FLOAT_TARGETS = frozenset(("real", "unit", "distribution", "count", "sign"))


def check_finite(case: Case) -> Iterator[Finding]:
    """Find NaN and infinity in every floating argument; a log-probability may be -inf."""
    for name, tensor in case.tensors.items():
        if not tensor.is_floating_point():
            continue
        log_space = name == "prediction" and case.subject.traits.space == "log_probabilities"
        if name == "target" and case.subject.option("log_target"):
            log_space = True
        bad = ~torch.isfinite(tensor) & ~(torch.isneginf(tensor) if log_space else torch.zeros_like(tensor).bool())
        count = int(bad.sum())
        if count:
            filled = torch.nan_to_num(tensor, nan=0.0, posinf=0.0, neginf=0.0)
            now, then = case.value(), case.value(**{name: filled})
            yield found(
                _CODE.get(name, "NEB-C002"),
                "error",
                f"expected finite numbers in `{name}`, found NaN or infinity in {count} of {tensor.numel()}.",
                f"the loss is {number(now)}, and one such number makes every weight NaN in the next step "
                f"(without them the loss is {number(then)}).",
                f"{name} = torch.nan_to_num({name}, nan=0.0, posinf=0.0, neginf=0.0)"
                "  # better: drop these rows where the data are read",
            )


def check_dtypes(case: Case) -> Iterator[Finding]:
    """Find predictions that no gradient can flow to, integer targets of floating losses, swapped arguments."""
    if case.subject.traits.space == "unknown":
        return
    if case.target_learns and not case.prediction_learns and case.subject.traits.target not in ("real", "none"):
        yield _swapped(case)
        return
    if not case.prediction.is_floating_point():
        yield found(
            "NEB-C008",
            "error",
            f"expected a floating prediction, found {case.prediction.dtype}.",
            "integers carry no gradient, so nothing is learnt.",
            "prediction = prediction.float()  # and do not take argmax, round or threshold before the loss",
        )
    target = case.tensors.get("target")
    if target is None or target.is_floating_point() or case.subject.traits.target not in _FLOAT_TARGETS:
        return
    _, gradient, failure = case.outcome
    if failure or gradient is None:
        yield found(
            "NEB-C008",
            "error",
            f"{case.name} expected a floating target, found {target.dtype}.",
            f"the step fails ({failure or 'no gradient'}).",
            "target = target.float()",
        )


def _swapped(case: Case) -> Finding:
    now = case.value()
    swapped = case.value(prediction=case.target, target=case.prediction)
    return found(
        "NEB-C018",
        "error",
        "expected the model's output as the first argument, found a gradient on the second one only.",
        f"the roles are exchanged: the loss is {number(now)}, with the arguments in order {number(swapped)}.",
        "prediction, target = target, prediction",
    )
