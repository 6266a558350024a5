"""Derivatives: those of autograd are those of finite differences."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck

from nebula.conformance.property import Nonconformity, Property, expect
from nebula.conformance.sample import Sample
from nebula.conformance.subject import Subject

__all__ = ["PROPERTIES"]


def _function(subject: Subject) -> tuple[Callable[[Tensor], Tensor], Sample]:
    sample, criterion = subject.sample(6).requiring_grad(), subject.criterion()

    def loss(prediction: Tensor) -> Tensor:
        value: Tensor = criterion(prediction, sample.target, **sample.extra)
        return value

    return loss, sample


def _first(subject: Subject) -> None:
    loss, sample = _function(subject)
    try:
        gradcheck(loss, (sample.prediction,))
    except GradcheckError as error:
        raise Nonconformity(f"expected the gradient of finite differences, found another: {error}") from error


def _second(subject: Subject) -> None:
    loss, sample = _function(subject)
    (slope,) = torch.autograd.grad(loss(sample.prediction), sample.prediction, create_graph=True)
    if not slope.requires_grad:
        return  # piecewise linear: the second derivative is 0 everywhere, and no graph holds it
    try:
        gradgradcheck(loss, (sample.prediction,))
    except GradcheckError as error:
        raise Nonconformity(f"expected the second derivative of finite differences, found another: {error}") from error


def _moves(subject: Subject) -> None:
    loss, sample = _function(subject)
    (slope,) = torch.autograd.grad(loss(sample.prediction), sample.prediction)
    expect(bool((slope != 0).any()), "a gradient that is not 0 everywhere", "0")


PROPERTIES = (
    Property("gradient", "The gradient is that of finite differences, in float64.", _first),
    Property(
        "second_derivative",
        "The second derivative is that of finite differences, in float64.",
        _second,
        lambda subject: subject.contract.twice_differentiable,
    ),
    Property("gradient_moves", "The prediction is pulled somewhere.", _moves),
)
