"""A trace whose records wait cannot be told from one that was written at once."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel, TypeAdapter

import nebula
from nebula import DecisionTrace
from nebula.decision import policy as deciding
from nebula.decision.boundary import find_boundaries
from nebula.decision.record import record_rules
from nebula.decision.reload import ReloadingPolicy
from nebula.errors import NebulaError
from nebula.policy.engine import default_engine
from nebula.profiling.vocabulary import facts_of
from tests.acceptance.witnesses import DEFAULT
from tests.policy.samples import policy as policy_text

POLICIES = ("default.yaml", "strict.yaml", "paper.yaml")
WAITS = {"rules", "boundaries"}
PROFILES = {
    rule: nebula.profile(case.target, case.prediction, name=case.name, hints=case.hints)
    for rule, make in DEFAULT.items()
    for case in (make(np.random.default_rng(3)),)
}


def fresh(rule: str = "regression", policy: str = "default.yaml") -> DecisionTrace:
    """A trace that nobody has read."""
    return nebula.load_policy(policy).decide(PROFILES[rule]).trace


def eager(trace: DecisionTrace, policy: nebula.Policy) -> DecisionTrace:
    """The same trace, its records written at once from an evaluation of its own."""
    facts = facts_of(trace.profile)
    evaluation = policy.compiled.evaluate(facts, default_engine())
    written = {
        "rules": record_rules(policy.compiled, evaluation),
        "boundaries": find_boundaries(policy.compiled, evaluation, facts),
    }
    return DecisionTrace(
        **{name: written[name] if name in WAITS else getattr(trace, name) for name in trace.model_fields_set}
    )


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("rule", PROFILES)
def test_json_is_byte_equal_to_a_trace_written_at_once(rule: str, policy: str) -> None:
    loaded = nebula.load_policy(policy)
    try:
        trace = loaded.decide(PROFILES[rule]).trace
    except NebulaError:
        return  # a policy may refuse data that it was not written for
    expected = eager(trace, loaded)
    assert trace.to_json() == expected.to_json()
    assert trace.canonical_json() == expected.canonical_json()
    assert trace == expected
    assert len(trace.rules) == len(loaded.compiled.file.derive) + len(loaded.compiled.file.select)


class Holder(BaseModel):
    """A model of somebody else around a trace."""

    inside: DecisionTrace


READINGS: dict[str, Callable[[DecisionTrace], Any]] = {
    "to_json": DecisionTrace.to_json,
    "indented": lambda trace: trace.to_json(indent=1),
    "canonical_json": DecisionTrace.canonical_json,
    "model_dump": DecisionTrace.model_dump,
    "some fields": lambda trace: trace.model_dump(include={"rules", "rule_id"}),
    "all but": lambda trace: list(trace.model_dump(exclude={"rules"})),
    "set fields": lambda trace: trace.model_dump(exclude_unset=True),
    "nested": lambda trace: Holder(inside=trace).model_dump_json(),
    "list": lambda trace: TypeAdapter(list[DecisionTrace]).dump_json([trace]),
    "pickle": lambda trace: pickle.loads(pickle.dumps(trace)).to_json(),
    "copy": lambda trace: copy.copy(trace).to_json(),
    "deepcopy": lambda trace: copy.deepcopy(trace).to_json(),
    "model_copy": lambda trace: trace.model_copy(update={"task": "count"}).to_json(),
    "repr": repr,
    "str": str,
    "pairs": lambda trace: list(trace),
    "rules": lambda trace: trace.rules,
    "boundaries": lambda trace: trace.boundaries,
    "boundaries, then json": lambda trace: (trace.boundaries, trace.to_json()),
    "rules twice": lambda trace: (trace.rules, trace.rules),
    "absent": lambda trace: hasattr(trace, "nothing"),
    "explanation": lambda trace: nebula.Decision(trace).explain(),
    "read back": lambda trace: DecisionTrace.model_validate_json(trace.to_json()),
    "validated again": lambda trace: DecisionTrace.model_validate(trace).to_json(),
}


@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS)
def test_every_way_of_reading_gives_the_same(reading: Callable[[DecisionTrace], Any]) -> None:
    trace = fresh()
    written = eager(trace, nebula.load_policy("default.yaml"))
    assert reading(trace) == reading(written)
    assert trace == written
    assert written == trace


def test_nothing_is_written_before_it_is_read_and_then_once(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    def counted(*arguments: Any) -> Any:
        written.append("rules")
        return record_rules(*arguments)

    monkeypatch.setattr(deciding, "record_rules", counted)
    trace = fresh()
    twin = trace.model_copy(update={"timings_ms": {}})
    assert str(nebula.Decision(trace))
    assert not written
    assert twin.rules == trace.rules == DecisionTrace.model_validate_json(trace.to_json()).rules
    assert twin.to_json() != trace.to_json()
    assert written == ["rules"]


def test_a_decision_keeps_its_reasons_when_the_policy_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(policy_text("target.n > 1"), encoding="utf-8")
    following = ReloadingPolicy(path, every=0)
    before = following.decide(PROFILES["regression"]).trace
    path.write_text(policy_text("target.n < 1", "target.n > 2"), encoding="utf-8")
    after = following.decide(PROFILES["regression"]).trace
    assert (before.rule_id, after.rule_id) == ("r0", "r1")
    assert [(rule.condition, rule.verdict) for rule in before.rules] == [("target.n > 1", "fired")]
    assert [rule.verdict for rule in after.rules] == ["false", "fired"]


def test_a_pickled_trace_holds_no_policy() -> None:
    trace = fresh()
    read = pickle.loads(pickle.dumps(trace))
    assert read.to_json() == trace.to_json()
    assert b"CompiledPolicy" not in pickle.dumps(trace)


def test_the_schema_is_that_of_the_fields() -> None:
    schema = DecisionTrace.model_json_schema(mode="serialization")
    assert list(schema["properties"]) == list(DecisionTrace.model_fields)
    assert list(json.loads(fresh().to_json())) == list(DecisionTrace.model_fields)
