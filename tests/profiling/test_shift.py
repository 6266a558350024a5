"""Shift between two targets: against scipy and the formula by hand, and its symmetries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import nebula
from nebula.errors import DataError
from nebula.profiling.model import DataProfile
from nebula.profiling.shift import measure_shift

numbers = st.lists(st.integers(-5, 40), min_size=1, max_size=60)


@given(numbers, numbers)
def test_ks_is_the_largest_distance_of_the_distribution_functions(left, right):
    found = measure_shift(nebula.profile(left), nebula.profile(right))
    sides = [np.array(left), np.array(right)]
    distances = [abs((sides[0] <= at).mean() - (sides[1] <= at).mean()) for at in {*left, *right}]
    assert found.ks == pytest.approx(max(distances), abs=1e-12)
    assert found.ks == measure_shift(nebula.profile(right), nebula.profile(left)).ks


@given(numbers)
def test_the_same_data_have_no_shift(values):
    found = measure_shift(nebula.profile(values), nebula.profile(values[::-1]))
    assert (found.psi, found.ks, found.new_classes, found.lost_classes) == (0, 0, (), ())


def test_psi_of_classes_is_the_formula():
    left, right = np.repeat([0, 1, 2], [50, 30, 20]), np.repeat([0, 1, 3], [10, 30, 60])
    found = measure_shift(nebula.profile(left), nebula.profile(right))
    p = (np.array([50, 30, 20, 0]) + 0.5) / 102
    q = (np.array([10, 30, 0, 60]) + 0.5) / 102
    assert found.psi == pytest.approx(float(((p - q) * np.log(p / q)).sum()))
    assert found.class_distance == pytest.approx(0.6)
    assert (found.new_classes, found.lost_classes, found.psi_bins) == (("3",), ("2",), 4)
    assert found.classes[0].label == "3"


def test_psi_of_numbers_is_over_deciles_of_the_reference():
    random = np.random.default_rng(0)
    left, right = random.normal(size=5000), random.normal(0.5, size=4000)
    found = measure_shift(nebula.profile(left), nebula.profile(right))
    edges = np.quantile(left, np.arange(1, 10) / 10, method="inverted_cdf")
    p, q = ((np.bincount(np.searchsorted(edges, side), minlength=10) + 0.5) / (len(side) + 5) for side in (left, right))
    assert found.psi == pytest.approx(float(((p - q) * np.log(p / q)).sum()), rel=1e-9)
    assert found.ks > found.ks_limit
    assert found.class_distance is None


def test_a_fair_part_estimates_the_distance():
    random = np.random.default_rng(0)
    left, right = random.normal(size=300_000), random.normal(0.3, size=300_000)
    found = measure_shift(nebula.profile(left), nebula.profile(right))
    assert not found.is_exact
    assert found.ks == pytest.approx(stats.ks_2samp(left, right, method="asymp").statistic, abs=0.012)


@pytest.mark.parametrize("seed", range(5))
def test_the_limit_is_that_of_scipy(seed):
    random = np.random.default_rng(seed)
    left, right = random.normal(size=400), random.normal(size=300)
    found = measure_shift(nebula.profile(left), nebula.profile(right))
    assert (found.ks < found.ks_limit) == (stats.ks_2samp(left, right, method="asymp").pvalue > 0.05)


def test_labels_are_matched_by_name():
    left, right = nebula.profile([0, 0, 1]), nebula.profile([0, 1, 1])
    found = measure_shift(left, right, (("ant", "bee"), ("bee", "cow")))
    assert (found.new_classes, found.lost_classes, found.ks) == (("cow",), ("ant",), None)
    with pytest.raises(DataError, match="labels in both"):
        measure_shift(left, right, (("ant", "bee"), None))


def test_what_cannot_be_compared_is_told():
    profile = nebula.profile([1, 2])
    with pytest.raises(DataError, match="the second was read from JSON"):
        measure_shift(profile, DataProfile.model_validate_json(profile.model_dump_json()))
    with pytest.raises(DataError, match="none in the first"):
        measure_shift(nebula.profile([float("nan")]), profile)
