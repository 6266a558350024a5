"""Profiles of parts merge into the profile of the whole."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nebula.errors import DataError
from nebula.profiling.model import DataProfile, TargetFacts
from nebula.profiling.prediction import PredictionSpec
from nebula.profiling.profiler import profile

LABELS = hnp.arrays(np.int64, st.integers(2, 60), elements=st.integers(-1, 4))


@given(LABELS, st.data())
def test_parts_merge_into_the_whole(y, data):
    cut = data.draw(st.integers(1, len(y) - 1))
    logits = np.arange(len(y) * 5).reshape(-1, 5) - 7.5
    whole = profile(y, logits, name="y", features=logits, fingerprint=False)
    parts = [
        profile(y[part], logits[part], name="y", features=logits[part]) for part in (slice(None, cut), slice(cut, None))
    ]
    merged = parts[0].merge(parts[1])
    assert merged.target == whole.target
    assert merged.relation == whole.relation
    assert merged.features == whole.features
    assert (merged.evidence.rows_seen, merged.evidence.batches, merged.evidence.complete) == (len(y), 2, True)
    assert merged.fingerprint is None
    assert merged == parts[1].merge(parts[0])
    assert (merged.prediction.min, merged.prediction.max) == (whole.prediction.min, whole.prediction.max)


def test_parts_of_one_whole_are_complete_when_all_were_seen():
    first = profile([1, 2], rows_total=5, complete=False)
    second = profile([3, 4, 5], rows_total=5, complete=False)
    assert first.merge(second).evidence.complete is True
    assert first.merge(first).evidence.complete is False
    assert first.merge(profile([3], complete=False)).evidence.rows_total is None


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))], ids=["copy", "pickle"])
def test_copies_still_merge(twin):
    found = profile([0, 1, 1])
    assert twin(found) == found
    assert twin(found).merge(found).target.class_counts == (2, 4)


def test_a_profile_is_equal_and_hashes_by_its_facts():
    found = profile([0, 1, 1])
    again = DataProfile.model_validate_json(found.model_dump_json())
    assert again == found
    assert hash(again) == hash(found)
    assert found != profile([0, 1, 0])
    assert found != 3


def test_a_profile_read_from_json_says_why_it_does_not_merge():
    found = profile([0, 1, 1])
    again = DataProfile.model_validate_json(found.model_dump_json())
    with pytest.raises(DataError, match="the second was read from JSON or from a cache"):
        found.merge(again)
    with pytest.raises(DataError, match="the first"):
        again.merge(found)


def test_a_profile_from_a_cache_says_so_too():
    class Kept(dict):
        put = dict.__setitem__

    kept: dict[str, TargetFacts] = Kept()
    first, second = profile([0, 1], cache=kept), profile([0, 1], cache=kept)
    assert first == second
    with pytest.raises(DataError, match="cache"):
        first.merge(second)


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        (lambda: profile([1]), lambda: profile([1], hints={"ignore_value": 3}), "hints"),
        (lambda: profile([1]), lambda: profile([[1, 2]]), "same shape"),
        (lambda: profile(pd.Series(["a", "b"])), lambda: profile(pd.Series(["b", "c"])), "coded by itself"),
        (
            lambda: profile([1], PredictionSpec((None, 3))),
            lambda: profile([1], PredictionSpec((None, 4))),
            "predictions of the same shape",
        ),
    ],
    ids=["hints", "shape", "strings", "prediction"],
)
def test_what_does_not_fit_is_refused(left, right, message):
    with pytest.raises(DataError, match=message):
        left().merge(right())


def test_a_prediction_known_of_one_part_only_is_unknown():
    merged = profile([0, 1], torch.randn(2, 3)).merge(profile([1, 2]))
    assert merged.prediction.shape_tail is None
    assert merged.relation.class_axis is None
