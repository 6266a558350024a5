"""Shapes of target and prediction: the table, and what torch says."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nebula.profiling.prediction import PredictionSpec
from nebula.profiling.profiler import profile
from nebula.profiling.relation import find_class_axis, same_shape


@pytest.mark.parametrize(
    ("target", "prediction", "equal", "axis", "outputs"),
    [
        pytest.param((8,), (8, 5), False, 1, 5, id="class indices"),
        pytest.param((8, 1), (8, 5), False, 1, 5, id="class indices in a column"),
        pytest.param((8,), (8, 1), True, None, 1, id="single output"),
        pytest.param((8, 1), (8,), True, None, 1, id="column target"),
        pytest.param((8,), (8,), True, None, 1, id="vectors"),
        pytest.param((8, 5), (8, 5), True, None, 1, id="one-hot"),
        pytest.param((8, 7), (8, 7, 5), False, 2, 5, id="sequence, classes last"),
        pytest.param((8, 7), (8, 5, 7), False, 1, 5, id="sequence, classes second"),
        pytest.param((8, 5), (8, 5, 5), False, 1, 5, id="either axis fits"),
        pytest.param((8, 6, 7), (8, 5, 6, 7), False, 1, 5, id="dense, classes second"),
        pytest.param((8, 6, 7), (8, 6, 7, 5), False, 3, 5, id="dense, classes last"),
        pytest.param((8, 6, 7), (8, 6, 5, 7), False, 2, 5, id="dense, classes in the middle"),
        pytest.param((8, 6, 7), (8, 1, 6, 7), True, None, 1, id="dense, one channel"),
        pytest.param((8, 1, 6, 7), (8, 6, 7), True, None, 1, id="dense, one channel on the target"),
        pytest.param((8, 1, 6, 7), (8, 4, 6, 7), False, 1, 4, id="dense classes, one channel on the target"),
        pytest.param((8, 1, 6), (8, 1, 6), True, None, 1, id="same with an inner axis of 1"),
        pytest.param((8,), (8, 5, 1), False, 1, 5, id="trailing axis on the prediction"),
        pytest.param((), (5,), False, 0, 5, id="unbatched"),
        pytest.param((8,), (9, 5), False, None, None, id="other rows"),
        pytest.param((5,), (8, 5), False, None, None, id="rows are no class axis"),
        pytest.param((8, 3), (8, 5), False, None, None, id="unrelated"),
        pytest.param((8, 5), (8,), False, None, None, id="target wider"),
        pytest.param((8,), (None, 5), False, 1, 5, id="declared: class indices"),
        pytest.param((8, 7), (None, 7, 5), False, 2, 5, id="declared: sequence"),
        pytest.param((8, 5), (None, 5), True, None, 1, id="declared: one-hot"),
        pytest.param((8,), (None, None), False, 1, None, id="declared: outputs unknown"),
    ],
)
def test_class_axis(target, prediction, equal, axis, outputs):
    relation = profile(torch.zeros(target), PredictionSpec(prediction)).relation
    assert (relation.shapes_equal, relation.class_axis, relation.n_outputs_per_label) == (equal, axis, outputs)
    if None not in prediction:
        assert profile(torch.zeros(target), torch.zeros(prediction)).relation == relation


shapes = st.lists(st.integers(1, 4), max_size=4).map(tuple)


@given(shapes, shapes)
def test_broadcasting_is_torchs(target, prediction):
    try:
        torch.broadcast_shapes(target, prediction)
        works = True
    except RuntimeError:
        works = False
    relation = profile(torch.zeros(target), torch.zeros(prediction)).relation
    assert relation.broadcasts_silently == (works and target != prediction)


@pytest.mark.parametrize(
    ("target", "prediction", "silently"),
    [((8,), (None, 1), True), ((8,), (None,), False), ((8, 3), (None, None), None), ((8,), (None, 3), False)],
    ids=str,
)
def test_broadcasting_with_unknown_sizes(target, prediction, silently):
    assert profile(torch.zeros(target), PredictionSpec(prediction)).relation.broadcasts_silently is silently


@given(shapes, shapes)
def test_removing_the_class_axis_gives_the_targets_shape(target, prediction):
    axis = find_class_axis(target, prediction)
    if axis is not None:
        assert same_shape(target, prediction[:axis] + prediction[axis + 1 :])
        assert not same_shape(target, prediction)


@pytest.mark.parametrize(
    ("labels", "outputs", "fit", "shifted", "agree"),
    [
        pytest.param([0, 1, 2], 3, True, False, True, id="0..2 of 3"),
        pytest.param([1, 2, 3], 3, False, True, True, id="1..3 of 3"),
        pytest.param([0, 2], 3, True, False, False, id="a class is absent"),
        pytest.param([0, 3], 3, False, False, False, id="a label too many"),
        pytest.param([1, 2], 3, True, True, False, id="both readings"),
        pytest.param([-1, 1], 2, False, False, True, id="signs"),
        pytest.param([0.0, 1.0], 2, True, False, True, id="whole floats"),
        pytest.param([0.2, 0.7, 0.9], 3, False, False, True, id="fractions"),
        pytest.param([0, 1, 2, 255], 3, True, False, True, id="filler left out"),
        pytest.param(list(range(2000)), 2000, True, False, True, id="a vocabulary"),
        pytest.param([-100, *range(2000)], 2000, True, False, True, id="a vocabulary with filler"),
        pytest.param([1e300, 0], 2, False, False, True, id="a huge label"),
    ],
)
def test_labels_against_outputs(labels, outputs, fit, shifted, agree):
    relation = profile(labels, PredictionSpec((None, outputs))).relation
    assert (relation.labels_fit, relation.labels_fit_shifted, relation.n_classes_agree) == (fit, shifted, agree)


def test_without_a_class_axis_no_label_fits():
    relation = profile([0, 1], torch.zeros(2)).relation
    assert (relation.labels_fit, relation.labels_fit_shifted, relation.n_classes_agree) == (False, False, False)


def test_without_labels_or_a_prediction_nothing_is_known():
    empty = profile(torch.zeros(0), PredictionSpec((None, 3))).relation
    assert (empty.class_axis, empty.labels_fit, empty.n_classes_agree) == (1, None, None)
    assert set(profile([0, 1]).relation.model_dump().values()) == {None}
