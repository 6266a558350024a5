"""What the numbers are allowed to say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nebula.demo.catalogue import DATASETS
from nebula.demo.constant import serve_constant
from nebula.demo.datasets import load
from nebula.demo.metrics import find_metric
from nebula.demo.report import ArmScores, Row

BY_NAME = {about.name: about for about in DATASETS}
scores = st.lists(st.tuples(st.floats(0.5, 2), st.floats(0.5, 2)), min_size=2, max_size=8)


def row(naive: list[float], nebula: list[float], *, lower: bool = True, constant: float = 4.0) -> Row:
    def arm(values: list[float]) -> ArmScores:
        n = len(values)
        return ArmScores(
            loss="",
            link="",
            serve="",
            test=tuple(values),
            valid=tuple(values),
            learning_rate=(1e-3,) * n,
            step=(0,) * n,
        )

    theirs, ours = arm(naive), arm(nebula)
    return Row(
        name="", description="", source="", rows=1, metric="", lower_is_better=lower, profile="", decision="",
        because="", rules=(), trace_ids=(), naive=theirs, nebula=ours, constant=(constant,) * len(naive),
        gain=(theirs.mean - ours.mean) / theirs.mean * (1 if lower else -1),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("naive", "nebula", "verdict"),
    [
        ([1.0, 1.1, 1.2], [0.5, 0.61, 0.7], "better"),
        ([0.5, 0.61, 0.7], [1.0, 1.1, 1.2], "worse"),
        ([1.0, 1.1, 1.2], [1.0, 1.1, 1.2], "same"),
        ([1.0, 1.1, 1.2], [1.001, 1.101, 1.199], "same"),
        ([1.0, 1.1, 1.2], [0.2, 1.5, 0.9], "undecided"),
        ([1.0], [0.1], "undecided"),
    ],
    ids=["every seed better", "every seed worse", "identical", "within 1 %", "mixed", "one seed"],
)
def test_verdict(naive: list[float], nebula: list[float], verdict: str) -> None:
    assert row(naive, nebula).verdict == verdict


@given(scores)
def test_the_interval_is_the_paired_t_test(pairs: list[tuple[float, float]]) -> None:
    naive, nebula = [list(side) for side in zip(*pairs, strict=True)]
    found = row(naive, nebula)
    low, high = found.interval
    differences = [t - o for t, o in pairs]
    if max(differences) - min(differences) > 1e-6:
        oracle = stats.ttest_rel(naive, nebula).confidence_interval(0.95)
        assert low * found.naive.mean == pytest.approx(oracle.low, abs=1e-9)
        assert high * found.naive.mean == pytest.approx(oracle.high, abs=1e-9)
    assert low <= found.gain + 1e-9
    assert found.gain - 1e-9 <= high


@given(scores, st.booleans())
def test_swapping_the_arms_swaps_the_verdict(pairs: list[tuple[float, float]], lower: bool) -> None:
    naive, nebula = [list(side) for side in zip(*pairs, strict=True)]
    verdict, swapped = row(naive, nebula, lower=lower).verdict, row(nebula, naive, lower=lower).verdict
    mirror = {"better": "worse", "worse": "better"}
    # `same` is measured in shares of the naive mean, which the swap changes
    assert "same" in (verdict, swapped) or swapped == mirror.get(verdict, verdict)


@given(scores)
def test_the_direction_of_the_metric_turns_the_verdict(pairs: list[tuple[float, float]]) -> None:
    naive, nebula = [list(side) for side in zip(*pairs, strict=True)]
    down, up = row(naive, nebula).verdict, row(naive, nebula, lower=False).verdict
    assert up == {"better": "worse", "worse": "better"}.get(down, down)


def test_skill_goes_from_the_constant_to_perfect() -> None:
    errors = row([4.0, 2.0, 0.0], [4.0, 6.0, 1.0], constant=4.0)
    assert errors.skill(errors.naive) == (0.0, 0.5, 1.0)
    assert errors.skill(errors.nebula) == (0.0, -0.5, 0.75)
    accuracy = row([0.5, 0.75, 1.0], [0.5, 0.5, 0.5], lower=False, constant=0.5)
    assert accuracy.skill(accuracy.naive) == (0.0, 0.5, 1.0)


def test_a_pair_that_learnt_nothing_is_marked() -> None:
    assert not row([4.0, 4.0], [3.95, 3.95]).has_skill
    assert row([4.0, 4.0], [3.9, 3.9]).has_skill


@pytest.mark.parametrize("name", ["doctor_visits", "usual_visits", "card_spending", "diabetes", "star98", "investment"])
def test_no_other_constant_is_better(name: str) -> None:
    data = load(BY_NAME[name])
    metric = find_metric(data.about.metric)
    served = serve_constant(data.about, metric, data.target, len(data.target))
    for factor in (0.8, 0.9, 1.1, 1.2):
        assert metric(data.target, served, floor=0.0) < metric(data.target, factor * served, floor=0.0)


@pytest.mark.parametrize("name", ["digits", "wine", "breast_cancer", "health_risk"])
def test_the_constant_probability_costs_the_entropy_of_the_classes(name: str) -> None:
    data = load(BY_NAME[name])
    metric = find_metric("log_loss")
    served = serve_constant(data.about, metric, data.target, len(data.target))
    entropy = stats.entropy(np.bincount(data.target))
    assert metric(data.target, served, floor=0.0) == pytest.approx(entropy, rel=1e-6)


def test_the_constant_label_has_the_balanced_accuracy_of_a_guess() -> None:
    data = load(BY_NAME["poor_health"])
    metric = find_metric("balanced_accuracy")
    assert metric(data.target, serve_constant(data.about, metric, data.target, len(data.target)), floor=0.0) == 0.5
