"""A map by content whose values outlive the process: memory first, then the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pydantic import ValidationError

from nebula.decision.cache import LRUCache
from nebula.decision.model import Decision
from nebula.decision.recount import without_account
from nebula.decision.trace import DecisionTrace
from nebula.losses.catalogue import builtin_entries
from nebula.losses.spec import LossSpec
from nebula.profiling.model import TargetFacts
from nebula.profiling.streams.source_facts import SourceFacts
from nebula.store.generation import current_generation
from nebula.store.model import Kind, Store
from nebula.store.record import name_entry

__all__ = ["StoredMap", "stored_decisions", "stored_sources", "stored_targets"]

Value = TypeVar("Value")


class StoredMap(LRUCache[Value]):
    """A bounded map in memory over a store.

    Args:
        kind: Which values of the store.
        store: Where they are kept.
        encode: Value to JSON; None for a value that must not outlive the process.
        decode: JSON to value, validated.
        maxsize: Most values in memory.
    """

    def __init__(
        self,
        kind: Kind,
        store: Store,
        encode: Callable[[Value], str | None],
        decode: Callable[[bytes], Value],
        maxsize: int = 256,
    ) -> None:
        super().__init__(maxsize)
        self._kind, self._store, self._encode, self._decode = kind, store, encode, decode

    def load(self, key: str) -> Value | None:
        """Read a value from the store; one that is no such value is removed."""
        generation = current_generation()
        name = name_entry(self._kind, generation, key)
        payload = self._store.read(self._kind, name, generation)
        if payload is None:
            return None
        try:
            return self._decode(payload)
        except ValidationError:
            self._store.remove(self._kind, name)
            return None

    def put(self, key: str, value: Value) -> None:
        """Keep a value in memory, and in the store if it may outlive the process."""
        super().put(key, value)
        text = self._encode(value)
        if text is not None:
            generation = current_generation()
            self._store.write(self._kind, name_entry(self._kind, generation, key), generation, text.encode())

    def clear(self) -> None:
        """Forget every value, in memory and in the store.

        Raises:
            DataError: The store cannot be used.
        """
        super().clear()
        self._store.clear(self._kind)


def stored_targets(store: Store) -> StoredMap[TargetFacts]:
    """Return the facts of targets that a store keeps."""
    return StoredMap("target", store, TargetFacts.model_dump_json, TargetFacts.model_validate_json)


def stored_sources(store: Store) -> StoredMap[SourceFacts]:
    """Return the facts of data files that a store keeps."""
    return StoredMap("source", store, SourceFacts.model_dump_json, SourceFacts.model_validate_json)


def stored_decisions(store: Store) -> StoredMap[Decision]:
    """Return the decisions that a store keeps, without the account of every rule, which the policy can write anew.

    These are the decisions for losses that come with nebula.
    What another package or the user registers can change without its name; it is kept in memory only.
    """
    return StoredMap("decision", store, _encode_decision, _decode_decision)


def _encode_decision(decision: Decision) -> str | None:
    return without_account(decision.trace).to_json() if _is_builtin(decision.spec) else None


def _is_builtin(spec: LossSpec | None) -> bool:
    if spec is None:
        return True
    named = {spec.loss, *(term.spec.loss for term in spec.terms)}
    return named <= {entry.name for entry in builtin_entries()}


def _decode_decision(payload: bytes) -> Decision:
    return Decision(DecisionTrace.model_validate_json(payload))
