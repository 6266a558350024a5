"""Grouping values, and counting in what results."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nebula.profiling import marginal
from nebula.profiling.distribution import group, unify
from nebula.profiling.survey import Scratch

NUMBERS = st.one_of(
    hnp.arrays(np.int64, st.integers(0, 60), elements=st.integers(-(2**63), 2**63 - 1)),
    hnp.arrays(np.int64, st.integers(0, 60), elements=st.integers(-5, 5)),
    hnp.arrays(np.uint64, st.integers(0, 60), elements=st.integers(2**64 - 9, 2**64 - 1)),
    hnp.arrays(np.float64, st.integers(0, 60), elements=st.floats(allow_nan=True, allow_infinity=True)),
    hnp.arrays(np.float32, st.integers(0, 60), elements=st.floats(-9, 9, width=32)),
    hnp.arrays(np.uint8, st.integers(0, 60)),
    hnp.arrays(np.int8, st.integers(0, 60)),
    hnp.arrays(np.bool_, st.integers(0, 60)),
)


def distribute(x):
    part = marginal.Marginal()
    if len(x):
        part.add(torch.from_numpy(x), Scratch(len(x)))
    return part.distribution()


@given(NUMBERS)
def test_counts_agree_with_numpy(x):
    data = distribute(x)
    finite = x[np.isfinite(x)]
    values, counts = np.unique(finite, return_counts=True)
    assert data.values.tolist() == values.tolist()
    assert data.counts.tolist() == counts.tolist()
    assert (data.exact, data.n, data.size, data.distinct) == (True, len(finite), len(x), len(values))
    assert not np.signbit(data.floats[data.floats == 0]).any()


@given(hnp.arrays(np.int64, st.integers(1, 60), elements=st.integers(-4, 4)), st.integers(-5, 5))
def test_leaving_a_value_out(x, value):
    rest = distribute(x).without(value)
    kept = x[x != value]
    assert (rest.n, rest.distinct) == (len(kept), len(set(kept.tolist())))
    assert (rest.low, rest.high) == ((kept.min(), kept.max()) if len(kept) else (None, None))


@given(hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(-9, 9)), st.floats(-10, 10))
def test_counting_below(x, value):
    data = distribute(x)
    assert (data.count_below(value), data.count_up_to(value)) == ((x < value).sum(), (x <= value).sum())


def test_histogram_and_sort_meet_at_the_span():
    for high in (65_535, 65_536):
        data = distribute(np.array([0.0, 1.0, 1.0, float(high)]))
        assert (data.values.tolist(), data.counts.tolist()) == ([0.0, 1.0, float(high)], [1, 2, 1])


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (np.array([1e300, 1e300]), [1e300]),
        (np.array([2.0**60, 2.0**60 + 2**10]), [2.0**60, 2.0**60 + 2**10]),
        (np.array([2**63 - 1, 2**63 - 3]), [2**63 - 3, 2**63 - 1]),
        (np.array([2**64 - 1, 2**64 - 3], dtype=np.uint64), [2**64 - 3, 2**64 - 1]),
        (np.array([-128, 127], dtype=np.int8), [-128, 127]),
    ],
    ids=["1e300", "2^60 as floats", "top of int64", "top of uint64", "int8"],
)
def test_whole_values_far_from_zero(x, expected):
    assert distribute(x).values.tolist() == expected


@given(NUMBERS, NUMBERS)
def test_two_types_meet_in_one_that_holds_both(left, right):
    one, two = group(left[np.isfinite(left)])[0], group(right[np.isfinite(right)])[0]
    first, second = unify(one, two)
    assert first.dtype == second.dtype
    if "f" not in one.dtype.kind + two.dtype.kind and first.dtype.kind != "f":
        assert (first.tolist(), second.tolist()) == (one.tolist(), two.tolist())
