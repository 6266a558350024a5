"""All mutants of one shipped policy, judged and counted."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.policy_mutations.mutants import mutants_of
from benchmarks.policy_mutations.verdict import judge
from nebula.decision.policy import load_policy
from nebula.workbench.case_reader import read_suite

__all__ = ["ROOT", "analyse"]

ROOT = Path(__file__).resolve().parents[2]


def analyse(name: str) -> dict[str, Any]:
    """Judge every mutant of a shipped policy."""
    began = time.perf_counter()
    original = load_policy(ROOT / "policies" / name)
    suite = read_suite(ROOT / "policies" / "tests" / name.replace(".yaml", ".test.yaml"))
    document = original.compiled.file.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"extends"})
    verdicts = [judge(mutant, suite, original) for mutant in mutants_of(document)]
    count = Counter(verdict.outcome for verdict in verdicts)
    noticed = count["killed"] + count["refused"]
    hidden = sum(verdict.outcome == "survived" and verdict.witness is None for verdict in verdicts)
    return {
        "policy": f"{original.name} {original.version}",
        "cases": len(suite.cases),
        "mutants": len(verdicts),
        **{outcome: count[outcome] for outcome in ("killed", "refused", "equivalent", "survived")},
        "survived_without_witness": hidden,
        "killed_percent": round(100 * noticed / (noticed + count["survived"]), 1),
        "killed_percent_of_distinguishable": round(100 * noticed / (noticed + count["survived"] - hidden), 1),
        "by_kind": {
            kind: dict(Counter(verdict.outcome for verdict in verdicts if verdict.kind == kind))
            for kind in ("threshold", "operator", "connective", "order", "loss")
        },
        "seconds": round(time.perf_counter() - began, 1),
        "not_killed": [asdict(v) for v in verdicts if v.outcome in ("survived", "equivalent")],
    }
