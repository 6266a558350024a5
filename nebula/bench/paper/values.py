"""The paper's experiment as it is described: values of several losses on random predictions.

The paper's text: synthetic classification data of `num_samples` samples and `num_classes` classes,
synthetic regression data, loss values of Nebula, L1Loss, MSELoss and CrossEntropyLoss, and a plot
that compares them. Its code is not printed; sizes and distributions here are ours.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from nebula.bench.paper.report import Values
from nebula.selection import build, select

__all__ = ["compare_values"]

_SAMPLES, _CLASSES = 1000, 10


def compare_values(draws: int = 10) -> tuple[Values, ...]:
    """Compute every loss on the same random predictions and targets; nothing is trained.

    Args:
        draws: Repetitions, seeds 0 to draws - 1.

    Returns:
        Values for classification, then for regression.
    """
    return _values("classification", _classification, draws), _values("regression", _regression, draws)


def _values(task: str, draw: Callable[[int], dict[str, float]], draws: int) -> Values:
    rows = [draw(seed) for seed in range(draws)]
    return Values(task=task, values={name: tuple(row[name] for row in rows) for name in rows[0]})


def _classification(seed: int) -> dict[str, float]:
    """Random logits; L1 and squared errors are taken to the one-hot labels, which is the usual reading."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(_SAMPLES, _CLASSES, generator=generator)
    labels = torch.randint(_CLASSES, (_SAMPLES,), generator=generator)
    one_hot = nn.functional.one_hot(labels, _CLASSES).float()
    return _named(_chosen(logits, labels), logits, one_hot) | {
        "CrossEntropyLoss": _six(nn.CrossEntropyLoss()(logits, labels))
    }


def _regression(seed: int) -> dict[str, float]:
    """Random numbers; torch's CrossEntropyLoss reads the vector of targets as one row of class probabilities."""
    generator = torch.Generator().manual_seed(seed)
    predicted, target = torch.randn(2, _SAMPLES, generator=generator)
    cross_entropy = _six(nn.CrossEntropyLoss()(predicted, target))
    return _named(_chosen(predicted, target), predicted, target) | {"CrossEntropyLoss": cross_entropy}


def _named(nebula: Tensor, predicted: Tensor, target: Tensor) -> dict[str, float]:
    return {
        "nebula": _six(nebula),
        "L1Loss": _six(nn.L1Loss()(predicted, target)),
        "MSELoss": _six(nn.MSELoss()(predicted, target)),
    }


def _chosen(predicted: Tensor, target: Tensor) -> Tensor:
    loss: Tensor = build(select(target, predicted))(predicted, target)
    return loss


def _six(value: Tensor) -> float:
    return float(f"{value.item():.6g}")
