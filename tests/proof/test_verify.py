"""Planted faults are found, sound policies pass, and the real engine agrees with every witness."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nebula.policy.loader import load, loads
from nebula.proof.verify import verify
from nebula.smt.oracle import Oracle
from nebula.smt.solver import z3
from tests.cli.runner import call
from tests.proof.planted_faults import PLANTED, REST, Planted, written


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_planted_fault_is_found(planted: Planted) -> None:
    found = verify(loads(planted.text))
    (fault,) = [f for f in found.faults if (f.kind, f.rule) == (planted.kind, planted.rule)]
    assert fault.others == planted.others
    assert fault.witness is None or fault.witness.confirmed


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_nothing_else_is_called_a_fault(planted: Planted) -> None:
    kinds = {(f.kind, f.rule) for f in verify(loads(planted.text)).faults}
    allowed = {(planted.kind, planted.rule)}
    assert kinds <= allowed | {("never true", planted.rule)}


@pytest.mark.parametrize("name", ["default.yaml", "strict.yaml", "paper.yaml"])
def test_the_engine_confirms_every_witness_on_a_shipped_policy(name: str) -> None:
    found = verify(load(name))
    assert not found.undecided
    assert [f.message for f in found.findings if f.witness and not f.witness.confirmed] == []
    assert sum(f.witness is not None for f in found.findings) > 10
    assert {f.kind for f in found.faults} <= {"values"}


def test_without_notes_shown_the_findings_are_the_same_and_every_fault_keeps_its_witness() -> None:
    policy = load("default.yaml")
    full, short = verify(policy), verify(policy, show_notes=False)
    told = [
        {finding.model_copy(update={"witness": None}).model_dump_json() for finding in found.findings}
        for found in (full, short)
    ]
    gave_up = len(full.undecided) + len(short.undecided)
    assert len(told[0] ^ told[1]) <= gave_up, "what one way finds and the other does not, the solver gave up on"
    assert gave_up <= 2
    faulty = verify(loads(PLANTED["gap"].text), show_notes=False)
    assert all(fault.witness and fault.witness.confirmed for fault in faulty.faults)


def test_a_solver_that_gives_up_proves_no_comparison_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Oracle, "_ask", lambda *_: z3.unknown)
    found = verify(loads(written(("low", "target.mean < 1", "L1Loss"), REST)))
    assert {"never true", "never false"}.isdisjoint(f.kind for f in found.findings)


def test_a_reference_that_may_be_unknown_is_found() -> None:
    text = written(("huber", "target.min > 0", "HuberLoss"), REST).replace(
        "loss: HuberLoss", "loss: HuberLoss\n    params: {delta: $target.void_value}"
    )
    assert ("reference", "huber") in {(f.kind, f.rule) for f in verify(loads(text)).faults}
    guarded = text.replace("target.min > 0", "target.min > 0 and known(target.void_value)")
    assert "reference" not in {f.kind for f in verify(loads(guarded)).faults}


def test_otherwise_closes_a_gap() -> None:
    text = PLANTED["gap"].text
    assert [f.kind for f in verify(loads(text)).faults] == ["gap"]
    answered = verify(loads(text + "otherwise: {error: nothing fits}\n"))
    assert not answered.faults
    assert "gap" in {f.kind for f in answered.findings}
    assert "gap" not in {f.kind for f in verify(loads(text + "otherwise: {use: {loss: MSELoss}}\n")).findings}


def test_an_exception_before_its_rule_is_no_overlap() -> None:
    nested = loads(written(("some", "target.mean > 1", "L1Loss"), REST))
    crossing = loads(written(("a", "target.mean > 1", "L1Loss"), ("b", "target.std > 1", "HuberLoss"), REST))
    assert "overlap" not in {f.kind for f in verify(nested).findings}
    assert [(f.rule, f.others) for f in verify(crossing).findings if f.kind == "overlap"] == [("a", ("b",))]


def test_unique_policies_must_not_overlap() -> None:
    text = written(("a", "target.mean > 1", "L1Loss"), ("b", "target.mean > 2", "HuberLoss"), hit_policy="unique")
    assert ("overlap", "a") in {(f.kind, f.rule) for f in verify(loads(text)).faults}


def test_the_command(tmp_path: Path) -> None:
    faulty, sound = tmp_path / "faulty.yaml", tmp_path / "sound.yaml"
    faulty.write_text(PLANTED["gap"].text)
    sound.write_text(written(("low", "target.mean < 1", "L1Loss"), REST))
    assert call("policy", "verify", sound).exit_code == 0
    done = call("policy", "verify", faulty)
    assert done.exit_code == 7
    assert "fault: gap: no rule holds" in done.stdout
    assert json.loads(call("policy", "verify", faulty, "--json").stdout)["findings"][0]["kind"] == "gap"
    assert len(call("policy", "verify", sound, "--notes").stdout) > len(call("policy", "verify", sound).stdout)
    assert call("policy", "verify", tmp_path / "absent.yaml").exit_code == 5
