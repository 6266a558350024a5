"""The mutation analysis makes wrong policies only, and the cases notice them."""

from __future__ import annotations

import json

from benchmarks.policy_mutations.analysis import analyse
from benchmarks.policy_mutations.mutants import mutants_of
from nebula.decision.policy import load_policy
from nebula.policy.loader import loads


def test_every_mutant_says_something_else() -> None:
    original = load_policy("paper.yaml").compiled
    document = original.file.model_dump(mode="json", by_alias=True, exclude_none=True)
    digests = [loads(json.dumps(mutant.document)).digest for mutant in mutants_of(document)]
    assert len(digests) > 30
    assert original.digest not in digests
    assert len(set(digests)) == len(digests)


def test_the_cases_of_the_paper_notice_its_mutants() -> None:
    found = analyse("paper.yaml")
    assert {kind for kind, outcomes in found["by_kind"].items() if outcomes} >= {
        "operator",
        "connective",
        "order",
        "loss",
    }
    assert found["killed_percent"] >= 95
    assert all(verdict["witness"] is None for verdict in found["not_killed"] if verdict["outcome"] == "survived")
