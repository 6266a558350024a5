"""The shape checks before every loss: nothing is ever broadcast.

They read shapes and dtypes only, so they cost about a microsecond and never wait for the device.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from nebula.errors import ContractError
from nebula.losses.contract import Contract

__all__ = ["Guard", "guard_for"]

Guard = Callable[[str, Tensor, Tensor], None]

# torch also indexes by uint8
_INDEX_DTYPES = frozenset((torch.int64, torch.uint8))


def guard_for(contracts: tuple[Contract, ...]) -> Guard:
    """Return the check for a loss with these contracts."""
    layouts = {contract.layout for contract in contracts}
    if layouts == {"class_axis", "same"}:
        return guard_classes
    if layouts == {"parameters"}:
        return partial(guard_parameters, contracts[0].parameters)
    return _GUARDS[contracts[0].layout]


def guard_same(loss: str, prediction: Tensor, target: Tensor) -> None:
    """Require equal shapes and a floating target.

    Raises:
        ContractError: The shapes differ, or the target is not floating.
    """
    if prediction.shape != target.shape:
        raise ContractError(
            f"{loss}: expected a prediction and a target of one shape, found {_both(prediction, target)}: "
            "give one output per target value; torch would broadcast, which averages over the wrong pairs."
        )
    if not target.is_floating_point():
        raise _not_floating(loss, target)


def guard_index(loss: str, prediction: Tensor, target: Tensor) -> None:
    """Require logits (N, C, …), C >= 2, against indices (N, …).

    Raises:
        ContractError: The shapes do not fit, or the target is not an index type.
    """
    shape = prediction.shape
    if prediction.ndim != target.ndim + 1 or prediction.ndim < 2 or (shape[0], *shape[2:]) != target.shape:
        raise ContractError(
            f"{loss}: expected a prediction (N, C, …) against labels (N, …), found {_both(prediction, target)}: "
            "give one output per class on axis 1."
        )
    if shape[1] < 2:
        raise ContractError(
            f"{loss}: expected at least 2 outputs on axis 1, found prediction {tuple(shape)}: a softmax over one "
            "column is constant; give one output per class, or use BCEWithLogitsLoss."
        )
    if target.dtype not in _INDEX_DTYPES:
        raise ContractError(f"{loss}: expected labels of dtype int64, found {target.dtype}: call `target.long()`.")


def guard_classes(loss: str, prediction: Tensor, target: Tensor) -> None:
    """Require indices, or probabilities of the prediction's shape: the target's dtype tells which.

    Raises:
        ContractError: Neither fits. torch would read a floating vector (N,) as one row of N probabilities.
    """
    if not target.is_floating_point():
        guard_index(loss, prediction, target)
    elif prediction.shape != target.shape or prediction.ndim < 2 or prediction.shape[1] < 2:
        raise ContractError(
            f"{loss}: expected labels of dtype int64, or class probabilities of the prediction's shape (N, C >= 2, …), "
            f"found {target.dtype} and {_both(prediction, target)}: call `target.long()` if these are labels."
        )


def guard_mean_and_variance(loss: str, prediction: Tensor, target: Tensor) -> None:
    """Require predictions (…, 2) against floating targets (…).

    Raises:
        ContractError: The shapes do not fit, or the target is not floating.
    """
    if prediction.shape != (*target.shape, 2):
        raise ContractError(
            f"{loss}: expected a prediction (N, …, 2), a mean and a variance, against a target (N, …), "
            f"found {_both(prediction, target)}: give the last layer two outputs per value."
        )
    if not target.is_floating_point():
        raise _not_floating(loss, target)


def guard_parameters(parameters: tuple[str, ...], loss: str, prediction: Tensor, target: Tensor) -> None:
    """Require predictions (…, K) against floating targets (…).

    Raises:
        ContractError: The shapes do not fit, or the target is not floating.
    """
    if prediction.shape != (*target.shape, len(parameters)):
        raise ContractError(
            f"{loss}: expected a prediction (N, …, {len(parameters)}), {', '.join(parameters)}, against a target "
            f"(N, …), found {_both(prediction, target)}: give the last layer {len(parameters)} outputs per value."
        )
    if not target.is_floating_point():
        raise _not_floating(loss, target)


def guard_thresholds(loss: str, prediction: Tensor, target: Tensor) -> None:
    """Require threshold logits (N, K - 1, …) against levels (N, …).

    Raises:
        ContractError: The shapes do not fit, or the target is not an index type.
    """
    shape = prediction.shape
    if prediction.ndim != target.ndim + 1 or prediction.ndim < 2 or (shape[0], *shape[2:]) != target.shape:
        raise ContractError(
            f"{loss}: expected a prediction (N, K - 1, …) against levels (N, …), found {_both(prediction, target)}: "
            "give one output per threshold between neighbouring levels on axis 1."
        )
    if target.dtype not in _INDEX_DTYPES:
        raise ContractError(f"{loss}: expected levels of dtype int64, found {target.dtype}: call `target.long()`.")


def guard_time_and_event(loss: str, prediction: Tensor, target: Tensor) -> None:
    """Require floating targets (N, 2) and predictions of as many rows.

    Raises:
        ContractError: The shapes do not fit, or the target is not floating.
    """
    if target.ndim != 2 or target.shape[1] != 2 or prediction.ndim < 1 or prediction.shape[0] != target.shape[0]:
        raise ContractError(
            f"{loss}: expected a prediction (N, …) against targets (N, 2), time and event, "
            f"found {_both(prediction, target)}: torch.stack((time, event), dim=1)."
        )
    if not target.is_floating_point():
        raise _not_floating(loss, target)


def leave_to_the_loss(loss: str, prediction: Tensor, target: Tensor) -> None:
    """Check nothing: a loss of the layouts `levels` and `free` checks its own shapes."""


_GUARDS: dict[str, Guard] = {
    "same": guard_same,
    "class_axis": guard_index,
    "mean_and_variance": guard_mean_and_variance,
    "thresholds": guard_thresholds,
    "time_and_event": guard_time_and_event,
    "levels": leave_to_the_loss,
    "free": leave_to_the_loss,
}


def _both(prediction: Tensor, target: Tensor) -> str:
    return f"prediction {tuple(prediction.shape)} against target {tuple(target.shape)}"


def _not_floating(loss: str, target: Tensor) -> ContractError:
    return ContractError(f"{loss}: expected a floating target, found {target.dtype}: call `target.float()`.")
