"""The shortest way from a call to torch's loss, where a decision needs no step in between.

A criterion that adapts nothing could be torch's loss itself, were it not for what torch lets pass:
shapes that broadcast, a softmax over one column, half precision. What is left of the checks here is what
torch does not refuse by itself. Whatever is unusual takes the criterion's own `forward`, and so do
tensors and modes that want to see torch's functions called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.compiler import is_compiling
from torch.overrides import has_torch_function_variadic

from nebula.losses.contract import Contract
from nebula.losses.kernels import Kernel
from nebula.losses.spec import AdaptStep

__all__ = ["DirectCall", "DirectClasses", "DirectColumn", "DirectValues", "Watch", "direct_kind"]

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

    def __init__(self, owner: nn.Module, plain: Kernel, watch: Watch | None = None) -> None:
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
        if (
            prediction.dtype is _FLOAT32
            and prediction.ndim > 1
            and prediction.size(1) > 1
            and not rest
            and not inputs
            and not has_torch_function_variadic(prediction, target)
        ):
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
        if (
            prediction.dtype is _FLOAT32
            and target.dtype is _FLOAT32
            and prediction.shape == target.shape
            and not rest
            and not inputs
            and not has_torch_function_variadic(prediction, target)
            and self._is_kept(target)
        ):
            return self.plain(prediction, target)
        return self._general(prediction, target, rest, inputs)

    def _is_kept(self, target: Tensor) -> bool:
        """Show the target to the watch, if there is one; False where its owner is to do so."""
        watch = self.watch
        if watch is None or is_compiling():
            return True
        kept = watch.kept
        if 0 < len(kept) < watch.limit and not target.is_inference():
            kept.append((target, target._version))  # noqa: SLF001 - torch's own count of writes
            return True
        return False


class DirectColumn(DirectValues):
    """The same where predictions are columns: (N, …, 1) against targets (N, …)."""

    __slots__ = ()

    def forward(self, prediction: Tensor, target: Tensor, *rest: Any, **inputs: Any) -> Tensor:
        """Return the loss of float32 tensors, the target as a column."""
        if (
            prediction.dtype is _FLOAT32
            and target.dtype is _FLOAT32
            and not rest
            and not inputs
            and not has_torch_function_variadic(prediction, target)
        ):
            column = target.unsqueeze(-1)
            if column.shape == prediction.shape and self._is_kept(target):
                return self.plain(prediction, column)
        return self._general(prediction, target, rest, inputs)


def direct_kind(
    loss: nn.Module, contracts: Sequence[Contract], steps: Sequence[AdaptStep] = ()
) -> type[DirectCall] | None:
    """Return the shortest way for a loss; None where there is none.

    Args:
        loss: The built loss.
        contracts: Its contracts under its parameters.
        steps: The adapt steps. A cast of the target to the prediction's dtype is none where both are float32.
    """
    if any(contract.extra_inputs for contract in contracts):
        return None
    names = [step.step for step in steps if step.step != "to_prediction_dtype"]
    if isinstance(loss, nn.CrossEntropyLoss):
        return None if steps else DirectClasses
    if any(contract.layout != "same" for contract in contracts):
        return None
    return {(): DirectValues, ("unsqueeze_last",): DirectColumn}.get(tuple(names))
