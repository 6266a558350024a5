"""What changes from one policy to another, on a corpus and by proof."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import nebula
from nebula.decision.policy import load_policy
from nebula.policy.loader import load, loads
from nebula.profiling.profiler import profile
from nebula.proof.corpus import read_corpus
from nebula.proof.difference import find_differences
from tests.acceptance.witnesses import DEFAULT
from tests.cli.runner import call
from tests.proof.planted_faults import REST, written

LOW = written(("low", "target.mean < 1", "L1Loss"), REST)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Profiles of every rule's witness, and one trace among them."""
    lines = []
    for rule, make in DEFAULT.items():
        case = make(np.random.default_rng(0))
        found = profile(case.target, case.prediction, hints=case.hints, name=case.name)
        trace = rule == "regression"
        lines.append(load_policy("default.yaml").decide(found).trace.to_json() if trace else found.model_dump_json())
    path = tmp_path / "corpus.jsonl"
    path.write_text("\n".join(lines) + "\n\n")
    return path


def test_a_policy_equals_itself(corpus: Path) -> None:
    done = call("policy", "diff", "default.yaml", "default.yaml", "--corpus", corpus)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"0 of {len(DEFAULT)} decisions change",
        "proved: both choose alike on every profile",
    ]


def test_changes_are_grouped_with_an_example(corpus: Path) -> None:
    done = call("policy", "diff", "default.yaml", "paper.yaml", "--corpus", corpus, "--json")
    assert done.exit_code == 7
    found = json.loads(done.stdout)
    assert found["profiles"] == len(DEFAULT)
    counts = [change["count"] for change in found["changes"]]
    assert counts == sorted(counts, reverse=True)
    pairs = {(c.get("old_loss"), c.get("new_loss")) for c in found["changes"]}
    assert ("BCEWithLogitsLoss", "PoissonNLLLoss") in pairs
    missed = {(c.get("old_loss"), c.get("new_loss")) for c in found["proved"]}
    assert missed
    assert not missed & {(c.get("old_loss"), c.get("new_loss")) for c in found["changes"] if c["what"] != "rule"}


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (LOW.replace("< 1", "< 2"), {("MSELoss", "L1Loss")}),
        (LOW.replace("< 1", "<= 1"), {("MSELoss", "L1Loss")}),
        (LOW.replace("L1Loss", "HuberLoss"), {("L1Loss", "HuberLoss")}),
        (LOW.replace("loss: L1Loss", "loss: L1Loss\n    serve: mean"), {("L1Loss", "L1Loss")}),
        (LOW.replace("target.mean < 1", "not target.mean >= 1"), set()),
        (LOW.replace("target.mean < 1", "target.mean < 1 and target.min <= target.max"), set()),
        (LOW.replace("target.mean < 1", "target.mean < 1 and target.min < target.max"), {("L1Loss", "MSELoss")}),
        (LOW.replace("id: low", "id: renamed"), set()),
    ],
    ids=["threshold", "operator", "loss", "serving", "double negation", "a law", "almost a law", "name"],
)
def test_a_change_is_proved_or_shown(new: str, expected: set[tuple[str, str]]) -> None:
    found = find_differences(loads(LOW), loads(new))
    assert {(change.old_loss, change.new_loss) for change in found.changes} == expected
    assert found.undone == ()


@pytest.mark.parametrize("name", ["heavy_kurtosis", "high_skew", "zero_share", "few_levels", "rare_top"])
def test_a_threshold_of_the_default_policy_matters(name: str) -> None:
    old = load("default.yaml")
    moved = load("default.yaml", parameters={name: old.parameters[name] * 2})
    assert find_differences(old, moved).changes


THIRD = written(("third", "target.mean * 3 == 0.3", "L1Loss"), REST)
"""True of 0.1 in real numbers and in no float near it."""


def test_what_rounding_undoes_is_told_and_never_called_alike(tmp_path: Path) -> None:
    moved = THIRD.replace("target.mean * 3", "target.mean * 3 + 1e-9")
    found = find_differences(loads(THIRD), loads(moved))
    assert {(undone.old_loss, undone.new_loss) for undone in found.undone} >= {("L1Loss", "MSELoss")}
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(THIRD)
    new.write_text(moved)
    done = call("policy", "diff", old, new)
    assert done.exit_code == 7
    assert f"undone by rounding: {len(found.undone)} (" in done.stdout
    assert "choose alike" not in done.stdout
    told = json.loads(call("policy", "diff", old, new, "--json").stdout)["undone_by_rounding"]
    assert {(one["old_loss"], one["new_loss"]) for one in told} == {(u.old_loss, u.new_loss) for u in found.undone}


def test_a_confirmed_change_stands_beside_one_that_rounding_undoes() -> None:
    both = written(("third", "target.mean * 3 == 0.3", "L1Loss"), ("wide", "target.std > 1", "HuberLoss"), REST)
    found = find_differences(
        loads(both), loads(both.replace("mean * 3 == 0.3", "mean * 3 == 0.3 and false").replace("> 1", "> 2"))
    )
    assert ("HuberLoss", "MSELoss") in {(change.old_loss, change.new_loss) for change in found.changes}
    assert ("L1Loss", "MSELoss") in {(undone.old_loss, undone.new_loss) for undone in found.undone}


@pytest.mark.parametrize("line", ["{", "[]", '{"target": {"mean": "x"}}', '{"trace_version": "1"}', '{"unknown": 1}'])
def test_a_line_that_is_no_profile_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(nebula.DataProfile().model_dump_json() + "\n" + line + "\n")
    done = call("policy", "diff", "default.yaml", "strict.yaml", "--corpus", path)
    assert done.exit_code == 2
    assert f"{path}:2: expected a profile or a decision trace" in done.stderr
    with pytest.raises(nebula.errors.DataError):
        list(read_corpus(tmp_path / "absent.jsonl"))


def test_without_the_extra_the_corpus_still_answers(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith(("nebula.proof", "nebula.smt"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "z3", None)
    done = call("policy", "diff", "default.yaml", "strict.yaml", "--corpus", corpus)
    assert done.exit_code == 7
    assert "no proof, only the corpus" in done.stderr
    assert "nebula-selector[verify]" in done.stderr
    done = call("policy", "verify", "default.yaml")
    assert done.exit_code == 2
    assert "nebula-selector[verify]" in done.stderr
