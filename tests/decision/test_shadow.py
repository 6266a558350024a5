"""A shadow is heard when it disagrees, and changes nothing."""

from __future__ import annotations

import copy
import logging
from pathlib import Path
from typing import Any

import pytest
import torch

import nebula
from nebula.decision.policy import Policy

TARGET = torch.tensor([0.5, 1.5, 2.5, 7.25])


def write(path: Path, loss: str, rule: str = "any", when: str = "true", **more: str) -> Path:
    extra = "".join(f"{key}: {value}\n" for key, value in more.items())
    path.write_text(
        f"apiVersion: nebula/v1\nname: {path.stem}\nversion: 1.0.0\n{extra}select:\n"
        f"  - {{id: {rule}, when: {when}, use: {{loss: {loss}}}, because: b}}\n",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return write(tmp_path / "first.yaml", "MSELoss")


def heard(first: Path, shadow: Any, caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings of a decision with the shadow; it is the same as without."""
    alone = nebula.Nebula(first).fit(TARGET)
    caplog.clear()
    with caplog.at_level(logging.WARNING, "nebula"):
        beside = nebula.Nebula.from_policy(first, shadow=shadow).fit(TARGET)
    assert beside.decision is not None
    assert alone.decision is not None
    assert beside.decision.trace.canonical_json() == alone.decision.trace.canonical_json()
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize(
    ("shadow", "said"),
    [
        ({"loss": "MSELoss"}, None),
        ({"loss": "L1Loss"}, "next 1.0.0 would choose L1Loss by rule `any`"),
        ({"loss": "MSELoss", "rule": "other"}, "next 1.0.0 would choose MSELoss by rule `other`"),
        ({"loss": "MSELoss", "when": "false"}, "the shadow decides nothing: next 1.0.0: no rule fits"),
        ({"loss": "CrossEntropyLoss"}, "the shadow decides nothing: next 1.0.0: rule `any` names CrossEntropyLoss"),
        ({"loss": "MSELos"}, "is off, for it cannot be used"),
    ],
    ids=["agrees", "loss", "rule", "no-rule", "contract", "broken"],
)
def test_only_disagreement_is_heard(
    first: Path, shadow: dict[str, str], said: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    messages = heard(first, write(first.with_name("next.yaml"), **shadow), caplog)
    if said is None:
        assert messages == []
    else:
        (message,) = messages
        assert said in message
        assert ("is off" in message) or "first 1.0.0 chose MSELoss by rule `any`" in message


def test_a_shadow_that_does_not_exist_is_told(first: Path, caplog: pytest.LogCaptureFixture) -> None:
    (message,) = heard(first, "no-such-policy.yaml", caplog)
    assert "no-such-policy.yaml is off" in message


def test_a_shadow_that_crashes_is_told(
    first: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shadow = nebula.load_policy(write(first.with_name("next.yaml"), "L1Loss"))

    class Crashing(Policy):
        def current(self) -> Policy:
            raise RuntimeError("broken")

    (message,) = heard(first, Crashing(shadow.compiled), caplog)
    assert "the shadow failed" in message


def test_a_decision_on_one_batch_is_compared_too(first: Path, caplog: pytest.LogCaptureFixture) -> None:
    criterion = nebula.Nebula(first, shadow=write(first.with_name("next.yaml"), "L1Loss"))
    with caplog.at_level(logging.WARNING, "nebula"):
        for _ in range(3):
            criterion(TARGET[:, None] * 0, TARGET)
    assert sum("shadow disagrees" in record.getMessage() for record in caplog.records) == 1
    assert copy.deepcopy(criterion).shadow is not None
