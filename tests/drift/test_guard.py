"""Batches that no longer fit a decision are told, once, late by a few calls at most, and nothing else is."""

from __future__ import annotations

import copy
import logging
import pickle
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import nebula
from nebula import Nebula, PredictionSpec
from nebula.audit.log import AuditLog
from nebula.audit.verification import verify_log
from nebula.decision.drift_event import DriftEvent
from nebula.drift.domain import domains_of
from nebula.drift.flags import find_breaches, start_flags
from nebula.drift.guard import Guard
from nebula.drift.options import GuardOptions
from nebula.errors import DriftError

EVERY = 4


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def counts(n: int = 2000, seed: int = 0) -> Tensor:
    return torch.poisson(torch.full((n,), 3.0), generator=draw(seed))


def labels(n: int = 2000, classes: int = 5, seed: int = 0) -> Tensor:
    return torch.randint(0, classes, (n,), generator=draw(seed))


def decided(target: Tensor, outputs: int = 1, **options: Any) -> nebula.Decision:
    return nebula.select(target, PredictionSpec(shape=(None, outputs)), **options)


def guarded(target: Tensor, outputs: int = 1, *, hints: Any = None, **options: Any) -> Guard:
    return Guard(decided(target, outputs, hints=hints), options=GuardOptions(every=EVERY, **options))


def feed(guard: Guard, target: Tensor, rows: int = 50) -> None:
    for batch in target.split(rows):
        guard.observe(batch)
    guard.flush()


def kinds(guard: Guard) -> list[str]:
    return [event.kind for event in guard.events]


def put(target: Tensor, value: float) -> Tensor:
    changed = target.clone()
    changed[777] = value
    return changed


BREACHES = {
    "negative count": (counts(), 1, put(counts(), -1), "below"),
    "infinite count": (counts(), 1, put(counts(), float("inf")), "not finite"),
    "missing value": (torch.randn(2000, generator=draw()), 1, put(torch.zeros(2000), float("nan")), "not finite"),
    "label beyond the outputs": (labels(), 5, put(labels(), 5), "above"),
    "undeclared filler": (labels(), 5, put(labels(), 255), "above"),
    "torch's own filler": (labels(), 5, put(labels(), -100), "below"),
    "label 0 where they start at 1": (labels() + 1, 5, labels(), "below"),
    "unknown label": (3 * labels(), 5, put(3 * labels(), 7), "unknown label"),
    "half a label": (labels().float(), 5, put(labels().float(), 1.5), "not whole"),
    "more than 100 percent": (100 * torch.rand(2000, generator=draw()), 1, put(torch.rand(2000), 101.0), "above"),
}


@pytest.mark.parametrize(("before", "outputs", "after", "kind"), BREACHES.values(), ids=BREACHES)
@pytest.mark.parametrize("place", [0, -1], ids=["first look", "last look"])
def test_a_single_value_outside_the_contract_is_told(
    before: Tensor, outputs: int, after: Tensor, kind: str, place: int, caplog: pytest.LogCaptureFixture
) -> None:
    hints = {"task": "proportion"} if kind == "above" and before.max() > 99 else None
    guard = guarded(before, outputs, hints=hints)
    feed(guard, before)
    assert guard.events == []
    with caplog.at_level(logging.WARNING, logger="nebula"):
        feed(guard, after if place == 0 else torch.cat([before, after]))
    event = next(event for event in guard.events if event.kind == kind)
    assert event.message in caplog.text
    assert event.outcome == "told"
    assert event.decision == guard.decision.trace.id
    assert DriftEvent.model_validate_json(event.to_json()) == event


@pytest.mark.parametrize(("before", "outputs", "after", "kind"), BREACHES.values(), ids=BREACHES)
def test_the_same_thing_is_told_once_and_counted(before: Tensor, outputs: int, after: Tensor, kind: str) -> None:
    hints = {"task": "proportion"} if kind == "above" and before.max() > 99 else None
    guard = guarded(before, outputs, hints=hints)
    for _ in range(3):
        feed(guard, after)
    assert kinds(guard).count(kind) == 1
    assert guard.counts[kind] >= 3


@given(seed=st.integers(0, 10_000), rows=st.integers(7, 400), kind=st.sampled_from(["labels", "counts", "normal"]))
@settings(max_examples=15, deadline=None)
def test_shuffled_epochs_of_the_same_data_are_quiet(seed: int, rows: int, kind: str) -> None:
    target = {"labels": labels(700), "counts": counts(700), "normal": torch.randn(700, generator=draw())}[kind]
    guard = guarded(target, 5 if kind == "labels" else 1, facts_every=3)
    for epoch in range(3):
        feed(guard, target[torch.randperm(700, generator=draw(seed + epoch))], rows)
    assert guard.events == []


@given(
    values=st.lists(st.integers(-3, 9), min_size=1, max_size=30), dtype=st.sampled_from(["int64", "uint8", "float32"])
)
@settings(max_examples=150, deadline=None)
def test_flags_agree_with_a_plain_loop(values: list[int], dtype: str) -> None:
    target = torch.tensor([abs(v) for v in values] if dtype == "uint8" else values, dtype=getattr(torch, dtype))
    domains = domains_of(decided(3 * labels(200, 3), 3).trace)
    breaches = find_breaches(start_flags(target, domains).read(), domains)
    assert bool(breaches) == any(value not in (0, 3, 6) for value in target.tolist())


def test_declared_fillers_are_quiet() -> None:
    target = labels()
    target[::7] = 255
    guard = guarded(target, 5, hints={"ignore_value": 255})
    feed(guard, target)
    assert guard.events == []


def test_rare_classes_that_a_window_lacks_are_no_drift() -> None:
    target = torch.zeros(100_000, dtype=torch.long)
    target[:20] = torch.arange(20) % 4
    guard = guarded(target, 4, facts_every=2, window=1024)
    feed(guard, torch.zeros(20_000, dtype=torch.long), rows=500)
    assert guard.events == []


def test_rows_of_another_kind_are_told_by_the_rule_that_they_would_fire() -> None:
    guard = guarded(counts(), facts_every=8)
    assert guard.decision.spec is not None
    before = guard.decision.rule_id
    feed(guard, 0.25 + counts(4000, seed=1), rows=100)
    event = next(event for event in guard.events if event.kind == "rule")
    assert f"`{before}`" in event.expected
    assert event.changed
    assert all(comparison.text for comparison in event.changed)


def test_one_odd_window_is_not_enough() -> None:
    guard = guarded(counts(), facts_every=8, window=800)
    feed(guard, counts(2000, seed=1), rows=100)
    for batch in (0.25 + counts(800, seed=2)).split(100):
        guard.observe(batch)
    feed(guard, counts(2000, seed=3), rows=100)
    assert "rule" not in kinds(guard)


def test_the_same_rows_judged_twice_are_one_window() -> None:
    guard = guarded(counts(), facts_every=8, window=800)
    feed(guard, 0.25 + counts(400, seed=2), rows=100)
    for _ in range(3):
        guard.flush()
    assert "rule" not in kinds(guard)
    feed(guard, 0.25 + counts(400, seed=3), rows=100)
    assert "rule" in kinds(guard)


def test_raise_stops_the_training_with_the_event_kept() -> None:
    guard = guarded(counts(), on_drift="raise")
    with pytest.raises(DriftError, match=r"expected .* for PoissonNLLLoss, found -1"):
        feed(guard, put(counts(), -1))
    assert [event.outcome for event in guard.events] == ["raised"]


class _Operations(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


def test_skipped_calls_run_nothing_and_looks_never_wait() -> None:
    guard, batches = guarded(counts()), counts().split(50)
    with _Operations() as skipped:
        for batch in batches[: EVERY - 1]:
            guard.observe(batch)
    assert skipped.names == []
    with _Operations() as looked:
        guard.observe(batches[EVERY - 1])
    assert looked.names
    waits = ("_local_scalar_dense", "nonzero", "item", "_to_copy.default(cuda")
    assert not [name for name in looked.names if any(wait in name for wait in waits)]


def test_targets_written_to_afterwards_are_left_out() -> None:
    guard = guarded(counts())
    buffer = counts(50)
    for _ in range(EVERY - 1):
        guard.observe(buffer)
    buffer.sub_(100)
    guard.observe(counts(50))
    guard.flush()
    assert guard.events == []


@pytest.mark.parametrize("odd", [{"head": torch.zeros(3)}, None, "text"], ids=["mapping", "None", "text"])
def test_what_is_no_tensor_is_passed_over(odd: Any) -> None:
    guard = guarded(counts())
    guard.observe(odd)
    with torch.inference_mode():
        guard.observe(torch.zeros(3))
    guard.observe(torch.zeros(0))
    guard.observe(torch.tensor(2.0))
    guard.flush()
    assert guard.events == []


def test_batches_of_several_shapes_are_watched_by_value() -> None:
    decision = nebula.select(labels().reshape(500, 2, 2), PredictionSpec(shape=(None, 5, 2, 2)))
    guard = Guard(decision, options=GuardOptions(every=EVERY))
    for size in (1, 2, 3):
        guard.observe(labels(8 * size).reshape(8, size, 1))
    guard.observe(torch.full((2, 2, 2), 9))
    guard.flush()
    assert kinds(guard) == ["above"]


def test_it_holds_a_bounded_amount() -> None:
    guard = Guard(decided(counts()), options=GuardOptions(every=10_000))
    batch = counts(2**18)
    for _ in range(40):
        guard.observe(batch)
    assert sum(part.numel() for part, _ in guard.kept) < 2**20 + 2**18


@pytest.mark.parametrize("option", [{"every": 0}, {"facts_every": -1}, {"window": 0}, {"on_drift": "stop"}])
def test_options_out_of_range(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        GuardOptions(**option)


class TestInNebula:
    """The guard of a `Nebula`: on by default."""

    def criterion(self, **options: Any) -> Nebula:
        options = {"guard": GuardOptions(every=EVERY, facts_every=8)} | options
        return Nebula(**options).fit(counts(), prediction=PredictionSpec(shape=(None, 1)))

    def train(self, criterion: Nebula, target: Tensor, rows: int = 50) -> None:
        for batch in target.split(rows):
            criterion(torch.zeros(len(batch), 1), batch)

    def test_it_watches_by_default_and_not_when_told(self) -> None:
        for guard, seen in ((True, 1), (False, 0)):
            criterion = self.criterion(guard=guard)
            self.train(criterion, put(counts(64 * 50), -1))
            assert len(criterion.drift_events) == seen

    def test_events_go_to_the_sink_and_to_an_audit_that_takes_them(self, tmp_path: Any) -> None:
        sunk: list[DriftEvent] = []
        audit = AuditLog(tmp_path / "log.jsonl")
        criterion = self.criterion(audit=audit, guard=GuardOptions(every=EVERY, sink=sunk.append))
        self.train(criterion, put(counts(), -1))
        assert sunk == list(audit.events()) == list(criterion.drift_events)
        assert verify_log(audit.path).intact
        assert [event.kind for event in sunk] == ["below"]

    def test_redecide_switches_and_logs_both_decisions(self, tmp_path: Any, caplog: Any) -> None:
        path = tmp_path / "log.jsonl"
        options = GuardOptions(every=EVERY, on_drift="redecide")
        criterion = self.criterion(audit=path, guard=options)
        before = criterion.decision
        with caplog.at_level(logging.INFO, logger="nebula"):
            self.train(criterion, put(counts(), -1))
        assert before is not None
        assert criterion.decision is not None
        assert criterion.decision.spec is not None
        assert criterion.decision.spec.loss != "PoissonNLLLoss"
        assert criterion.loss_function is not None
        assert criterion.loss_function.spec == criterion.decision.spec
        (event,) = criterion.drift_events
        assert (event.outcome, event.decision, event.new_decision) == (
            "switched",
            before.trace.id,
            criterion.decision.trace.id,
        )
        traces = list(AuditLog(path).read())
        assert [trace.id for trace in traces] == [event.decision, event.new_decision]
        assert "in force from now on" in caplog.text

    def test_warn_never_switches(self) -> None:
        criterion = self.criterion()
        chosen = criterion.loss_function
        self.train(criterion, 0.25 - counts(8000))
        assert criterion.drift_events
        assert criterion.loss_function is chosen

    @pytest.mark.parametrize("said", ["warn", "raise"])
    def test_the_policy_says_what_happens_and_code_overrides_it(self, tmp_path: Any, said: str) -> None:
        path = tmp_path / "own.yaml"
        path.write_text(
            "apiVersion: nebula/v1\nname: own\nversion: 1.0.0\nextends: [default.yaml]\non_drift: raise\n",
            encoding="utf-8",
        )
        override = None if said == "raise" else said
        criterion = self.criterion(policy=path, guard=GuardOptions(every=EVERY, on_drift=override))  # type: ignore[arg-type]
        if said == "raise":
            with pytest.raises(DriftError):
                self.train(criterion, put(counts(), -1))
        else:
            self.train(criterion, put(counts(), -1))
        assert [event.on_drift for event in criterion.drift_events] == [said]

    @pytest.mark.parametrize("copied", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))], ids=["deep", "pickle"])
    def test_copies_watch_for_themselves(self, copied: Any) -> None:
        criterion = self.criterion()
        self.train(criterion, counts(120))
        twin = copied(criterion)
        self.train(twin, put(counts(), -1))
        assert next(event.kind for event in twin.drift_events) == "below"
        assert criterion.drift_events == ()

    def test_a_restored_decision_is_watched(self) -> None:
        restored = Nebula(guard=GuardOptions(every=EVERY))
        restored.load_state_dict(self.criterion().state_dict())
        self.train(restored, put(counts(), -1))
        assert [event.kind for event in restored.drift_events] == ["below"]

    def test_compiled_calls_are_one_graph(self) -> None:
        criterion = self.criterion()
        compiled = torch.compile(lambda p, t: criterion(p, t), backend="eager", fullgraph=True)
        target = counts(50)
        torch.testing.assert_close(compiled(torch.zeros(50, 1), target), criterion(torch.zeros(50, 1), target))


class TestProvisional:
    """Decisions on a first batch are judged again as evidence doubles."""

    def test_agreement_is_quiet(self) -> None:
        criterion = Nebula()
        for batch in labels(3000).split(100):
            criterion(torch.zeros(len(batch), 5), batch)
        assert criterion.drift_events == ()

    def test_disagreement_is_told_soon(self) -> None:
        criterion = Nebula()
        whole, fractions = counts(100), 0.25 + counts(2000, seed=1)
        for batch in torch.cat([whole, fractions]).split(100):
            criterion(torch.zeros(len(batch), 1), batch)
        event = next(event for event in criterion.drift_events if event.kind == "evidence")
        assert event.calls <= 4
        assert criterion.decision is not None
        assert criterion.decision.status == "provisional"

    def test_the_whole_data_set_completes_it(self, caplog: pytest.LogCaptureFixture) -> None:
        target = counts(4000)
        profile = nebula.profile(target[:500], PredictionSpec(shape=(None, 1)), rows_total=4000, complete=False)
        policy = nebula.load_policy("default.yaml")
        guard = Guard(policy.decide(profile), policy, GuardOptions(every=EVERY))
        with caplog.at_level(logging.WARNING, logger="nebula"):
            feed(guard, target)
        assert kinds(guard) == ["complete"]
        assert caplog.text == ""
