"""Hostile input ends in one sentence on standard error, nothing on standard output, and a status."""

from __future__ import annotations

from pathlib import Path

import pytest

from nebula.cli.exit_codes import ExitCode, exit_code
from nebula.errors import (
    AmbiguousDecision,
    ContractError,
    DataError,
    DecisionError,
    EngineError,
    HintError,
    MissingExtraError,
    NebulaError,
    NoRuleFits,
    PolicyError,
    Problem,
)
from tests.cli.runner import call

FAILURES = [
    ("missing file", ["select", "none.csv", "-t", "y"], ExitCode.USAGE, "none.csv"),
    ("a folder", ["select", ".", "-t", "y"], ExitCode.USAGE, "files of one kind"),
    ("unknown ending", ["select", "table.xlsx", "-t", "y"], ExitCode.USAGE, ".csv"),
    ("missing column", ["select", "table.csv", "-t", "spicies"], ExitCode.USAGE, "Did you mean 'species'?"),
    ("missing feature", ["select", "table.csv", "-t", "price", "--features", "x3"], ExitCode.USAGE, "'x3'"),
    ("blank column", ["select", "table.csv", "-t", " , "], ExitCode.USAGE, "expected at least one column"),
    ("empty csv", ["select", "empty.csv", "-t", "y"], ExitCode.USAGE, "empty.csv"),
    ("garbage csv", ["select", "garbage.csv", "-t", "y"], ExitCode.USAGE, "garbage.csv"),
    ("garbage parquet", ["profile", "garbage.parquet", "-t", "y"], ExitCode.USAGE, "garbage.parquet"),
    ("garbage npz", ["profile", "garbage.npz", "-t", "y"], ExitCode.USAGE, "garbage.npz"),
    ("garbage pt", ["profile", "garbage.pt", "-t", "y"], ExitCode.USAGE, "garbage.pt"),
    ("unknown hint", ["select", "table.csv", "-t", "price", "--hint", "taks=count"], ExitCode.USAGE, "`task`"),
    ("bad hint value", ["select", "table.csv", "-t", "price", "--hint", "task=counts"], ExitCode.USAGE, "`count`"),
    ("hint without value", ["select", "table.csv", "-t", "price", "--hint", "task"], ExitCode.USAGE, "NAME=VALUE"),
    (
        "hint twice",
        ["select", "table.csv", "-t", "price", "--hint", "task=count", "--hint", "task=binary"],
        ExitCode.USAGE,
        "once",
    ),
    ("bad shape", ["select", "table.csv", "-t", "price", "--prediction-shape", "N,-1"], ExitCode.USAGE, "'-1'"),
    (
        "bad space",
        ["select", "table.csv", "-t", "price", "--prediction-shape", "N,1", "--prediction-space", "logit"],
        ExitCode.USAGE,
        "'logit'",
    ),
    (
        "space without shape",
        ["select", "table.csv", "-t", "price", "--prediction-space", "logits"],
        ExitCode.USAGE,
        "--prediction-shape",
    ),
    ("no target", ["select", "table.csv"], ExitCode.USAGE, "--target"),
    ("data without target", ["explain", "table.csv"], ExitCode.USAGE, "--target"),
    ("no such trace", ["explain", "none.jsonl", "--id", "ab"], ExitCode.USAGE, "'ab'"),
    ("no trace at all", ["explain", "none.jsonl", "--last"], ExitCode.USAGE, "found none"),
    ("not a trace", ["explain", "traces.jsonl", "--last"], ExitCode.USAGE, "traces.jsonl:1"),
    (
        "unknown loss",
        ["explain", "table.csv", "-t", "price", "--why-not", "MSELos"],
        ExitCode.USAGE,
        "Did you mean `MSELoss`?",
    ),
    ("unknown loss name", ["losses", "Huber"], ExitCode.USAGE, "`Huber`"),
    ("unknown schema", ["schema", "polcy"], ExitCode.USAGE, "polcy"),
    ("unknown command", ["selct"], ExitCode.USAGE, "selct"),
    ("missing policy", ["select", "table.csv", "-t", "price", "-p", "defualt.yaml"], ExitCode.POLICY, "defualt.yaml"),
    ("broken policy", ["select", "table.csv", "-t", "price", "-p", "broken.yaml"], ExitCode.POLICY, "broken.yaml:"),
    ("unknown fact", ["policy", "show", "unknown.yaml"], ExitCode.POLICY, "unknown.yaml:6:"),
    ("unknown parameter", ["select", "table.csv", "-t", "price", "--set", "nothing=1"], ExitCode.POLICY, "nothing"),
    ("no rule fits", ["select", "table.csv", "-t", "price", "-p", "picky.yaml"], ExitCode.NO_LOSS, "no rule fits"),
    ("data contradict", ["select", "table.csv", "-t", "x1", "-p", "wrong.yaml"], ExitCode.NO_LOSS, "PoissonNLLLoss"),
    (
        "audit into a file as a folder",
        ["select", "table.csv", "-t", "price", "--audit", "table.csv/traces.jsonl"],
        ExitCode.USAGE,
        "table.csv",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [row[1:] for row in FAILURES],
    ids=[row[0].replace(" ", "-") for row in FAILURES],
)
def test_a_failure_is_one_sentence_and_a_status(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: ExitCode, sentence: str
) -> None:
    monkeypatch.chdir(folder)
    done = call(*arguments)
    assert done.exit_code == status, done.stderr
    assert sentence in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_strict_refuses_what_the_data_cannot_tell(folder: Path, tmp_path: Path) -> None:
    ratings = tmp_path / "ratings.csv"
    ratings.write_text("y\n" + "\n".join(str(i * 7 % 11) for i in range(220)) + "\n")
    guessed = call("select", ratings, "-t", "y", "--json")
    assert guessed.exit_code == ExitCode.OK, guessed.stderr
    refused = call("select", ratings, "-t", "y", "-p", "strict.yaml", "--json")
    assert refused.exit_code == ExitCode.REFUSED, refused.stderr
    assert '"spec": null' in refused.stdout
    assert "the data cannot tell" in refused.stderr


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DataError("x"), ExitCode.USAGE),
        (HintError("x"), ExitCode.USAGE),
        (MissingExtraError("pandas", "table", "reading CSV files"), ExitCode.USAGE),
        (AmbiguousDecision("x"), ExitCode.REFUSED),
        (NoRuleFits("x"), ExitCode.NO_LOSS),
        (DecisionError("x"), ExitCode.NO_LOSS),
        (ContractError("x"), ExitCode.NO_LOSS),
        (PolicyError([Problem("a.yaml", 1, 1, "x")]), ExitCode.POLICY),
        (EngineError("x"), ExitCode.INTERNAL),
        (NebulaError("x"), ExitCode.INTERNAL),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_every_error_has_its_status(error: NebulaError, status: ExitCode, monkeypatch: pytest.MonkeyPatch) -> None:
    assert exit_code(error) == status

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("nebula.cli.request.DataRequest.profile", fail)
    done = call("profile", "any.csv", "-t", "y")
    assert (done.exit_code, done.stderr) == (status, f"nebula: {error}\n")


def test_ctrl_c_ends_with_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nebula.cli.request.DataRequest.profile", interrupt)
    assert call("profile", "any.csv", "-t", "y").exit_code == ExitCode.INTERRUPTED
