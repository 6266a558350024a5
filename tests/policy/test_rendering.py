"""Problems as text for people and as SARIF for code hosts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from nebula.errors import Problem
from nebula.policy.lint import lint_policy
from nebula.policy.rendering import read_lines, render_problem, render_problems
from nebula.policy.sarif import to_sarif
from tests.policy.samples import policy

SARIF: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "$schema": {"type": "string", "format": "uri"},
        "runs": {"type": "array", "items": {"$ref": "#/$defs/run"}, "minItems": 1},
    },
    "$defs": {
        "text": {
            "type": "object",
            "required": ["text"],
            "properties": {"text": {"type": "string", "minLength": 1}},
            "additionalProperties": False,
        },
        "level": {"enum": ["none", "note", "warning", "error"]},
        "rule": {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "string"},
                "shortDescription": {"$ref": "#/$defs/text"},
                "fullDescription": {"$ref": "#/$defs/text"},
                "help": {"$ref": "#/$defs/text"},
                "defaultConfiguration": {"type": "object", "properties": {"level": {"$ref": "#/$defs/level"}}},
            },
            "additionalProperties": False,
        },
        "region": {
            "type": "object",
            "required": ["startLine"],
            "properties": {key: {"type": "integer", "minimum": 1} for key in ("startLine", "startColumn", "endColumn")},
            "additionalProperties": False,
        },
        "location": {
            "type": "object",
            "required": ["physicalLocation"],
            "properties": {
                "physicalLocation": {
                    "type": "object",
                    "required": ["artifactLocation"],
                    "properties": {
                        "artifactLocation": {
                            "type": "object",
                            "properties": {"uri": {"type": "string", "pattern": r"^[^\s\\]+$"}},
                            "additionalProperties": False,
                        },
                        "region": {"$ref": "#/$defs/region"},
                    },
                    "additionalProperties": False,
                }
            },
            "additionalProperties": False,
        },
        "result": {
            "type": "object",
            "required": ["message"],
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": 0},
                "level": {"$ref": "#/$defs/level"},
                "message": {"$ref": "#/$defs/text"},
                "locations": {"type": "array", "items": {"$ref": "#/$defs/location"}},
            },
            "additionalProperties": False,
        },
        "run": {
            "type": "object",
            "required": ["tool", "results"],
            "properties": {
                "tool": {
                    "type": "object",
                    "required": ["driver"],
                    "properties": {
                        "driver": {
                            "type": "object",
                            "required": ["name"],
                            "properties": {
                                "name": {"type": "string"},
                                "semanticVersion": {"type": "string"},
                                "rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}, "uniqueItems": True},
                            },
                            "additionalProperties": False,
                        }
                    },
                    "additionalProperties": False,
                },
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
            },
            "additionalProperties": False,
        },
    },
}
"""What the standard (sections 3.13 to 3.49) says of the parts that are written here."""


def problem(line: int, column: int, end: int = 0, **more: Any) -> Problem:
    return Problem("p.yaml", line, column, "wrong", "NEB-P052", end_column=end, **more)


@pytest.mark.parametrize(
    ("found", "line", "expected"),
    [
        (problem(1, 3, 5), "a bc d", " 1 | a bc d\n   |   ^^"),
        (problem(1, 3), "a bc d", " 1 | a bc d\n   |   ^"),
        (problem(1, 7), "a bc d", " 1 | a bc d\n   |       ^"),
        (problem(1, 4, 5), "\ta b", " 1 |  a b\n   |    ^"),
        (problem(1, 3, 5), "漢 bc", " 1 | 漢 bc\n   |    ^^"),
        (problem(1, 1, 2), "a\x1b[31mb", " 1 | a\N{REPLACEMENT CHARACTER}[31mb\n   | ^"),
    ],
    ids=["span", "no-end", "past-the-end", "tab", "wide", "escape"],
)
def test_the_carets_stand_below_the_fault(found: Problem, line: str, expected: str) -> None:
    shown = render_problem(found, [line])
    assert shown == f"p.yaml:1:{found.column}: error[NEB-P052]: wrong\n   |\n{expected}"


def test_a_problem_without_a_place_or_a_source_is_one_line() -> None:
    assert render_problem(problem(0, 0), ["x"]) == "p.yaml: error[NEB-P052]: wrong"
    assert render_problem(problem(9, 1), ["x"]) == "p.yaml:9:1: error[NEB-P052]: wrong"
    assert render_problem(problem(9, 1, hint="Do so."), []).splitlines()[1:] == ["   = hint: Do so."]


@given(st.text(max_size=400), st.integers(1, 500), st.integers(0, 500))
def test_an_excerpt_is_short_and_harmless(line: str, column: int, end: int) -> None:
    shown = render_problem(problem(1, column, end, hint=line[:50]), [line])
    rows = shown.split("\n")
    assert len(rows) <= 5
    assert max(map(len, rows[1:4])) < 260
    assert all(character.isprintable() for row in rows for character in row)
    assert "^" in rows[3]


def test_the_span_underlined_is_the_span_named(tmp_path: Path) -> None:
    source = tmp_path / "p.yaml"
    source.write_text(policy("target.n > 1 and target.meen > 2", 'hints.task == "binry"', use="x"), encoding="utf-8")
    found = lint_policy(source)
    lines = read_lines(str(source))
    named = [lines[p.line - 1][p.column - 1 : p.end_column - 1] for p in found]
    assert named == ["use", "target.meen", '"binry"']
    text = render_problems(found)
    assert text.count("^" * len("target.meen") + "\n") == 1
    assert all(f"{p.line}:{p.column}: error[{p.code}]" in text for p in found)


def test_no_problems_are_no_text_and_an_empty_log() -> None:
    assert render_problems([]) == ""
    log = to_sarif([], version="1.0.0")
    Draft202012Validator(SARIF).validate(log)
    assert log["runs"][0]["results"] == []


def test_sarif_has_the_structure_of_the_standard(tmp_path: Path) -> None:
    source = tmp_path / "a b.yaml"
    source.write_text(policy("target.class_balance > 2", "target.n > 1 and target.n > 1"), encoding="utf-8")
    found = [*lint_policy(source), *lint_policy("no such.yaml"), problem(0, 0)]
    log = json.loads(json.dumps(to_sarif(found, version="1.0.0")))
    Draft202012Validator(SARIF).validate(log)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["NEB-P001", "NEB-P052", "NEB-P101", "NEB-P109"]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [result["ruleId"] for result in run["results"]]
    first = run["results"][0]
    place = first["locations"][0]["physicalLocation"]
    assert (first["level"], place["artifactLocation"]["uri"]) == ("warning", source.as_uri())
    assert place["region"] == {"startLine": 6, "startColumn": 9, "endColumn": 33}
    assert "Mend one side of it." in first["message"]["text"]


@pytest.mark.parametrize("breakage", ["level", "message", "region"])
def test_the_schema_of_the_test_refuses_what_is_no_sarif(breakage: str) -> None:
    log = to_sarif([problem(1, 1, 2)], version="1.0.0")
    result = log["runs"][0]["results"][0]
    if breakage == "region":
        result["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    else:
        result[breakage] = "fatal"
    assert not Draft202012Validator(SARIF).is_valid(log)
