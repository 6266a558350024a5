"""`nebula policy test` and `coverage`: what they print, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nebula.cli.exit_codes import ExitCode
from tests.cli.runner import call

POLICY = """\
apiVersion: nebula/v1
name: small
version: 1.0.0
parameters: {floor: 10.0}
derive:
  - {id: is-large, when: target.min >= floor, set: {size: large}}
  - {id: is-small, when: target.min < floor, set: {size: small}}
select:
  - {id: large, when: size == "large", use: {loss: L1Loss}, because: Large.}
  - {id: whole, when: target.is_integer_valued and known(target.mean), use: {loss: MSELoss}, because: Whole.}
otherwise: {error: nothing fits}
"""
CASES = """\
apiVersion: nebula/v1-test
policy: small.yaml
cases:
  - {name: large, given: {target.min: 10}, expect: {rule: large, loss: L1Loss, serve: mean}}
  - {name: lower floor, given: {target.min: 5, parameters: {floor: 5.0}}, expect: {rule: large}}
  - {name: nothing, given: {target.min: 5}, expect: {error: nothing fits}}
"""


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(POLICY)
    (tmp_path / "small.test.yaml").write_text(CASES)
    return tmp_path / "small.test.yaml"


def add(cases: Path, *lines: str) -> None:
    cases.write_text(cases.read_text() + "".join(f"  - {{{line}}}\n" for line in lines))


def test_passing_cases_end_well(cases: Path) -> None:
    done = call("policy", "test", cases)
    assert done.exit_code == ExitCode.OK
    assert done.stdout.splitlines() == [f"{cases}: 3 of 3 passed", "3 passed, 0 failed"]


WRONG = {
    "loss": ("given: {target.min: 12}, expect: {loss: MSELoss}", "loss: expected MSELoss, got L1Loss"),
    "rule": ("given: {target.min: 12}, expect: {rule: whole}", "rule: expected whole, got large"),
    "not_rule": ("given: {target.min: 12}, expect: {not_rule: large}", "not_rule: expected not large, got large"),
    "otherwise": ("given: {target.min: 12}, expect: {rule: otherwise}", "rule: expected otherwise, got large"),
    "task": ("given: {target.min: 12}, expect: {task: count}", "task: expected count, got none"),
    "status": ("given: {target.min: 12}, expect: {status: ambiguous}", "status: expected ambiguous, got decided"),
    "link": ("given: {target.min: 12}, expect: {link: exp}", "link: expected exp, got identity"),
    "serve": ("given: {target.min: 12}, expect: {serve: median}", "serve: expected median, got mean"),
    "an error": ("given: {target.min: 5}, expect: {rule: large}", "error: expected none, got NoRuleFits"),
    "another error": ("given: {target.min: 5}, expect: {error: all fits}", "error: expected all fits, got NoRuleFits"),
    "no error": ("given: {target.min: 12}, expect: {error: nothing}", "error: expected nothing, got L1Loss by rule"),
    "no loss": ("given: {target.min: 12}, expect: {loss: none}", "loss: expected none, got L1Loss"),
}


@pytest.mark.parametrize(("case", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_expectation_fails(cases: Path, case: str, said: str) -> None:
    add(cases, f"name: wrong, {case}")
    done = call("policy", "test", cases)
    assert done.exit_code == ExitCode.TESTS_FAILED
    assert f"FAILED {cases}:7: wrong" in done.stdout
    assert said in done.stdout
    assert "3 passed, 1 failed" in done.stdout


def test_a_failure_shows_values_and_the_nearest_miss(cases: Path) -> None:
    add(cases, "name: wrong, given: {target: {min: 12, is_integer_valued: false, mean: 3}}, expect: {rule: whole}")
    text = call("policy", "test", cases).stdout
    assert "given: target.is_integer_valued = false, target.min = 12, target.mean = 3" in text
    assert "nearest miss: rule `whole` is false" in text
    assert "target.is_integer_valued is false [target.is_integer_valued = false]" in text
    assert "known(target.mean)" not in text.split("whole` is false:")[1].split("\n", 1)[1]


def test_a_rule_that_comes_too_late_is_named(cases: Path) -> None:
    add(cases, "name: wrong, given: {target: {min: 12, is_integer_valued: true, mean: 3}}, expect: {rule: whole}")
    assert "rule `whole` holds too, but `large` stands before it" in call("policy", "test", cases).stdout


def test_the_filter_chooses_by_name(cases: Path) -> None:
    assert "1 passed, 0 failed" in call("policy", "test", cases, "--filter", "LOWER").stdout
    assert call("policy", "test", cases, "--filter", "absent").exit_code == ExitCode.USAGE


def test_json_has_every_case(cases: Path) -> None:
    add(cases, "name: wrong, given: {target.min: 12}, expect: {rule: whole}")
    document = json.loads(call("policy", "test", cases, "--json").stdout)
    assert (document["passed"], document["failed"]) == (3, 1)
    assert [case["passed"] for case in document["cases"]] == [True, True, True, False]
    assert document["cases"][3]["differences"] == [{"what": "rule", "expected": "whole", "got": "large"}]
    assert document["cases"][3]["nearest_miss"]


def test_files_that_cannot_be_used_end_with_every_problem(cases: Path) -> None:
    add(cases, "name: wrong, given: {target.mni: 12}, expect: {rule: hole}")
    done = call("policy", "test", cases)
    assert done.exit_code == ExitCode.POLICY
    assert f"{cases}:7:" in done.stderr
    assert done.stderr.count("small.test.yaml:7:") == 2
    assert done.stderr.count("^") >= 2


def test_coverage_lists_what_is_missing_with_a_witness(cases: Path) -> None:
    done = call("policy", "coverage", cases)
    assert done.exit_code == ExitCode.TESTS_FAILED
    assert "rules: 3 of 4 (75.0 %)" in done.stdout
    assert "comparison outcomes: 8 of 14 (57.1 %)" in done.stdout
    missing = [line.strip() for line in done.stdout.splitlines() if "not covered" in line]
    assert missing == [
        "not covered: select rule whole",
        "not covered: target.min >= floor is unknown",
        "not covered: target.min < floor is unknown",
        'not covered: size == "large" is unknown',
        "not covered: target.is_integer_valued is true",
        "not covered: target.is_integer_valued is false",
        "not covered: known(target.mean) is true",
    ]
    assert "e.g. case `large` with target.min = unknown" in done.stdout
    assert "no witness found" not in done.stdout


def test_coverage_is_judged_by_its_thresholds(cases: Path) -> None:
    lenient = ("policy", "coverage", cases, "--min-outcomes", 57, "--min-rules", 75)
    assert call(*lenient).exit_code == ExitCode.OK
    assert call(*lenient[:-2], "--min-rules", 76).exit_code == ExitCode.TESTS_FAILED
    assert call("policy", "coverage", cases, "--min-outcomes", 58, "--min-rules", 0).exit_code == ExitCode.TESTS_FAILED


def test_a_witness_added_as_a_case_covers(cases: Path) -> None:
    before = json.loads(call("policy", "coverage", cases, "--json").stdout)[0]
    rule = next(row for row in before["not_covered"] if row["kind"] == "select")
    changes = ", ".join(f"{name}: {json.dumps(value)}" for name, value in rule["witness"]["changes"].items())
    base = {"large": "target.min: 10", "lower floor": "target.min: 5", "nothing": "target.min: 5"}
    start = "" if "target.min" in rule["witness"]["changes"] else base[rule["witness"]["case"]] + ", "
    add(cases, f"name: found, given: {{{start}{changes}}}, expect: {{rule: whole}}")
    assert call("policy", "test", cases).exit_code == ExitCode.OK
    after = json.loads(call("policy", "coverage", cases, "--json").stdout)[0]
    assert after["rules_percent"] == 100.0
    assert len(after["not_covered"]) < len(before["not_covered"])


def test_a_data_file_is_profiled(cases: Path) -> None:
    (cases.parent / "numbers.csv").write_text("x,y\n" + "".join(f"{i},{i % 7 + 20}\n" for i in range(40)))
    add(cases, "name: column, given: {data: {file: numbers.csv, target: y}}, expect: {rule: large}")
    assert call("policy", "test", cases).exit_code == ExitCode.OK
