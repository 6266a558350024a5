"""What other tools inferred, as their own environment wrote it down, and the loss that follows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from nebula.bench.task import Task
from nebula.bench.verdict import Verdict, judge
from nebula.errors import DataError

__all__ = ["IMPLIED", "Peer", "judge_peer", "read_peers"]

IMPLIED: dict[str, str] = {
    "binary": "BCEWithLogitsLoss",
    "multiclass": "CrossEntropyLoss",
    "regression": "MSELoss",
    "multilabel": "BCEWithLogitsLoss",
    "multi-output regression": "MSELoss",
}
"""Inferred kind of task → the best loss that it implies, in the peer's favour."""


class Peer(BaseModel):
    """Answers of one tool."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    said: dict[str, str]


class _Peers(RootModel[dict[str, Peer]]):
    model_config = ConfigDict(frozen=True)


def read_peers(file: str | Path) -> dict[str, Peer]:
    """Read what `benchmarks/selection/ask_peers.py` wrote.

    Args:
        file: The JSON file.

    Returns:
        The peers by name.

    Raises:
        DataError: The file does not hold such answers.
    """
    try:
        return _Peers.model_validate_json(Path(file).read_bytes()).root
    except ValidationError as error:
        raise DataError(f"{file}: expected answers of peers, found {error.errors()[0]['msg']}.") from None


def judge_peer(peer: Peer, tasks: Iterable[Task]) -> list[Verdict]:
    """Judge the loss that each inferred kind of task implies.

    A target that the peer does not take, or on which it raised, is an error; a binary target of a peer
    that knows classes only counts as classes, for which cross-entropy is as right.
    """
    verdicts: list[Verdict] = []
    for task in tasks:
        loss = IMPLIED.get(peer.said.get(task.id, "not asked"))
        verdicts.append("error" if loss is None else judge(task.labels, loss, weighted=False))
    return verdicts
