"""The page says what the results say; the stack trains what single networks train; a killed sweep goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from nebula.bench.paired import paired_scores
from nebula.bench.paper.values import compare_values
from nebula.bench.sweep.catalogue import SWEEPS, find_sweeps
from nebula.bench.sweep.point import Point, setup_of
from nebula.bench.sweep.record import append_point, read_points, write_points
from nebula.bench.sweep.run import SEEDS
from nebula.bench.sweep.summary import boundary, read_point
from nebula.decision.policy import load_policy
from nebula.demo.arms import selected_arm
from nebula.demo.metrics import find_metric
from nebula.demo.training import Budget, evaluate, train
from nebula.errors import DataError, HintError
from tests.bench.experiments_page import PAGE, PICTURES, paper, points, rendered


def point(level: float = 0.0, fact: float | None = None, chosen: str = "A", **scores: tuple[float, ...]) -> Point:
    scores = scores or {"A": (1.0, 1.0), "B": (2.0, 2.0)}
    seeds = len(next(iter(scores.values())))
    return Point(
        sweep="tails", level=level, metric="mae", lower_is_better=True, setup="s", scores=scores,
        fact=(fact,) * seeds, chosen=(chosen,) * seeds, policy="p",
    )  # fmt: skip


def test_the_page_is_that_of_the_results() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert rendered(text) == text, "run `python -m tests.bench.experiments_page`"
    assert {f"sweep-{found.sweep}.svg" for found in points()} <= {file.name for file in PICTURES.glob("*.svg")}
    shown = {"paper: values", "paper: trained", *(f"sweep: {found.sweep}" for found in points())}
    assert {kind for kind in shown if f"<!-- table of {kind} -->" not in text} == set()


def test_every_point_is_of_the_setup_that_the_code_has() -> None:
    known = {sweep.name: sweep for sweep in SWEEPS}
    for found in points():
        sweep = known[found.sweep]
        assert found.level in sweep.levels
        assert found.setup == setup_of(sweep, found.metric, SEEDS), "run `nebula bench sweep` again"


def test_the_paper_report_holds_both_experiments() -> None:
    report = paper()
    assert {part.task for part in report.described} == {"classification", "regression"}
    for outcome in report.trained:
        assert len({len(scores) for scores in (*outcome.scores.values(), outcome.constant)}) == 1


def test_the_value_of_nebula_is_that_of_the_loss_it_chose() -> None:
    classification, regression = compare_values(2)
    assert classification.values["nebula"] == pytest.approx(classification.values["CrossEntropyLoss"], rel=1e-4)
    assert (
        min(abs(a - b) for a, b in zip(regression.values["nebula"], regression.values["MSELoss"], strict=True)) < 1e-3
    )


@pytest.mark.parametrize(("name", "metric", "which"), [("tails", "mae", 1), ("label-noise", "log_loss", 0)])
def test_a_stack_trains_what_single_networks_train(name: str, metric: str, which: int) -> None:
    (sweep,) = find_sweeps((name,))
    candidate, judged = sweep.candidates(metric)[which], find_metric(metric)
    splits = [sweep.draw(0.2, np.random.default_rng(seed)) for seed in range(2)]
    arms = [selected_arm(candidate.decide(part.train.target)) for part in splits]
    budget = Budget(learning_rates=(3e-3,), steps=20, evaluate_every=10, patience=100)
    found = paired_scores(arms, splits, judged, budget, n_outputs=candidate.n_outputs)
    for seed, (arm, part) in enumerate(zip(arms, splits, strict=True)):
        alone = train(arm, part, judged, budget, n_outputs=candidate.n_outputs, rate=3e-3, seed=seed)
        assert found[seed] == pytest.approx(
            evaluate(arm, alone.network, part.test, judged, part.train.target), rel=1e-4
        )


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_draws_are_repeatable_finite_and_paired(sweep: object) -> None:
    for level in (sweep.levels[0], sweep.levels[2]):
        one, same = (sweep.draw(level, np.random.default_rng(3)) for _ in range(2))
        assert torch.equal(one.train.target, same.train.target)
        assert torch.equal(one.test.features, same.test.features)
        assert torch.isfinite(one.train.target.double()).all()


def test_a_torn_last_line_is_left_out_and_a_broken_one_told(tmp_path: Path) -> None:
    file = tmp_path / "points.jsonl"
    append_point(file, point(0.0))
    append_point(file, point(0.1))
    append_point(file, point(0.1, chosen="B"))
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole + '{"sweep": "ta', encoding="utf-8")
    assert [p.level for p in read_points(file)] == [0.0, 0.1]
    assert read_points(file)[1].chosen == ("B", "B")
    write_points(file, read_points(file))
    assert len(file.read_text(encoding="utf-8").splitlines()) == 2
    file.write_text("{}\n" + whole, encoding="utf-8")
    with pytest.raises(DataError, match=r"points\.jsonl:1"):
        read_points(file)


def test_cost_and_boundary_by_hand() -> None:
    reading = read_point(point(chosen="B", A=(1.0, 3.0), B=(2.0, 3.0)))
    assert (reading.best, reading.cost, reading.error) == ("A", 0.25, 0.25)
    assert read_point(point(chosen="another")).cost is None
    levels = [read_point(point(level, fact)) for level, fact in ((0.0, 1.0), (0.5, 3.0), (1.0, 9.0))]
    assert boundary(levels, 2.0) == pytest.approx(0.25)
    assert boundary(levels, 10.0) is None


def test_an_unknown_sweep_is_told() -> None:
    with pytest.raises(HintError, match="expected one of label-noise"):
        find_sweeps(("noise",))


def test_every_threshold_of_a_sweep_is_one_of_the_policy() -> None:
    parameters = load_policy("default.yaml").compiled.parameters
    assert {sweep.parameter for sweep in SWEEPS if sweep.parameter} <= set(parameters)
