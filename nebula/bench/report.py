"""The result of the selection benchmark as one document, and as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import get_args

from pydantic import BaseModel, ConfigDict, Field

from nebula.bench.peers import Peer, judge_peer
from nebula.bench.selection import Answer, Way
from nebula.bench.task import Task
from nebula.bench.verdict import Verdict

__all__ = ["SelectionReport", "Shares", "share", "summarise"]


class Shares(BaseModel):
    """Shares of the verdicts over some targets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    targets: int
    preferred: float
    usable: float = Field(description="Preferred or acceptable.")
    weak: float
    wrong: float
    ambiguous: float = Field(description="Asked instead of guessed.")
    error: float


class SelectionReport(BaseModel):
    """What the benchmark found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: str = Field(description="Name and version.")
    digest: str = Field(description="Digest of the resolved policy.")
    versions: dict[str, str]
    data_sets: int
    ways: dict[Way, Shares]
    families: dict[str, Shares] = Field(description="With the prediction's shape, by family.")
    peers: dict[str, Shares] = Field(description="The loss implied by the task that the peer infers.")
    covered: float = Field(description="Share of the targets on which the policy names a loss, with shape.")
    usable_where_covered: float
    flips: dict[str, float] = Field(description="Share of the targets whose loss a harmless change changes.")
    batches: dict[str, float] = Field(description="Share of random batches with another loss than all rows.")
    answers: tuple[Answer, ...]


def share(verdicts: Sequence[Verdict]) -> Shares:
    """Turn verdicts into shares; of none, all are 0."""
    counted, total = Counter(verdicts), max(len(verdicts), 1)
    part = {verdict: counted[verdict] / total for verdict in get_args(Verdict)}
    usable = part["preferred"] + part.pop("acceptable")
    return Shares(targets=len(verdicts), usable=usable, **part)


def summarise(
    answers: Sequence[Answer],
    tasks: Sequence[Task],
    peers: dict[str, Peer],
    *,
    policy: str,
    digest: str,
    versions: dict[str, str],
    flips: dict[str, float],
    batches: dict[int, float],
) -> SelectionReport:
    """Bring everything that was measured into one document.

    Args:
        answers: Every answer of the policy.
        tasks: The tasks asked about.
        peers: Answers of other tools.
        policy: Name and version of the policy.
        digest: Its digest.
        versions: Versions of the packages that decide or ship data.
        flips: Shares by harmless change.
        batches: Shares by batch size.

    Returns:
        The report.
    """
    shaped = [answer for answer in answers if answer.way == "shape"]
    named = [answer.verdict for answer in shaped if answer.verdict not in ("ambiguous", "error")]
    return SelectionReport(
        policy=policy,
        digest=digest,
        versions=versions,
        data_sets=len({(task.package, task.item) for task in tasks}),
        ways={way: share([a.verdict for a in answers if a.way == way]) for way in get_args(Way)},
        families={
            family: share([a.verdict for a in shaped if a.family == family])
            for family in sorted({answer.family for answer in shaped})
        },
        peers={f"{name} {peer.version}": share(judge_peer(peer, tasks)) for name, peer in sorted(peers.items())},
        covered=len(named) / max(len(shaped), 1),
        usable_where_covered=share(named).usable,
        flips=flips,
        batches={str(size): part for size, part in batches.items()},
        answers=tuple(answers),
    )
