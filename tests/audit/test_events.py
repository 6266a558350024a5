"""What the guard noticed stands in the log beside the decisions, sealed and masked like them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from nebula.audit.log import AuditLog
from nebula.audit.verification import verify_log
from nebula.decision.drift_event import DriftEvent
from nebula.decision.trace import ComparisonTrace
from nebula.errors import DataError
from nebula.selection import select
from tests.cli.runner import call

TRACE = select(torch.poisson(torch.full((500,), 3.0))).trace


def event(found: str = "found -1") -> DriftEvent:
    changed = ComparisonTrace(text="target.min >= 0", outcome="false", values={"target.min": -1}, distance=1.0)
    return DriftEvent.about(
        TRACE,
        kind="below",
        message=f"expected [0, inf), {found}",
        expected="[0, inf)",
        found=found,
        calls=64,
        rows=640,
        changed=(changed,),
        on_drift="warn",
        outcome="told",
    )


def test_events_and_decisions_share_one_chain(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log.jsonl", max_bytes=2000)
    told = [event(), event()]
    log.append(TRACE)
    for one in told:
        log.append_event(one)
    log.append(TRACE)
    assert list(log.events()) == told
    assert [trace.id for trace in log.read()] == [TRACE.id] * 2
    found = verify_log(log.path)
    assert found.intact
    assert found.records == 4


def test_a_changed_event_is_found(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log.jsonl")
    log.append(TRACE)
    log.append_event(event())
    log.append(TRACE)
    log.path.write_bytes(log.path.read_bytes().replace(b"found -1", b"found -2", 1))
    findings = verify_log(log.path).findings
    assert [(finding.what, finding.record) for finding in findings] == [("changed", 2)]
    assert list(log.events()) == []


def test_masks_hide_what_an_event_saw(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log.jsonl", mask=["target.min"])
    log.append_event(event("found -12345"))
    assert b"12345" not in log.path.read_bytes()
    (kept,) = log.events()
    assert kept.kind == "below"
    assert kept.changed[0].values == {"target.min": None}


def test_the_command_lists_events(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log.jsonl")
    log.append_event(event())
    assert "found -1" in call("audit", "events", log.path).output
    (row,) = json.loads(call("audit", "events", log.path, "--json").stdout)
    assert row["decision"] == TRACE.id
    with pytest.raises(DataError, match="no such file"):
        list(AuditLog(tmp_path / "none.jsonl").events())
