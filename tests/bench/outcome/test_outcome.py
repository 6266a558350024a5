"""A whole small run: data, arms, rows, report, figure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nebula.bench.outcome.experiment import run_problem
from nebula.bench.outcome.figure import draw_outcome
from nebula.bench.outcome.report import OutcomeReport
from nebula.bench.outcome.rows import CONSTANT, Results
from nebula.bench.outcome.summary import summarise
from nebula.decision.policy import load_policy
from tests.bench.outcome.hand_made import small_manifest

MANIFEST = small_manifest()
PROBLEMS = MANIFEST.problems


@pytest.fixture(scope="module")
def results() -> Results:
    policy = load_policy("default.yaml")
    runs = [run_problem(MANIFEST, problem, policy) for problem in PROBLEMS]
    return Results(tuple(r for run in runs for r in run.rows), tuple(p for run in runs for p in run.picks))


def report_of(results: Results) -> OutcomeReport:
    return summarise(results, MANIFEST, "default", "digest", {}, samples=100)


def test_every_candidate_has_a_row_for_every_seed_and_step_size(results: Results) -> None:
    for problem in PROBLEMS:
        for name in MANIFEST.candidates(problem):
            own = [row for row in results.rows if (row.problem, row.arm) == (problem.id, name)]
            assert sorted((row.seed, row.rate) for row in own) == [(s, r) for s in (0, 1) for r in (0.003, 0.01)]
            for seed in (0, 1):
                tested = [row for row in own if row.seed == seed and row.test is not None]
                assert len(tested) == 1, "test rows are looked at once"
                assert tested[0].valid == min(row.valid for row in own if row.seed == seed)
    assert all(row.manifest == MANIFEST.digest for row in results.rows)


def test_what_was_trained_for_another_policy_gives_the_same_results(results: Results) -> None:
    problem = PROBLEMS[0]
    mine = [row for row in results.rows if row.problem == problem.id]
    shared = [row for row in mine if row.candidate or row.arm == CONSTANT or row.arm.endswith("#2")]
    reused = run_problem(MANIFEST, problem, load_policy("default.yaml"), shared)
    assert sorted(reused.rows, key=repr) == sorted(mine, key=repr)
    assert reused.picks == tuple(pick for pick in results.picks if pick.problem == problem.id)


def test_the_second_arm_of_the_a_a_test_differs_in_its_start_alone(results: Results) -> None:
    by_arm = {(r.problem, r.arm, r.seed, r.rate): r for r in results.rows}
    first, second = (by_arm[PROBLEMS[0].id, arm, 0, 0.01] for arm in ("mse", "mse#2"))
    assert first.valid != second.valid
    assert second.valid == pytest.approx(first.valid, rel=0.3)
    assert not second.candidate


def test_a_pick_that_equals_a_candidate_is_that_candidate(results: Results) -> None:
    picks = {(p.problem, p.selector): p.arm for p in results.picks if p.seed == 0}
    rmse, mae, wine = (problem.id for problem in PROBLEMS)
    assert picks[mae, "nebula"] == "l1"
    assert picks[rmse, "nebula"] == "mse"
    assert picks[wine, "nebula"] == "plain"
    assert picks[wine, "peer_told"] == "zero"
    trained = {(row.problem, row.arm, row.seed) for row in results.rows}
    assert all((p.problem, p.arm, p.seed) in trained for p in results.picks)


def test_the_report_of_a_run(results: Results) -> None:
    report = report_of(results)
    assert report.finished == report.listed == 3
    assert {p.problem for p in report.problems} | set(report.unskilled) == {p.id for p in PROBLEMS}
    assert report.selectors["oracle"].mean == 0
    assert all(problem.best in problem.tied for problem in report.problems)
    assert OutcomeReport.model_validate_json(report.model_dump_json()) == report
    assert report_of(results) == report


def test_a_problem_without_skill_is_listed_and_counts_nowhere(results: Results) -> None:
    lost = PROBLEMS[1].id
    spoiled = tuple(
        replace(row, test=0.0 if row.test is not None else None) if row.problem == lost and row.arm == CONSTANT else row
        for row in results.rows
    )
    report = report_of(Results(spoiled, results.picks))
    assert lost in report.unskilled
    assert lost not in {problem.problem for problem in report.problems}


def test_nothing_finished_is_no_error() -> None:
    assert report_of(Results((), ())).problems == ()


def test_the_figure_is_the_same_for_the_same_report(results: Results, tmp_path: Path) -> None:
    report = report_of(results)
    for name in ("a.svg", "b.svg"):
        draw_outcome(report, tmp_path / name)
    drawn = (tmp_path / "a.svg").read_bytes()
    assert drawn == (tmp_path / "b.svg").read_bytes()
    assert b"<svg" in drawn
