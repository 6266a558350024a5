"""A decision from the cache is the decision: byte for byte, and only for the same question to the same nebula."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

import nebula
from nebula.decision.cache import DecisionCache
from nebula.losses.registry import find
from nebula.store import generation, stored_map
from nebula.store.location import open_cache
from nebula.store.sqlite_store import SqliteStore
from tests.acceptance.witnesses import SHIPPED

RULES = [(policy, rule) for policy, makers in SHIPPED.items() for rule in makers]
SHAPE = nebula.PredictionSpec(shape=(None, 1))
TARGET = torch.tensor([1.5, 2.5, 8.25, 3.0])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache") / "c.sqlite3"


@pytest.mark.parametrize(("policy", "rule"), RULES, ids=str)
def test_a_hit_is_the_decision_byte_for_byte(file: Path, policy: str, rule: str) -> None:
    case = SHIPPED[policy][rule](np.random.default_rng(3))
    ask = {"name": case.name, "hints": case.hints, "policy": policy, "parameters": case.parameters}
    plain = nebula.select(case.target, case.prediction, **ask)  # type: ignore[arg-type]
    first, again = (nebula.select(case.target, case.prediction, cache=file, **ask) for _ in range(2))  # type: ignore[arg-type]
    assert (first.trace.cache.decision, again.trace.cache.decision) == ("miss", "hit")
    assert again.trace.canonical_json() == first.trace.canonical_json() == plain.trace.canonical_json()
    assert len({plain.trace.id, first.trace.id, again.trace.id}) == 3, "each is a record of its own"
    assert set(again.trace.timings_ms) == {"profile"}
    assert again.explain() == plain.explain()
    assert again.contrast("L1Loss").sentence() == plain.contrast("L1Loss").sentence()


QUESTIONS = {
    "as it is": {},
    "hints": {"hints": {"metric": "mae"}},
    "name": {"name": "price"},
    "policy": {"policy": "paper.yaml"},
    "parameters": {"parameters": {"imbalance_ratio": 0.25}},
    "prediction": {"prediction": nebula.PredictionSpec(shape=(None, 1), space="rate")},
    "features": {"features": np.zeros((4, 2))},
}


def test_another_question_has_another_answer(tmp_path: Path) -> None:
    for asked, known in itertools.product(QUESTIONS, repeat=2):
        path = tmp_path / f"{asked}-{known}"
        for question in (known, asked):
            options = {"prediction": SHAPE, **QUESTIONS[question]}
            decision = nebula.select(TARGET, cache=path, **options)  # type: ignore[arg-type]
        assert decision.trace.cache.decision == ("hit" if asked == known else "miss"), (asked, known)


def test_the_facts_of_a_target_serve_every_policy(tmp_path: Path) -> None:
    nebula.select(TARGET, SHAPE, cache=tmp_path / "c")
    use = nebula.select(TARGET, SHAPE, policy="paper.yaml", cache=tmp_path / "c").trace.cache
    assert (use.target, use.decision) == ("hit", "miss")


def test_the_void_value_belongs_to_the_facts(tmp_path: Path) -> None:
    labels, shape = torch.arange(90) % 4, nebula.PredictionSpec(shape=(None, 4))
    for void in (None, 3):
        hints = {} if void is None else {"ignore_value": void}
        assert nebula.select(labels, shape, hints=hints, cache=tmp_path / "c").trace.cache.target == "miss"


def test_another_nebula_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nebula.select(TARGET, SHAPE, cache=tmp_path / "c")
    monkeypatch.setattr(stored_map, "current_generation", lambda: "of tomorrow")
    use = nebula.select(TARGET, SHAPE, cache=tmp_path / "c").trace.cache
    assert (use.target, use.decision) == ("miss", "miss")
    assert SqliteStore(tmp_path / "c").info().stale == 2


def test_the_generation_changes_with_code_and_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    now = generation.current_generation.__wrapped__
    before = now()
    assert now() == before
    monkeypatch.setattr(generation, "library_versions", lambda: {"torch": "9.9"})
    other = now()
    monkeypatch.setattr(generation, "_DECIDING", ("policy",))
    assert len({before, other, now()}) == 3


def test_a_loss_from_elsewhere_is_decided_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = nebula.select(TARGET, SHAPE).spec
    assert chosen is not None
    others = [entry for entry in stored_map.builtin_entries() if entry.name != find(chosen.loss).name]
    monkeypatch.setattr(stored_map, "builtin_entries", lambda: others)
    uses = [nebula.select(TARGET, SHAPE, cache=tmp_path / "c").trace.cache for _ in range(2)]
    assert [(use.target, use.decision) for use in uses] == [("miss", "miss"), ("hit", "miss")]
    cache = open_cache(tmp_path / "c")
    assert [nebula.select(TARGET, SHAPE, cache=cache).trace.cache.decision for _ in range(2)] == ["miss", "hit"]


def test_a_sealed_value_that_is_no_decision_is_not_used(tmp_path: Path) -> None:
    nebula.select(TARGET, SHAPE, cache=tmp_path / "c")
    store = SqliteStore(tmp_path / "c")
    for entry in list(store.entries()):
        store.write(entry.kind, entry.name, entry.generation, b'{"n": "many"}')  # type: ignore[arg-type]
    use = nebula.select(TARGET, SHAPE, cache=tmp_path / "c").trace.cache
    assert (use.target, use.decision) == ("miss", "miss")
    assert nebula.select(TARGET, SHAPE, cache=tmp_path / "c").trace.cache.decision == "hit"


def test_memory_answers_before_the_store(tmp_path: Path) -> None:
    cache = open_cache(tmp_path / "c")
    nebula.select(TARGET, SHAPE, cache=cache)
    SqliteStore(tmp_path / "c").clear()
    assert nebula.select(TARGET, SHAPE, cache=cache).trace.cache.decision == "hit"
    assert isinstance(cache, DecisionCache)
    assert cache.info()["decisions"].hits == 1
