"""Each command on sound input: what it writes, and that JSON stays clean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import nebula
from nebula.audit.log import AuditLog
from nebula.cli.exit_codes import ExitCode
from nebula.cli.stability_view import RESAMPLES
from nebula.decision.trace import DecisionTrace
from nebula.losses.registry import entries
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import vocabulary
from nebula.schemas import SCHEMAS, render
from tests.cli.runner import call

SELECTIONS = [
    ("bought", ["--prediction-shape", "N,1"], "BCEWithLogitsLoss"),
    ("bought", ["--prediction-shape", "N,2"], "CrossEntropyLoss"),
    ("visits", ["--hint", "task=count"], "PoissonNLLLoss"),
    ("visits", ["--hint", "task=regression", "--hint", "metric=mse"], "MSELoss"),
    ("price", ["--prediction-shape", "N,1"], "MSELoss"),
    ("price", ["--hint", "metric=mae"], "L1Loss"),
]


@pytest.mark.parametrize("suffix", ["csv", "parquet", "npz", "pt"])
@pytest.mark.parametrize(("target", "options", "loss"), SELECTIONS, ids=lambda v: v if isinstance(v, str) else None)
def test_select_agrees_for_every_kind_of_file(
    folder: Path, suffix: str, target: str, options: list[str], loss: str
) -> None:
    done = call("select", folder / f"table.{suffix}", "--target", target, *options, "--json")
    assert done.exit_code == ExitCode.OK, done.stderr
    trace = DecisionTrace.model_validate_json(done.stdout)
    assert trace.spec is not None
    assert (trace.spec.loss, trace.profile.target.name) == (loss, target)


def test_select_says_the_same_as_the_library(folder: Path) -> None:
    import pandas as pd

    done = call("select", folder / "table.csv", "-t", "visits", "--prediction-shape", "?,1", "--json")
    column = pd.read_csv(folder / "table.csv")["visits"]
    others = pd.read_csv(folder / "table.csv").drop(columns="visits")
    expected = nebula.select(column, nebula.PredictionSpec(shape=(None, 1)), features=others)
    assert DecisionTrace.model_validate_json(done.stdout).canonical_json() == expected.trace.canonical_json()


def test_select_tells_the_codes_of_labels_aside(folder: Path) -> None:
    done = call("select", folder / "table.csv", "-t", "species", "--prediction-shape", "N,3", "--json")
    assert json.loads(done.stdout)["spec"]["loss"] == "CrossEntropyLoss"
    assert "0 = setosa, 1 = versicolor, 2 = virginica" in done.stderr


def test_select_in_a_pipe_is_aligned_lines(folder: Path) -> None:
    done = call("select", folder / "table.csv", "-t", "price", "--prediction-shape", "N,1")
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert lines["loss"] == "MSELoss"
    assert lines["by"].endswith("(decided)")
    assert {"because", "link", "serve"} <= lines.keys()


def test_several_targets_and_named_features(folder: Path) -> None:
    done = call("select", folder / "table.csv", "-t", "x1,x2", "--features", "visits", "--json")
    profile = DecisionTrace.model_validate_json(done.stdout).profile
    assert (profile.target.n_columns, profile.features.d) == (2, 1)


def test_set_replaces_a_parameter(folder: Path) -> None:
    arguments = ["select", folder / "table.csv", "-t", "price", "--policy", folder / "picky.yaml", "--json"]
    assert call(*arguments).exit_code == ExitCode.NO_LOSS
    done = call(*arguments, "--set", "floor=10.5")
    assert done.exit_code == ExitCode.OK, done.stderr
    assert json.loads(done.stdout)["parameters"] == {"floor": 10.5}


def test_audit_is_read_back_by_explain(folder: Path, tmp_path: Path) -> None:
    traces = tmp_path / "new" / "traces.jsonl"
    for target in ("price", "bought"):
        assert call("select", folder / "table.csv", "-t", target, "--audit", traces).exit_code == ExitCode.OK
    first, second = AuditLog(traces).read()
    assert (first.profile.target.name, second.profile.target.name) == ("price", "bought")

    listed = call("explain", traces)
    assert listed.exit_code == ExitCode.OK
    assert first.id in listed.stdout
    assert second.id in listed.stdout
    assert "--last" in listed.stderr
    by_id = json.loads(call("explain", traces, "--id", first.id[:12], "--json").stdout)
    assert by_id == json.loads(first.to_json())
    last = call("explain", traces, "--last")
    assert second.policy.digest in last.stdout
    assert all(rule.id in last.stdout for rule in second.rules)


def test_explain_says_how_firm_the_decision_is(folder: Path) -> None:
    asked = ("explain", folder / "table.csv", "-t", "price", "--stability")
    found = json.loads(call(*asked, "--json").stdout)
    assert found["resamples"] == RESAMPLES
    fewer = call(*asked, "--resamples", "5").stdout
    assert "of 5 resamples" in fewer.splitlines()[0]
    assert call(*asked, "--tree").exit_code == ExitCode.USAGE
    assert call(*asked, "--why-not", "MSELoss").exit_code == ExitCode.USAGE


def test_explain_shows_every_rule(folder: Path) -> None:
    done = call("explain", folder / "table.csv", "-t", "price")
    assert done.exit_code == ExitCode.OK, done.stderr
    policy = nebula.load_policy("default.yaml")
    shown = {
        line.split()[1].rstrip(":")
        for line in done.stdout.splitlines()
        if line.startswith((" =>", "  ~", "  -", "  ?"))
    }
    assert {rule.id for rule in policy.compiled.file.select} <= shown


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_why_not(folder: Path, as_json: bool) -> None:
    done = call(
        "explain", folder / "table.csv", "-t", "price", "--why-not", "PoissonNLLLoss", *(["--json"] if as_json else [])
    )
    assert done.exit_code == ExitCode.OK, done.stderr
    text = "\n".join(json.loads(done.stdout)["why_not"]) if as_json else done.stdout
    assert "PoissonNLLLoss was not chosen" in text


def test_profile_shows_what_is_known(folder: Path) -> None:
    done = call("profile", folder / "table.csv", "-t", "visits", "--json")
    profile = DataProfile.model_validate_json(done.stdout)
    assert (profile.target.n, profile.target.is_integer_valued, profile.features.d) == (300, True, 5)
    shown = call("profile", folder / "table.csv", "-t", "visits").stdout
    assert ["target.is_integer_valued", "true"] in [line.split() for line in shown.splitlines()]
    assert "prediction.n_outputs" not in shown


def test_losses_lists_the_registry() -> None:
    assert [loss["name"] for loss in json.loads(call("losses", "--json").stdout)] == [e.name for e in entries()]
    lines = call("losses").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [entry.name for entry in entries()]


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_losses_describes_one(as_json: bool) -> None:
    done = call("losses", "HuberLoss", *(["--json"] if as_json else []))
    assert "delta" in done.stdout
    if as_json:
        assert json.loads(done.stdout)["name"] == "HuberLoss"


def test_facts_lists_the_vocabulary() -> None:
    assert [fact["name"] for fact in json.loads(call("facts", "--json").stdout)] == list(vocabulary())
    assert [line.split()[0] for line in call("facts").stdout.splitlines()[1:]] == list(vocabulary())


@pytest.mark.parametrize("kind", SCHEMAS)
def test_schema_prints_and_writes(kind: str, tmp_path: Path) -> None:
    assert call("schema", kind).stdout == render(kind)
    assert call("schema", "--write", tmp_path).exit_code == ExitCode.OK
    assert (tmp_path / f"{kind}.schema.json").read_text(encoding="utf-8") == render(kind)


@pytest.mark.parametrize("name", ["default.yaml", "paper.yaml", "strict.yaml"])
def test_shipped_policies_are_sound(name: str) -> None:
    done = call("policy", "lint", name)
    assert (done.exit_code, done.stdout) == (ExitCode.OK, "")
    shown = call("policy", "show", name)
    rules = nebula.load_policy(name).compiled.file.select
    assert [rule.id for rule in rules if rule.id not in shown.stdout] == []
    assert len(json.loads(call("policy", "show", name, "--json").stdout)["select"]) == len(rules)


def test_lint_reports_every_problem_of_every_file(folder: Path) -> None:
    done = call("policy", "lint", folder / "unknown.yaml", "default.yaml", folder / "broken.yaml", "--json")
    assert done.exit_code == ExitCode.POLICY
    problems: list[dict[str, Any]] = json.loads(done.stdout)
    assert {Path(problem["file"]).name for problem in problems} == {"unknown.yaml", "broken.yaml"}
    assert any(p["line"] == 6 and "is_integer_valued" in p["message"] for p in problems)
    assert any(p["line"] == 7 and "MSELoss" in p["message"] for p in problems)
    assert "default.yaml: default" in done.stderr


def test_version() -> None:
    assert call("--version").stdout == f"nebula {nebula.__version__}\n"
