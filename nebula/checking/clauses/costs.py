"""Costs of decisions: NEB-C087."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from nebula.checking.case import Case, found, number, shape_of
from nebula.checking.report import Finding

__all__ = ["check_costs"]


def check_costs(case: Case) -> Iterator[Finding]:
    """Find costs that do not fit the outputs or make a wrong answer the cheapest, and negative task losses."""
    costs = case.subject.option("costs")
    if case.subject.contract is not None and isinstance(costs, Tensor) and case.prediction.ndim > 1:
        yield from _table(case, costs)
    task_loss = case.tensors.get("task_loss")
    if task_loss is not None and bool((task_loss < 0).any()):
        yield found(
            "NEB-C087",
            "error",
            f"expected task losses of 0 or more, found {number(float(task_loss.min()))}.",
            f"a wrong answer is let off before it is beaten; the loss is {number(case.value())}.",
            "task_loss = task_loss.clamp_min(0)",
        )


def _table(case: Case, costs: Tensor) -> Iterator[Finding]:
    outputs = case.prediction.shape[1]
    if len(costs) != outputs:
        yield found(
            "NEB-C087",
            "error",
            f"expected a row and a column of costs per output, {outputs}, found {shape_of(costs)}.",
            f"the call fails: {case.outcome[2]}.",
            f"costs = [[float(i != j) for j in range({outputs})] for i in range({outputs})]  # then your own numbers",
        )
        return
    dearer = costs.diagonal().unsqueeze(1) > costs
    if not bool(dearer.any()):
        return
    row, column = torch.nonzero(dearer)[0].tolist()
    yield found(
        "NEB-C087",
        "error",
        f"expected the right answer to cost least, found {number(float(costs[row, column]))} for deciding {column} "
        f"when it is {row}, and {number(float(costs[row, row]))} for deciding {row}.",
        "the model learns the cheaper wrong answer: rows are the true class, columns the decision.",
        "costs = [[max(cost - row[i], 0.0) for cost in row] for i, row in enumerate(costs)]",
    )
