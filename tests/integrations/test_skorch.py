"""skorch's estimators inside scikit-learn's pipelines and searches: decided in fit, served rightly."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nebula.errors import DecisionError
from nebula.integrations.skorch import NebulaClassifier, NebulaRegressor
from tests.integrations.networks import Network, counts

QUIET: dict[str, Any] = {"verbose": 0, "max_epochs": 3, "lr": 0.05, "criterion__cache": None}


def wine() -> tuple[Any, Any]:
    features, classes = load_wine(return_X_y=True)
    return StandardScaler().fit_transform(features).astype(np.float32), classes


def test_a_search_over_a_pipeline_decides_in_every_fold() -> None:
    features, classes = wine()
    net = NebulaClassifier(Network, module__features=13, module__outputs=3, **QUIET)
    grid = {"nebulaclassifier__criterion__hints": [None, {"metric": "accuracy"}], "nebulaclassifier__lr": [0.1]}
    search = GridSearchCV(make_pipeline(StandardScaler(), net), grid, cv=2, error_score="raise", scoring="neg_log_loss")
    search.fit(features, classes)
    best = search.best_estimator_[-1]
    assert best.criterion_.decision.spec.loss == "CrossEntropyLoss"
    assert best.criterion_.decision.trace.profile.evidence.rows_seen < len(classes)  # the rows kept for validation
    probability = search.predict_proba(features)
    np.testing.assert_allclose(probability.sum(1), 1, rtol=1e-5)
    np.testing.assert_array_equal(search.predict(features), probability.argmax(1))


@pytest.mark.parametrize("labels", [(0, 1), (1, 2), (-1, 1)])
def test_one_logit_gives_two_columns_and_the_users_labels(labels: tuple[int, int]) -> None:
    features, classes = wine()
    answers = np.where(classes == 0, *labels)
    net = NebulaClassifier(Network, module__features=13, **{**QUIET, "max_epochs": 30, "lr": 0.5}).fit(
        features, answers
    )
    assert net.score(features, answers) > 0.9
    probability = net.predict_proba(features)
    raw = net.raw_output(features)
    np.testing.assert_allclose(probability[:, 1], torch.sigmoid(raw).reshape(-1), rtol=1e-5)
    np.testing.assert_array_equal(
        net.predict(features), np.asarray(sorted(labels))[(probability[:, 1] > 0.5).astype(int)]
    )


def test_a_served_cut_is_what_predict_uses() -> None:
    features, classes = wine()
    costs = {"false_negative_cost": 9.0, "false_positive_cost": 1.0}
    net = NebulaClassifier(Network, module__features=13, criterion__hints=costs, **QUIET)
    net.fit(features, (classes == 0).astype(np.int64))
    serve = net.criterion_.decision.spec.serve
    assert serve.functional == "threshold"
    expected = net.predict_proba(features)[:, 1] >= serve.threshold
    np.testing.assert_array_equal(net.predict(features), expected)


@pytest.mark.parametrize("axes", [1, 2])
def test_a_regressor_serves_the_mean_of_counts_in_the_targets_shape(axes: int) -> None:
    inputs, target = (part.numpy() for part in counts())
    target = target if axes == 1 else target[:, None]
    net = NebulaRegressor(Network, train_split=None, **QUIET).fit(inputs, target)
    assert net.criterion_.decision.spec.loss == "PoissonNLLLoss"
    served = net.predict(inputs)
    assert served.shape == target.shape
    np.testing.assert_allclose(served.mean(), target.mean(), rtol=0.3)
    assert (served > 0).all()
    again = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(again.predict(inputs), served)


def test_a_second_fit_decides_anew_and_a_partial_fit_does_not() -> None:
    inputs, target = (part.numpy() for part in counts())
    net = NebulaRegressor(Network, **QUIET).fit(inputs, target)
    first = net.criterion_.decision.trace.id
    assert net.partial_fit(inputs, target).criterion_.decision.trace.id == first
    assert net.fit(inputs, target - 10.5).criterion_.decision.spec.loss != "PoissonNLLLoss"


def test_serving_before_fit_is_told() -> None:
    with pytest.raises(DecisionError, match="call fit"):
        NebulaClassifier(Network, **QUIET).initialize().predict(counts()[0].numpy())
