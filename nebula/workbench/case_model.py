"""The file format of test cases (`nebula/v1-test`): what a `*.test.yaml` may say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from nebula.decision.trace import Status
from nebula.losses.spec import Functional, Link
from nebula.profiling.model import PredictionSpace

__all__ = ["CaseEntry", "CaseFile", "DataEntry", "Expectation"]

Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DataEntry(_Part):
    """Data to profile: a column of a file, or a few values written out."""

    file: str | None = Field(None, description="CSV, Parquet, NPZ or PT file, from the test file's folder.")
    target: str | None = Field(None, description="With `file`: its column, or columns joined by commas.")
    values: tuple[Any, ...] | None = Field(None, max_length=100_000, description="The target itself, rows first.")
    name: str | None = Field(None, description="With `values`: the target's column name.")
    prediction_shape: tuple[int | None, ...] | None = Field(
        None, description="Shape of the model's output; null where unknown."
    )
    prediction_space: PredictionSpace | None = Field(None, description="What the output is.")


class Expectation(_Part):
    """What must come out; every key that is given must hold."""

    loss: str | None = Field(None, description="Name of the loss; `none` when the policy must name no loss.")
    rule: str | None = Field(None, description="Id of the select rule that decides; `otherwise` when none does.")
    not_rule: str | tuple[str, ...] | None = Field(None, description="Select rules that must not decide.")
    task: str | None = Field(None, description="The derived fact `task`.")
    status: Status | None = Field(None, description="decided, provisional or ambiguous.")
    link: Link | None = Field(None, description="How the raw output becomes the quantity.")
    serve: Functional | None = Field(None, description="What `predict` returns.")
    error: str | None = Field(None, description="A part of `ErrorClass: message` of the error that must be raised.")


class CaseEntry(_Part):
    """One case as written."""

    name: Name
    given: dict[str, Any] | None = Field(
        None, description="Facts by group or dotted name, `hints`, `parameters`, or `data`."
    )
    expect: Expectation


class CaseFile(_Part):
    """A file of cases for one policy."""

    api_version: Literal["nebula/v1-test"] = Field(alias="apiVersion")
    policy: str = Field(description="The policy: a path from this file, or the name of a shipped one.")
    extends: tuple[str, ...] = Field(
        (), max_length=8, description="Files whose cases hold here too; a case of the same name replaces theirs."
    )
    cases: tuple[CaseEntry, ...] = Field((), max_length=10_000)
