"""Profiles of all kinds of data: random arrays of every shape, against random predictions and hints."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nebula import PredictionSpec
from nebula.profiling.model import DataProfile
from nebula.profiling.profiler import profile

_SHAPES = st.one_of(
    st.tuples(st.integers(0, 40)),
    st.tuples(st.integers(0, 12), st.integers(1, 4)),
    st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 3)),
)
_VALUES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (np.float64, st.floats(allow_nan=True, allow_infinity=True, width=64)),
    (np.float64, st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, float("nan")])),
    (np.float64, st.floats(-1e6, 1e6)),
    (np.float64, st.sampled_from([0.0, 1.0])),
    (np.int64, st.integers(-(2**63), 2**63 - 1)),
    (np.int64, st.integers(-1, 4)),
    (np.int64, st.integers(0, 1)),
    (np.int64, st.sampled_from([0, 1, 2, 255, -100])),
    (np.uint8, st.integers(0, 255)),
]
_HINTS = st.sampled_from([{}, {"ignore_value": 0}, {"ignore_value": 7}, {"metric": "pinball@0.9"}, {"task": "count"}])


@st.composite
def profiles(draw: st.DrawFn) -> DataProfile:
    """The profile of one random target."""
    dtype, values = draw(st.sampled_from(_VALUES))
    shape = draw(_SHAPES)
    target = draw(hnp.arrays(dtype, shape, elements=values))
    if target.ndim == 2 and target.shape[1] > 1 and draw(st.booleans()):
        target = _rows(target, one_hot=draw(st.booleans()))
    return profile(target, draw(_predictions(target.shape)), hints=draw(_HINTS))


def _rows(target: Any, *, one_hot: bool) -> Any:
    """Rows that are one-hot, or that sum to 1."""
    places = np.arange(len(target)) % target.shape[1]
    if one_hot:
        return np.eye(target.shape[1])[places]
    return np.full(target.shape, 1 / target.shape[1])


@st.composite
def _predictions(draw: st.DrawFn, shape: tuple[int, ...]) -> PredictionSpec | None:
    outputs = draw(st.one_of(st.none(), st.integers(1, 5)))
    rows = draw(st.sampled_from([None, *shape[:1]]))
    tails: list[tuple[int | None, ...]] = [
        shape[1:],
        (*shape[1:], 1),
        (outputs, *shape[1:]),
        (*shape[1:], outputs),
        (outputs,),
        (),
    ]
    tail = draw(st.one_of(st.none(), st.sampled_from(tails)))
    return None if tail is None else PredictionSpec(shape=(rows, *tail))
