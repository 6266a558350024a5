"""The shipped policies pass their cases, and the cases leave nothing of them out."""

from __future__ import annotations

import pytest

from nebula.policy.files import shipped_policies
from nebula.workbench.case_reader import read_suite
from nebula.workbench.coverage import measure
from nebula.workbench.run import run_suite
from tests.project.tree import ROOT

CASES = ROOT / "policies" / "tests"
POLICIES = [path.name for path in sorted((ROOT / "policies").glob("*.yaml"))]


def test_the_cases_are_not_taken_for_policies() -> None:
    assert [path.name for path in shipped_policies()] == POLICIES
    assert sorted(path.name.replace(".test", "") for path in CASES.iterdir()) == POLICIES


@pytest.mark.parametrize("policy", POLICIES)
def test_the_cases_pass_and_cover(policy: str) -> None:
    suite = read_suite(CASES / policy.replace(".yaml", ".test.yaml"))
    failed = [(result.case.name, result.differences) for result in run_suite(suite) if not result.passed]
    assert failed == []
    (coverage,) = measure([suite])
    assert coverage.share(rules=True) == 100.0, coverage.missing()
    assert coverage.share(rules=False) >= 95.0, coverage.missing()
    assert coverage.policy.split()[0] == policy.removesuffix(".yaml")
