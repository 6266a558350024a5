"""A stored policy is the one that decided, whatever its files say now."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from nebula.audit.policies import PolicyArchive, policy_text
from nebula.decision.policy import Policy, load_policy
from nebula.policy.loader import loads
from nebula.profiling.model import DataProfile
from tests.audit.samples import SMALL, TEXT
from tests.policy.random_policies import Sample, samples
from tests.project.tree import ROOT

SHIPPED = sorted(path.name for path in (ROOT / "policies").glob("*.yaml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_policy_is_stored_whole(name: str) -> None:
    policy = load_policy(name)
    assert loads(policy_text(policy.compiled)).digest == policy.digest


@settings(max_examples=25)
@given(samples())
def test_any_policy_is_stored_whole(sample: Sample) -> None:
    compiled = loads(sample.text())
    assert loads(policy_text(compiled)).digest == compiled.digest


def test_parameters_are_stored_as_they_were_given(tmp_path: Path) -> None:
    policy = Policy(loads(TEXT, parameters={"most": 3}))
    archive = PolicyArchive(tmp_path / "policies")
    archive.keep(policy)
    archive.keep(SMALL)
    assert len(list((tmp_path / "policies").iterdir())) == 2
    stored = archive.load(policy.digest, "small.yaml")
    assert stored is not None
    assert stored.compiled.parameters == {"most": 3}
    assert stored.compiled.source == "small.yaml"
    assert stored.decide(DataProfile()).trace.policy.digest == policy.digest


def test_a_policy_after_extends_is_stored_in_one_file(tmp_path: Path) -> None:
    base, own = tmp_path / "base.yaml", tmp_path / "own.yaml"
    base.write_text(TEXT)
    own.write_text("apiVersion: nebula/v1\nname: own\nversion: 2.0.0\nextends: [base.yaml]\nparameters: {most: 4}\n")
    policy = load_policy(own)
    archive = PolicyArchive(tmp_path / "policies")
    archive.keep(policy)
    base.unlink()
    own.unlink()
    assert archive.load(policy.digest, str(own)) is not None


def test_a_stored_policy_that_says_something_else_is_not_used(tmp_path: Path) -> None:
    archive = PolicyArchive(tmp_path)
    assert archive.load(SMALL.digest, "x") is None
    archive.keep(SMALL)
    (stored,) = tmp_path.iterdir()
    for content in (stored.read_bytes().replace(b"MSELoss", b"L1Loss"), b"\xff\xfe", b"", b"a" * (1 << 21)):
        stored.write_bytes(content)
        assert archive.load(SMALL.digest, "x") is None


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "blake2b:../x", "blake2b:" + "g" * 32])
def test_a_digest_names_no_other_file(tmp_path: Path, digest: str) -> None:
    assert PolicyArchive(tmp_path).load(digest, "x") is None
