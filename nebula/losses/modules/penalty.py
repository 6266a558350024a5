"""Penalties on the size of a model's weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from nebula.errors import ContractError
from nebula.losses.spec import Penalty

__all__ = ["penalise", "penalised"]


def penalised(model: nn.Module, penalty: Penalty) -> dict[str, nn.Parameter]:
    """Return the parameters that a penalty is on, by name.

    Biases and the scales of normalisations have at most one axis; they are left out unless
    `biases_and_norms` is set. Frozen parameters are left out always.

    Raises:
        ContractError: No parameter is left, or a pattern of `include` matches none.
    """
    named = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    for pattern in penalty.include:
        if not any(fnmatchcase(name, pattern) for name in named):
            raise ContractError(
                f"penalty {penalty.kind}: expected `{pattern}` to match a trainable parameter, found none: "
                f"the model has {_some(named)}."
            )
    chosen = {name: named[name] for name in _chosen(named, penalty)}
    if not chosen:
        raise ContractError(
            f"penalty {penalty.kind}: expected parameters to penalise, found none among {_some(named)}: "
            "widen `include`, or set `biases_and_norms`."
        )
    return chosen


def _chosen(named: dict[str, nn.Parameter], penalty: Penalty) -> Iterator[str]:
    for name, parameter in named.items():
        included = not penalty.include or any(fnmatchcase(name, pattern) for pattern in penalty.include)
        excluded = any(fnmatchcase(name, pattern) for pattern in penalty.exclude)
        if included and not excluded and (parameter.ndim > 1 or penalty.biases_and_norms):
            yield name


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:8]) + (", …" if len(listed) > 8 else "") if listed else "no trainable parameter"


def penalise(parameters: Iterable[Tensor], penalty: Penalty) -> Tensor:
    """Return strength × [share Σ|θ| + (1 - share) Σθ² / 2] (Zou and Hastie 2005, in glmnet's form).

    Args:
        parameters: What is penalised; at least one.
        penalty: Kind and strength.
    """
    share = {"l1": 1.0, "l2": 0.0}.get(penalty.kind, penalty.l1_share)
    parts = []
    for parameter in parameters:
        if share > 0:
            parts.append(share * parameter.abs().sum())
        if share < 1:
            parts.append((1 - share) * 0.5 * parameter.square().sum())
    return penalty.strength * torch.stack(parts).sum()
