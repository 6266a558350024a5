"""Looks come ever more rarely while nothing is found, and what is kept until then is bounded."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import nebula
from nebula import PredictionSpec
from nebula.drift.guard import Guard
from nebula.drift.judging import Finding, Judge
from nebula.drift.options import GuardOptions
from nebula.drift.pace import Pace
from nebula.drift.recent import join_rows

SMALL = torch.zeros(32)


def limits(pace: Pace, looks: int, make: Any = lambda: SMALL) -> list[int]:
    """How many are kept before each look, where every batch is like these."""
    found = []
    for _ in range(looks):
        first, last = make(), make()
        found.append(pace.limit_from(first))
        pace.look(first, last if found[-1] > 1 else first)
    return found


def test_the_distance_doubles_up_to_the_bound_and_starts_anew_after_a_finding() -> None:
    pace = Pace(1000)
    assert limits(pace, 6) == [64, 128, 256, 512, 1000, 1000]
    pace.restart()
    assert limits(pace, 2) == [64, 128]
    assert limits(Pace(20), 2) == [20, 20]


def test_a_provisional_decision_is_looked_at_from_the_first_call_on() -> None:
    assert limits(Pace(16, soon=True), 6) == [1, 2, 4, 8, 16, 16]


def test_large_batches_are_looked_at_sooner() -> None:
    assert limits(Pace(64), 2, lambda: torch.zeros(2**17)) == [8, 8]
    assert limits(Pace(64), 2, lambda: torch.zeros(2**21)) == [1, 1]


def test_columns_of_large_batches_do_not_keep_them_in_memory() -> None:
    found = limits(Pace(64), 4, lambda: torch.empty(2**11, 2**13)[:, 0])
    assert found == [2, 1, 1, 1]


def test_parts_of_one_large_tensor_are_kept_as_small_ones_are() -> None:
    whole = torch.empty(2**25)
    parts = (whole[start : start + 32] for start in range(0, 2**25, 32))
    assert limits(Pace(256), 4, lambda: next(parts)) == [2, 128, 256, 256]


@pytest.mark.parametrize(
    "odd",
    [torch.zeros(4, device="meta"), torch.zeros(4).to_sparse(), torch.tensor(1.0), torch.zeros(0)],
    ids=["meta", "sparse", "number", "empty"],
)
def test_targets_without_a_storage_of_their_own(odd: Tensor) -> None:
    assert limits(Pace(64), 2, lambda: odd) == [64, 64]


def counts(rows: int, seed: int = 1) -> Tensor:
    return torch.poisson(torch.full((rows,), 3.0), generator=torch.Generator().manual_seed(seed))


def guarded(every: int = GuardOptions.every) -> Guard:
    decision = nebula.select(counts(500), PredictionSpec(shape=(None,)))
    return Guard(decision, options=GuardOptions(every=every))


@given(place=st.integers(0, 700), rows=st.integers(1, 40))
@settings(max_examples=25, deadline=None)
def test_a_planted_value_is_told_within_the_documented_number_of_calls(place: int, rows: int) -> None:
    guard, batch = guarded(), counts(rows, place)
    for _ in range(place):
        guard.observe(batch)
    guard.observe(-1 - batch)
    late = 0
    while not guard.events:
        late += 1
        assert late <= min(place + 64, 1024)
        guard.observe(batch)
    assert [event.kind for event in guard.events] == ["below"]


def test_a_finding_is_looked_for_again_soon() -> None:
    guard, batch = guarded(512), counts(50)
    for call in range(64 + 128 + 256 + 64):
        guard.observe(batch - 10 if call >= 64 + 128 else batch)
    assert guard.counts["below"] == 2


def test_rows_of_several_shapes_and_numbers_are_joined() -> None:
    parts = [torch.ones(2, 3), torch.zeros(0), torch.ones(4, 3)]
    assert join_rows(parts)[0].shape == (6, 3)
    values, whole = join_rows([torch.ones(2, 3), torch.ones(2, 4)])
    assert (values.shape, whole) == ((14,), False)
    values, whole = join_rows([torch.tensor(1.0), torch.tensor(2.0)])
    assert (values.tolist(), whole) == ([1.0, 2.0], True)
    values, _ = join_rows([torch.ones(2, device="meta"), torch.ones(3)])
    assert values.tolist() == [1.0, 1.0, 1.0]


FACTS_EVERY = 4
LONGEST = 8 * FACTS_EVERY


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Filled with the number of rows that had come at every judgement of the facts."""
    rows: list[int] = []
    plain_add, plain_judge = Judge.add, Judge.judge
    come = 0

    def add(self: Judge, values: Tensor, *, batches: int) -> None:
        nonlocal come
        come += len(values)
        plain_add(self, values, batches=batches)

    def judge(self: Judge) -> list[Finding]:
        rows.append(come)
        return plain_judge(self)

    monkeypatch.setattr(Judge, "add", add)
    monkeypatch.setattr(Judge, "judge", judge)
    return rows


def facts_guard() -> Guard:
    decision = nebula.select(counts(640), PredictionSpec(shape=(None,)))
    return Guard(decision, options=GuardOptions(every=1, facts_every=FACTS_EVERY, window=2**9))


def test_the_distance_between_judgements_of_the_facts_doubles_up_to_its_bound(judged: list[int]) -> None:
    guard = facts_guard()
    for call in range(200):
        guard.observe(counts(64, call))
    calls = [rows // 64 for rows in judged]
    assert [later - earlier for earlier, later in pairwise([0, *calls])] == [4, 4, 8, 16, 32, 32, 32, 32, 32]
    assert guard.events == []


@given(place=st.integers(0, 150))
@settings(max_examples=10, deadline=None)
def test_a_change_of_the_facts_is_told_within_the_documented_number_of_calls(place: int) -> None:
    guard = facts_guard()
    for call in range(place):
        guard.observe(counts(64, call))
    assert guard.events == []
    late = 0
    while not guard.events:
        late += 1
        assert late <= 2 * LONGEST, "the change was not told"
        guard.observe(0.25 + counts(64, 1000 + late))
    assert guard.events[0].kind == "rule"


def test_a_doubt_brings_the_next_judgement_near(judged: list[int]) -> None:
    guard = facts_guard()
    for call in range(128):
        guard.observe(counts(64, call))
    judged.clear()
    for call in range(LONGEST + FACTS_EVERY):
        guard.observe(0.25 + counts(64, call))
    assert [(rows - 128 * 64) // 64 for rows in judged] == [LONGEST, LONGEST + FACTS_EVERY]
    assert [event.kind for event in guard.events] == ["rule"]
