"""A built loss and what it serves, without a decision around it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from nebula.losses.adaptation import entry_of
from nebula.losses.criterion import Criterion
from nebula.losses.factory import build_criterion
from nebula.losses.spec import AdaptStep, Functional, LossSpec, Serve


def served(
    loss: str,
    functional: Functional,
    raw: Any,
    level: float | None = None,
    adapt: tuple[AdaptStep, ...] = (),
    **params: Any,
) -> np.ndarray:
    serve = Serve(functional=functional, quantile=level)
    criterion = build_criterion(LossSpec(loss=loss, params=params, adapt=adapt, serve=serve))
    return criterion.predict(torch.as_tensor(raw, dtype=torch.float64)).numpy()


def criterion_of(loss: str, **params: Any) -> Criterion:
    serve = Serve(functional=(*entry_of(loss).serves, "mean")[0])
    return build_criterion(LossSpec(loss=loss, params=params, serve=serve))


def element_losses(loss: str, raw: Any, target: Any, dtype: torch.dtype = torch.float64, **params: Any) -> np.ndarray:
    criterion = criterion_of(loss, **params, reduction="none")
    with torch.no_grad():
        return criterion(torch.as_tensor(raw, dtype=dtype), torch.as_tensor(target, dtype=dtype)).double().numpy()


def softplus(raw: Any) -> np.ndarray:
    return np.logaddexp(0, raw)
