"""The same target in another order, type or layout has the same facts, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nebula.profiling.profiler import profile

FORM = {"dtype", "ndim", "shape_tail"}
values = hnp.arrays(
    np.float64,
    st.integers(1, 50),
    elements=st.one_of(
        st.floats(width=32, allow_nan=True, allow_infinity=True), st.integers(-5, 300).map(float), st.just(-0.0)
    ),
)
tables = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 30), st.integers(2, 6)),
    elements=st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1, width=32)),
)


def facts_of(target, *, form=False, **hints):
    facts = profile(target, fingerprint=False, hints=hints or None).target.model_dump()
    return facts if form else {key: value for key, value in facts.items() if key not in FORM}


@given(values, st.randoms(use_true_random=False))
def test_order_of_the_rows(x, random):
    order = list(range(len(x)))
    random.shuffle(order)
    assert facts_of(x[order]) == facts_of(x)
    assert facts_of(np.sort(x)) == facts_of(x)


@given(tables, st.randoms(use_true_random=False))
def test_order_of_the_rows_of_a_table(x, random):
    order = list(range(len(x)))
    random.shuffle(order)
    assert facts_of(x[order], form=True) == facts_of(x, form=True)


@given(values)
def test_vector_and_single_column(x):
    assert facts_of(x[:, None]) == facts_of(x)


@given(tables)
def test_strides(x):
    t = torch.from_numpy(x)
    padded = torch.zeros(2 * t.shape[0], t.shape[1] + 1, dtype=t.dtype)[::2, 1:]
    for view in (t.T.contiguous().T, padded.copy_(t)):
        assert not view.is_contiguous() or 1 in view.shape
        assert facts_of(view, form=True) == facts_of(t, form=True)
    assert facts_of(x[::-1, ::-1][::-1, ::-1].copy()) == facts_of(x)


@given(values)
def test_float32_and_float64(x):
    assert facts_of(x.astype(np.float32)) == facts_of(x.astype(np.float32).astype(np.float64))


INTEGER_TYPES = [
    torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32, torch.uint64,
    torch.float16, torch.bfloat16, torch.float32, torch.float64,
]  # fmt: skip


@pytest.mark.parametrize("dtype", INTEGER_TYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (7,), (7, 1), (6, 3), (2, 3, 4, 5), (0, 3), (3, 0)], ids=str)
def test_element_type_of_whole_numbers(dtype, shape):
    y = torch.randint(0, 5, shape)
    typed = profile(y.to(dtype), fingerprint=False).target
    plain = profile(y, fingerprint=False).target
    assert typed.dtype == str(dtype).removeprefix("torch.")
    assert typed.model_copy(update={"dtype": "int64"}) == plain
    assert (plain.ndim, plain.shape_tail, plain.n_elements) == (y.ndim, tuple(shape[1:]), y.numel())


@pytest.mark.parametrize("shape", [(9,), (9, 1), (9, 4), (2, 3, 4)], ids=str)
def test_booleans(shape):
    y = torch.rand(shape) > 0.5
    assert facts_of(y) == facts_of(y.long()) == facts_of(y.double())


@given(
    hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(-100, 100).map(lambda v: round(v, 2))),
    st.integers(2, 5),
)
def test_repeating_every_row_leaves_the_shape_of_the_distribution(x, times):
    quantiles = {"q05", "q25", "median", "q75", "q95", "iqr", "outlier_fraction", "tail_index", "repeat_rate"}
    counts = {"n", "n_elements", "value_counts", "class_counts"}
    once, often = facts_of(x), facts_of(np.tile(x, times))
    for name in once.keys() - quantiles - counts:
        if isinstance(once[name], float):
            tolerance = 1e-9 if name in ("skew", "kurtosis") else 1e-12
            assert often[name] == pytest.approx(once[name], rel=tolerance, abs=tolerance), name
        elif name == "class_weight" and once[name] is not None:
            assert often[name] == pytest.approx(once[name], rel=1e-12)
        else:
            assert often[name] == once[name], name
    if once["value_counts"]:
        assert often["value_counts"] == tuple(times * count for count in once["value_counts"])


@pytest.mark.parametrize("shape", [(0,), (0, 1), (0, 4), (0, 4, 2)], ids=str)
def test_no_rows_means_unknown_facts_and_zero_counts(shape):
    facts = profile(torch.zeros(shape)).target
    assert (facts.n, facts.n_elements, facts.nan_count, facts.inf_count, facts.n_unique) == (0, 0, 0, 0, 0)
    known = {name for name, value in facts.model_dump().items() if value is not None}
    assert known == {
        "dtype", "ndim", "shape_tail", "n", "n_elements", "n_columns", "nan_count", "inf_count", "n_unique",
        "n_unique_is_exact",
    }  # fmt: skip
    assert facts.n_columns == (shape[1] if len(shape) > 1 else 1)
