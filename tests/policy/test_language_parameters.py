"""Parameters with a type, a range and a unit; rules disabled and replaced; what numbers mean."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nebula.errors import PolicyError
from nebula.policy.loader import load, loads
from tests.policy.samples import HEAD, derive, policy

SHARE = {"value": 0.2, "low": 0, "high": 1, "unit": "share"}


def parameters(**declared: Any) -> str:
    return policy("true", parameters=declared)


@pytest.mark.parametrize(
    ("declared", "effective"),
    [
        (SHARE, 0.2),
        ({"value": 1, "type": "float"}, 1.0),
        ({"value": 3, "low": 3, "high": 3}, 3),
        ({"value": True, "type": "bool"}, True),
        ({"value": "mean", "description": "Which."}, "mean"),
        (7, 7),
    ],
    ids=["range", "widened", "edge", "flag", "text", "plain"],
)
def test_a_declared_parameter_has_its_value(declared: Any, effective: Any) -> None:
    found = loads(parameters(p=declared)).parameters["p"]
    assert found == effective
    assert type(found) is type(effective)


@pytest.mark.parametrize(
    ("declared", "message", "line"),
    [
        ({**SHARE, "value": 2.0}, r"expected float in \[0, 1\] \(share\), found 2\.0", 6),
        ({"value": 1.5, "type": "int"}, "expected int, found 1.5", 6),
        ({"value": "a", "type": "float"}, "expected float, found 'a'", 6),
        ({"value": True, "type": "int"}, "expected int, found True", 6),
        ({"value": 0, "low": 1}, "expected int of at least 1, found 0", 6),
        ({"value": 0, "high": -1}, "expected int of at most -1, found 0", 6),
        ({"value": 0, "low": 1, "high": -1}, "expected at least `low`, which is 1, found -1", 8),
        ({"value": "a", "low": 1}, "a range only of a number", 7),
        ({"value": 1, "lo": 1}, "unknown key `lo`. Did you mean `low`", 7),
        ({"low": 1}, "expected the key `value`", 6),
        ({"value": 1, "type": "double"}, "expected 'float', 'int', 'bool' or 'str'", 7),
    ],
    ids=[
        "range",
        "fraction",
        "text",
        "flag",
        "low",
        "high",
        "crossed",
        "range-of-text",
        "key",
        "none",
        "type",
    ],
)
def test_a_wrong_declaration_is_told_at_its_place(declared: Any, message: str, line: int) -> None:
    with pytest.raises(PolicyError, match=message) as caught:
        loads(parameters(p=declared))
    assert caught.value.problems[0].line == line


@given(st.one_of(st.floats(), st.integers(), st.booleans(), st.text(max_size=3), st.none()))
def test_a_value_from_outside_obeys_type_and_range(value: Any) -> None:
    fits = type(value) in (int, float) and 0 <= value <= 1
    if fits:
        found = loads(parameters(p=SHARE), parameters={"p": value}).parameters["p"]
        assert (found, type(found)) == (value, float)
    else:
        with pytest.raises(PolicyError, match=r"parameter `p`: expected float in \[0, 1\] \(share\), found"):
            loads(parameters(p=SHARE), parameters={"p": value})


def test_a_plain_value_keeps_the_range_it_inherits(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(parameters(p=SHARE), encoding="utf-8")
    child = tmp_path / "child.yaml"

    def extend(value: Any) -> Path:
        child.write_text(
            yaml.safe_dump({**HEAD, "extends": ["base.yaml"], "parameters": {"p": value}}, sort_keys=False)
        )
        return child

    assert load(extend(1)).parameters == {"p": 1.0}
    assert load(extend({"value": 5, "high": 9})).parameters == {"p": 5}
    with pytest.raises(PolicyError, match=r"expected float in \[0, 1\] \(share\), found 2") as caught:
        load(extend(2))
    assert (caught.value.problems[0].file, caught.value.problems[0].line) == (str(child), 7)


def write(folder: Path, name: str, **sections: Any) -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump({**HEAD, **sections}, sort_keys=False), encoding="utf-8")
    return path


def rule(identity: str, **more: Any) -> dict[str, Any]:
    return {"id": identity, "when": True, "use": {"loss": "MSELoss"}, "because": "b", **more}


@pytest.mark.parametrize(
    ("own", "select", "derived"),
    [
        ({"disable": ["b"]}, "a c", "d"),
        ({"disable": ["b", "d"]}, "a c", ""),
        ({"disable": ["b"], "select": [rule("x", after="b")]}, "a x c", "d"),
        ({"select": [rule("b", replace=True)]}, "a b c", "d"),
        ({"derive": [{**derive("d", "true", size=2), "replace": True}]}, "a b c", "d"),
    ],
    ids=["select", "derive", "anchor", "replace", "replace-derive"],
)
def test_inherited_rules_are_left_out_or_replaced(tmp_path: Path, own: Any, select: str, derived: str) -> None:
    write(tmp_path, "base.yaml", derive=[derive("d", "true", size=1)], select=[rule("a"), rule("b"), rule("c")])
    found = load(write(tmp_path, "child.yaml", extends=["base.yaml"], **own)).file
    assert " ".join(part.id for part in found.select) == select
    assert " ".join(part.id for part in found.derive) == derived
    assert found.disable == ()


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (
            {"disable": ["imbalance"]},
            "found `imbalance`. Did you mean `imbalanced`",
        ),
        ({"disable": ["imbalanced"], "select": [rule("imbalanced")]}, "which replaces the inherited one"),
        ({"select": [rule("imbalance", replace=True)]}, "expected an inherited rule to replace, found none"),
    ],
    ids=["unknown", "both", "nothing-to-replace"],
)
def test_what_is_not_inherited_is_told(tmp_path: Path, own: Any, message: str) -> None:
    write(tmp_path, "base.yaml", select=[rule("imbalanced")])
    with pytest.raises(PolicyError, match=message):
        load(write(tmp_path, "child.yaml", extends=["base.yaml"], **own))


def test_what_was_disabled_further_up_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, "base.yaml", select=[rule("a"), rule("b")])
    write(tmp_path, "middle.yaml", extends=["base.yaml"], disable=["a"])
    with pytest.raises(PolicyError, match="expected the id of an inherited rule, found `a`"):
        load(write(tmp_path, "child.yaml", extends=["middle.yaml"], disable=["a"]))


NUMBERS: list[tuple[str, Any, str]] = [
    ("target.mean > 1", math.nan, "unknown"),
    ("target.mean != 1", math.nan, "unknown"),
    ("known(target.mean)", math.nan, "false"),
    ("target.mean > 1", None, "unknown"),
    ("known(target.mean)", None, "false"),
    ("target.mean > 1e300", math.inf, "true"),
    ("known(target.mean)", math.inf, "true"),
    ("target.mean < 0", -math.inf, "true"),
    ("target.mean - target.mean == 0", math.inf, "unknown"),
    ("target.mean / 0 > 1", 1.0, "unknown"),
    ("target.mean == 2", 2.0, "true"),
    ("target.mean in [1, 2]", 2.0, "true"),
    ("target.mean == 0", -0.0, "true"),
    ("target.mean * 10 == 3", 0.1 + 0.2, "false"),
    ("target.mean == 9007199254740993", 9007199254740992.0, "false"),
    ("0 < target.mean < 2", 1, "true"),
    ("0 < target.mean < 2", None, "unknown"),
    ("1 > 2 and target.mean > 1", None, "false"),
]


@pytest.mark.parametrize(("condition", "value", "outcome"), NUMBERS, ids=[f"{c} at {v}" for c, v, _ in NUMBERS])
def test_what_numbers_mean(condition: str, value: Any, outcome: str) -> None:
    assert loads(policy(condition)).evaluate({"target.mean": value}).select[0].outcome == outcome
