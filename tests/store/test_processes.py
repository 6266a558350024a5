"""Many processes and threads use one file at once: nothing is lost, nothing is torn, nobody is told otherwise."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nebula.store.sqlite_store import SqliteStore
from tests.project.tree import ROOT

FULL = os.environ.get("NEBULA_FAULTS") == "full"
PROCESSES, DECISIONS = (16, 1000) if FULL else (3, 24)
KILLS = 200 if FULL else 12

DECIDE = """
import sys, torch, nebula
from nebula.store.location import open_cache
torch.set_num_threads(1)
cache, first, count = open_cache(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
shape = nebula.PredictionSpec(shape=(None, 1))
policy = nebula.load_policy("paper.yaml")
for index in range(first, first + count):
    target = torch.tensor([0.5, 1.5, 2.25, float(index)])
    trace = nebula.select(target, shape, policy=policy, cache=cache).trace
    assert trace.profile.target.max == max(2.25, index), trace.profile.target
    again = nebula.select(target, shape, policy=policy, cache=sys.argv[1]).trace
    assert again.cache.decision == "hit", (index, again.cache)
    assert again.canonical_json() == trace.canonical_json(), index
"""
WRITE = """
import sys
from hashlib import blake2b
from nebula.store.sqlite_store import SqliteStore
store = SqliteStore(sys.argv[1])
print("ready", flush=True)
for index in range(10**6):
    name = f"{sys.argv[2]}-{index}"
    payload = blake2b(name.encode()).digest() * 400
    store.write("target", name, "now", payload)
    print(index, flush=True)
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.timeout(7200 if FULL else 120)
def test_processes_share_one_cache(tmp_path: Path) -> None:
    file = tmp_path / "c.sqlite3"
    # Every process decides some that its neighbour decides as well.
    running = [start(DECIDE, file, index * DECISIONS // 2, DECISIONS) for index in range(PROCESSES)]
    for process in running:
        _, said = process.communicate()
        assert (process.returncode, said) == (0, "")
    found = SqliteStore(file).verify()
    assert found.is_sound
    assert found.entries == 2 * ((PROCESSES - 1) * (DECISIONS // 2) + DECISIONS)
    assert list(tmp_path.glob("*corrupt*")) == []


@pytest.mark.timeout(1800 if FULL else 120)
def test_a_killed_writer_costs_only_what_it_was_writing(tmp_path: Path) -> None:
    file, draw = tmp_path / "c.sqlite3", random.Random(5)  # noqa: S311
    survived = 0
    for kill in range(KILLS):
        process = start(WRITE, file, kill)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(draw.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        told = process.stdout.read().split()
        process.communicate()
        survived += len(told)
        store = SqliteStore(file)
        kept = {entry.name: entry.payload for entry in store.entries() if entry.name.startswith(f"{kill}-")}
        assert len(kept) in (len(told), len(told) + 1), "every value whose writing was told is there"
        assert None not in kept.values()
    assert store.verify().is_sound
    assert survived > KILLS, "the writers were killed while they wrote"


def test_threads_share_one_store(tmp_path: Path) -> None:
    store, wrong = SqliteStore(tmp_path / "c"), []

    def work(thread: int) -> None:
        for index in range(40):
            store.write("target", f"{thread}-{index}", "now", f"{thread} {index}".encode())
            if store.read("target", f"{thread}-{index}", "now") != f"{thread} {index}".encode():
                wrong.append((thread, index))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert store.info().entries == 320
    assert store.verify().is_sound


def test_a_forked_child_has_a_connection_of_its_own(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "c")
    store.write("target", "a", "now", b"parent")
    child = os.fork()
    if child == 0:
        known = store.read("target", "a", "now") == b"parent"
        store.write("target", "b", "now", b"child")
        os._exit(0 if known else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.read("target", "b", "now") == b"child"
    store.write("target", "c", "now", b"parent")
    assert store.verify() == SqliteStore(tmp_path / "c").verify()
    assert store.verify().is_sound


def test_a_cache_in_use_is_known_as_one(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "c")
    store.write("target", "a", "now", b"x")
    look = (
        "import sys; from nebula.store.sqlite_store import SqliteStore; print(SqliteStore(sys.argv[1]).info().entries)"
    )
    assert start(look, tmp_path / "c").communicate() == ("1\n", "")
