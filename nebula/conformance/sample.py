"""Valid inputs for a loss, drawn from its contract alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nebula.conformance.prediction import draw_prediction
from nebula.conformance.target import draw_extra, draw_target
from nebula.losses.axes import Axes
from nebula.losses.contract import Contract

__all__ = ["ROWS", "Sample", "draw"]

ROWS = 6
_SIZES = {"C": 4, "D": 5, "K": 3, "Q": 3, "T": 9, "S": 3}
_OTHER = 3
_DENSE = 3


@dataclass(frozen=True)
class Sample:
    """Inputs of one call of a criterion.

    Attributes:
        contract: What they were drawn from.
        prediction: The model's raw output.
        target: The targets.
        extra: Extra inputs by name.
    """

    contract: Contract
    prediction: Tensor
    target: Tensor
    extra: Mapping[str, Tensor]

    def with_prediction(self, prediction: Tensor) -> Sample:
        """Return the sample with another prediction."""
        return replace(self, prediction=prediction)

    def requiring_grad(self) -> Sample:
        """Return the sample with a prediction that collects its gradient."""
        return self.with_prediction(self.prediction.detach().clone().requires_grad_())

    def take(self, rows: Tensor) -> Sample:
        """Return these rows, in this order; what has no axis of rows stays as it is."""
        first, second = self.contract.shapes
        return replace(
            self,
            prediction=_take(self.prediction, first, rows),
            target=_take(self.target, second, rows),
            extra={name: _take(value, self._axes(name), rows) for name, value in self.extra.items()},
        )

    def to(self, where: torch.device | str) -> Sample:
        """Return the sample on another device."""
        return replace(
            self,
            prediction=self.prediction.to(where),
            target=self.target.to(where),
            extra={name: value.to(where) for name, value in self.extra.items()},
        )

    def _axes(self, name: str) -> Axes:
        return next(given.axes for given in self.contract.extra_inputs if given.name == name)


def draw(
    contract: Contract,
    params: Mapping[str, Any],
    *,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    rows: int | None = None,
    dense: bool = False,
) -> Sample:
    """Draw valid inputs.

    Args:
        contract: What they must keep to.
        params: The loss's parameters, defaults filled in; `levels` gives the size of axis Q.
        seed: The same seed gives the same sample.
        dtype: Element type of what is floating.
        rows: Size of axis N.
        dense: Let an ellipsis stand for one axis more, as in a map of pixels.
    """
    rng = np.random.default_rng(seed)
    sizes = {**_SIZES, "N": ROWS if rows is None else rows}
    if contract.parameters:
        sizes["K"] = len(contract.parameters)
    if "levels" in params:
        sizes["Q"] = len(params["levels"])
    dense = dense or contract.min_axes > 2
    first, second = (_shape(axes, sizes, contract, dense=dense) for axes in contract.shapes)
    if contract.layout == "levels" and sizes["Q"] == 1:
        first = second  # a single level is a plain prediction
    return Sample(
        contract=contract,
        prediction=_tensor(draw_prediction(contract, first, rng), dtype),
        target=_tensor(draw_target(contract, first, second, rng), dtype),
        extra={
            given.name: _tensor(draw_extra(given, _shape(given.axes, sizes, contract, dense=dense), sizes, rng), dtype)
            for given in contract.extra_inputs
        },
    )


def _shape(axes: Axes, sizes: Mapping[str, int], contract: Contract, *, dense: bool) -> tuple[int, ...]:
    shape: list[int] = []
    for name in axes:
        if name == "…":
            # equal shapes need an axis for columns or classes; other layouts name theirs
            columns = [sizes["C"]] if contract.layout == "same" else []
            wanted = contract.min_axes - len(contract.shapes[0]) + 1 - len(columns)
            shape += [*columns, *[_DENSE] * (max(wanted, 0) + dense)]
        else:
            shape.append(int(name) if name.isdigit() else sizes.get(name, _OTHER))
    return tuple(shape)


def _tensor(array: Any, dtype: torch.dtype) -> Tensor:
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _take(value: Tensor, axes: Axes, rows: Tensor) -> Tensor:
    return value.index_select(axes.index("N"), rows) if "N" in axes else value
