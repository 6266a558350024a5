"""From a target and a prediction to a criterion, as a decision would go."""

from __future__ import annotations

from typing import Any

from nebula.losses.adaptation import entry_of, plan_adaptation
from nebula.losses.criterion import Criterion
from nebula.losses.factory import build_criterion
from nebula.losses.spec import AdaptStep, LossSpec, Serve
from nebula.profiling.profiler import profile


def plan(
    loss: str, target: Any, prediction: Any, link: Any = None, hints: Any = None, **params: Any
) -> tuple[AdaptStep, ...]:
    facts = profile(target, prediction, hints=hints)
    return plan_adaptation(loss, params, link or entry_of(loss).native_link, facts)


def build(loss: str, steps: tuple[AdaptStep, ...], **params: Any) -> Criterion:
    serves = entry_of(loss).serves
    serve = Serve(functional=serves[0] if serves else "mean")
    return build_criterion(LossSpec(loss=loss, params=params, adapt=steps, serve=serve))
