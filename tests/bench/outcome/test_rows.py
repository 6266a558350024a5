"""A run that is killed goes on where it was; rows of two experiments never meet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nebula.bench.outcome.manifest import Manifest, Problem
from nebula.bench.outcome.rows import Parts, Pick, Results, Row, read_rows, write_rows
from nebula.bench.outcome.run import run_outcome
from nebula.decision.policy import Policy
from nebula.errors import DataError
from tests.bench.outcome.hand_made import small_manifest
from tests.project.tree import ROOT


def results(problem: str, seeds: int = 2, manifest: str = "m") -> Results:
    rows = [
        Row(manifest, problem, "count", "mae", "mse", True, seed, rate, 1.0 + seed, 20, 2.0 if rate == 0.01 else None)
        for seed in range(seeds)
        for rate in (0.003, 0.01)
    ]
    return Results(tuple(rows), tuple(Pick(problem, seed, "nebula", "mse", "MSELoss") for seed in range(seeds)))


class Killed(Exception):  # noqa: N818 - what happens, not what is wrong
    pass


class Work:
    """Runs a problem once a call; dies in the middle when told to."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.done: list[str] = []
        self.given: list[tuple[Row, ...]] = []
        self.dies_at = dies_at

    def __call__(self, manifest: Manifest, problem: Problem, policy: Policy, trained: tuple[Row, ...]) -> Results:
        if len(self.done) == self.dies_at:
            raise Killed
        self.done.append(problem.id)
        self.given.append(trained)
        return results(problem.id, manifest=manifest.digest)


@pytest.mark.parametrize("dies_at", [0, 1, 2])
def test_after_a_kill_nothing_is_lost_and_nothing_is_doubled(tmp_path: Path, dies_at: int) -> None:
    manifest = small_manifest()
    first, second, third = Work(dies_at), Work(), Work()
    with pytest.raises(Killed):
        run_outcome(manifest, "default.yaml", tmp_path, work=first)
    resumed = run_outcome(manifest, "default.yaml", tmp_path, work=second)
    ids = [problem.id for problem in manifest.problems]
    assert first.done + second.done == ids
    assert resumed == Results(
        tuple(row for name in ids for row in results(name, manifest=manifest.digest).rows),
        tuple(pick for name in ids for pick in results(name).picks),
    )
    assert run_outcome(manifest, "default.yaml", tmp_path, work=third) == resumed
    assert not third.done


def test_a_problem_whose_rows_are_not_there_yet_is_not_finished(tmp_path: Path) -> None:
    parts = Parts(tmp_path, "a", "p")
    parts.add("p", results("p"))
    next(tmp_path.glob("*.rows.parquet")).unlink()
    assert not parts.has("p")
    assert parts.merge(["p"]) == Results((), ())
    (tmp_path / "torn.unfinished").write_bytes(b"PAR1")
    assert not Parts(tmp_path, "a", "p").has("p")


def test_rows_of_another_manifest_are_refused(tmp_path: Path) -> None:
    run_outcome(small_manifest(), "default.yaml", tmp_path, work=Work())
    with pytest.raises(DataError, match=r"not mixed; name another folder with --parts"):
        run_outcome(small_manifest(rope=0.02), "default.yaml", tmp_path, work=Work())


def test_a_policy_edited_during_a_run_stops_it(tmp_path: Path) -> None:
    policy = tmp_path / "mine.yaml"
    policy.write_text((ROOT / "policies" / "paper.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    edit = Work()

    def work(manifest: Manifest, problem: Problem, asked: Policy, trained: tuple[Row, ...]) -> Results:
        policy.write_text(policy.read_text(encoding="utf-8").replace("name: paper", "name: edited"), encoding="utf-8")
        return edit(manifest, problem, asked, trained)

    with pytest.raises(DataError, match="edited one: run again"):
        run_outcome(small_manifest(), str(policy), tmp_path / "parts", work=work)
    assert len(edit.done) == 1


def test_another_policy_is_asked_anew_and_given_what_was_trained(tmp_path: Path) -> None:
    first, other, again = Work(), Work(), Work()
    run_outcome(small_manifest(), "default.yaml", tmp_path, work=first)
    run_outcome(small_manifest(), "paper.yaml", tmp_path, work=other)
    assert other.done == first.done
    assert set(first.given) == {()}
    assert other.given == [results(name, manifest=small_manifest().digest).rows for name in first.done]
    run_outcome(small_manifest(), "default.yaml", tmp_path, work=again)
    assert not again.done


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    given = (*results("p").rows, replace(results("q").rows[0], valid=float("inf"), test=None))
    write_rows(given, tmp_path / "rows.parquet", of="abc")
    assert read_rows(tmp_path / "rows.parquet", Row) == (given, "abc")
    with pytest.raises(DataError, match="expected the columns problem"):
        read_rows(tmp_path / "rows.parquet", Pick)
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(DataError, match="as Parquet"):
        read_rows(tmp_path / "torn.parquet", Row)
