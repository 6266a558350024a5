"""A policy that follows its files: atomic, quiet, and never without a policy in force."""

from __future__ import annotations

import copy
import logging
import pickle
import threading
from pathlib import Path

import pytest

import nebula
from nebula.decision.reload import ReloadingPolicy
from nebula.errors import PolicyError
from nebula.profiling.model import DataProfile, TargetFacts

TEXT = """\
apiVersion: nebula/v1
name: mine
version: 1.0.0
select:
  - {id: any, when: true, use: {loss: MSELoss}, because: b}
"""
OTHER = TEXT.replace("MSELoss", "L1Loss").replace("1.0.0", "1.0.1")
CHILD = "apiVersion: nebula/v1\nname: child\nversion: 1.0.0\nextends: [p.yaml]\n"
PROFILE = DataProfile(target=TargetFacts(n=4, ndim=1, min=0.5, max=2.5))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "p.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return file


def loss(policy: ReloadingPolicy) -> str:
    spec = policy.decide(PROFILE).spec
    assert spec is not None
    return spec.loss


def test_an_edit_takes_effect_when_a_look_is_due(path: Path) -> None:
    clock = Clock()
    policy = ReloadingPolicy(path, every=5, clock=clock)
    path.write_text(OTHER, encoding="utf-8")
    clock.now = 4.9
    assert loss(policy) == "MSELoss"
    clock.now = 5.0
    assert (loss(policy), policy.version) == ("L1Loss", "1.0.1")


def test_a_look_on_demand(path: Path) -> None:
    policy = ReloadingPolicy(path, every=1e9)
    assert not policy.refresh()
    path.write_text(OTHER, encoding="utf-8")
    assert policy.refresh()
    assert not policy.refresh()
    assert loss(policy) == "L1Loss"
    path.write_text("# a comment changes nothing\n" + OTHER, encoding="utf-8")
    assert not policy.refresh()


@pytest.mark.parametrize("broken", ["name: [", TEXT.replace("MSELoss", "MSELos"), "", None], ids=str)
def test_a_broken_edit_is_told_once_and_changes_nothing(
    path: Path, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    policy = ReloadingPolicy(path, every=0)
    if broken is None:
        path.unlink()
    else:
        path.write_text(broken, encoding="utf-8")
    with caplog.at_level(logging.WARNING, "nebula"):
        assert [loss(policy) for _ in range(3)] == ["MSELoss"] * 3
    (record,) = caplog.records
    assert "mine 1.0.0 stays in force" in record.getMessage()
    path.write_text(OTHER, encoding="utf-8")
    assert loss(policy) == "L1Loss"
    path.write_text("name: [", encoding="utf-8")
    with caplog.at_level(logging.WARNING, "nebula"):
        loss(policy)
    assert len(caplog.records) == 2


def test_what_is_extended_is_followed_too(path: Path) -> None:
    child = path.with_name("child.yaml")
    child.write_text(CHILD, encoding="utf-8")
    policy = ReloadingPolicy(child, every=0)
    path.write_text(OTHER, encoding="utf-8")
    assert loss(policy) == "L1Loss"
    child.write_text(CHILD.replace("p.yaml", "new.yaml"), encoding="utf-8")
    assert loss(policy) == "L1Loss"
    path.with_name("new.yaml").write_text(TEXT, encoding="utf-8")  # what was missing appears; the child stays as it is
    assert loss(policy) == "MSELoss"


def test_a_policy_that_is_broken_to_begin_with_is_an_error(path: Path) -> None:
    path.write_text("name: [", encoding="utf-8")
    with pytest.raises(PolicyError):
        ReloadingPolicy(path)
    with pytest.raises(ValueError, match="every: expected at least 0"):
        ReloadingPolicy("default.yaml", every=-1)


def test_the_caller_s_parameters_stay(path: Path) -> None:
    path.write_text(TEXT.replace("select:", "parameters: {p: 1}\nselect:"), encoding="utf-8")
    policy = ReloadingPolicy(path, parameters={"p": 3}, every=0)
    path.write_text(OTHER.replace("select:", "parameters: {p: 2}\nselect:"), encoding="utf-8")
    assert policy.decide(PROFILE).trace.parameters == {"p": 3}
    assert policy.version == "1.0.1"


def test_threads_always_see_one_whole_policy(path: Path) -> None:
    policy = ReloadingPolicy(path, every=0)
    seen: set[tuple[str, str]] = set()
    stop = threading.Event()

    def decide() -> None:
        while not stop.is_set():
            decision = policy.decide(PROFILE)
            seen.add((decision.trace.policy.version, decision.spec.loss if decision.spec else ""))

    threads = [threading.Thread(target=decide) for _ in range(4)]
    for thread in threads:
        thread.start()
    for round_ in range(20):
        path.write_text((TEXT, OTHER)[round_ % 2], encoding="utf-8")
        policy.refresh()
    stop.set()
    for thread in threads:
        thread.join()
    assert seen <= {("1.0.0", "MSELoss"), ("1.0.1", "L1Loss")}
    assert seen


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))], ids=["copy", "pickle"])
def test_a_copy_follows_on_its_own(path: Path, copied: object) -> None:
    twin = copied(ReloadingPolicy(path, every=0))  # type: ignore[operator]
    path.write_text(OTHER, encoding="utf-8")
    assert loss(twin) == "L1Loss"


def test_a_loss_decides_by_the_policy_in_force_and_stays_with_it(path: Path) -> None:
    criterion = nebula.Nebula(ReloadingPolicy(path, every=0))
    criterion.fit([0.5, 1.5, 2.5], dataset="old")
    path.write_text(OTHER, encoding="utf-8")
    criterion.fit([0.5, 1.5, 2.5], dataset="new")
    chosen = {name: found.spec.loss for name, found in criterion.decisions.items() if found.spec}
    assert chosen == {"old": "MSELoss", "new": "L1Loss"}
