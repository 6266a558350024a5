"""`nebula profile` on folders, with a checkpoint, and beside another source."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import nebula
from nebula.cli.exit_codes import ExitCode
from nebula.decision.trace import DecisionTrace
from nebula.profiling.model import DataProfile
from tests.cli.runner import call


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    place = tmp_path / "parts"
    place.mkdir()
    for number in range(3):
        frame = pd.DataFrame({"y": [number, number + 1, 2], "kind": ["b", "a", "c" if number else "b"]})
        frame.to_parquet(place / f"{number}.parquet")
    return place


def test_a_folder_is_one_table(parts: Path) -> None:
    done = call("profile", parts, "-t", "kind", "--json")
    profile = DataProfile.model_validate_json(done.stdout)
    assert (profile.target.n, profile.target.class_counts, profile.target.name) == (9, (3, 4, 2), "kind")
    assert "labels are coded 0 = a, 1 = b, 2 = c" in done.stderr
    trace = DecisionTrace.model_validate_json(call("select", parts / "*.parquet", "-t", "y", "--json").stdout)
    assert trace.profile.evidence.rows_seen == 9
    assert set(trace.timings_ms) == {"profile", "decide"}


def test_bars_show_the_values_by_name(parts: Path) -> None:
    shown = call("profile", parts, "-t", "kind").stdout.splitlines()
    assert [line.split()[0] for line in shown[-4:]] == ["kind", "a", "b", "c"]
    bars = {line[0]: line.count("█") for line in shown[-3:]}
    assert bars == {"a": 22, "b": 30, "c": 15}


def test_a_complete_run_leaves_no_checkpoint(parts: Path, tmp_path: Path) -> None:
    kept = tmp_path / "progress.npz"
    assert call("profile", parts, "-t", "y", "--checkpoint", kept).exit_code == ExitCode.OK
    assert not kept.exists()
    kept.write_text("something else")
    failed = call("profile", parts, "-t", "y", "--checkpoint", kept)
    assert (failed.exit_code, "remove the file" in failed.stderr) == (ExitCode.USAGE, True)


def test_two_sources_side_by_side(parts: Path) -> None:
    first, last = parts / "0.parquet", parts / "2.parquet"
    found = json.loads(call("profile", first, "-t", "kind", "--compare", last, "--json").stdout)
    assert (found["shift"]["new_classes"], found["shift"]["lost_classes"]) == (["c"], [])
    assert found["shift"]["class_distance"] == pytest.approx(1 / 3)
    expected = [nebula.load_policy("default.yaml").decide(nebula.profile(f, target="kind")) for f in (first, last)]
    assert [side["rule"] for side in found["decisions"]] == [decision.rule_id for decision in expected]
    assert [side["target"]["n"] for side in found["profiles"]] == [3, 3]
    shown = call("profile", first, "-t", "kind", "--compare", last).stdout
    assert "33.3% of the rows would have to change class" in shown
    assert "new       c" in shown


def test_a_policy_that_refuses_is_told_not_raised(parts: Path, folder: Path) -> None:
    call_with = ("profile", parts / "0.parquet", "-t", "y", "--compare", parts / "1.parquet")
    done = call(*call_with, "--policy", folder / "picky.yaml")
    assert done.exit_code == ExitCode.OK, done.stderr
    assert "no rule fits this small a target" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--engine", "spark"], "expected local or ray"),
        (["--compare", "x.parquet", "--checkpoint", "c"], "expected one source with it"),
        (["--compare", "missing.parquet"], "found nothing there"),
    ],
    ids=["engine", "checkpoint", "missing"],
)
def test_what_does_not_fit_together(parts: Path, arguments: list[str], sentence: str) -> None:
    done = call("profile", parts / "0.parquet", "-t", "y", *arguments)
    assert done.exit_code == ExitCode.USAGE
    assert sentence in " ".join(done.stderr.replace("│", " ").split())
