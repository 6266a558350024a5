"""What a loss takes beside prediction and target: NEB-C060 and NEB-C083 to NEB-C086."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from nebula.checking.case import Case, found, number, shape_of
from nebula.checking.report import Finding
from nebula.losses.contract import Contract, ExtraInput

__all__ = ["check_extra_inputs"]


def check_extra_inputs(case: Case) -> Iterator[Finding]:
    """Find extra inputs of another shape than the contract says, and values that they cannot hold."""
    contract = case.subject.contract
    if contract is None or case.prediction.numel() == 0:
        return
    for given in contract.extra_inputs:
        value = case.tensors.get(given.name)
        if value is None or case.subject.traits.layout == "sequence":
            continue
        problem = _shape(case, contract, given, value)
        if problem is None and given.holds in _CLAUSES:
            problem = _CLAUSES[given.holds](case, given.name, value)
        if problem is not None:
            yield problem


def _shape(case: Case, contract: Contract, given: ExtraInput, value: Tensor) -> Finding | None:
    """NEB-C083."""
    shape = tuple(case.prediction.shape)
    wanted = shape if len(given.axes) > 1 else (shape[contract.shapes[0].index("N")],)
    if tuple(value.shape) == wanted:
        return None
    name, rows = given.name, wanted[0]
    if value.ndim == 2 and value.shape[::-1] == wanted:
        fix = f"{name} = {name}.T"
    elif value.numel() == torch.Size(wanted).numel():
        fix = f"{name} = {name}.reshape({wanted})"
    elif len(wanted) == 1 and value.ndim == 2 and len(value) == rows:
        fix = f"{name} = {name}.argmax(1)  # when the columns are the choices"
    else:
        fix = f"{name} = torch.zeros({wanted}, dtype={name}.dtype)  # then your own: {given.description}"
    return found(
        "NEB-C083",
        "error",
        f"expected `{name}` ({', '.join(given.axes)}), {wanted}, found {shape_of(value)}.",
        "the call fails, or rows are matched with the values of other rows.",
        fix,
    )


def _binary(case: Case, name: str, value: Tensor) -> Finding | None:
    """NEB-C084."""
    wrong = (value != 0) & (value != 1)
    if not bool(wrong.any()):
        return None
    return found(
        "NEB-C084",
        "error",
        f"expected `{name}` 0 or 1, found {number(float(value[wrong][0]))} in {int(wrong.sum())} of {value.numel()}.",
        f"it is multiplied with the loss of a pair, so others push where they should pull: {number(case.value())}.",
        f"{name} = ({name} > 0).float()",
    )


def _group(case: Case, name: str, value: Tensor) -> Finding | None:
    """NEB-C085."""
    groups = int(case.subject.option("groups", 2))
    present = torch.unique(value)
    known = (value >= 0) & (value < groups) & (value == value.round())
    if value.is_floating_point() or not bool(known.all()):
        said = f"{value.dtype}" if bool(known.all()) else f"{number(float(value[~known][0]))}"
        fix = f"{name} = torch.unique({name}, return_inverse=True)[1]"
        if len(present) > groups:
            fix = f"{name} = {name}.long() % {groups}  # better: set `groups` to {len(present)} and number them from 0"
        severity, consequence = "error", "the call fails, on a GPU for the whole process."
    elif len(present) == 1:
        said = f"only {int(present[0])}"
        fix = f"{name} = torch.arange(len({name})) % {groups}  # better: batches in which every group has rows"
        severity, consequence = "note", "a gap of one group is 0: nothing is learnt from this batch."
    else:
        return None
    return found(
        "NEB-C085",
        "error" if severity == "error" else "note",
        f"expected whole `{name}` numbers from 0 to {groups - 1}, of more than one group, found {said}.",
        consequence,
        fix,
    )


def _logits(case: Case, name: str, value: Tensor) -> Finding | None:
    """NEB-C086."""
    if value.ndim < 2 or value.shape[1] < 2 or not bool(torch.isfinite(value).all()):
        return None
    sums = value.double().sum(1)
    if bool((value < 0).any()) or not bool(((sums - 1).abs() < 1e-2).all()):
        return None
    mended = case.value(**{name: value.clamp_min(1e-12).log()})
    return found(
        "NEB-C086",
        "error",
        f"expected logits in `{name}`, found probabilities: at least 0, and every row sums to 1.",
        "a second softmax makes the teacher almost indifferent between the classes: loss "
        f"{number(case.value())} instead of {number(mended)}.",
        f"{name} = {name}.clamp_min(1e-12).log()  # the logarithm of a probability is a logit",
    )


def _length(case: Case, name: str, value: Tensor) -> Finding | None:
    """NEB-C060, of labels in a chain."""
    steps = case.target.shape[1] if case.target.ndim > 1 else 1
    if not value.is_floating_point() and bool(((value >= 1) & (value <= steps)).all()):
        return None
    said = f"{number(float(value.double().max()))} and {number(float(value.double().min()))} in {value.dtype}"
    return found(
        "NEB-C060",
        "error",
        f"{case.name} expected whole `{name}` from 1 to {steps}, found {said} at the ends.",
        "padding is learnt, or steps that are not there are read; it was not run.",
        f"{name} = {name}.long().clamp(1, {steps})  # better: compute them from the data",
    )


_CLAUSES = {"binary": _binary, "group": _group, "logits": _logits, "length": _length}
