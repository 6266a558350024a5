"""Every data set is on this machine already and is what its declaration says."""

from __future__ import annotations

import socket

import numpy as np
import pytest

from nebula.demo.catalogue import DATASETS
from nebula.demo.datasets import DataSet, Declaration, load
from nebula.demo.metrics import find_metric
from nebula.errors import DataError
from nebula.profiling.hints import parse_hints

SUPPORT = {
    "digits": lambda y: set(np.unique(y)) == set(range(10)),
    "wine": lambda y: set(np.unique(y)) == {0, 1, 2},
    "breast_cancer": lambda y: set(np.unique(y)) == {0, 1},
    "poor_health": lambda y: set(np.unique(y)) == {0, 1} and 0.01 < y.mean() < 0.02,
    "health_risk": lambda y: set(np.unique(y)) == {0, 1} and 0.01 < y.mean() < 0.02,
    "star98": lambda y: y.min() > 0 and y.max() < 1,
    "doctor_visits": lambda y: y.min() == 0 and y.var() > 2 * y.mean(),
    "usual_visits": lambda y: y.min() == 0 and np.median(y) < y.mean(),
    "affairs": lambda y: y.min() == 0 and 0.6 < (y == 0).mean() < 0.75 and (y != y.round()).any(),
    "investment": lambda y: y.min() > 0 and np.median(y) < 0.5 * y.mean(),
    "card_spending": lambda y: y.min() > 0 and np.median(y) < y.mean(),
    "engel": lambda y: y.min() > 0 and np.median(y) < y.mean(),
    "diabetes": lambda y: y.min() > 0 and (y == y.round()).all(),
    "linnerud": lambda y: y.shape == (20, 3),
}

each = pytest.mark.parametrize("about", DATASETS, ids=lambda about: about.name)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a demo data set reached for the network")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@each
def test_it_has_the_declared_support(about: Declaration) -> None:
    data = load(about)
    assert SUPPORT[about.name](data.target)
    assert (data.target.dtype == np.int64) == (about.kind != "number" or "visits" in about.name)


@each
def test_its_features_are_ready_to_train_on(about: Declaration) -> None:
    data = load(about)
    assert data.features.dtype == np.float32
    assert data.features.ndim == 2
    assert len(data.features) == len(data.target)
    assert np.isfinite(data.features).all()
    assert data.features.std(axis=0).max() > 0


@each
def test_the_target_is_not_among_the_features(about: Declaration) -> None:
    data = load(about)
    columns = data.target.reshape(len(data.target), -1).astype(np.float32)
    for column in columns.T:
        assert not any(np.array_equal(column, feature) for feature in data.features.T)


@each
def test_the_outputs_fit_the_target(about: Declaration) -> None:
    target = load(about).target
    expected = {"binary": 1, "multiclass": len(np.unique(target)), "number": target.reshape(len(target), -1).shape[1]}
    assert about.n_outputs == expected[about.kind]


@each
def test_the_metric_is_one_that_can_be_declared_and_scored(about: Declaration) -> None:
    assert parse_hints({"metric": about.metric}).metric is not None
    assert find_metric(about.metric).name == about.metric


def test_there_are_at_least_nine_with_names_of_their_own() -> None:
    names = [about.name for about in DATASETS]
    assert len(set(names)) == len(names) == len(SUPPORT) >= 9


def test_categories_are_coded_one_hot() -> None:
    by_name = {about.name: about for about in DATASETS}
    firms = load(by_name["investment"]).features[:, 3:]
    assert firms.shape[1] == 11
    assert (firms.sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("features", "target"),
    [
        (np.array([[np.nan], [1.0]]), np.array([1.0, 2.0])),
        (np.array([[1.0], [1.0]]), np.array([1.0, np.inf])),
        (np.array([[1.0], [1.0]]), np.array([1.0, 2.0, 3.0])),
    ],
    ids=["missing feature", "infinite target", "unequal lengths"],
)
def test_a_broken_source_is_named(features: np.ndarray, target: np.ndarray) -> None:
    about = Declaration("broken", "y", "rmse", "number", 1, "", "some.module", lambda: (features, target))
    with pytest.raises(DataError, match=r"'broken' \(some.module\): expected finite numbers"):
        load(about)


def test_a_data_set_keeps_whole_numbers_and_labels_as_they_are() -> None:
    about = Declaration(
        "whole", "y", "rmse", "number", 1, "", "", lambda: (np.ones((2, 1)), np.array([1, 2], np.int32))
    )
    data: DataSet = load(about)
    assert data.target.dtype == np.int64
