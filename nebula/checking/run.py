"""`check`: one call of a loss, clause by clause."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from nebula.checking.case import Case, first_line, found
from nebula.checking.clauses.binary_spaces import check_binary_spaces
from nebula.checking.clauses.binary_targets import check_signs, check_unit_interval
from nebula.checking.clauses.class_axis import check_class_axis, check_square_axes
from nebula.checking.clauses.class_spaces import check_class_spaces, check_divergence_reduction
from nebula.checking.clauses.costs import check_costs
from nebula.checking.clauses.counts import check_counts, check_rates
from nebula.checking.clauses.extra_inputs import check_extra_inputs
from nebula.checking.clauses.finite import check_dtypes, check_finite
from nebula.checking.clauses.inverted_weights import check_inverted_weights
from nebula.checking.clauses.labels import check_empty, check_labels
from nebula.checking.clauses.outcome import check_outcome
from nebula.checking.clauses.rectified import check_rectified
from nebula.checking.clauses.sample_weights import check_sample_weight
from nebula.checking.clauses.scale import check_class_indices, check_delta
from nebula.checking.clauses.sequences import check_sequences
from nebula.checking.clauses.shapes import check_same_shape
from nebula.checking.clauses.survival import check_times
from nebula.checking.clauses.target_rows import check_index_lists, check_log_target, check_target_rows
from nebula.checking.clauses.variance import check_variance
from nebula.checking.clauses.weights import check_weights
from nebula.checking.report import CheckReport, Finding
from nebula.checking.subject import Subject, inputs_of, recognise
from nebula.errors import DataError
from nebula.losses.contract import Contract

__all__ = ["check"]

Clause = Callable[[Case], Iterator[Finding]]

_STAGES: tuple[tuple[Clause, ...], ...] = (
    (check_empty,),
    (check_class_axis, check_same_shape),
    (check_dtypes,),
    (check_weights, check_labels),
    (check_finite,),
    (check_unit_interval, check_signs, check_counts, check_index_lists, check_log_target, check_variance),
    (check_target_rows,),
    (check_class_spaces, check_binary_spaces, check_rates, check_rectified),
    (check_square_axes, check_divergence_reduction, check_delta, check_class_indices, check_inverted_weights),
    (check_outcome,),
)
"""In order; an error ends the check after its stage, because what follows would measure nonsense."""

_EXTRAS: tuple[Clause, ...] = (check_times, check_extra_inputs, check_costs, check_sequences)
"""Of registered losses, before their criterion runs."""

_GRAVITY = {"error": 0, "warning": 1, "note": 2}


def check(loss: Any, prediction: Any, target: Any = None, **extra: Any) -> CheckReport:
    """Report what is wrong with one call of a loss, from its tensors.

    Nothing that is passed in is changed: losses and tensors are copied to the CPU, and the loss is
    run on the copies, unless running it would read out of bounds.

    Args:
        loss: A module (`nn.KLDivLoss()`, a criterion of nebula), a function of `torch.nn.functional` or a
            partial of one, any other callable, or a name: of a class in `torch.nn`, or registered.
        prediction: What the model gives: a tensor, or what `torch.as_tensor` takes. Of a loss with
            several inputs before the target a tuple of them, such as anchor, positive and negative.
        target: The target; left out for losses that have none.
        extra: Further tensors by the names that torch gives them (`var`, `input_lengths`,
            `target_lengths`, `input2`) or a registered loss's contract (`teacher`, `group`, …), keywords of
            a functional loss or of a loss by name, and `sample_weight`, which is looked at but not counted
            in the value.

    Returns:
        The findings, gravest first; `ok` when there is no error and no warning.

    Raises:
        DataError: The arguments are no tensors of ordinary numbers, the loss cannot be recognised,
            or an argument that the loss needs is missing.
        ContractError: A registered loss does not take these parameters.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> rows = torch.tensor([[0.9, 0.1], [0.2, 0.8]])
        >>> check(nn.CrossEntropyLoss(), rows, torch.tensor([0, 1])).codes()
        ('NEB-C040',)
    """
    names = {"var", "input_lengths", "target_lengths", "input2", "positive", "negative", *inputs_of(loss)}
    weight = extra.pop("sample_weight", None)
    subject = recognise(loss, {key: value for key, value in extra.items() if key not in names})
    given = _arguments(subject, prediction, target, {key: value for key, value in extra.items() if key in names})
    tensors = {name: _tensor(name, value) for name, value in given.items()}
    case = Case(subject, tensors, _learns(prediction), _learns(target))
    findings = [finding for clause in _EXTRAS for finding in clause(case)]
    if weight is not None:
        findings += check_sample_weight(case, _tensor("sample_weight", weight))
    adapted = case
    if not any(finding.severity == "error" for finding in findings):
        adapted, failures = _adapted(case)
        findings += failures
    if not any(finding.severity == "error" for finding in findings):
        for stage in _STAGES:
            findings += [finding for clause in stage for finding in clause(adapted)]
            if any(finding.severity == "error" for finding in findings):
                break
    safe = not any(
        f.code in ("NEB-C060", "NEB-C063") or (f.code == "NEB-C011" and subject.name == "CTCLoss") for f in findings
    )
    value = adapted.value() if safe else None
    return CheckReport(
        loss=subject.describe(),
        value=value if value is not None and math.isfinite(value) else None,
        findings=tuple(sorted(findings, key=lambda finding: _GRAVITY[finding.severity])),
    )


def _arguments(subject: Subject, prediction: Any, target: Any, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the call's arguments by name, in order."""
    wanted = subject.traits.arguments
    if subject.contract is not None:
        wanted = _wanted(subject.contract, extra)
    elif subject.traits.space == "unknown":
        parts = prediction if isinstance(prediction, (tuple, list)) and _tensors(prediction) else (prediction,)
        given = {"prediction" if i == 0 else f"prediction{i + 1}": part for i, part in enumerate(parts)}
        return {**given, **({} if target is None else {"target": target}), **extra}
    parts = prediction if isinstance(prediction, tuple) else (prediction,)
    first = [name for name in wanted if name != "target" and name not in extra][: len(parts)]
    given = {**dict(zip(first, parts, strict=False)), **({} if target is None else {"target": target}), **extra}
    missing = [name for name in wanted if name not in given]
    if missing or len(parts) > len(first) or set(given) - set(wanted):
        raise DataError(
            f"{subject.name}: expected {', '.join(f'`{name}`' for name in wanted)}, found "
            f"{', '.join(f'`{name}`' for name in given)}: pass a tuple as prediction, or tensors by name."
        )
    return {name: given[name] for name in wanted}


def _wanted(contract: Contract, extra: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the arguments of a registered loss, the optional ones if they are given."""
    needed = [given.name for given in contract.extra_inputs if given.required or given.name in extra]
    variance = ("var",) if contract.layout == "mean_and_variance" and "var" in extra else ()
    return ("prediction", "target", *variance, *needed)


def _tensors(parts: Any) -> bool:
    return bool(parts) and all(isinstance(part, Tensor) for part in parts)


def _tensor(name: str, value: Any) -> Tensor:
    try:
        tensor = value if isinstance(value, Tensor) else torch.as_tensor(value)
        ordinary = tensor.layout is torch.strided and not tensor.is_complex() and not tensor.is_quantized
        if not ordinary or tensor.is_meta:
            raise DataError(f"{name}: expected a dense tensor of real numbers, found {tensor.dtype}, {tensor.layout}.")
        return tensor.detach().cpu().clone()
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{name}: expected a tensor, found {type(value).__name__}: {first_line(error)}.") from None


def _learns(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def _adapted(case: Case) -> tuple[Case, list[Finding]]:
    """Run a criterion's own steps and its guard first: what the inner loss gets is what counts."""
    criterion = case.subject.criterion
    if criterion is None:
        return case, []
    try:
        with torch.no_grad():
            p, t = case.prediction, case.target
            p = p.float() if p.dtype in (torch.float16, torch.bfloat16) else p
            for step in criterion.prediction_steps:
                p = step(p, t)
            for step in criterion.target_steps:
                t = step(t, p)
            extra = {name: case.tensors[name] for name in criterion.extra_inputs if name in case.tensors}
            criterion(case.prediction.clone(), case.target.clone(), **extra)
    except Exception as error:
        message = f"the criterion of {case.name} expected the data that it was decided on, found something else."
        fix = "loss = nebula.build(nebula.select(target, prediction))  # decide on data such as these"
        return case, [found("NEB-C001", "error", message, f"{type(error).__name__}: {first_line(error)}", fix)]
    if case.name == "GaussianNLLLoss":
        mean, variance = p.unbind(-1)
        return case.with_tensors(prediction=mean, target=t, var=variance), []
    return case.with_tensors(prediction=p, target=t), []
