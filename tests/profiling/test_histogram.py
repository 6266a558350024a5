"""The bars that people look at add up, whatever the values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nebula
from nebula.profiling.histogram import draw_histogram
from nebula.profiling.model import DataProfile

VALUES = st.lists(st.floats(width=64, allow_nan=True), min_size=1, max_size=50)


@given(VALUES, st.integers(2, 20))
def test_every_finite_value_is_in_one_bar(values, bars):
    found = draw_histogram(nebula.profile(values), bars=bars)
    assert sum(bar.count for bar in found) == np.isfinite(values).sum()
    assert len(found) <= bars


def test_few_values_have_a_bar_each():
    found = draw_histogram(nebula.profile([3, 1, 3]))
    assert [(bar.label, bar.count) for bar in found] == [("1", 1), ("3", 2)]


def test_the_commonest_labels_come_first_and_the_rest_together():
    codes = np.repeat(np.arange(20), np.arange(20, 0, -1))
    found = draw_histogram(nebula.profile(codes), [f"k{code}" for code in range(20)], bars=5)
    assert [bar.label for bar in found] == ["k0", "k1", "k2", "k3", "16 others"]
    assert sum(bar.share for bar in found) == pytest.approx(1)


def test_an_outlier_does_not_squeeze_the_rest():
    values = np.append(np.random.default_rng(0).normal(size=2000), 1e9)
    found = draw_histogram(nebula.profile(values))
    assert max(bar.share for bar in found) < 0.4
    assert found[-1].label.startswith("from")


def test_equal_intervals_count_as_numpy_does():
    values = np.random.default_rng(0).random(1000)
    found = draw_histogram(nebula.profile(values), bars=10)
    assert [bar.count for bar in found] == np.histogram(values, bins=10)[0].tolist()


def test_a_profile_of_facts_alone_has_no_bars():
    assert draw_histogram(DataProfile.model_validate_json(nebula.profile([1]).model_dump_json())) == ()
