"""A test file is read strictly: every fault has its place, and nothing odd passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from nebula.errors import PolicyError
from nebula.workbench.case_reader import find_files, read_suite

HEAD = "apiVersion: nebula/v1-test\npolicy: default.yaml\ncases:\n"
SOUND = "  - {name: one, given: {target: {min: 0}}, expect: {not_rule: count}}\n"

FAULTS = {
    "unknown fact": ("  - {name: a, given: {target: {minn: 0}}, expect: {rule: count}}", "unknown fact `target.minn`"),
    "nearest fact": ("  - {name: a, given: {target.minn: 0}, expect: {rule: count}}", "Did you mean `target.min`?"),
    "fact twice": ("  - {name: a, given: {target.min: 0, target: {min: 1}}, expect: {rule: count}}", "found it twice"),
    "1 is not true": ("  - {name: a, given: {target: {is_constant: 1}}, expect: {rule: count}}", "valid boolean"),
    "text is no number": ('  - {name: a, given: {target: {min: "5"}}, expect: {rule: count}}', "valid number"),
    "fraction above 1": ("  - {name: a, given: {target: {skew: 1, zero_fraction: 2}}, expect: {rule: count}}", "to 1"),
    "unknown hint": ("  - {name: a, given: {hints: {metrics: mae}}, expect: {rule: count}}", "`hints.metric`"),
    "hint out of range": ("  - {name: a, given: {hints: {metric: mea}}, expect: {rule: count}}", "hints.metric"),
    "unknown rule": ("  - {name: a, given: {}, expect: {rule: cuont}}", "Did you mean `count`?"),
    "unknown not_rule": ("  - {name: a, given: {}, expect: {not_rule: [count, cuont]}}", "Did you mean `count`?"),
    "unknown loss": ("  - {name: a, given: {}, expect: {loss: MSELos}}", "Did you mean `MSELoss`?"),
    "unknown status": ("  - {name: a, given: {}, expect: {status: decide}}", "Did you mean `decided`?"),
    "unknown expectation": ("  - {name: a, given: {}, expect: {los: MSELoss}}", "Did you mean `loss`?"),
    "unknown key": ("  - {name: a, givn: {}, expect: {loss: MSELoss}}", "Did you mean `given`?"),
    "nothing expected": ("  - {name: a, given: {}, expect: {}}", "at least one of"),
    "no expectation": ("  - {name: a, given: {}}", "expected the key `expect`"),
    "nothing given": ("  - {name: a, expect: {rule: count}}", "no file it extends"),
    "one name twice": (SOUND + SOUND, "again"),
    "unknown parameter": (
        "  - {name: a, given: {parameters: {few_level: 3}}, expect: {rule: count}}",
        "Did you mean `few_levels`?",
    ),
    "parameter of another type": (
        "  - {name: a, given: {parameters: {few_levels: many}}, expect: {rule: count}}",
        "expected int",
    ),
    "facts beside data": (
        "  - {name: a, given: {data: {values: [1]}, target: {min: 0}}, expect: {rule: count}}",
        "beside `data`",
    ),
    "data from nowhere": ("  - {name: a, given: {data: {name: x}}, expect: {rule: count}}", "or `values`"),
    "unknown key of data": (
        "  - {name: a, given: {data: {value: [1]}}, expect: {rule: count}}",
        "Did you mean `values`",
    ),
    "no such data file": (
        "  - {name: a, given: {data: {file: no.csv, target: y}}, expect: {rule: count}}",
        "no.csv",
    ),
    "an alias": ("  - {name: a, given: &x {}, expect: {rule: count}}", "no anchors"),
    "a tag": ("  - {name: !!python/name:os.system a, given: {}, expect: {rule: count}}", "no tags"),
}


def problems_of(folder: Path, text: str) -> list[str]:
    file = folder / "a.test.yaml"
    file.write_text(text)
    with pytest.raises(PolicyError) as caught:
        read_suite(file)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(("text", "said"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_at_its_place(text: str, said: str, tmp_path: Path) -> None:
    problems = problems_of(tmp_path, HEAD + text + "\n")
    assert any(said in problem for problem in problems), problems
    lines = [int(problem.split(".yaml:")[1].split(":")[0]) for problem in problems]
    assert min(lines) >= 4
    assert max(lines) <= 5


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = HEAD + "".join(
        f"  - {{name: n{i}, given: {{target: {{mni: 0}}}}, expect: {{rule: cuont}}}}\n" for i in range(5)
    )
    problems = problems_of(tmp_path, text)
    assert len(problems) == 10
    assert problems[0].split(":")[1:3] == ["4", "33"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "apiVersion: nebula/v1\npolicy: default.yaml\n",
        HEAD.replace("default", "defualt") + SOUND,
        "a: [\n",
        "\0",
    ],
    ids=["empty", "list", "a policy", "no such policy", "no yaml", "binary"],
)
def test_what_is_no_test_file_is_refused(text: str, tmp_path: Path) -> None:
    assert problems_of(tmp_path, text)


def test_a_fault_of_structure_hides_no_fault_of_another_case(tmp_path: Path) -> None:
    text = HEAD.replace("cases", "surprise: 1\ncases") + (
        "  - {name: a, given: {}, expect: {losss: MSELoss}}\n"
        "  - {name: b, given: {target.meen: 1}, expect: {loss: MSELoss}}\n"
        "  - {name: c, given: {}, expect: {rule: nobody}}\n"
    )
    problems = problems_of(tmp_path, text)
    first = text[: text.index("  - {name: a")].count("\n") + 1
    for line, said in zip(range(first, first + 3), ("losss", "target.meen", "nobody"), strict=True):
        assert [said in problem for problem in problems if f".yaml:{line}:" in problem] == [True], problems
    assert any("surprise" in problem for problem in problems)


def test_a_circle_of_extends_is_refused(tmp_path: Path) -> None:
    assert "circle" in problems_of(tmp_path, HEAD.replace("cases", "extends: [a.test.yaml]\ncases") + SOUND)[0]


def test_extends_keeps_what_is_given_and_replaces_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "base.test.yaml").write_text(HEAD + SOUND + SOUND.replace("one", "two"))
    (tmp_path / "next.test.yaml").write_text(
        "apiVersion: nebula/v1-test\npolicy: strict.yaml\nextends: [base.test.yaml]\n"
        "cases:\n  - {name: one, expect: {rule: otherwise}}\n"
    )
    suite = read_suite(tmp_path / "next.test.yaml")
    assert [case.name for case in suite.cases] == ["one", "two"]
    assert [case.profile.target.min for case in suite.cases] == [0.0, 0.0]
    assert [case.expect.rule for case in suite.cases] == ["otherwise", None]
    assert suite.policy == "strict.yaml"


def test_a_policy_beside_the_file_comes_before_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "default.yaml").write_text(
        "apiVersion: nebula/v1\nname: mine\nversion: 1.0.0\nselect:\n"
        "  - {id: all, when: true, use: {loss: MSELoss}, because: All.}\n"
    )
    (tmp_path / "a.test.yaml").write_text(HEAD + "  - {name: one, given: {}, expect: {rule: all}}\n")
    assert read_suite(tmp_path / "a.test.yaml").policy == str(tmp_path / "default.yaml")


def test_folders_are_searched_once(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("deep/b.test.yaml", "a.test.yaml", "policy.yaml"):
        (tmp_path / name).write_text("")
    found = find_files([str(tmp_path), str(tmp_path / "a.test.yaml")])
    assert [file.name for file in found] == ["a.test.yaml", "b.test.yaml"]
    for nowhere in (tmp_path / "none", tmp_path / "deep" / "c.test.yaml"):
        with pytest.raises(PolicyError, match="found none"):
            find_files([str(nowhere)])
