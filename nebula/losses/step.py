"""What every adapt step is: a small module with checked parameters."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

from torch import Tensor, nn

from nebula.losses.registry import LossParams

__all__ = ["NoParams", "Step"]


class NoParams(LossParams):
    """A step with nothing to set."""


P = TypeVar("P", bound=LossParams)


class Step(nn.Module, Generic[P]):
    """One declared change of the prediction or the target.

    A step never waits for the device, and its output's shape follows from its inputs' shapes alone.
    What it holds in buffers moves with `.to(device)` and is no part of a state dict.

    Attributes:
        Params: Model of its parameters.
        params: Their values.
    """

    Params: ClassVar[type[LossParams]] = NoParams
    params: P

    def __init__(self, **params: Any) -> None:
        super().__init__()
        self.params = self.Params.model_validate(params)  # type: ignore[assignment]

    def forward(self, value: Tensor, other: Tensor) -> Tensor:
        """Return the changed argument.

        Args:
            value: The argument that the step is on.
            other: The other argument as it stands: predictions are changed before targets.
        """
        raise NotImplementedError

    def extra_repr(self) -> str:
        """Name the parameters."""
        return ", ".join(f"{name}={value!r}" for name, value in self.params.model_dump(by_alias=True).items())
