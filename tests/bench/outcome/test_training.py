"""Networks trained side by side are those trained alone, and all arms see the same rows in the same order."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
import torch

from nebula.bench.outcome.arm import Arm, resolve
from nebula.bench.outcome.folds import code_features, split_table
from nebula.bench.outcome.manifest import Budget, Candidate
from nebula.bench.outcome.metrics import Scale
from nebula.bench.outcome.table import Table
from nebula.bench.outcome.training import Seed, score_test, train
from nebula.demo import arms as demo_arms
from nebula.demo import training as demo_training
from nebula.demo.metrics import find_metric
from nebula.demo.splits import Split
from nebula.losses.catalogue import load_builtin

load_builtin()
BUDGET = Budget(learning_rates=(0.01,), steps=60, evaluate_every=10, patience=2, batch_size=32)
CHOICES = {
    "rmse": {"use": {"loss": "MSELoss", "output_bias": "link_mean", "serve": "mean"}},
    "mae": {"use": {"loss": "HuberLoss", "params": {"delta": "$target.iqr"}, "output_bias": "median", "serve": "mean"}},
    "poisson_deviance": {
        "use": {
            "loss": "PoissonNLLLoss",
            "params": {"log_input": False},
            "link": "softplus",
            "output_bias": "link_mean",
            "serve": "mean",
        }
    },
    "log_loss": {
        "use": {"loss": "CrossEntropyLoss", "output_bias": "log_prior", "serve": "probability"},
        "outputs": "classes",
    },
}


def table(metric: str, rows: int = 150) -> Table:
    draws = np.random.default_rng(1)
    features = pd.DataFrame(draws.normal(size=(rows, 3)), columns=list("abc"))
    signal = features["a"].to_numpy() + 0.3 * draws.normal(size=rows)
    if metric == "log_loss":
        return Table(features, np.digitize(signal, [-0.5, 0.5]).astype(np.int64), (0.0, 1.0, 2.0), True)
    if metric == "poisson_deviance":
        return Table(features, draws.poisson(np.exp(0.5 + 0.4 * signal)).astype(np.int64), (), False)
    return Table(features, 100 + 30 * signal, (), False)


def seeds_of(metric: str, count: int = 4) -> list[Seed]:
    candidate = Candidate.model_validate(CHOICES[metric])
    data = table(metric)
    seeds = []
    for number in range(count):
        split = split_table(data, number, 5)
        arm = resolve(candidate.use, candidate.outputs, split.train.target)
        assert arm is not None
        floor = 0.01 * float(split.train.target.double().mean())
        seeds.append(Seed(arm, split, Scale(metric, data.levels, floor), number))
    return seeds


@pytest.mark.parametrize("metric", CHOICES)
def test_side_by_side_equals_one_by_one(metric: str) -> None:
    seeds = seeds_of(metric)
    together = train(seeds, BUDGET, 0.01)
    for seed, run in zip(seeds, together, strict=True):
        [alone] = train([seed], BUDGET, 0.01)
        assert (run.step, run.valid) == (alone.step, pytest.approx(alone.valid, rel=1e-4))
        for ours, theirs in zip(run.weights, alone.weights, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("metric", CHOICES)
def test_one_seed_equals_the_plain_training_loop(metric: str) -> None:
    """The demonstration's loop, one network and torch's own layers, is the oracle."""
    seeds = seeds_of(metric)
    plain_budget = demo_training.Budget(**asdict_of(BUDGET))
    scored = score_test(seeds, train(seeds, BUDGET, 0.01))
    for seed, run, ours in zip(seeds, train(seeds, BUDGET, 0.01), scored, strict=True):
        arm = as_demo_arm(seed.arm)
        plain = demo_training.train(
            arm,
            seed.split,
            find_metric(metric),
            plain_budget,
            n_outputs=seed.arm.outputs,
            rate=0.01,
            seed=seed.start,
        )
        assert plain.step == run.step
        assert plain.valid == pytest.approx(run.valid, rel=1e-4)
        theirs = demo_training.evaluate(
            arm, plain.network, seed.split.test, find_metric(metric), seed.split.train.target
        )
        assert theirs == pytest.approx(ours, rel=1e-3)


def asdict_of(budget: Budget) -> dict[str, object]:
    return budget.model_dump()


def as_demo_arm(arm: Arm) -> demo_arms.Arm:
    criterion = arm.criterion
    return demo_arms.Arm(
        "arm", arm.spec.loss, arm.spec.link, "", criterion, criterion.predict, criterion.init_output_bias
    )


def test_a_loss_whose_mean_is_no_plain_mean_is_called_alone() -> None:
    use = Candidate.model_validate(
        {"use": {"loss": "CrossEntropyLoss", "params": {"weight": [1.0, 2.0, 4.0]}, "serve": "probability"}}
    ).use
    arm = resolve(use, 3, torch.tensor([0, 1, 2, 2, 1, 0]))
    assert arm is not None
    assert arm.each is None
    plain = resolve(Candidate.model_validate(CHOICES["log_loss"]).use, 3, torch.tensor([0, 1, 2, 2, 1, 0]))
    assert plain is not None
    assert plain.each is not None


def test_all_candidates_of_a_seed_share_split_start_and_batches() -> None:
    data = table("rmse")
    first, second = split_table(data, 3, 5), split_table(data, 3, 5)
    for part in ("train", "valid", "test"):
        for field, value in asdict(getattr(first, part)).items():
            assert torch.equal(value, getattr(getattr(second, part), field))
    uses = [Candidate.model_validate(CHOICES[name]).use for name in ("rmse", "mae")]
    networks = []
    for use in uses:
        arm = resolve(use, 1, first.train.target)
        assert arm is not None
        networks.append(arm.start(3, first.train.target, 3))
    for ours, theirs in zip(networks[0].hidden.parameters(), networks[1].hidden.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert torch.equal(networks[0].head.weight, networks[1].head.weight)
    orders = [list(demo_training.batches(90, demo_training.Budget(steps=9), 3)) for _ in range(2)]
    assert all(torch.equal(a, b) for a, b in zip(*orders, strict=True))


def places(split: Split) -> list[set[int]]:
    return [set(part.places.tolist()) for part in (split.train, split.valid, split.test)]


def test_the_parts_are_disjoint_and_cover_the_table() -> None:
    train_rows, valid_rows, test_rows = places(split_table(table("log_loss"), 0, 5))
    assert len(train_rows) + len(valid_rows) + len(test_rows) == 150 == len(train_rows | valid_rows | test_rows)


def test_nothing_is_learnt_from_rows_outside_the_training_part() -> None:
    draws = np.random.default_rng(0)
    features = pd.DataFrame(
        {
            "number": draws.normal(size=60),
            "gaps": np.where(draws.random(60) < 0.2, np.nan, draws.normal(size=60)),
            "kind": draws.choice(["a", "b", "c"], 60),
        }
    )
    train_rows = np.arange(36)
    coded = code_features(features, train_rows, 2)
    assert coded.shape == (60, 1 + 2 + 2)
    np.testing.assert_allclose(coded[train_rows].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(coded[train_rows].std(axis=0), 1, atol=1e-5)
    poisoned = features.copy()
    poisoned.loc[50:, "number"] = 1e6
    poisoned.loc[50:, "kind"] = "z"
    poisoned.loc[50:, "gaps"] = np.nan
    np.testing.assert_array_equal(code_features(poisoned, train_rows, 2)[:50], coded[:50])
