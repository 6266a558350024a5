"""Regret and selectors against tables made by hand; leaks are planted and must not help."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nebula.bench.outcome.regret import MOST, normalised_regret, relative_regret
from nebula.bench.outcome.selectors import brute_force, cross_fitted, fixed_table, oracle, rule
from tests.bench.outcome.hand_made import problem


def test_regret_by_hand() -> None:
    own = problem({"a": [2, 4], "b": [5, 7]}, constant=8)
    assert (own.best, own.best_score, own.constant, own.skill) == ("a", 3, 8, 1 - 3 / 8)
    assert relative_regret(6, own) == pytest.approx(1.0)
    assert normalised_regret(6, own) == pytest.approx(3 / 5)
    assert normalised_regret(8, own) == pytest.approx(1)
    assert normalised_regret(3, own) == 0
    assert normalised_regret(2.5, own) < 0
    assert normalised_regret(float("inf"), own) == MOST


def test_the_oracle_takes_one_candidate_for_all_seeds_and_a_rule_what_it_picked() -> None:
    own = problem({"a": [1, 9], "b": [4, 4]}, picks={"nebula": ["a", "b"]})
    assert oracle(own).tolist() == [4, 4]
    assert rule(own, "nebula").tolist() == [1, 4]


def test_brute_force_looks_at_validation_only() -> None:
    own = problem({"a": [1, 9], "b": [4, 4]}, valid={"a": [5, 1], "b": [3, 3]})
    assert brute_force(own).tolist() == [4, 9]


def test_cross_fitting_by_hand() -> None:
    # even seeds prefer a, odd seeds prefer b: each half is scored with the other half's choice
    own = problem({"a": [1, 5, 1, 5], "b": [3, 2, 3, 2]})
    assert cross_fitted(own).tolist() == [3, 5, 3, 5]


@given(arrays(np.float64, (3, 8), elements=st.floats(1, 9)), st.integers(0, 7), st.integers(0, 2))
def test_no_score_helps_to_choose_itself(test: np.ndarray, seed: int, arm: int) -> None:
    """A planted perfect score on one seed never changes what is chosen for that seed."""
    names = ("a", "b", "c")
    planted = test.copy()
    planted[arm, seed] = -100.0
    before = cross_fitted(problem(dict(zip(names, test.tolist(), strict=True))))
    after = cross_fitted(problem(dict(zip(names, planted.tolist(), strict=True))))
    mates = [s for s in range(8) if s % 2 == seed % 2]
    kept = [s for s in mates if s != seed]
    assert after[kept].tolist() == before[kept].tolist()
    assert after[seed] in (before[seed], -100.0)
    other = np.delete(test, mates, axis=1).mean(axis=1).argmin()
    assert after[seed] == planted[other, seed]


def test_cross_fitting_takes_the_winners_luck_away() -> None:
    draws = np.random.default_rng(0)
    gaps = []
    for _ in range(200):
        own = problem({name: draws.normal(5, 1, 10) for name in "abcdef"})
        gaps.append((oracle(own).mean() - 5, cross_fitted(own).mean() - 5))
    lucky, fair = np.mean(gaps, axis=0)
    assert lucky < -0.3
    assert abs(fair) < 0.1


def test_the_table_never_sees_the_problem_it_is_asked_about() -> None:
    others = [problem({"a": [1, 1], "b": [5, 5]}, name=f"o{i}") for i in range(3)]
    own = problem({"a": [9, 9], "b": [2, 2]}, name="own")
    assert fixed_table([own, *others], 0).tolist() == [9, 9]
    assert fixed_table([own, *others], 1).tolist() == [1, 1]


def test_the_table_prefers_problems_with_the_same_metric_and_falls_back_to_the_family() -> None:
    own = problem({"a": [9, 9], "b": [2, 2]}, metric="mae")
    same = problem({"a": [3, 3], "b": [1, 1]}, metric="mae")
    other = [problem({"a": [1, 1], "b": [9, 9]}, metric="rmse") for _ in range(5)]
    stranger = problem({"a": [1, 1], "b": [9, 9]}, family="positive")
    assert fixed_table([own, same, *other], 0).tolist() == [2, 2]
    assert fixed_table([own, *other], 0).tolist() == [9, 9]
    assert fixed_table([own, stranger], 0).tolist() == [9, 9]  # nobody to learn from: the first candidate
