"""What a property is: a sentence that must hold for a loss, and the check that tries to break it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nebula.conformance.subject import Subject

__all__ = ["Nonconformity", "Property", "expect", "expect_close", "expect_finite"]


class Nonconformity(AssertionError):  # noqa: N818 - reads as the finding it is
    """A loss breaks a property; an assertion, so that test runners report it as a failure."""


def always(_subject: Subject) -> bool:
    """Let a property be checked for every loss."""
    return True


@dataclass(frozen=True)
class Property:
    """One sentence about losses.

    Attributes:
        name: Short name in snake case, unique in the suite.
        sentence: What holds.
        check: Tries to break it.
        applies: Whether the contract promises it at all.
    """

    name: str
    sentence: str
    check: Callable[[Subject], None]
    applies: Callable[[Subject], bool] = always


def expect(condition: bool, expected: str, found: object) -> None:
    """Require a condition.

    Raises:
        Nonconformity: It does not hold.
    """
    if not condition:
        raise Nonconformity(f"expected {expected}, found {found}.")


def expect_close(found: Tensor, wanted: Tensor, what: str, *, rtol: float = 1e-6, atol: float = 1e-9) -> None:
    """Require two tensors of one shape to agree.

    Raises:
        Nonconformity: A shape or a value differs.
    """
    expect(found.shape == wanted.shape, f"{what} of shape {tuple(wanted.shape)}", tuple(found.shape))
    agree = torch.allclose(found.double(), wanted.double(), rtol=rtol, atol=atol, equal_nan=True)
    expect(agree, f"{what} to be {_shown(wanted)}", _shown(found))


def expect_finite(value: Tensor | None, what: str) -> None:
    """Require a tensor without NaN or infinity.

    Raises:
        Nonconformity: There is none, or it holds one.
    """
    if value is None:
        raise Nonconformity(f"expected {what}, found none: it is not connected to the prediction.")
    expect(bool(value.isfinite().all()), f"{what} to be finite", _shown(value))


def _shown(value: Tensor) -> str:
    flat = value.detach().flatten()[:8].tolist()
    return ", ".join(f"{number:.8g}" for number in flat) + (", …" if value.numel() > 8 else "")
