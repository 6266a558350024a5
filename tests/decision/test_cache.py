"""The in-memory caches: bounded, counted, safe between threads, keyed by all a decision stands on."""

from __future__ import annotations

import threading

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import nebula
from nebula.decision.cache import LRUCache, decision_key


@given(st.lists(st.integers(0, 12), max_size=60), st.integers(1, 6))
def test_it_behaves_like_a_list_of_recent_keys(keys: list[int], maxsize: int) -> None:
    cache: LRUCache[int] = LRUCache(maxsize)
    recent: list[int] = []
    hits = 0
    for key in keys:
        found = cache.get(str(key))
        assert found == (key if key in recent else None)
        hits += key in recent
        if key in recent:
            recent.remove(key)
        recent.append(key)
        del recent[:-maxsize]
        if found is None:
            cache.put(str(key), key)
    info = cache.info()
    assert (info.hits, info.misses, info.currsize) == (hits, len(keys) - hits, len(recent))


def test_threads_lose_nothing() -> None:
    cache: LRUCache[int] = LRUCache(1000)

    def work(start: int) -> None:
        for index in range(start, start + 100):
            cache.put(str(index), index)
            assert cache.get(str(index)) == index

    threads = [threading.Thread(target=work, args=(100 * i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.info() == (800, 0, 1000, 800)


def test_a_cache_holds_at_least_one() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        LRUCache(0)


BASE = {"prediction": nebula.PredictionSpec(shape=(None, 1)), "hints": {"metric": "rmse"}, "name": "y"}
OTHER = {
    "prediction": nebula.PredictionSpec(shape=(None, 1), space="rate"),
    "hints": {"metric": "mae"},
    "name": "z",
    "complete": False,
}


@pytest.mark.parametrize("part", OTHER)
def test_the_key_changes_with_every_part(part: str) -> None:
    target = torch.arange(20.0)
    key = decision_key(nebula.profile(target, **BASE), "p")  # type: ignore[arg-type]
    assert key != decision_key(nebula.profile(target, **{**BASE, part: OTHER[part]}), "p")  # type: ignore[arg-type]
    assert key != decision_key(nebula.profile(target, **BASE), "q")  # type: ignore[arg-type]
    assert key != decision_key(nebula.profile(target.flip(0), **BASE), "p")  # type: ignore[arg-type]
    assert key == decision_key(nebula.profile(target.clone(), **BASE), "p")  # type: ignore[arg-type]


def test_no_fingerprint_no_key() -> None:
    assert decision_key(nebula.profile(torch.arange(5), fingerprint=False), "p") is None
