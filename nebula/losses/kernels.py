"""torch's own kernels behind its loss modules, with all that never changes looked up once.

A module's `forward` asks for old options, warns of shapes that broadcast, and names its reduction anew on
every call. Where the shapes are known to be equal none of this has an effect, and the kernel is what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from nebula.losses.modules.weighted import WeightedBCEWithLogits, WeightedCrossEntropy

__all__ = ["Kernel", "kernel_of"]

Kernel = Callable[[Tensor, Tensor], Tensor]

_NN: Any = torch._C._nn  # noqa: SLF001 - where torch.nn.functional finds them too
_REDUCTIONS = {"none": 0, "mean": 1, "sum": 2}


def _cross_entropy(loss: Any, reduction: int) -> Kernel:
    kernel, ignored, smoothing = _NN.cross_entropy_loss, loss.ignore_index, loss.label_smoothing
    return lambda prediction, target: kernel(prediction, target, None, reduction, ignored, smoothing)


def _bce_with_logits(_loss: Any, reduction: int) -> Kernel:
    kernel = torch.binary_cross_entropy_with_logits
    return lambda prediction, target: kernel(prediction, target, None, None, reduction)


def _mse(_loss: Any, reduction: int) -> Kernel:
    kernel = _NN.mse_loss
    return lambda prediction, target: kernel(prediction, target, reduction)


def _l1(_loss: Any, reduction: int) -> Kernel:
    kernel = _NN.l1_loss
    return lambda prediction, target: kernel(prediction, target, reduction)


def _smooth_l1(loss: Any, reduction: int) -> Kernel:
    if not loss.beta:
        return _l1(loss, reduction)
    kernel, beta = _NN.smooth_l1_loss, loss.beta
    return lambda prediction, target: kernel(prediction, target, reduction, beta)


def _huber(loss: Any, reduction: int) -> Kernel:
    kernel, delta = _NN.huber_loss, loss.delta
    return lambda prediction, target: kernel(prediction, target, reduction, delta)


def _poisson(loss: Any, reduction: int) -> Kernel:
    kernel, log_input, full, eps = torch.poisson_nll_loss, loss.log_input, loss.full, loss.eps
    return lambda prediction, target: kernel(prediction, target, log_input, full, eps, reduction)


_KERNELS: dict[type[nn.Module], Callable[[Any, int], Kernel]] = {
    WeightedCrossEntropy: _cross_entropy,
    WeightedBCEWithLogits: _bce_with_logits,
    nn.MSELoss: _mse,
    nn.L1Loss: _l1,
    nn.SmoothL1Loss: _smooth_l1,
    nn.HuberLoss: _huber,
    nn.PoissonNLLLoss: _poisson,
}


def kernel_of(loss: nn.Module) -> Kernel:
    """Return the loss as a function of a prediction and a target whose shapes were checked.

    Args:
        loss: A built loss. Its options are read now; weights, which move with the module, are not.

    Returns:
        torch's kernel with the loss's options, or the loss's own `forward` where there is no such kernel.
    """
    make = _KERNELS.get(type(loss))
    if make is None or any(True for _ in loss.buffers()):
        return loss.forward
    return make(loss, _REDUCTIONS[loss.reduction])  # type: ignore[index]  # a string attribute of every loss
