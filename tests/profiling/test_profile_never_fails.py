"""Any dense numbers have a profile, and every fact in it is finite or unknown."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nebula.profiling import prediction, profiler
from nebula.profiling.model import DataProfile
from nebula.profiling.profiler import profile
from nebula.profiling.vocabulary import facts_of

extremes = st.sampled_from([0.0, -0.0, 5e-324, 1e-300, 1.0, 1e16, 1e300, -1e300, 1.7e308, -1.7e308, math.inf, math.nan])
floats = st.one_of(st.floats(), extremes, st.sampled_from([0.0, 1.0]))
arrays = st.one_of(
    hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5), elements=floats),
    hnp.arrays(np.float32, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)),
    hnp.arrays(np.float16, hnp.array_shapes(max_dims=2, min_side=0, max_side=5)),
    hnp.arrays(
        st.sampled_from([np.int8, np.int64, np.uint64, np.bool_, np.uint8]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6),
    ),
)


@settings(max_examples=300)
@given(arrays, arrays, st.one_of(st.none(), st.integers(-200, 300)))
def test_any_numbers_against_any_numbers(target, output, ignore_value):
    found = profile(target, output, hints={"ignore_value": ignore_value})
    for name, value in facts_of(found).items():
        if isinstance(value, float):
            assert math.isfinite(value), name
            assert math.copysign(1, value) == 1 or value != 0, name
    assert DataProfile.model_validate_json(found.model_dump_json()) == found


@settings(max_examples=200)
@given(hnp.arrays(np.float64, st.integers(1, 12), elements=st.one_of(st.floats(allow_nan=False, allow_infinity=False))))
def test_order_statistics_are_in_order(x):
    facts = profile(x, fingerprint=False).target
    ordered = [facts.min, facts.q05, facts.q25, facts.median, facts.q75, facts.q95, facts.max]
    assert ordered == sorted(ordered)


@pytest.mark.parametrize("module", [profiler, prediction], ids=["profile", "PredictionSpec"])
def test_examples(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def test_the_number_of_threads_does_not_matter():
    y = torch.rand(300, 40, generator=torch.Generator().manual_seed(8))
    plain = profile(y)
    try:
        torch.set_num_threads(2)
        again = profile(y)
    finally:
        torch.set_num_threads(1)
    assert again == plain
