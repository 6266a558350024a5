"""The lockfile's text: what is written is read back, by our reader and by others, and nothing else is accepted."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import nebula
from nebula.errors import DataError
from nebula.lockfile.document import read_lockfile, render_lockfile, write_lockfile
from nebula.lockfile.model import Lockfile, Pin, Request, pin
from nebula.policy.yaml_reader import read_yaml
from nebula.schemas import SCHEMAS
from tests.acceptance.witnesses import DEFAULT

PIN = pin(nebula.select(torch.tensor([0.5, 1.5, 8.25]), nebula.PredictionSpec(shape=(None, 1))))
TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="\ufeff\u2028\u2029"), max_size=30
)
TRICKY = st.sampled_from(
    ["1e5", "08", "0x1F", "null", "~", "yes", "No", "true", ".5", "-", "a: b", "# c", "1:30", "2026-11-21", "&x", "!y"]
)


@settings(max_examples=150)
@given(st.dictionaries(TEXT.filter(bool) | TRICKY, TEXT | TRICKY | st.integers() | st.floats(-1e300, 1e300)))
def test_what_is_written_is_read_back(values: dict[str, str | int | float]) -> None:
    lockfile = Lockfile(decisions={name: PIN.model_copy(update={"parameters": values}) for name in values})
    text = render_lockfile(lockfile)
    source, problems = read_yaml(text, "nebula.lock")
    assert problems == []
    again = Lockfile.model_validate(source.data, strict=False)
    assert again == lockfile
    assert {name: kept.parameters for name, kept in again.decisions.items()} == dict.fromkeys(values, values)
    assert yaml.safe_load(text) == source.data, "any reader of YAML sees the same"
    assert render_lockfile(again) == text


@pytest.mark.parametrize("rule", DEFAULT)
def test_every_decision_is_read_back_and_fits_the_schema(tmp_path: Path, rule: str) -> None:
    import numpy as np

    case = DEFAULT[rule](np.random.default_rng(1))
    decision = nebula.select(case.target, case.prediction, name=case.name, hints=case.hints)
    lockfile = Lockfile(decisions={"it": pin(decision, Request(file="a.csv", target="y"))})
    path = tmp_path / "nebula.lock"
    assert write_lockfile(path, lockfile) is True
    assert read_lockfile(path) == lockfile
    assert read_lockfile(path).decisions["it"].spec == decision.spec
    assert write_lockfile(path, lockfile) is False
    Draft202012Validator(SCHEMAS["lock"]()).validate(yaml.safe_load(path.read_text()))


def test_the_order_of_pinning_does_not_matter() -> None:
    there = render_lockfile(Lockfile(decisions={"a": PIN, "b": PIN}))
    assert there == render_lockfile(Lockfile(decisions={"b": PIN, "a": PIN}))
    assert there.startswith("# Decisions pinned by nebula.")


FAULTS = {
    "": "nebula.lock:1:1: not a lockfile of this nebula: expected an object, found nothing. Restore the file",
    "<<<<<<< HEAD\ndecisions: {}\n=======\n": "nebula.lock:1:1: expected a lockfile, found the marks of",
    "decisions: {}\n>>>>>>> topic\n": "nebula.lock:2:1: expected a lockfile, found the marks",
    "lockVersion: 1\ndecisionss: {}\n": "nebula.lock:2:1: not a lockfile of this nebula: unknown key `decisionss`",
    "lockVersion: 2\ndecisions: {}\n": "nebula.lock:1:",
    "decisions: []\n": "nebula.lock:1:12: not a lockfile of this nebula: expected an object, found a list",
    "decisions:\n  a: {loss: MSELoss}\n": "nebula.lock:2:",
    "decisions: &x {}\n": "expected no anchors",
    "decisions: !!python/object:os.system {}\n": "expected no tags",
    "decisions: {}\ndecisions: {}\n": "duplicate key",
    "decisions: {\n": "expected YAML",
    "more: 1\n": "more",
    "a" * (1 << 21): "expected at most",
}


@pytest.mark.parametrize("text", FAULTS, ids=lambda text: text[:20])
def test_what_is_no_lockfile_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "nebula.lock"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_lockfile(path)
    assert FAULTS[text] in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_lockfile_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="`nebula lock` makes one"):
        read_lockfile(tmp_path / "nebula.lock")


def test_a_failed_write_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "nebula.lock"
    write_lockfile(path, Lockfile(decisions={"a": PIN}))
    before = path.read_bytes()

    def fail(self: Path, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space") as caught:
        write_lockfile(path, Lockfile(decisions={"b": PIN}))
    assert caught.value.filename == str(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_lockfile_has_a_bound(tmp_path: Path) -> None:
    many = {f"decision {index}": PIN for index in range(999)}
    with pytest.raises(DataError, match="split it"):
        write_lockfile(tmp_path / "nebula.lock", Lockfile(decisions=many))
    assert isinstance(PIN, Pin)
