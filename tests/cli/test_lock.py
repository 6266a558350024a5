"""`nebula lock`: pin, check, update."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nebula.cli.exit_codes import ExitCode
from nebula.lockfile.document import read_lockfile, write_lockfile
from nebula.lockfile.model import Lockfile
from tests.cli.runner import call


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("y,z\n" + "".join(f"{i % 7},{i / 4}\n" for i in range(60)))
    assert call("lock", "data/a.csv", "-t", "y").exit_code == ExitCode.OK
    return tmp_path


def test_pinned_decisions_are_checked_from_anywhere(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("lock", "--check").stdout == "data/a.csv:y: CrossEntropyLoss (unchanged)\n"
    monkeypatch.chdir(project / "data")
    assert call("lock", "--check", "-o", "../nebula.lock").exit_code == ExitCode.OK
    assert call("lock", "a.csv", "-t", "z", "-o", "../nebula.lock", "--name", "other").exit_code == ExitCode.OK
    assert set(read_lockfile(project / "nebula.lock").decisions) == {"data/a.csv:y", "other"}


def test_what_changed_is_told_and_taken_only_with_update(project: Path) -> None:
    before = (project / "nebula.lock").read_bytes()
    with (project / "data" / "a.csv").open("a") as stream:
        stream.write("3,1\n")
    done = call("lock", "--check", "--json")
    assert done.exit_code == ExitCode.FINDINGS
    (found,) = json.loads(done.stdout)
    assert found["differs"] is True
    assert {"cause": "data", "what": "rows", "pinned": "60", "found": "61"} in found["changes"]
    for command in (["--check"], [], ["data/a.csv", "-t", "y"]):
        assert call("lock", *command).exit_code == ExitCode.FINDINGS
    assert (project / "nebula.lock").read_bytes() == before
    assert "(updated)" in call("lock", "--update").stdout
    assert call("lock", "--check").exit_code == ExitCode.OK


def test_a_policy_of_the_project_is_pinned_by_content(project: Path) -> None:
    policy = project / "mine.yaml"
    text = (
        "apiVersion: nebula/v1\nname: mine\nversion: 1.0.0\nselect:\n  - id: any\n    when: true\n"
        "    use: {loss: MSELoss}\n    because: One.\n"
    )
    policy.write_text(text)
    assert call("lock", "data/a.csv", "-t", "z", "-p", "mine.yaml").exit_code == ExitCode.OK
    policy.write_text(text.replace("One", "Two"))
    done = call("lock", "--check")
    assert done.exit_code == ExitCode.FINDINGS
    assert "policy: content was blake2b:" in done.stdout
    policy.write_text(text.replace("MSELoss", "L1Loss"))
    assert "outcome: loss was MSELoss, is L1Loss" in call("lock", "--check").stdout


def test_a_decision_pinned_in_code_is_left_to_the_code(project: Path) -> None:
    path = project / "nebula.lock"
    (pinned,) = read_lockfile(path).decisions.values()
    write_lockfile(path, Lockfile(decisions={"train": pinned.model_copy(update={"request": None})}))
    done = call("lock", "--check")
    assert done.exit_code == ExitCode.OK
    assert "train: was pinned in code" in done.output


@pytest.mark.parametrize(
    "command",
    [
        ["--check", "--update"],
        ["data/a.csv"],
        ["--name", "x", "--check"],
        ["--check", "-o", "none.lock"],
        ["gone.csv", "-t", "y"],
    ],
)
def test_misuse_is_told(project: Path, command: list[str]) -> None:
    assert call("lock", *command).exit_code == ExitCode.USAGE


def test_what_cannot_be_decided_again_hides_no_other(project: Path) -> None:
    (project / "data" / "b.csv").write_text((project / "data" / "a.csv").read_text())
    assert call("lock", "data/b.csv", "-t", "z").exit_code == ExitCode.OK
    (project / "data" / "a.csv").unlink()
    done = call("lock", "--check")
    assert done.exit_code == ExitCode.USAGE
    assert done.stdout.startswith("data/b.csv:z: ")
    assert "data/a.csv:y: cannot be decided again: " in done.stderr


def test_a_lockfile_edited_by_hand_is_told(project: Path) -> None:
    path = project / "nebula.lock"
    path.write_text(path.read_text().replace("CrossEntropyLoss", "FocalLoss"))
    done = call("lock", "--check")
    assert done.exit_code == ExitCode.FINDINGS
    assert "outcome: loss was FocalLoss, is CrossEntropyLoss" in done.stdout
    assert "the lockfile was edited, or code was" in done.stdout
