"""The fast metrics say what scikit-learn says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from nebula.bench.outcome.constant import score_constant
from nebula.bench.outcome.metrics import Scale, score


def drawn(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_numbers(seed: int) -> None:
    target, served = drawn(seed).gamma(2, 3, 40), drawn(seed + 1).gamma(2, 3, 40)
    expected = {
        "rmse": metrics.root_mean_squared_error(target, served),
        "mae": metrics.mean_absolute_error(target, served),
        "poisson_deviance": metrics.mean_poisson_deviance(target, served),
        "gamma_deviance": metrics.mean_gamma_deviance(target, served),
        "pinball@0.9": metrics.mean_pinball_loss(target, served, alpha=0.9),
        "pinball@0.1": metrics.mean_pinball_loss(target, served, alpha=0.1),
    }
    for metric, value in expected.items():
        ours = score(torch.from_numpy(served)[:, None], torch.from_numpy(target), Scale(metric, (), 1e-9))
        assert ours == pytest.approx(value, rel=1e-9)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_classes(seed: int, classes: int) -> None:
    target = np.concatenate([np.arange(classes), drawn(seed).integers(0, classes, 60)])
    shares = drawn(seed + 1).dirichlet(np.ones(classes), len(target))
    levels = tuple(map(float, range(classes)))
    chosen = shares.argmax(axis=1)
    expected = {
        "log_loss": metrics.log_loss(target, shares, labels=list(range(classes))),
        "balanced_accuracy": 1 - metrics.balanced_accuracy_score(target, chosen),
        "qwk": 1 - metrics.cohen_kappa_score(target, chosen, weights="quadratic"),
    }
    for metric, value in expected.items():
        ours = score(torch.from_numpy(shares), torch.from_numpy(target), Scale(metric, levels, 0.0))
        assert ours == pytest.approx(value, rel=1e-9)


def test_what_is_served_is_read_as_the_metric_wants_it() -> None:
    target = torch.tensor([0, 1, 1])
    binary = (0.0, 1.0)
    share = torch.tensor([0.2, 0.7, 0.4])
    assert score(share, target, Scale("balanced_accuracy", binary, 0.0)) == pytest.approx(0.25)
    assert score((share > 0.3).long(), target, Scale("balanced_accuracy", binary, 0.0)) == 0
    assert score(share, target, Scale("log_loss", binary, 0.0)) == pytest.approx(
        metrics.log_loss([0, 1, 1], [0.2, 0.7, 0.4]), rel=1e-6
    )
    levels = (1.0, 2.0, 5.0)
    stars = torch.tensor([1, 2, 5])
    assert score(torch.tensor([1.2, 2.4, 3.6]), stars, Scale("qwk", levels, 0.0)) == 0
    assert score(torch.eye(3), stars, Scale("mae", levels, 0.0)) == 0


def test_a_deviance_has_a_floor_and_an_overflow_is_infinitely_bad() -> None:
    target = torch.tensor([1.0, 2.0])
    low = score(torch.tensor([-3.0, 2.0]), target, Scale("poisson_deviance", (), 0.015))
    assert low == pytest.approx(metrics.mean_poisson_deviance([1, 2], [0.015, 2]))
    assert score(torch.tensor([float("nan"), 2.0]), target, Scale("rmse", (), 0.0)) == float("inf")


@pytest.mark.parametrize("metric", ["rmse", "mae", "poisson_deviance", "gamma_deviance", "pinball@0.9", "pinball@0.1"])
def test_no_other_constant_beats_the_constant_on_its_own_rows(metric: str) -> None:
    target = torch.from_numpy(drawn(0).gamma(2, 3, 200))
    scale = Scale(metric, (), 1e-9)
    best = score_constant(target, target, scale)
    others = [score(torch.full((200,), float(value)), target, scale) for value in np.linspace(0.1, 20, 100)]
    assert best <= min(others) + 1e-3
