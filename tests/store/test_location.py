"""What `cache=` names, and that nothing is made before it is used."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

import nebula
from nebula.decision.cache import DecisionCache
from nebula.errors import DataError
from nebula.store.location import open_cache, open_store
from nebula.store.sqlite_store import SqliteStore

SHAPE = nebula.PredictionSpec(shape=(None, 1))
TARGET = torch.tensor([1.5, 2.5, 8.25, 3.0])


def fitted(**options: Any) -> nebula.Nebula:
    return nebula.Nebula(**options).fit(TARGET, prediction=SHAPE)


def used(criterion: nebula.Nebula) -> tuple[str, str]:
    assert criterion.decision is not None
    cache = criterion.decision.trace.cache
    return cache.target, cache.decision


@pytest.fixture
def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("NEBULA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_the_users_own_cache_is_the_default(user_folder: Path) -> None:
    criterion = nebula.Nebula()
    assert list(user_folder.iterdir()) == []
    assert used(criterion.fit(TARGET, prediction=SHAPE)) == ("miss", "miss")
    file = user_folder / "nebula" / "cache.sqlite3"
    assert file.stat().st_mode & 0o077 == 0, "nobody else may read what the data look like"
    assert used(fitted()) == ("hit", "hit")


@pytest.mark.parametrize("off", [None, ":memory:"])
def test_in_memory_nothing_is_written(user_folder: Path, off: str | None) -> None:
    assert used(fitted(cache=off)) == used(fitted(cache=off)) == ("miss", "miss")
    assert list(user_folder.iterdir()) == []


def test_the_environment_names_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEBULA_CACHE", str(tmp_path / "deep" / "here"))
    store = open_store("user")
    assert store is not None
    assert store.location == str(tmp_path / "deep" / "here")
    monkeypatch.setenv("NEBULA_CACHE", ":memory:")
    assert open_store("user") is None
    assert open_store(tmp_path / "named") is not None


def test_select_keeps_nothing_unless_asked(tmp_path: Path) -> None:
    assert nebula.select(TARGET, SHAPE).trace.cache.model_dump() == {"target": "off", "decision": "off"}
    uses = [nebula.select(TARGET, SHAPE, cache=tmp_path / "c").trace.cache.decision for _ in range(2)]
    assert uses == ["miss", "hit"]


def test_a_cache_object_is_shared() -> None:
    cache = DecisionCache()
    assert open_cache(cache) is cache
    assert used(fitted(cache=cache)) == ("miss", "miss")
    assert used(fitted(cache=cache)) == ("hit", "hit")


@pytest.mark.parametrize("name", ["", "  ", "http://host", "redis:/host\0", "s3://bucket"])
def test_what_names_no_cache_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="cache: expected `user`"):
        open_cache(name)


def test_a_criterion_with_a_cache_is_copied_and_pickled(tmp_path: Path) -> None:
    criterion = fitted(cache=tmp_path / "c")
    for twin in (copy.deepcopy(criterion.cache), pickle.loads(pickle.dumps(criterion.cache))):
        assert used(fitted(cache=twin)) == ("hit", "hit")


def test_clearing_a_cache_clears_what_it_stored(tmp_path: Path) -> None:
    criterion = fitted(cache=tmp_path / "c")
    criterion.cache.clear()
    assert SqliteStore(tmp_path / "c").info().entries == 0
    assert used(fitted(cache=tmp_path / "c")) == ("miss", "miss")
