"""The metrics against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nebula.demo.metrics import find_metric
from nebula.errors import HintError

BINARY = (np.array([1, 0]), np.array([[0.8], [0.4]], np.float32))
CLASSES = (np.array([0, 2]), np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], np.float32))

BY_HAND = [
    ("log_loss", *BINARY, -(math.log(0.8) + math.log(0.6)) / 2),
    ("log_loss", *CLASSES, -(math.log(0.5) + math.log(0.8)) / 2),
    ("brier", np.array([0.5, 0.25]), np.array([[0.25], [0.25]]), 0.03125),
    ("balanced_accuracy", np.array([1, 0, 0, 0]), np.array([[1], [0], [0], [1]]), (1 + 2 / 3) / 2),
    ("rmse", np.array([1.0, 2.0]), np.array([[4.0], [6.0]]), math.sqrt(12.5)),
    ("rmse", np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([[1.0, 3.0], [1.0, 3.0]]), 2.0),
    ("mae", np.array([1.0, 2.0]), np.array([4.0, 4.0]), 2.5),
    ("pinball@0.9", np.array([1.0, 2.0]), np.array([0.0, 4.0]), (0.9 * 1 + 0.1 * 2) / 2),
    ("poisson_deviance", np.array([0, 2]), np.array([1.0, 1.0]), (2 * 1 + 2 * (2 * math.log(2) - 1)) / 2),
    ("gamma_deviance", np.array([2.0]), np.array([1.0]), 2 * (-math.log(2) + 1)),
]


@pytest.mark.parametrize(
    ("name", "target", "served", "expected"), BY_HAND, ids=[f"{c[0]}-{i}" for i, c in enumerate(BY_HAND)]
)
def test_value_by_hand(name: str, target: np.ndarray, served: np.ndarray, expected: float) -> None:
    assert find_metric(name)(target, served, floor=0.01) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ["poisson_deviance", "gamma_deviance"])
def test_a_deviance_floors_what_has_no_value(name: str) -> None:
    metric, target = find_metric(name), np.array([1.0, 2.0])
    assert metric(target, np.array([-3.0, 2.0]), floor=0.5) == metric(target, np.array([0.5, 2.0]), floor=0.5)


def test_only_a_deviance_is_floored() -> None:
    assert find_metric("mae")(np.array([0.0]), np.array([-3.0]), floor=0.5) == 3.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("name", ["rmse", "balanced_accuracy"])
def test_a_diverged_model_gets_the_worst_value(name: str, bad: float) -> None:
    metric = find_metric(name)
    worst = metric(np.array([0.0, 1.0]), np.array([bad, 1.0]), floor=0.0)
    assert math.isinf(worst)
    assert metric.prefers(-1e9 if name == "balanced_accuracy" else 1e9, worst)


@pytest.mark.parametrize(
    ("name", "ours", "theirs", "gain"),
    [
        ("rmse", 9.0, 10.0, 0.1),
        ("rmse", 12.0, 10.0, -0.2),
        ("balanced_accuracy", 0.9, 0.6, 0.5),
        ("mae", 0.0, 0.0, 0.0),
    ],
)
def test_gain_is_positive_when_ours_is_better(name: str, ours: float, theirs: float, gain: float) -> None:
    metric = find_metric(name)
    assert metric.gain(ours, theirs) == pytest.approx(gain)
    assert metric.prefers(ours, theirs) == (gain > 0)


def test_gain_over_a_perfect_score_is_infinitely_bad() -> None:
    assert find_metric("rmse").gain(1.0, 0.0) == -math.inf


def test_an_unknown_metric_lists_the_known() -> None:
    with pytest.raises(HintError, match=r"expected one of log_loss, .*found 'accuracy'"):
        find_metric("accuracy")
