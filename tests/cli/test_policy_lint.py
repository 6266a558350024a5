"""`nebula policy lint` and `nebula explain-code` as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nebula.cli.exit_codes import ExitCode
from nebula.policy.codes.catalogue import CODES
from tests.cli.runner import call

HEAD = "apiVersion: nebula/v1\nname: sample\nversion: 1.0.0\n"
RULE = "select:\n  - id: a\n    when: {}\n    use: {{loss: MSELoss}}\n    because: b\n"


@pytest.fixture
def doubtful(tmp_path: Path) -> Path:
    source = tmp_path / "doubtful.yaml"
    source.write_text(HEAD + RULE.format("target.class_balance > 2"), encoding="utf-8")
    return source


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    source = tmp_path / "faulty.yaml"
    source.write_text(HEAD + RULE.format("target.meen > 2 and target.skw > 1"), encoding="utf-8")
    return source


def test_warnings_alone_do_not_fail_unless_strict(doubtful: Path) -> None:
    done = call("policy", "lint", doubtful)
    assert done.exit_code == ExitCode.OK
    assert "warning[NEB-P101]" in done.stdout
    assert "sample 1.0.0 can be used" in done.stderr
    assert "1 warning; `nebula explain-code NEB-P101`" in done.stderr
    strict = call("policy", "lint", doubtful, "--strict")
    assert strict.exit_code == ExitCode.POLICY
    assert "error[NEB-P101]" in strict.stdout


def test_all_problems_are_shown_with_their_lines(faulty: Path, doubtful: Path) -> None:
    done = call("policy", "lint", faulty, doubtful, faulty)
    assert done.exit_code == ExitCode.POLICY
    assert done.stdout.count("error[NEB-P052]") == 2
    assert " 6 |     when: target.meen > 2 and target.skw > 1\n   |           ^^^^^^^^^^^\n" in done.stdout
    assert "2 errors, 1 warning" in done.stderr


@pytest.mark.parametrize("form", [["--json"], ["--format", "json"], ["--format", "sarif"]], ids=" ".join)
def test_machines_read_clean_json(faulty: Path, form: list[str]) -> None:
    done = call("policy", "lint", faulty, *form)
    assert done.exit_code == ExitCode.POLICY
    document = json.loads(done.stdout)
    found = document["runs"][0]["results"] if form[-1] == "sarif" else document
    assert len(found) == 2


@pytest.mark.parametrize("code", ["NEB-P052", "neb-p052", "p052"])
def test_explain_code_prints_the_page_and_lists_all(code: str) -> None:
    page = call("explain-code", code)
    assert page.exit_code == ExitCode.OK
    assert page.stdout.startswith("# NEB-P052: unknown fact\n")
    assert "target.meen > 1" in page.stdout
    listed = call("explain-code").stdout
    assert [code for code in CODES if code not in listed] == []


@pytest.mark.parametrize(
    ("code", "part"), [("NEBP052", "Did you mean NEB-P052?"), ("p52", "Did you mean NEB-P052?"), ("what", "lists them")]
)
def test_an_unknown_code_is_refused_with_the_nearest(code: str, part: str) -> None:
    done = call("explain-code", code)
    assert (done.exit_code, done.stdout) == (ExitCode.USAGE, "")
    assert part in " ".join(done.stderr.replace("│", " ").split())
