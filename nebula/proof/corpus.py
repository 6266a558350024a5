"""Profiles from a file, and what two policies decide on each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nebula.audit.record import AuditRecord
from nebula.decision.policy import Policy
from nebula.decision.trace import DecisionTrace
from nebula.errors import DataError, DecisionError, NebulaError
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import FactValue

__all__ = ["Change", "Outcome", "compare_on", "decide_outcome", "read_corpus"]

_MAX_BYTES = 1 << 30
_GAP = re.compile(r'\{"seq":[0-9]+,"prev":"[0-9a-f]{64}","kind":"gap",')
What = Literal["loss", "settings", "status", "rule"]
_Key = tuple[What, str | None, str | None, str | None, str | None]


class Outcome(NamedTuple):
    """What a policy answers on a profile.

    Attributes:
        rule: The rule that decided; None for `otherwise`.
        loss: The loss named; None when there is none.
        settings: The whole choice as JSON, or the reason why there is none.
        status: `decided`, `provisional`, `ambiguous` or `refused`.
    """

    rule: str | None
    loss: str | None
    settings: str
    status: str


class Change(BaseModel):
    """Decisions that change alike."""

    model_config = ConfigDict(frozen=True)

    what: What = Field(
        description="The first that differs: the loss, its settings, the status, or only the rule's name."
    )
    old_rule: str | None
    new_rule: str | None
    old_loss: str | None
    new_loss: str | None
    count: int = Field(description="How many profiles of the corpus; 0 when only the solver found it.")
    example: DataProfile = Field(description="The first of these profiles.")
    facts: dict[str, FactValue] = Field({}, description="Of a proved change, the facts that matter.")
    place: str = Field(description="Where the example stands, `file:line`; `solver` when it was found by proof.")


def read_corpus(path: str | Path) -> Iterator[tuple[str, DataProfile]]:
    """Yield every profile of a JSON Lines file with its place.

    A line is a profile, a decision trace or a record of an audit log.

    Args:
        path: The file; empty lines are passed over.

    Raises:
        DataError: The file cannot be read, is larger than 1 GiB, or a line is neither.
    """
    file = Path(path)
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise DataError(f"{file}: expected at most 1 GiB, found {file.stat().st_size} bytes: split it.")
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip() and not _GAP.match(line):
                    yield f"{file}:{number}", _parse(line, f"{file}:{number}")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: expected profiles or traces, one a line: {error}.") from None


def _parse(line: str, place: str) -> DataProfile:
    try:
        if line.startswith('{"seq":'):
            record = AuditRecord.model_validate_json(line)
            return record.trace.profile if record.trace else DataProfile()
        if '"trace_version"' in line:
            return DecisionTrace.model_validate_json(line).profile
        return DataProfile.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DataError(f"{place}: expected a profile or a decision trace: {where}: {first['msg']}.") from None


def decide_outcome(policy: Policy, profile: DataProfile) -> Outcome:
    """Return a policy's answer; a refusal is an answer too."""
    try:
        decision = policy.decide(profile)
    except NebulaError as error:
        if not isinstance(error, DecisionError | ValueError):
            raise
        return Outcome(None, None, f"{type(error).__name__}", "refused")
    spec = decision.spec
    return Outcome(
        decision.rule_id, spec.loss if spec else None, spec.model_dump_json() if spec else "", decision.status
    )


def compare_on(old: Policy, new: Policy, corpus: Iterable[tuple[str, DataProfile]]) -> tuple[int, tuple[Change, ...]]:
    """Decide every profile by both policies.

    Returns:
        How many profiles there were, and the changes, most frequent first.
    """
    total = 0
    first: dict[_Key, tuple[str, DataProfile]] = {}
    counts: Counter[_Key] = Counter()
    for place, profile in corpus:
        total += 1
        before, after = decide_outcome(old, profile), decide_outcome(new, profile)
        what = _first_difference(before, after)
        if what:
            key: _Key = (what, before.rule, after.rule, before.loss, after.loss)
            first.setdefault(key, (place, profile))
            counts[key] += 1
    changes = [
        Change(
            what=key[0],
            old_rule=key[1],
            new_rule=key[2],
            old_loss=key[3],
            new_loss=key[4],
            count=count,
            example=first[key][1],
            place=first[key][0],
        )
        for key, count in counts.most_common()
    ]
    return total, tuple(changes)


def _first_difference(before: Outcome, after: Outcome) -> What | None:
    if before.loss != after.loss:
        return "loss"
    if before.settings != after.settings:
        return "settings"
    if before.status != after.status:
        return "status"
    return "rule" if before.rule != after.rule else None
