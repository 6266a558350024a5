"""Every fault of a policy file is told with its line, its column and what to do."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from nebula.errors import PolicyError, Problem
from nebula.policy.loader import load, loads
from tests.policy.faulty_files import CONDITIONS, FILES
from tests.policy.samples import policy

HEAD = "apiVersion: nebula/v1\nname: sample\nversion: 1.0.0\n"
RULE = "  - id: a\n    when: {when}\n    use: {{loss: MSELoss}}\n    because: b\n"


def found(text: str | bytes, **options: Any) -> list[Problem]:
    with pytest.raises(PolicyError) as caught:
        loads(text, name="p.yaml", **options)  # type: ignore[arg-type]
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("condition", "column", "parts"), [case[1:] for case in CONDITIONS], ids=[case[0] for case in CONDITIONS]
)
def test_a_faulty_condition_is_told_at_its_column(condition: str, column: int, parts: list[str]) -> None:
    extra = "parameters: {imbalance: 0.1}\ndefinitions: {counts: target.min >= 0}\n"
    extra += "derive:\n  - {id: d, when: true, set: {task: count}}\n"
    (problem,) = found(HEAD + extra + "select:\n" + RULE.format(when="|-\n      " + condition))
    assert (problem.line, problem.column) == (11, 6 + column)
    for part in ["rule `a`", *parts]:
        assert part in problem.message


@pytest.mark.parametrize(
    ("when", "line", "column"),
    [
        ("target.n > 1 and target.meen > 2", 6, 28),
        ("target.n > 1\n      and target.meen > 2", 7, 11),
        (">\n      target.n > 1\n      and target.meen > 2", 8, 11),
        ("|-\n      target.n > 1 and\n\n        (target.meen > 2)", 9, 10),
        ("\"target.name == '\\u00e4' and target.meen > 2\"", 6, 40),
        ("{all: [target.n > 1, {not: target.meen > 2}]}", 6, 38),
    ],
    ids=["plain", "plain-folded", "folded", "literal", "escaped", "tree"],
)
def test_the_place_is_found_in_every_style_of_scalar(when: str, line: int, column: int) -> None:
    (problem,) = found(HEAD + "select:\n  - id: a\n    when: " + when + "\n    use: {loss: MSELoss}\n    because: b\n")
    assert (problem.line, problem.column) == (line, column), problem
    assert "target.meen" in problem.message


@pytest.mark.parametrize(
    ("text", "line", "column", "parts"), [case[1:] for case in FILES], ids=[case[0] for case in FILES]
)
def test_a_faulty_file_is_told_at_its_place(text: str, line: int, column: int, parts: list[str]) -> None:
    problems = found(HEAD + text)
    assert len(problems) == 1, problems
    assert (problems[0].line, problems[0].column) == (line, column), problems
    for part in parts:
        assert part in problems[0].message, problems


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "found nothing"),
        ("[]", "expected a mapping"),
        ("just words", "expected a mapping"),
        ("apiVersion: nebula/v1\nname: a\nversion: 1.0\n", "put it in quotes"),
        ("apiVersion: nebula/v2\nname: a\nversion: 1.0.0\n", "expected 'nebula/v1', found 'nebula/v2'"),
        ("name: a\nversion: 1.0.0\n", "expected the key `apiVersion`"),
        ("\ud800", "expected UTF-8"),
    ],
    ids=["empty", "list", "text", "version", "api", "no-api", "surrogate"],
)
def test_a_file_without_its_head(text: str, part: str) -> None:
    assert part in str(found(text)[0])


def test_all_problems_come_at_once_in_file_order() -> None:
    text = HEAD + (
        "parameters: {a: 1, a: 2}\nselect:\n"
        + RULE.format(when="target.meen > 1 and target.n > nothing")
        + RULE.replace("id: a", "id: c").format(when="[1]")
        + RULE.replace("id: a", "id: d").replace("MSELoss", "MSE").format(when="target.n >")
    )
    problems = found(text)
    assert [(p.line, p.column) for p in problems] == [(4, 20), (7, 11), (7, 42), (11, 11), (15, 21), (16, 17)]
    error = pickle.loads(pickle.dumps(PolicyError(problems)))
    assert error.problems == tuple(problems)
    assert str(error).count("\n") == len(problems) - 1


def test_a_fault_hides_no_name_from_the_rules_that_use_it() -> None:
    text = HEAD + (
        "parameters: {big: [1]}\nderive:\n  - {id: d, when: 3, set: {task: count}}\nselect:\n"
        + RULE.format(when='target.n > big and task == "count"')
    )
    assert [problem.line for problem in found(text)] == [4, 6]


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        ({"imbalence": 0.2}, ["unknown parameter `imbalence`", "`imbalance`"]),
        ({"imbalance": "0.2"}, ["expected float", "'0.2'"]),
        ({"imbalance": True}, ["expected float", "True"]),
        ({"imbalance": float("nan")}, ["expected float", "nan"]),
        ({"few": 2.0}, ["expected int"]),
        ({"strict": 1}, ["expected bool"]),
    ],
    ids=["name", "text", "bool", "nan", "float-for-int", "int-for-bool"],
)
def test_an_override_must_exist_and_keep_the_type(overrides: dict[str, Any], parts: list[str]) -> None:
    text = policy("target.mean > imbalance", parameters={"imbalance": 0.1, "few": 20, "strict": True})
    (problem,) = found(text, parameters=overrides)
    for part in parts:
        assert part in problem.message


def test_an_override_changes_the_threshold_and_the_digest() -> None:
    text = policy("target.mean > limit", parameters={"limit": 0.5})
    plain, changed = loads(text), loads(text, parameters={"limit": 3})
    assert plain.outcome_only({"target.mean": 1.0}) == ("r0",)
    assert changed.outcome_only({"target.mean": 1.0}) == ()
    assert changed.parameters == {"limit": 3.0}
    assert type(changed.parameters["limit"]) is float
    assert plain.digest != changed.digest == loads(text, parameters={"limit": 3.0}).digest


def test_files_are_named_as_the_user_named_them(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes(b"a: \xff\n")
    for source in (tmp_path / "bad.yaml", str(tmp_path / "bad.yaml")):
        with pytest.raises(PolicyError, match="expected UTF-8") as caught:
            load(source)
        assert caught.value.problems[0].file == str(source)
    with pytest.raises(PolicyError, match=r"Did you mean `default\.yaml`\?"):
        load("defalt.yaml")
    with pytest.raises(PolicyError, match="found something that is no file"):
        load(tmp_path)
    with pytest.raises(PolicyError, match=r"expected a (readable )?policy file"):
        load("a\0b")


def test_a_byte_order_mark_shifts_nothing() -> None:
    (problem,) = found("\ufeff" + HEAD + "selct: []\n")
    assert (problem.line, problem.column) == (4, 1)


def test_a_repeated_id_hides_no_place() -> None:
    """What stands in a second rule of the same id was once reported at the first one's place."""
    with pytest.raises(PolicyError) as caught:
        loads(
            "apiVersion: nebula/v1\nname: x\nversion: 1.0.0\nselect:\n"
            "  - {id: a, when: target.zero_fracton > 0.5, use: {loss: MSELoss}, because: b}\n"
            '  - {id: a, when: hints.task == "cout", use: {loss: MSELoss}, because: b}\n'
            "  - {id: c, when: target.maen > 1, use: {loss: MSELoss}, because: b}\n"
        )
    assert [problem.line for problem in caught.value.problems] == [5, 6, 7]
    assert "duplicate rule id" in caught.value.problems[1].message


def test_a_fault_at_the_top_hides_nothing_below() -> None:
    rules = RULE.format(when="target.meen > 1") + RULE.format(when="true").replace("a", "z", 1) + "    priority: 3\n"
    problems = found("apiVersion: nebula/v1\nname: Sample\nversion: 1.0\nhit_policy: prority\nselect:\n" + rules)
    assert [problem.line for problem in problems] == [2, 3, 4, 7]
    assert "target.meen" in problems[-1].message


def test_a_rule_without_a_place_is_checked_all_the_same() -> None:
    text = HEAD + "select:\n" + RULE.format(when="target.meen > 1") + "    before: nobody\n"
    assert [problem.code for problem in found(text)] == ["NEB-P052", "NEB-P032"]


def test_too_many_rules_are_told_in_words() -> None:
    rules = "".join(RULE.format(when="true").replace("id: a", f"id: a{index}") for index in range(1001))
    (problem,) = found(HEAD + "select:\n" + rules)
    assert problem.message == "expected at most 1000, found 1001: split the policy with `extends`."
