"""What changed between a pinned decision and the one that is made now, and on whose account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from nebula.lockfile.model import Pin

__all__ = ["Cause", "Change", "compare_pins", "is_drift"]

Cause = Literal["outcome", "data", "policy", "parameters", "hints", "prediction", "library"]
_ABSENT = "none"


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        cause: What is different: the decision itself (`outcome`), or what it stands on.
        what: The part of it.
        pinned: As the lockfile has it, in words.
        found: As it is now, in words.
    """

    cause: Cause
    what: str
    pinned: str
    found: str

    def __str__(self) -> str:
        """Return `cause: what was …, is …`."""
        return f"{self.cause}: {self.what} was {self.pinned}, is {self.found}"


def compare_pins(pinned: Pin, found: Pin, *, data: bool = True) -> tuple[Change, ...]:
    """List the differences: the outcome first, then what it stands on.

    Args:
        pinned: From the lockfile.
        found: The present decision's.
        data: Compare the data too; off for a decision on a part of them.
    """
    return (
        *_outcome(pinned, found),
        *(_data(pinned, found) if data else ()),
        *_policy(pinned, found),
        *_entries("parameters", pinned.parameters, found.parameters),
        *_entries("hints", _told(pinned.hints), _told(found.hints)),
        *_fields("prediction", {"shape": (pinned.prediction, found.prediction)}),
        *_entries("library", pinned.versions, found.versions),
    )


def is_drift(changes: tuple[Change, ...]) -> bool:
    """Say whether anything but the version of a library changed: that alone is no drift."""
    return any(change.cause != "library" for change in changes)


def _outcome(pinned: Pin, found: Pin) -> Iterator[Change]:
    fields = ("loss", "rule", "task")
    yield from _fields("outcome", {name: (getattr(pinned, name), getattr(found, name)) for name in fields})
    if pinned.status == "ambiguous" or found.status == "ambiguous":
        yield from _fields("outcome", {"status": (pinned.status, found.status)})
    before, now = _told(pinned.spec), _told(found.spec)
    if before and now and before["loss"] == now["loss"]:
        yield from _entries("outcome", before, now, prefix="spec.")


def _data(pinned: Pin, found: Pin) -> Iterator[Change]:
    before, now = pinned.data, found.data
    changes = list(_entries("data", _told(before, "fingerprint"), _told(now, "fingerprint")))
    if before.fingerprint != now.fingerprint and not any(change.what != "target" for change in changes):
        changes.append(Change("data", "content", _short(before.fingerprint), _short(now.fingerprint)))
    yield from changes


def _policy(pinned: Pin, found: Pin) -> Iterator[Change]:
    before, now = pinned.policy, found.policy
    yield from _fields("policy", {"name": (before.name, now.name), "version": (before.version, now.version)})
    same_name = (before.name, before.version) == (now.name, now.version)
    if same_name and before.digest != now.digest and pinned.parameters == found.parameters:
        yield Change("policy", "content", _short(before.digest), _short(now.digest))


def _fields(cause: Cause, pairs: dict[str, tuple[object, object]]) -> Iterator[Change]:
    for what, (before, now) in pairs.items():
        if before != now:
            yield Change(cause, what, _words(before), _words(now))


def _entries(cause: Cause, before: dict[str, Any], now: dict[str, Any], *, prefix: str = "") -> Iterator[Change]:
    names = sorted({*before, *now})
    yield from _fields(cause, {f"{prefix}{name}": (before.get(name), now.get(name)) for name in names})


def _told(value: Any, *left_out: str) -> dict[str, Any]:
    """Return what a model says beyond its defaults."""
    if value is None:
        return {}
    told: dict[str, Any] = value.model_dump(mode="json", exclude_none=True, exclude=set(left_out))
    return told


def _words(value: object) -> str:
    text = _ABSENT if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


_LONGEST = 120


def _short(digest: str | None) -> str:
    """Return the scheme and the first eight digits of a content hash."""
    scheme, _, digits = (digest or _ABSENT).partition(":")
    return f"{scheme}:{digits[:8]}" if digits else scheme
