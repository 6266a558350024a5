"""Recorded decisions made again, from the stored profile by the stored policy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from nebula.audit.log import archive_of
from nebula.audit.masking import mask_note
from nebula.audit.reading import Entry
from nebula.decision.policy import Policy, load_policy
from nebula.decision.trace import DecisionTrace
from nebula.errors import NebulaError, PolicyError

__all__ = ["Replayed", "replay"]

_SHOWN = 8
_CIRCUMSTANCES = ("versions", "engine")
"""What may differ without the decision being another one; told apart."""

Outcome = Literal["same", "differs", "masked", "no policy", "failed"]


class Replayed(BaseModel):
    """What came of one decision made again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seq: int | None = Field(description="Number of the record; null for a trace from before the chain.")
    id: str
    outcome: Outcome = Field(
        description="`same` byte for byte; `masked`: differs, and facts are masked; `no policy`: none of its digest."
    )
    loss: str | None = Field(description="As recorded.")
    loss_now: str | None = Field(None, description="As decided again.")
    differences: tuple[str, ...] = Field((), description="Where the records differ, a few; or why none was made.")
    versions: dict[str, tuple[str | None, str | None]] = Field(
        default_factory=dict, description="Libraries and engine whose version is another now: then, now."
    )


def replay(path: Path, entries: Iterable[Entry]) -> Iterator[Replayed]:
    """Decide again and compare the canonical JSON, byte for byte, apart from versions and engine.

    The policy is the one stored beside the log; a file of the recorded name serves when its digest is the same.

    Args:
        path: The first segment of the log, beside which the policies stand.
        entries: The decisions.
    """
    archive = archive_of(path)

    @lru_cache(maxsize=64)
    def find(digest: str, source: str, parameters: str) -> Policy | None:
        return archive.load(digest, source) or _elsewhere(digest, source, json.loads(parameters))

    for entry in entries:
        identity = entry.trace.policy
        yield _again(entry, find(identity.digest, identity.source, json.dumps(entry.trace.parameters)))


def _lacking(trace: DecisionTrace) -> str:
    made = trace.policy
    return (
        f"policy {made.name} {made.version}, {made.digest}, is not stored beside the log, and {made.source} is not "
        f"that policy now: put its file back to decide again"
    )


def _elsewhere(digest: str, source: str, parameters: dict[str, Any]) -> Policy | None:
    try:
        found = load_policy(source, parameters=parameters)
    except PolicyError:
        return None
    return found if found.digest == digest else None


def _again(entry: Entry, policy: Policy | None) -> Replayed:
    trace = entry.trace
    answer = Replayed(seq=entry.seq, id=trace.id, outcome="no policy", loss=trace.spec.loss if trace.spec else None)
    if policy is None:
        return answer.model_copy(update={"differences": (_lacking(trace),)})
    try:
        now = policy.decide(trace.profile).trace
    except NebulaError as error:
        outcome = "masked" if entry.masked else "failed"
        return answer.model_copy(update={"outcome": outcome, "differences": (f"{type(error).__name__}: {error}",)})
    if entry.masked:
        now = now.model_copy(update={"notes": (*now.notes, mask_note(entry.masked))})
    then_text, now_text = _comparable(trace), _comparable(now)
    differing = "masked" if entry.masked else "differs"
    return answer.model_copy(
        update={
            "outcome": "same" if then_text == now_text else differing,
            "loss_now": now.spec.loss if now.spec else None,
            "differences": tuple(_differences(json.loads(then_text), json.loads(now_text)))[:_SHOWN],
            "versions": _changed(trace, now),
        }
    )


def _comparable(trace: DecisionTrace) -> str:
    document = json.loads(trace.canonical_json())
    for name in _CIRCUMSTANCES:
        del document[name]
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _changed(then: DecisionTrace, now: DecisionTrace) -> dict[str, tuple[str | None, str | None]]:
    before, after = {**then.versions, "engine": then.engine}, {**now.versions, "engine": now.engine}
    names = dict.fromkeys([*before, *after])
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}


def _differences(then: Any, now: Any, place: str = "") -> Iterator[str]:
    """Name the innermost places where two JSON documents differ."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted(then.keys() | now.keys()):
            yield from _differences(then.get(key), now.get(key), f"{place}.{key}" if place else key)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for index, (old, new) in enumerate(zip(then, now, strict=True)):
            yield from _differences(old, new, f"{place}[{index}]")
    elif then != now:
        yield f"{place}: {_short(then)} -> {_short(now)}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
