"""A cache on a server, tested against a real one; without a server, the run goes on in memory."""

from __future__ import annotations

import logging
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import nebula
from nebula.errors import DataError, MissingExtraError
from nebula.store.location import open_cache, open_store
from nebula.store.redis_store import RedisStore

SHAPE = nebula.PredictionSpec(shape=(None, 1))
TARGET = torch.tensor([1.5, 2.5, 8.25, 3.0])
SERVER = shutil.which("redis-server")
needs_a_server = pytest.mark.skipif(SERVER is None, reason="the program redis-server is not installed")


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    socket = tmp_path / "redis.sock"
    command = [str(SERVER), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        end = time.monotonic() + 20
        while not socket.exists() and time.monotonic() < end:
            time.sleep(0.02)
        yield f"unix://{socket}"
        server.terminate()


def decide(cache: str) -> tuple[str, str]:
    use = nebula.select(TARGET, SHAPE, cache=cache).trace.cache
    return use.target, use.decision


@needs_a_server
def test_decisions_are_shared_through_a_server(url: str) -> None:
    assert [decide(url), decide(url)] == [("miss", "miss"), ("hit", "hit")]
    fresh, again = nebula.select(TARGET, SHAPE), nebula.select(TARGET, SHAPE, cache=url)
    assert again.trace.canonical_json() == fresh.trace.canonical_json()
    store = RedisStore(url)
    info = store.info()
    assert (info.entries, info.by_kind, info.stale) == (2, {"decision": 1, "target": 1}, 0)
    assert store.verify().is_sound
    assert store.clear("target") == 1
    assert decide(url) == ("miss", "hit")
    assert store.clear() == 2


@needs_a_server
def test_a_changed_value_is_not_used(url: str) -> None:
    decide(url)
    store = RedisStore(url)
    for key in store._client.scan_iter("nebula:*"):
        sealed = bytearray(store._client.get(key))
        sealed[len(sealed) // 2] ^= 1
        store._client.set(key, bytes(sealed))
    assert len(store.verify().broken) == 2
    assert decide(url) == ("miss", "miss")
    assert store.verify().is_sound, "what was decided anew took its place"


@needs_a_server
def test_only_its_own_keys_are_touched(url: str) -> None:
    store = RedisStore(url)
    store._client.set("mine", "precious")
    decide(url)
    store.clear()
    assert store._client.keys() == [b"mine"]


@needs_a_server
def test_a_server_that_went_away_is_a_warning(url: str, caplog: pytest.LogCaptureFixture) -> None:
    cache = open_cache(url)
    store = RedisStore(url)
    store._client.shutdown(nosave=True)
    with caplog.at_level(logging.WARNING, "nebula"):
        uses = [nebula.select(TARGET, SHAPE, cache=cache).trace.cache.decision for _ in range(2)]
    assert uses == ["miss", "hit"]
    assert len([record for record in caplog.records if "going on in memory" in record.getMessage()]) == 1


def test_no_server_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = open_cache(f"unix://{tmp_path / 'nobody.sock'}")
    with caplog.at_level(logging.WARNING, "nebula"):
        uses = [nebula.select(TARGET, SHAPE, cache=cache).trace.cache.decision for _ in range(2)]
    assert uses == ["miss", "hit"]
    (message,) = [record.getMessage() for record in caplog.records if "cache" in record.getMessage()]
    assert "nobody.sock: expected a store that can be used" in message
    store = open_store(f"unix://{tmp_path / 'nobody.sock'}")
    assert store is not None
    with pytest.raises(DataError, match="expected a Redis server that answers"):
        store.info()


def test_a_password_is_never_shown() -> None:
    assert RedisStore("redis://user:secret@host:6379/0?password=secret").location == "redis://host:6379/0"


def test_a_url_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(DataError, match="expected a URL such as"):
        RedisStore("redis://host:port/0")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "redis", None)
    with pytest.raises(MissingExtraError, match=r"nebula-selector\[redis\]"):
        open_cache("redis://localhost:6379/0")
