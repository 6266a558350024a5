"""One call of a loss, with what can be measured on it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from nebula.checking.report import Finding, Severity
from nebula.checking.subject import Subject

__all__ = ["Case", "attempt", "found", "number", "shape_of"]


@dataclass(frozen=True)
class Case:
    """A recognised loss with the tensors of one call, detached copies on the CPU.

    Attributes:
        subject: The loss.
        tensors: By the names of the traits' arguments.
        prediction_learns: The user's prediction was part of a graph.
        target_learns: The user's target was part of a graph.
    """

    subject: Subject
    tensors: Mapping[str, Tensor]
    prediction_learns: bool = False
    target_learns: bool = False

    @property
    def prediction(self) -> Tensor:
        """The first argument."""
        return self.tensors["prediction"]

    @property
    def target(self) -> Tensor:
        """The target; of a loss without one, the prediction."""
        return self.tensors.get("target", self.tensors["prediction"])

    @property
    def name(self) -> str:
        """Name of the loss."""
        return self.subject.name

    def with_tensors(self, **changed: Tensor) -> Case:
        """Return the case with other tensors."""
        return replace(self, tensors={**self.tensors, **changed})

    def value(self, **changed: Tensor) -> float | None:
        """Return the loss of this batch with some tensors changed; None when the call fails."""
        return attempt(lambda: self.subject.call({**self.tensors, **changed}))

    @cached_property
    def outcome(self) -> tuple[Tensor | None, Tensor | None, str]:
        """The loss, its gradient with respect to the prediction, and why the call fails (else empty)."""
        tensors = {name: tensor.clone() for name, tensor in self.tensors.items()}
        learns = tensors["prediction"].is_floating_point()
        tensors["prediction"].requires_grad_(learns)
        try:
            with warnings.catch_warnings(), torch.enable_grad():
                warnings.simplefilter("ignore")
                result = self.subject.call(tensors)
                if not isinstance(result, Tensor):
                    return None, None, f"it returns {type(result).__name__}, not a tensor"
                if learns and result.requires_grad:
                    torch.autograd.backward(result.sum())
        except Exception as error:  # a loss of the user may raise anything, and that it does is the finding
            return None, None, f"{type(error).__name__}: {first_line(error)}"
        return result.detach(), tensors["prediction"].grad, ""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, shortened."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def attempt(compute: Callable[[], Any]) -> float | None:
    """Return a loss as one number, its mean over elements, or None when it cannot be computed."""
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            return float(compute().double().mean())
    except Exception:  # a loss of the user may raise anything
        return None


def number(value: float | None) -> str:
    """Write a measured number for a sentence."""
    if value is None:
        return "no number (the call fails)"
    return f"{value:.4g}" if math.isfinite(value) else str(value)


def shape_of(tensor: Tensor) -> str:
    """Write a shape for a sentence."""
    return str(tuple(tensor.shape))


def found(code: str, severity: Severity, message: str, consequence: str, fix: str) -> Finding:
    """Make a finding."""
    return Finding(code=code, severity=severity, message=message, consequence=consequence, fix=fix)
