"""The two ways to count, the part that stands for the whole, and the way on a device."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nebula.profiling.distribution import distribute, distribute_on_device

numbers = st.one_of(
    hnp.arrays(np.int64, st.integers(0, 60), elements=st.integers(-(2**63), 2**63 - 1)),
    hnp.arrays(np.int64, st.integers(0, 60), elements=st.integers(-5, 5)),
    hnp.arrays(np.float64, st.integers(0, 60), elements=st.floats(allow_nan=True, allow_infinity=True)),
    hnp.arrays(np.float32, st.integers(0, 60), elements=st.floats(-9, 9, width=32)),
    hnp.arrays(np.uint8, st.integers(0, 60)),
    hnp.arrays(np.int8, st.integers(0, 60)),
    hnp.arrays(np.bool_, st.integers(0, 60)),
)


def as_tuple(data):
    return (
        data.values.tolist(), data.counts.tolist(), data.n, data.size, data.exact, data.nan_count, data.inf_count,
        data.low, data.high, data.whole,
    )  # fmt: skip


@given(numbers)
def test_counts_agree_with_numpy(x):
    data = distribute(torch.from_numpy(x))
    finite = x[np.isfinite(x)]
    values, counts = np.unique(finite, return_counts=True)
    assert data.values.tolist() == values.tolist()
    assert data.counts.tolist() == counts.tolist()
    assert not np.signbit(data.floats[data.floats == 0]).any()


@given(numbers)
def test_the_way_on_a_device_gives_the_same(x):
    assert as_tuple(distribute_on_device(torch.from_numpy(x))) == as_tuple(distribute(torch.from_numpy(x)))


@given(hnp.arrays(np.int64, st.integers(1, 60), elements=st.integers(-4, 4)), st.integers(-5, 5))
def test_leaving_a_value_out(x, value):
    rest = distribute(torch.from_numpy(x)).without(value)
    kept = x[x != value]
    assert rest.n == len(kept)
    assert (rest.low, rest.high) == ((kept.min(), kept.max()) if len(kept) else (None, None))


@given(hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(-9, 9)), st.floats(-10, 10))
def test_counting_below(x, value):
    data = distribute(torch.from_numpy(x))
    assert (data.count_below(value), data.count_up_to(value)) == ((x < value).sum(), (x <= value).sum())


@pytest.mark.parametrize("work", [distribute, distribute_on_device], ids=["host", "device"])
def test_a_part_is_marked_and_stands_for_the_whole(work):
    x = torch.randn(40_000, generator=torch.Generator().manual_seed(3))
    x[17] = 50.0
    part = work(x, limit=5_000)
    assert (part.exact, part.n, part.size, part.high) == (False, 5_000, 40_000, 50.0)
    middle = part.values[np.searchsorted(part.cumulative, 2_500)]
    assert abs(middle - float(x.median())) < 0.06


@pytest.mark.parametrize("columns", [2, 3, 7, 16, 20])
def test_a_part_favours_no_column(columns):
    column_of = (torch.arange(40_000) % columns).float() * 1000.5
    part = distribute(column_of, limit=2_000)
    assert part.values.tolist() == [1000.5 * column for column in range(columns)]
    assert part.counts.min() > 0.7 * 2_000 / columns
    assert part.counts.max() < 1.3 * 2_000 / columns


@pytest.mark.parametrize("work", [distribute, distribute_on_device], ids=["host", "device"])
def test_narrow_whole_numbers_are_exact_at_any_size(work):
    part = work(torch.arange(10_000) % 7, limit=100)
    assert (part.exact, part.n, len(part.values)) == (True, 10_000, 7)


def test_histogram_and_sort_meet_at_the_span():
    for high in (65_535, 65_536):
        data = distribute(torch.tensor([0.0, 1.0, 1.0, float(high)]))
        assert (data.values.tolist(), data.counts.tolist()) == ([0.0, 1.0, float(high)], [1, 2, 1])


def test_whole_values_far_from_zero():
    assert distribute(torch.tensor([1e300, 1e300], dtype=torch.float64)).values.tolist() == [1e300]
    assert distribute(torch.tensor([2**63 - 1, 2**63 - 3])).values.tolist() == [2**63 - 3, 2**63 - 1]
    assert distribute(torch.tensor([-128, 127], dtype=torch.int8)).values.tolist() == [-128, 127]
