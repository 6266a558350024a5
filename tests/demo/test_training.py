"""The training is the same for both arms but for the loss, the output bias and the serving."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nebula.demo.arms import Arm, naive_arm
from nebula.demo.catalogue import DATASETS
from nebula.demo.datasets import DataSet, load
from nebula.demo.metrics import find_metric
from nebula.demo.network import output_unit
from nebula.demo.splits import split
from nebula.demo.training import Budget, batches, evaluate, start, train

BY_NAME = {about.name: about for about in DATASETS}
SMALL = Budget(learning_rates=(1e-2,), steps=60, evaluate_every=10, patience=3, batch_size=32)


@pytest.fixture(scope="module")
def diabetes() -> DataSet:
    return load(BY_NAME["diabetes"])


@pytest.fixture(scope="module")
def health() -> DataSet:
    return load(BY_NAME["poor_health"])


def test_a_split_covers_every_row_once(diabetes: DataSet) -> None:
    parts = split(diabetes, seed=3)
    places = torch.cat([parts.train.places, parts.valid.places, parts.test.places])
    assert torch.equal(places.sort().values, torch.arange(len(diabetes.target)))
    assert [len(p.places) for p in (parts.train, parts.valid, parts.test)] == [264, 89, 89]


def test_rows_keep_their_own_target(diabetes: DataSet) -> None:
    parts = split(diabetes, seed=3)
    for part in (parts.train, parts.valid, parts.test):
        np.testing.assert_array_equal(part.target.numpy(), diabetes.target[part.places.numpy()])


def test_a_split_is_set_by_its_seed(diabetes: DataSet) -> None:
    one, again, other = split(diabetes, 1), split(diabetes, 1), split(diabetes, 2)
    assert torch.equal(one.test.places, again.test.places)
    assert not torch.equal(one.test.places, other.test.places)


def test_a_split_keeps_a_rare_class_everywhere(health: DataSet) -> None:
    shares = [part.target.float().mean().item() for part in vars(split(health, 0)).values()]
    assert max(shares) - min(shares) < 1e-3


def test_features_are_standardised_by_the_training_rows_alone(diabetes: DataSet) -> None:
    parts = split(diabetes, 0)
    assert parts.train.features.mean(0).abs().max() < 1e-5
    assert (parts.train.features.std(0, correction=0) - 1).abs().max() < 1e-5
    assert parts.test.features.mean(0).abs().max() > 1e-3


def test_batches_visit_every_row_once_a_pass() -> None:
    seen = list(batches(100, Budget(steps=8, batch_size=32), seed=5))
    assert [len(batch) for batch in seen] == [32, 32, 32, 4] * 2
    for run in (seen[:4], seen[4:]):
        assert torch.equal(torch.cat(run).sort().values, torch.arange(100))
    assert not torch.equal(torch.cat(seen[:4]), torch.cat(seen[4:]))


def test_the_order_of_batches_is_set_by_the_seed() -> None:
    def run(seed: int) -> torch.Tensor:
        return torch.cat(list(batches(50, SMALL, seed)))

    assert torch.equal(run(1), run(1))
    assert not torch.equal(run(1), run(2))


def test_a_network_leaves_the_global_generator_alone(diabetes: DataSet) -> None:
    arm, parts = naive_arm(diabetes.about, find_metric("rmse")), split(diabetes, 0)
    before = torch.random.get_rng_state()
    start(arm, parts, 1, seed=9)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("link", ["identity", "softplus", "sigmoid", "exp"])
def test_the_output_starts_at_the_natural_bias(diabetes: DataSet, link: str) -> None:
    def init(layer: nn.Linear) -> None:
        nn.init.constant_(layer.bias, 4.5)

    arm = Arm("nebula", "", link, "", nn.MSELoss(), lambda raw: raw, init)
    network = start(arm, split(diabetes, 0), 1, seed=0)
    nn.init.zeros_(network.head.weight)
    assert network(torch.randn(3, 10)).flatten().tolist() == pytest.approx([4.5] * 3, rel=1e-5)


def test_the_output_unit_is_the_standardised_target(diabetes: DataSet) -> None:
    target = torch.from_numpy(diabetes.target)
    unit = output_unit("identity", target, 1)
    standard = unit.inverse(target[:, None])
    assert standard.mean().item() == pytest.approx(0, abs=1e-5)
    assert standard.std(correction=0).item() == pytest.approx(1, rel=1e-5)
    assert torch.allclose(unit(standard)[:, 0], target)


def test_a_constant_column_has_unit_scale() -> None:
    unit = output_unit("identity", torch.tensor([[1.0, 7.0], [3.0, 7.0]]), 2)
    assert unit.scale.tolist() == [1.0, 1.0]
    assert unit.centre.tolist() == [2.0, 7.0]


def test_the_kept_network_is_the_best_look_at_validation(diabetes: DataSet) -> None:
    metric, parts = find_metric("rmse"), split(diabetes, 0)
    arm = naive_arm(diabetes.about, metric)
    kept = train(arm, parts, metric, SMALL, n_outputs=1, rate=1e-2, seed=0)
    assert kept.valid == evaluate(arm, kept.network, parts.valid, metric, parts.train.target)
    assert kept.valid < evaluate(arm, start(arm, parts, 1, 0), parts.valid, metric, parts.train.target)
    assert kept.step % SMALL.evaluate_every == 0


def test_training_does_not_look_at_test_rows(diabetes: DataSet) -> None:
    metric, parts = find_metric("rmse"), split(diabetes, 0)
    arm = naive_arm(diabetes.about, metric)
    valid = train(arm, parts, metric, SMALL, n_outputs=1, rate=1e-2, seed=0).valid
    parts.test.features.fill_(torch.nan)
    parts.test.target.fill_(torch.nan)
    assert train(arm, parts, metric, SMALL, n_outputs=1, rate=1e-2, seed=0).valid == valid


def test_training_stops_when_the_declared_metric_does_not_improve(diabetes: DataSet) -> None:
    steps = []

    def useless(raw: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        steps.append(1)
        return 0 * raw.sum()

    metric = find_metric("rmse")
    arm = Arm("naive", "", "identity", "", useless, lambda raw: raw)
    kept = train(arm, split(diabetes, 0), metric, SMALL, n_outputs=1, rate=1e-2, seed=0)
    assert kept.step == 0
    assert len(steps) == SMALL.patience * SMALL.evaluate_every


@pytest.mark.parametrize(
    ("name", "loss", "serve"),
    [
        ("digits", "CrossEntropyLoss", "probability"),
        ("breast_cancer", "BCEWithLogitsLoss", "probability"),
        ("poor_health", "BCEWithLogitsLoss", "threshold 0.5"),
        ("doctor_visits", "MSELoss", "mean"),
        ("star98", "MSELoss", "mean"),
        ("linnerud", "MSELoss", "mean"),
    ],
)
def test_the_naive_rule_goes_by_type(name: str, loss: str, serve: str) -> None:
    arm = naive_arm(BY_NAME[name], find_metric(BY_NAME[name].metric))
    assert (arm.loss_name, arm.serve_name) == (loss, serve)
    assert arm.init_output_bias is None


def test_the_naive_rule_names_the_likelier_label() -> None:
    binary = naive_arm(BY_NAME["poor_health"], find_metric("balanced_accuracy"))
    assert binary.serve(torch.tensor([[-0.1], [0.1]])).flatten().tolist() == [0, 1]
    several = naive_arm(BY_NAME["digits"], find_metric("balanced_accuracy"))
    assert several.serve(torch.tensor([[0.0, 2.0, 1.0]])).tolist() == [1]


def test_the_naive_losses_do_not_broadcast() -> None:
    raw, target = torch.tensor([[1.0], [0.0]]), torch.tensor([0, 1])
    arm = naive_arm(BY_NAME["doctor_visits"], find_metric("poisson_deviance"))
    assert arm.loss(raw, target).item() == 1.0
    arm = naive_arm(BY_NAME["poor_health"], find_metric("balanced_accuracy"))
    expected = (np.log1p(np.exp(1)) + np.log(2)) / 2
    assert arm.loss(raw, target).item() == pytest.approx(expected)
