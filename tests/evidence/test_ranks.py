"""Four processes, each with other classes, hold one decision; one of them writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nebula import Nebula, PredictionSpec
from nebula.audit.log import AuditLog
from nebula.drift.options import GuardOptions
from nebula.errors import DataError, DecisionError
from tests.evidence.rank import RANKS, labels
from tests.project.tree import ROOT


def test_all_ranks_decide_the_same_and_one_writes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.evidence.rank", str(tmp_path)]
    started = [subprocess.Popen([*command, str(rank)], cwd=ROOT) for rank in range(RANKS)]
    assert [process.wait() for process in started] == [0] * RANKS
    results = [(tmp_path / f"{rank}.txt").read_text().splitlines() for rank in range(RANKS)]
    assert all(result[:3] == results[0][:3] for result in results)
    whole = Nebula().fit(labels(), prediction=PredictionSpec(shape=(None, 8))).decision
    assert whole is not None
    assert whole.spec is not None
    assert [trace.rule_id for trace in AuditLog(tmp_path / "log.0.jsonl").read()] == [whole.rule_id] * 3
    assert not any((tmp_path / f"log.{rank}.jsonl").exists() for rank in range(1, RANKS))
    first = next(iter(AuditLog(tmp_path / "log.0.jsonl").read()))
    assert first.profile.target == whole.trace.profile.target
    assert first.spec == whole.spec
    assert first.status == "decided"
    assert "at least one batch" in results[2][3]
    assert all("found 1 that could not" in results[rank][3] for rank in (0, 1, 3))


def test_without_a_group_it_says_so() -> None:
    with pytest.raises(DataError, match="expected an initialised process group"):
        Nebula().fit(labels(), prediction=PredictionSpec(shape=(None, 8)), group=True)


def test_a_group_does_not_redecide(tmp_path: Path) -> None:
    asks = tmp_path / "own.yaml"
    asks.write_text("apiVersion: nebula/v1\nname: own\nversion: 1.0.0\nextends: [default.yaml]\non_drift: redecide\n")
    shape = PredictionSpec(shape=(None, 8))
    refused: list[tuple[str | Path, GuardOptions | bool]] = [
        ("default.yaml", GuardOptions(on_drift="redecide")),
        (asks, True),
    ]
    for policy, guard in refused:
        with pytest.raises(DecisionError, match="expected `on_drift` to be warn or raise"):
            Nebula(policy, guard=guard).fit(labels(), prediction=shape, group=True)
    for guard in (False, GuardOptions(on_drift="warn")):
        with pytest.raises(DataError, match="expected an initialised process group"):
            Nebula(asks, guard=guard).fit(labels(), prediction=shape, group=True)
