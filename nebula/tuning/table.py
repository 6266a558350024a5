"""The results that thresholds are fitted to: per task its facts, and how well each loss did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nebula.errors import DataError
from nebula.profiling.vocabulary import FactValue, facts_of
from nebula.workbench.given import read_facts

__all__ = ["Task", "read_results"]

_MOST_BYTES = 64 * 2**20


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    data_set: str = Field(min_length=1)
    facts: dict[str, Any]
    scores: dict[str, float] = Field(min_length=1)


@dataclass(frozen=True)
class Task:
    """One row of the table.

    Attributes:
        data_set: What is held out together.
        facts: Values by dotted name.
        regret: Loss → score minus the best score of the row, at least 0.
    """

    data_set: str
    facts: dict[str, FactValue]
    regret: dict[str, float]

    def cost(self, loss: str | None) -> float:
        """Return the regret of a choice; one without a score, or none, costs as much as the worst."""
        worst = max(self.regret.values())
        return worst if loss is None else self.regret.get(loss, worst)


def read_results(file: Path) -> tuple[Task, ...]:
    """Read one JSON object a line: `data_set`, `facts` (dotted or nested) and `scores` (loss → lower is better).

    Args:
        file: Scores must mean the same on every row, as normalised regrets do.

    Raises:
        DataError: The file cannot be read, or a line is no such object; told with its number.
    """
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise DataError(f"{file}: expected at most {_MOST_BYTES // 2**20} MiB of results.")
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: expected results as JSON lines: {error}.") from None
    tasks = tuple(_task(file, number, line) for number, line in enumerate(lines, start=1) if line.strip())
    if not tasks:
        raise DataError(f"{file}: expected at least one row of results, found none.")
    return tasks


def _task(file: Path, number: int, line: str) -> Task:
    try:
        row = _Row.model_validate_json(line)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "the line"
        raise DataError(f"{file}:{number}: `{place}`: {fault['msg']}.") from None
    faults: list[str] = []
    profile = read_facts(row.facts, lambda _, message: faults.append(message))
    if profile is None:
        raise DataError(f"{file}:{number}: {faults[0]}")
    best = min(row.scores.values())
    return Task(row.data_set, dict(facts_of(profile)), {loss: score - best for loss, score in row.scores.items()})
