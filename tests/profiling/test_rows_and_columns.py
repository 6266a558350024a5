"""One-hot, multi-hot, simplex, and the columns of a table."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nebula.profiling.profiler import profile

NAN = float("nan")


@pytest.mark.parametrize(
    ("target", "multi", "one", "simplex"),
    [
        pytest.param([[1, 0], [0, 1]], True, True, True, id="one-hot"),
        pytest.param([[1, 1], [0, 1]], True, False, False, id="multi-hot"),
        pytest.param([[0, 0], [0, 1]], True, False, False, id="a row without labels"),
        pytest.param([[0.5, 0.5], [0.9, 0.1]], False, False, True, id="simplex"),
        pytest.param([[0.5, 0.5005]], False, False, True, id="simplex within 1e-3"),
        pytest.param([[0.5, 0.502]], False, False, False, id="simplex not within 1e-3"),
        pytest.param([[1.5, -0.5]], False, False, False, id="sums to 1 outside [0, 1]"),
        pytest.param([[2, 0], [0, 2]], False, False, False, id="counts"),
        pytest.param([[1], [0]], False, False, False, id="one column"),
        pytest.param([1, 0], False, False, False, id="vector"),
        pytest.param([[1, 0], [NAN, 1]], True, True, True, id="one-hot with a hole"),
        pytest.param([[NAN, 0], [NAN, 1]], True, None, None, id="no whole row"),
    ],
)
def test_row_algebra(target, multi, one, simplex):
    facts = profile(target).target
    assert (facts.is_multi_hot, facts.is_one_hot, facts.is_simplex) == (multi, one, simplex)


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 9), st.integers(2, 5), st.integers(1, 4)),
        elements=st.floats(-9, 9, width=32),
    )
)
def test_row_sums_agree_with_numpy(x):
    facts = profile(x).target
    sums = x.astype(np.float64).sum(1)
    assert facts.row_sum_min == pytest.approx(sums.min(), abs=1e-12)
    assert facts.row_sum_max == pytest.approx(sums.max(), abs=1e-12)
    assert facts.label_prevalence is None


def test_row_sums_over_many_slabs():
    x = torch.zeros(70_000, 8)
    x[69_999, 3], x[1, 2] = 5, -4
    facts = profile(x).target
    assert (facts.row_sum_min, facts.row_sum_max) == (-4, 5)


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 20), st.integers(2, 5)), elements=st.floats(-50, 50, width=16)))
def test_columns_agree_with_numpy(x):
    facts = profile(x).target
    assert facts.label_prevalence == pytest.approx(x.mean(0), abs=1e-9)
    assert facts.column_medians == pytest.approx(np.median(x, axis=0), abs=1e-9)
    assert facts.n_binary_columns == sum(set(column) <= {0.0, 1.0} for column in x.T)


def test_columns_leave_holes_out():
    facts = profile([[1.0, NAN], [3.0, 5.0]]).target
    assert (facts.label_prevalence, facts.column_medians) == ((2.0, 5.0), (2.0, 5.0))
    assert profile([[1.0, NAN], [3.0, NAN]]).target.label_prevalence is None


def test_odds_of_every_label():
    facts = profile([[1, 0, 1], [0, 0, 1], [0, 1, 1]]).target
    assert facts.pos_weight == (2.0, 2.0, 0.0)
    assert profile([[1, 0], [1, 0]]).target.pos_weight is None


def test_a_dense_mask_of_two_labels_has_one_odds():
    mask = torch.tensor([[[0, 0], [0, 1]]])
    facts = profile(mask).target
    assert (facts.pos_weight, facts.label_prevalence, facts.is_multi_hot) == ((3.0,), None, True)


@pytest.mark.parametrize(
    ("columns", "means", "medians"), [(64, True, True), (65, True, False), (1024, True, False), (1025, False, False)]
)
def test_bounds_on_the_number_of_columns(columns, means, medians):
    facts = profile(torch.tensor([[1], [0]]).expand(2, columns)).target
    assert (facts.label_prevalence is not None, facts.column_medians is not None) == (means, medians)
    assert (facts.pos_weight is not None, facts.n_binary_columns is not None) == (means, means)
