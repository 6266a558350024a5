"""The shortest way from a call to torch's loss, where a decision needs no step in between.

A criterion that adapts nothing could be torch's loss itself, were it not for what torch lets pass:
shapes that broadcast, a softmax over one column, half precision. What is left of the checks here is what
torch does not refuse by itself; whatever is unusual takes the criterion's own `forward`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.compiler import is_compiling
from torch.nn import functional

from nebula.losses.contract import Contract

__all__ = ["DirectCall", "DirectClasses", "DirectValues", "Watch", "direct_kind", "plain_call"]

_FLOAT32 = torch.float32
_REFUSED = (RuntimeError, ValueError, IndexError)


class Watch(Protocol):
    """Something that keeps a reference to the targets of every call, and looks at them now and then.

    Attributes:
        kept: Targets with torch's count of writes to them, since the last look.
        limit: How many are kept before the next look.
    """

    kept: list[tuple[Tensor, int]]
    limit: int


class DirectCall:
    """The `forward` of one module, set on the instance.

    Args:
        owner: The module; its class's `forward` takes every call that is unusual.
        plain: The loss on a prediction and a target.
        watch: Is shown the targets, outside `torch.compile`; its owner's `forward` makes it look.
    """

    __slots__ = ("owner", "plain", "watch")

    def __init__(self, owner: nn.Module, plain: Callable[..., Tensor], watch: Watch | None = None) -> None:
        self.owner, self.plain, self.watch = owner, plain, watch

    def _general(self, prediction: Tensor, target: Tensor, rest: tuple[Any, ...], inputs: dict[str, Any]) -> Tensor:
        loss: Tensor = type(self.owner).forward(self.owner, prediction, target, *rest, **inputs)
        return loss

    def forward(self, prediction: Tensor, target: Tensor, *rest: Any, **inputs: Any) -> Tensor:
        """Return what the owner's own `forward` would, sooner."""
        return self._general(prediction, target, rest, inputs)


class DirectClasses(DirectCall):
    """Cross-entropy: torch checks labels and shapes, but takes a single column and half precision."""

    __slots__ = ()

    def forward(self, prediction: Tensor, target: Tensor, *rest: Any, **inputs: Any) -> Tensor:
        """Return the loss of logits (N, C >= 2, …) in float32."""
        usual = prediction.dtype is _FLOAT32 and prediction.ndim > 1 and prediction.size(1) > 1
        if usual and not rest and not inputs:
            watch = self.watch
            if watch is None or is_compiling():
                return self._told(prediction, target)
            kept = watch.kept
            if 0 < len(kept) < watch.limit:
                try:
                    kept.append((target, target._version))  # noqa: SLF001 - torch's own count of writes
                    return self.plain(prediction, target)
                except _REFUSED:
                    pass
        return self._general(prediction, target, rest, inputs)

    def _told(self, prediction: Tensor, target: Tensor) -> Tensor:
        try:
            return self.plain(prediction, target)
        except _REFUSED:
            return self._general(prediction, target, (), {})


class DirectValues(DirectCall):
    """Losses of two float32 tensors of one shape, which torch would broadcast if they were not."""

    __slots__ = ()

    def forward(self, prediction: Tensor, target: Tensor, *rest: Any, **inputs: Any) -> Tensor:
        """Return the loss of float32 tensors of one shape."""
        usual = prediction.dtype is _FLOAT32 and target.dtype is _FLOAT32 and prediction.shape == target.shape
        if usual and not rest and not inputs:
            watch = self.watch
            if watch is None or is_compiling():
                return self.plain(prediction, target)
            kept = watch.kept
            if 0 < len(kept) < watch.limit and not target.is_inference():
                kept.append((target, target._version))  # noqa: SLF001 - torch's own count of writes
                return self.plain(prediction, target)
        return self._general(prediction, target, rest, inputs)


def direct_kind(loss: nn.Module, contracts: Sequence[Contract]) -> type[DirectCall] | None:
    """Return the shortest way for a loss without steps; None where there is none.

    Args:
        loss: The built loss.
        contracts: Its contracts under its parameters.
    """
    if any(contract.extra_inputs for contract in contracts):
        return None
    if isinstance(loss, nn.CrossEntropyLoss):
        return DirectClasses
    return DirectValues if all(contract.layout == "same" for contract in contracts) else None


def plain_call(loss: nn.Module) -> Callable[..., Tensor]:
    """Return the loss as a function: what its `forward` does, without looking up what never changes."""
    if isinstance(loss, nn.CrossEntropyLoss) and loss.weight is None:
        return partial(
            functional.cross_entropy,
            ignore_index=loss.ignore_index,
            reduction=loss.reduction,
            label_smoothing=loss.label_smoothing,
        )
    return loss.forward
