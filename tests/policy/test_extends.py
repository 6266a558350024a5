"""`extends`: order, replacement, placing, and its bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from nebula.errors import PolicyError
from nebula.policy.compiled import CompiledPolicy
from nebula.policy.loader import load
from nebula.policy.rendering import render_problems
from tests.policy.samples import HEAD, derive, policy


def rule(identity: str, when: Any = True, **more: Any) -> dict[str, Any]:
    return {"id": identity, "when": when, "use": {"loss": "MSELoss"}, "because": "b", **more}


def write(folder: Path, name: str, **sections: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({**HEAD, "name": path.stem, **sections}, sort_keys=False), encoding="utf-8")
    return path


def order(compiled: CompiledPolicy) -> str:
    return " ".join(part.id for part in compiled.file.select)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ([], "a b c"),
        ([rule("x"), rule("y")], "x y a b c"),
        ([rule("b")], "a b c"),
        ([rule("x", before="b"), rule("y", before="b")], "a x y b c"),
        ([rule("x", after="b"), rule("y", after="b")], "a b x y c"),
        ([rule("x", after="c"), rule("y")], "y a b c x"),
        ([rule("a", after="c")], "b c a"),
        ([rule("c", before="a"), rule("x", after="c")], "c a b x"),
    ],
    ids=["none", "new-first", "replace", "before", "after", "mixed", "move", "move-anchor"],
)
def test_where_rules_stand(tmp_path: Path, own: list[dict[str, Any]], expected: str) -> None:
    write(tmp_path, "base.yaml", select=[rule("a"), rule("b"), rule("c")])
    child = write(tmp_path, "child.yaml", extends=["base.yaml"], select=own)
    assert order(load(child)) == expected


def test_a_replaced_rule_has_its_new_condition_and_place(tmp_path: Path) -> None:
    base = write(tmp_path, "base.yaml", select=[rule("a", "target.n > 1"), rule("b")])
    child = write(tmp_path, "child.yaml", extends=["base.yaml"], select=[rule("a", "target.n > 5")])
    compiled = load(child)
    assert compiled.text("a") == "target.n > 5"
    assert compiled.position("a") == (str(child), 7)
    assert compiled.position("b") == (str(base), 10)
    assert compiled.outcome_only({"target.n": 3}) == ("b",)


def test_names_are_overridden_by_name(tmp_path: Path) -> None:
    write(
        tmp_path,
        "base.yaml",
        parameters={"low": 1, "high": 5},
        definitions={"inside": "low < target.n < high"},
        derive=[derive("d", "inside", label="in")],
        select=[rule("a", 'label == "in"')],
        otherwise={"error": "base"},
        on_ambiguous="warn",
    )
    child = write(
        tmp_path,
        "child.yaml",
        extends=["base.yaml"],
        parameters={"high": 9},
        derive=[derive("first", "target.n == 8", label="in"), derive("d", "inside and true", label="in")],
        otherwise={"error": "child"},
        on_ambiguous="refuse",
    )
    compiled = load(child)
    assert compiled.parameters == {"low": 1, "high": 9}
    assert compiled.outcome_only({"target.n": 7}) == ("a",)
    assert [part.id for part in compiled.file.derive] == ["first", "d"]
    assert (compiled.file.otherwise.error, compiled.file.on_ambiguous) == ("child", "refuse")  # type: ignore[union-attr]
    assert compiled.file.name == "child"
    assert compiled.file.extends == ()


def test_later_bases_lie_over_earlier_ones(tmp_path: Path) -> None:
    write(tmp_path, "one.yaml", parameters={"p": 1}, select=[rule("a", "target.n > p"), rule("b")])
    write(tmp_path, "two.yaml", parameters={"p": 2}, select=[rule("c"), rule("a", "target.n > 10 * p")])
    compiled = load(write(tmp_path, "child.yaml", extends=["one.yaml", "two.yaml"]))
    assert order(compiled) == "a b c"
    assert compiled.parameters == {"p": 2}
    assert compiled.text("a") == "target.n > 10 * p"


def test_a_diamond_is_read_once_and_paths_start_from_the_file(tmp_path: Path) -> None:
    write(tmp_path, "root.yaml", select=[rule("a")])
    write(tmp_path, "parts/left.yaml", extends=["../root.yaml"], select=[rule("l")])
    write(tmp_path, "parts/right.yaml", extends=["../root.yaml"], select=[rule("r")])
    child = write(tmp_path, "child.yaml", extends=["parts/left.yaml", "parts/right.yaml"])
    assert order(load(child)) == "l a r"


def test_a_shipped_policy_can_be_extended(tmp_path: Path) -> None:
    shipped = load("default.yaml")
    child = load(write(tmp_path, "mine.yaml", extends=["default.yaml"], select=[rule("mine")]))
    assert [part.id for part in child.file.select] == ["mine", *(part.id for part in shipped.file.select)]


def test_a_file_beside_comes_before_a_shipped_one(tmp_path: Path) -> None:
    write(tmp_path, "default.yaml", select=[rule("own")])
    assert order(load(write(tmp_path, "child.yaml", extends=["default.yaml"]))) == "own"


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_circle_is_told(tmp_path: Path, length: int) -> None:
    for index in range(length):
        path = write(tmp_path, f"p{index}.yaml", extends=[f"p{(index + 1) % length}.yaml"])
    with pytest.raises(PolicyError, match="extends itself") as caught:
        load(path)
    assert caught.value.problems[0].line == 5


def test_the_depth_is_bounded(tmp_path: Path) -> None:
    for index in range(9):
        write(tmp_path, f"p{index}.yaml", **({"extends": [f"p{index - 1}.yaml"]} if index else {"select": [rule("a")]}))
    assert order(load(tmp_path / "p7.yaml")) == "a"
    with pytest.raises(PolicyError, match="at most 8 levels of `extends`"):
        load(tmp_path / "p8.yaml")


@pytest.mark.timeout(30)
def test_the_number_of_files_is_bounded(tmp_path: Path) -> None:
    for middle in range(8):
        for leaf in range(8):
            write(tmp_path, f"p{middle}/q{leaf}.yaml")
        write(tmp_path, f"p{middle}.yaml", extends=[f"p{middle}/q{leaf}.yaml" for leaf in range(8)])
    with pytest.raises(PolicyError, match="at most 64 files"):
        load(write(tmp_path, "top.yaml", extends=[f"p{middle}.yaml" for middle in range(8)]))


def test_a_fault_in_a_base_is_told_in_the_base(tmp_path: Path) -> None:
    base = write(tmp_path, "base.yaml", select=[rule("a", "target.meen > 1")])
    child = write(tmp_path, "child.yaml", extends=["base.yaml"], select=[rule("b", "target.skw > 1")])
    with pytest.raises(PolicyError) as caught:
        load(child)
    assert [(p.file, p.line) for p in caught.value.problems] == [(str(base), 6), (str(child), 8)]


def test_a_wrong_anchor_is_told_with_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, "base.yaml", select=[rule("imbalanced")])
    child = write(tmp_path, "child.yaml", extends=["base.yaml"], select=[rule("b", before="imbalance")])
    with pytest.raises(PolicyError, match=r"found `imbalance`\. Did you mean `imbalanced`") as caught:
        load(child)
    assert caught.value.problems[0].line == 12


def test_inheritance_leaves_no_mark_on_the_digest(tmp_path: Path) -> None:
    write(tmp_path, "base.yaml", parameters={"p": 1}, select=[rule("a", "target.n > p")])
    child = write(tmp_path, "sample.yaml", extends=["base.yaml"], select=[rule("b", "target.n>2", before="a")])
    flat = tmp_path / "flat.yaml"
    flat.write_text(
        policy(parameters={"p": 1}).replace("select: []", "")
        + yaml.safe_dump({"select": [rule("b", "target.n > 2"), rule("a", "target.n > p")]}),
        encoding="utf-8",
    )
    assert load(child).digest == load(flat).digest


@pytest.mark.parametrize(
    "content",
    [
        b"root:x:0:hunter2\nfoo bar: [\n",
        b"name: x\npassword: hunter2\nversion: 1\n",
        b"apiVersion: v1\nkind: Secret\ndata: {password: hunter2}\n",
        "apiVersion: nebula/v1\npassword: hunter2\n".encode("utf-16"),
        b"\xff\xfehunter2",
        b"",
    ],
)
def test_what_is_no_policy_is_never_quoted(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other").write_bytes(content)
    path = write(tmp_path, "own.yaml", extends=["other"])
    with pytest.raises(PolicyError) as caught:
        load(path)
    (problem,) = caught.value.problems
    assert (problem.file, problem.code) == (str(path), "NEB-P001")
    shown = render_problems(caught.value.problems)
    assert "hunter2" not in shown
    assert "password" not in shown
    assert "expected a policy, found no `apiVersion: nebula/v1`" in shown


@pytest.mark.parametrize("line", ["apiVersion: nebula/v1", '"apiVersion": "nebula/v1"', "apiVersion:   'nebula/v1'"])
def test_a_base_may_write_its_version_in_any_style(tmp_path: Path, line: str) -> None:
    base = write(tmp_path, "base.yaml", select=[rule("a")])
    rest = base.read_text().splitlines()
    base.write_text("\n".join([line, *(kept for kept in rest if not kept.startswith("apiVersion"))]) + "\n")
    assert order(load(write(tmp_path, "own.yaml", extends=["base.yaml"]))) == "a"
