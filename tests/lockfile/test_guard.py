"""`Nebula(lock=…)` uses a decision only when it is the pinned one, and says what changed."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import torch

import nebula
from nebula.errors import DataError, LockError
from nebula.lockfile.comparison import compare_pins, is_drift
from nebula.lockfile.document import write_lockfile
from nebula.lockfile.model import Lockfile, pin

LABELS = torch.arange(90) % 3
SHAPE = nebula.PredictionSpec(shape=(None, 3))


def decided(target: torch.Tensor = LABELS, prediction: Any = SHAPE, **options: Any) -> nebula.Decision:
    return nebula.select(target, prediction, **options)


@pytest.fixture
def lockfile(tmp_path: Path) -> Path:
    path = tmp_path / "nebula.lock"
    write_lockfile(path, Lockfile(decisions={"train": pin(decided())}))
    return path


def fitted(lockfile: Path, target: torch.Tensor = LABELS, dataset: Any = "train", **options: Any) -> nebula.Nebula:
    criterion = nebula.Nebula.from_policy(options.pop("policy", "default.yaml"), lock=lockfile, **options)
    return criterion.fit(target, prediction=SHAPE, dataset=dataset)


@pytest.mark.parametrize("dataset", ["train", None])
def test_the_pinned_decision_is_used(lockfile: Path, dataset: str | None) -> None:
    assert fitted(lockfile, LABELS.clone(), dataset).decision is not None


def _policy(path: Path, because: str) -> Path:
    text = (
        "apiVersion: nebula/v1\nname: mine\nversion: 1.0.0\nselect:\n  - id: any\n    when: true\n"
        f"    use: {{loss: CrossEntropyLoss}}\n    because: {because}\n"
    )
    path.write_text(text)
    return path


CHANGES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "nothing": ({}, set()),
    "data": ({"target": LABELS.flip(0)}, {"data"}),
    "rows": ({"target": LABELS[:60]}, {"data"}),
    "type": ({"target": LABELS.to(torch.int32)}, {"data", "outcome"}),
    "name": ({"name": "species"}, {"data"}),
    "hints": ({"hints": {"metric": "accuracy"}}, {"hints"}),
    "parameters": ({"parameters": {"imbalance_ratio": 0.25}}, {"parameters"}),
    "prediction": ({"prediction": nebula.PredictionSpec(shape=(None, 3), space="logits")}, {"prediction"}),
    "policy": ({"policy": "strict.yaml"}, {"policy"}),
    "loss": ({"target": LABELS.float() + 0.5, "prediction": None}, {"data", "prediction", "outcome"}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_each_change_is_put_down_to_its_cause(what: str) -> None:
    options, causes = CHANGES[what]
    changes = compare_pins(pin(decided()), pin(decided(**options)))
    assert causes <= {change.cause for change in changes} <= causes | {"outcome"}
    assert is_drift(changes) == bool(causes)
    assert all(change.pinned != change.found for change in changes)


def test_a_policy_that_says_something_else_under_the_same_version(tmp_path: Path) -> None:
    first, second = (
        pin(decided(policy=_policy(tmp_path / f"{index}.yaml", because)))
        for index, because in enumerate(["One.", "Two."])
    )
    (change,) = compare_pins(first, second)
    assert (change.cause, change.what) == ("policy", "content")
    assert change.pinned.startswith("blake2b:")


def test_a_library_alone_is_no_drift() -> None:
    before = pin(decided())
    now = before.model_copy(update={"versions": {**before.versions, "torch": "9.9"}})
    (change,) = compare_pins(before, now)
    assert str(change) == f"library: torch was {before.versions['torch']}, is 9.9"
    assert not is_drift((change,))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"target": LABELS.flip(0)}, r"data: content was xxh3_128:\w{8}, is"),
        ({"hints": {"metric": "accuracy"}}, "hints: metric was none, is accuracy"),
        ({"policy": "strict.yaml"}, "policy: name was default, is strict"),
        ({"dataset": "other"}, "expected a pinned decision of the name `other`, found `train`"),
    ],
)
def test_drift_is_refused_or_told(
    lockfile: Path, options: dict[str, Any], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(LockError, match=said):
        fitted(lockfile, **options)
    with caplog.at_level(logging.WARNING, "nebula"):
        criterion = fitted(lockfile, on_mismatch="warn", **options)
    assert criterion.decisions
    assert "nebula.lock" in caplog.text


@pytest.mark.parametrize(
    ("pinned", "said"),
    [
        ((), r"expected a pinned decision, found none\. Pin it with `nebula lock`\.$"),
        (("a", "b"), r"one of its decisions, `a`, `b`, found no `dataset`\. Name it with `dataset=`\.$"),
    ],
    ids=len,
)
def test_without_a_name_it_says_which_there_are(tmp_path: Path, pinned: tuple[str, ...], said: str) -> None:
    path = tmp_path / "nebula.lock"
    write_lockfile(path, Lockfile(decisions={name: pin(decided()) for name in pinned}))
    with pytest.raises(LockError, match=said):
        fitted(path, dataset=None)


def test_nothing_is_in_force_after_a_refusal(lockfile: Path) -> None:
    criterion = nebula.Nebula(lock=lockfile)
    with pytest.raises(LockError):
        criterion.fit(LABELS.flip(0), prediction=SHAPE, dataset="train")
    assert criterion.decisions == {}


def test_of_a_batch_the_data_are_not_compared(lockfile: Path) -> None:
    criterion = nebula.Nebula(lock=lockfile)
    assert criterion(torch.zeros(30, 3), LABELS[:30]) > 0
    other = nebula.Nebula(lock=lockfile)
    with pytest.raises(LockError, match="outcome: loss was CrossEntropyLoss"):
        other(torch.zeros(30, 1), torch.linspace(0, 1, 30))


def test_a_lockfile_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="`nebula lock` makes one"):
        nebula.Nebula(lock=tmp_path / "none")
    with pytest.raises(ValueError, match="expected 'raise' or 'warn'"):
        nebula.Nebula(lock=tmp_path / "none", on_mismatch="ignore")  # type: ignore[arg-type]
