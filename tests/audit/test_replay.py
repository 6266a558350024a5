"""A recorded decision comes out again byte for byte; where it does not, it says where and which version changed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

import nebula
from nebula.audit.log import AuditLog
from nebula.audit.reading import Entry
from nebula.audit.replay import Replayed, replay
from nebula.decision.policy import Policy, load_policy
from nebula.errors import NebulaError
from nebula.policy.loader import loads
from nebula.profiling.model import DataProfile
from tests.audit.samples import SMALL, TEXT, decide, written
from tests.proof.random_profiles import profiles

DEFAULT = load_policy("default.yaml")


def replayed(log: AuditLog) -> list[Replayed]:
    return list(replay(log.path, log.entries()))


def outcomes(log: AuditLog) -> list[str]:
    return [one.outcome for one in replayed(log)]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> AuditLog:
    return AuditLog(tmp_path_factory.mktemp("replay") / "log.jsonl", fsync="never")


@settings(max_examples=25)
@given(profile=profiles())
def test_any_decision_replays_byte_for_byte(shared: AuditLog, profile: DataProfile) -> None:
    try:
        decision = DEFAULT.decide(profile)
    except NebulaError:
        return
    shared.policies.keep(DEFAULT)
    entry = Entry(1, "log:1", type(decision.trace).model_validate_json(decision.trace.to_json()), {})
    (found,) = replay(shared.path, [entry])
    assert found.outcome == "same", found.differences


def test_every_kind_of_target_replays_from_the_file(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "log.jsonl")
    rng = np.random.default_rng(0)
    for target in (rng.normal(size=90), rng.poisson(3, 90), rng.integers(0, 2, 90), rng.beta(2, 2, 90)):
        for prediction in (None, nebula.PredictionSpec(shape=(None, 1))):
            decision = nebula.select(target, prediction, name="y")
            log.append(decision.trace, decision.policy)
    assert outcomes(log) == ["same"] * 8


def test_the_policy_of_the_time_decides_whatever_its_file_says_now(tmp_path: Path) -> None:
    source = tmp_path / "own.yaml"
    source.write_text(TEXT)
    log = AuditLog(tmp_path / "log.jsonl")
    decision = decide(policy=load_policy(source, parameters={"most": 2}))
    log.append(decision.trace, decision.policy)
    source.write_text(TEXT.replace("MSELoss", "HuberLoss"))
    assert outcomes(log) == ["same"]


def test_without_the_stored_policy_a_file_of_the_same_digest_serves(tmp_path: Path) -> None:
    source = tmp_path / "own.yaml"
    source.write_text(TEXT)
    log = AuditLog(tmp_path / "log.jsonl")
    log.append(decide(policy=load_policy(source, parameters={"most": 2})).trace)
    assert outcomes(log) == ["same"]
    source.write_text(TEXT.replace("MSELoss", "HuberLoss"))
    (found,) = replayed(log)
    assert found.outcome == "no policy"
    assert "is not stored" in found.differences[0]


def _rewritten(log: AuditLog, *changes: tuple[str, str]) -> AuditLog:
    """The log's traces as plain lines, changed."""
    text = "".join(f"{trace.to_json()}\n" for trace in log.read())
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    log.path.write_text(text)
    return log


def test_a_decision_that_comes_out_otherwise_says_where_and_what_changed(tmp_path: Path) -> None:
    log = _rewritten(
        written(tmp_path / "log.jsonl", 1),
        ('"loss":"MSELoss"', '"loss":"L1Loss"'),
        (f'"numpy":"{np.__version__}"', '"numpy":"1.2.3"'),
    )
    (found,) = replayed(log)
    assert (found.outcome, found.loss, found.loss_now) == ("differs", "L1Loss", "MSELoss")
    assert 'spec.loss: "L1Loss" -> "MSELoss"' in found.differences
    assert found.versions == {"numpy": ("1.2.3", np.__version__)}


def test_another_version_alone_is_no_difference(tmp_path: Path) -> None:
    log = _rewritten(written(tmp_path / "log.jsonl", 1), (f'"numpy":"{np.__version__}"', '"numpy":"1.2.3"'))
    (found,) = replayed(log)
    assert found.outcome == "same"
    assert "numpy" in found.versions


def test_a_decision_that_is_refused_now_says_so(tmp_path: Path) -> None:
    policy = Policy(loads(TEXT.replace("{use: {loss: L1Loss}, because: Nothing is known.}", "{error: nothing fits}")))
    log = AuditLog(tmp_path / "log.jsonl")
    trace = decide(policy=policy).trace
    log.append(trace.model_copy(update={"profile": DataProfile()}), policy)
    (found,) = replayed(log)
    assert found.outcome == "failed"
    assert "NoRuleFits" in found.differences[0]


def test_masks_are_told_apart_from_changes(tmp_path: Path) -> None:
    log = written(tmp_path / "log.jsonl", 1, mask=["target.name"])
    log.append(decide(name=None).trace, SMALL)
    AuditLog(log.path, mask=["target.n_unique"]).append(decide().trace, SMALL)
    found = replayed(log)
    assert [one.outcome for one in found] == ["same", "same", "masked"]
    assert json.loads(found[2].model_dump_json())["loss_now"] == "PoissonNLLLoss"
