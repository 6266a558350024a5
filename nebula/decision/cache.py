"""In-memory caches: target facts by fingerprint, decisions by everything they stand on, facts of files by identity."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from nebula.decision.model import Decision
from nebula.profiling.model import VOCABULARY_VERSION, DataProfile, TargetFacts
from nebula.profiling.streams.source_facts import SourceFacts

__all__ = ["CacheInfo", "DecisionCache", "LRUCache", "decision_key"]

Value = TypeVar("Value")


class CacheInfo(NamedTuple):
    """How a cache has served, as `functools.lru_cache` reports it."""

    hits: int
    misses: int
    maxsize: int
    currsize: int


class LRUCache(Generic[Value]):
    """A bounded map that forgets what was used longest ago; safe between threads.

    Args:
        maxsize: Most entries kept, at least 1.
    """

    def __init__(self, maxsize: int) -> None:
        if maxsize < 1:
            raise ValueError(f"maxsize: expected at least 1, found {maxsize}.")
        self._maxsize, self._hits, self._misses = maxsize, 0, 0
        self._entries: OrderedDict[str, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Value | None:
        """Return the value kept under this key, or None; either way it is counted."""
        with self._lock:
            if key in self._entries:
                self._hits += 1
                self._entries.move_to_end(key)
                return self._entries[key]
        value = self.load(key)
        with self._lock:
            if value is None:
                self._misses += 1
            else:
                self._hits += 1
                self._keep(key, value)
        return value

    def load(self, key: str) -> Value | None:
        """Look elsewhere for what memory does not hold; here there is no elsewhere."""
        return None

    def put(self, key: str, value: Value) -> None:
        """Keep a value, dropping the least recently used one when full."""
        with self._lock:
            self._keep(key, value)

    def _keep(self, key: str, value: Value) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._maxsize:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        """Forget every entry and the counts."""
        with self._lock:
            self._entries.clear()
            self._hits = self._misses = 0

    def info(self) -> CacheInfo:
        """Return hits, misses, bound and size."""
        with self._lock:
            return CacheInfo(self._hits, self._misses, self._maxsize, len(self._entries))

    def __getstate__(self) -> dict[str, object]:
        """Copy the content but not the lock, so that modules that hold a cache can be copied."""
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, object]) -> None:
        """Restore with a lock of its own."""
        self.__dict__.update(state)
        self._lock = threading.Lock()


@dataclass(frozen=True)
class DecisionCache:
    """The caches of the paper's section 3.5, keyed by content instead of by `id()`.

    Attributes:
        targets: Statistics of a target (unique values, class balance and the rest) by its fingerprint.
        decisions: Decisions by fingerprint × policy × prediction × hints × vocabulary.
        sources: Facts of data files by where they are, their size and the time of their last change.
    """

    targets: LRUCache[TargetFacts] = field(default_factory=lambda: LRUCache(256))
    decisions: LRUCache[Decision] = field(default_factory=lambda: LRUCache(256))
    sources: LRUCache[SourceFacts] = field(default_factory=lambda: LRUCache(256))

    def info(self) -> dict[str, CacheInfo]:
        """Return hits and misses of each cache."""
        return {"targets": self.targets.info(), "decisions": self.decisions.info(), "sources": self.sources.info()}

    def clear(self) -> None:
        """Forget everything."""
        self.targets.clear()
        self.decisions.clear()
        self.sources.clear()


def decision_key(profile: DataProfile, policy_digest: str) -> str | None:
    """Return the key of a decision, or None when the data have no fingerprint.

    The key is the data's content hash, what was read off the prediction, the declarations, the
    evidence, the custom facts, the policy's content hash and the vocabulary's version.
    """
    if profile.fingerprint is None:
        return None
    parts = (profile.prediction, profile.relation, profile.features, profile.evidence, profile.hints, profile.custom)
    described = "|".join(part.model_dump_json() for part in parts)
    container = f"{profile.target.name}|{profile.target.categories}"
    return f"{profile.fingerprint}|{container}|{policy_digest}|{VOCABULARY_VERSION}|{described}"
