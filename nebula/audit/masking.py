"""Facts that must not stand in the log: left out, with a digest that proves later what they were."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from hashlib import blake2b
from typing import Any

from nebula.decision.drift_event import DriftEvent
from nebula.decision.explain import show_value
from nebula.decision.trace import DecisionTrace, Note
from nebula.profiling.model import DataProfile

__all__ = ["check_masks", "mask", "mask_event", "mask_note"]

Document = dict[str, Any]


def check_masks(names: Collection[str]) -> tuple[str, ...]:
    """Return the names of facts in order.

    Raises:
        ValueError: One is no fact.
    """
    known = set(_facts())
    for name in names:
        if name not in known:
            raise ValueError(f"mask: expected facts such as `target.unique_values`, found {name!r}.")
    return tuple(sorted(set(names)))


def _facts() -> Iterator[str]:
    empty = DataProfile()
    for group in DataProfile.model_fields:
        inner = getattr(empty, group)
        if inner is None:
            yield group
        else:
            yield from (f"{group}.{name}" for name in type(inner).model_fields)


def mask_note(masked: Collection[str]) -> Note:
    """Return the note that tells a reader of the trace what is missing."""
    return Note(kind="warning", text=f"masked in this record: {', '.join(sorted(masked))}")


def mask(trace: DecisionTrace, names: Collection[str], key: bytes = b"") -> tuple[DecisionTrace, dict[str, str]]:
    """Leave facts out of a trace, wherever they stand in it.

    A masked fact becomes unknown in the profile and in every comparison that read it; boundaries on it go, and so
    does every value of the choice that equals it, when that is a text, a list or a fraction. A note or a step's reason
    in which one of the values occurs is left out whole.

    Args:
        trace: The record.
        names: Facts, from `check_masks`.
        key: Secret for the digests, at most 64 bytes; without one, who guesses a value can confirm the guess.

    Returns:
        The masked trace, and the digest of each masked value by name; facts that were unknown are not in it.
    """
    if not names:
        return trace, {}
    document = trace.model_dump(mode="json")
    empty = DataProfile().model_dump(mode="json")
    digests: dict[str, str] = {}
    secrets: list[Any] = []
    for name in names:
        holder, field, default = _place(document["profile"], empty, name)
        value = holder[field]
        if value == default:
            continue
        holder[field] = default
        text = json.dumps([name, value], sort_keys=True, separators=(",", ":"))
        digests[name] = f"blake2b:{blake2b(text.encode(), digest_size=16, key=key).hexdigest()}"
        secrets.append(value)
    if not digests:
        return trace, {}
    _mask_rules(document, digests)
    if document["spec"] is not None:
        _mask_spec(document["spec"], secrets)
    document["derived"] = {name: value for name, value in document["derived"].items() if not _tells(value, secrets)}
    sentences = [*document["notes"], *([] if document["spec"] is None else _steps(document["spec"]))]
    _mask_sentences(sentences, secrets)
    document["notes"].append(mask_note(digests).model_dump(mode="json"))
    return DecisionTrace.model_validate(document), digests


def mask_event(event: DriftEvent, names: Collection[str]) -> DriftEvent:
    """Leave out of an event what it saw, when the log masks anything: its sentences name values of the target.

    Args:
        event: What the guard noticed.
        names: Facts, from `check_masks`.

    Returns:
        The event; comparisons keep how they came out, and lose the values of masked facts.
    """
    if not names:
        return event
    changed = []
    for comparison in event.changed:
        values = comparison.values | dict.fromkeys(comparison.values.keys() & set(names))
        changed.append(comparison.model_copy(update={"values": values, "distance": None}))
    hidden = "masked, for it may name a masked value"
    return event.model_copy(update={"message": hidden, "expected": hidden, "found": hidden, "changed": tuple(changed)})


def _place(profile: Document, empty: Document, name: str) -> tuple[Document, str, Any]:
    group, _, field = name.partition(".")
    return (profile[group], field, empty[group][field]) if field else (profile, group, empty[group])


def _mask_rules(document: Document, names: Collection[str]) -> None:
    for rule in document["rules"]:
        for comparison in rule["comparisons"]:
            hidden = comparison["values"].keys() & set(names)
            comparison["values"].update(dict.fromkeys(hidden))
            if hidden:
                comparison["distance"] = None
    document["boundaries"] = [edge for edge in document["boundaries"] if edge["fact"] not in names]


def _mask_spec(spec: Document, secrets: list[Any]) -> None:
    for params in (spec["params"], *(step["params"] for step in spec["adapt"])):
        params.update({name: None for name, value in params.items() if _tells(value, secrets)})
    bias = spec["output_bias"]
    if bias is not None and (_tells(bias["values"], secrets) or any(_tells(one, secrets) for one in bias["values"])):
        spec["output_bias"] = None
    for name in ("threshold", "quantile", "labels"):
        if _tells(spec["serve"][name], secrets):
            spec["serve"][name] = None
    for term in spec["terms"]:
        _mask_spec(term["spec"], secrets)


def _steps(spec: Document) -> Iterator[Document]:
    yield from spec["adapt"]
    for term in spec["terms"]:
        yield from _steps(term["spec"])


def _mask_sentences(holders: list[Document], secrets: list[Any]) -> None:
    words = sorted({word for secret in secrets for word in _words(secret)}, key=len, reverse=True)
    if not words:
        return
    pattern = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, words))})(?!\w|\.\d)")
    for holder in holders:
        for name in holder.keys() & {"text", "reason"}:
            if pattern.search(holder[name]):
                holder[name] = "masked, for it names a masked value"


def _words(secret: Any) -> Iterator[str]:
    """Yield a value as sentences may write it."""
    if isinstance(secret, list):
        for one in secret:
            yield from _words(one)
    elif isinstance(secret, (int, float)) and not isinstance(secret, bool):
        yield from (str(secret), show_value(secret), f"{secret:g}")
    elif isinstance(secret, str) and secret:
        yield secret


def _tells(value: Any, secrets: list[Any]) -> bool:
    """Say whether a value is a secret one; whole numbers are too common to tell."""
    if isinstance(value, (str, list)) or (isinstance(value, float) and not value.is_integer()):
        return value in secrets
    return False
