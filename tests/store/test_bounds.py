"""The store against a model: a map that forgets what was used longest ago, bounded in entries and bytes."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections import OrderedDict
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nebula.store.model import Kind
from nebula.store.record import SEAL_BYTES
from nebula.store.sqlite_store import SqliteStore

ENTRIES, BYTES = 5, 200
KINDS = st.sampled_from(["target", "decision"])
NAMES = st.sampled_from("abcdefgh")


class StoreAgainstModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.ticks = itertools.count(1)
        self.store = self.opened()
        self.model: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def opened(self) -> SqliteStore:
        path = self.folder / "c.sqlite3"
        return SqliteStore(path, max_entries=ENTRIES, max_bytes=BYTES, clock=lambda: next(self.ticks))

    @rule(kind=KINDS, name=NAMES, payload=st.binary(max_size=BYTES))
    def write(self, kind: Kind, name: str, payload: bytes) -> None:
        self.store.write(kind, name, "now", payload)
        if len(payload) + SEAL_BYTES > BYTES:
            return
        self.model.pop((kind, name), None)
        self.model[kind, name] = payload
        while len(self.model) > ENTRIES or sum(len(v) + SEAL_BYTES for v in self.model.values()) > BYTES:
            self.model.popitem(last=False)

    @rule(kind=KINDS, name=NAMES)
    def read(self, kind: Kind, name: str) -> None:
        assert self.store.read(kind, name, "now") == self.model.get((kind, name))
        if (kind, name) in self.model:
            self.model.move_to_end((kind, name))

    @rule(kind=KINDS, name=NAMES)
    def remove(self, kind: Kind, name: str) -> None:
        self.store.remove(kind, name)
        self.model.pop((kind, name), None)

    @rule(kind=st.none() | KINDS)
    def clear(self, kind: Kind | None) -> None:
        gone = [key for key in self.model if kind in (None, key[0])]
        assert self.store.clear(kind) == len(gone)
        for key in gone:
            del self.model[key]

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = self.opened()

    @invariant()
    def it_counts_itself(self) -> None:
        info = self.store.info()
        assert info.entries == len(self.model)
        assert info.bytes == sum(len(value) + SEAL_BYTES for value in self.model.values())
        assert info.by_kind == {
            kind: sum(key[0] == kind for key in self.model) for kind in sorted({key[0] for key in self.model})
        }

    def teardown(self) -> None:
        found = {(entry.kind, entry.name): entry.payload for entry in self.store.entries()}
        assert found == dict(self.model)
        assert self.store.verify().is_sound
        self.store.close()
        shutil.rmtree(self.folder)


StoreAgainstModel.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestStoreAgainstModel = StoreAgainstModel.TestCase


def test_uses_are_written_in_batches_and_survive_the_process(tmp_path: Path) -> None:
    ticks = itertools.count(1)
    store = SqliteStore(tmp_path / "c", max_entries=2, clock=lambda: next(ticks))
    for name in "ab":
        store.write("target", name, "now", b"x")
    before = (tmp_path / "c-wal").stat().st_size
    for _ in range(200):
        assert store.read("target", "a", "now") == b"x"
    assert (tmp_path / "c-wal").stat().st_size == before, "a hit writes nothing"
    store.close()
    store.write("target", "c", "now", b"x")
    assert {entry.name for entry in store.entries()} == {"a", "c"}


@pytest.mark.parametrize("bound", [{"max_entries": 0}, {"max_bytes": 0}])
def test_a_bound_is_at_least_one(tmp_path: Path, bound: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="bounds of at least 1"):
        SqliteStore(tmp_path / "c", **bound)  # type: ignore[arg-type]
