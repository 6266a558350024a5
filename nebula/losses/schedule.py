"""How a term's weight changes over training: pure functions of the step."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["Cosine", "Cyclical", "Exponential", "Linear", "Phase", "Phases", "Schedule", "Stepwise", "weight_at"]

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Steps = Annotated[int, Field(ge=1, le=10**12)]


class _Schedule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class _Ramp(_Schedule):
    start: Weight = Field(alias="from", description="Weight before and at the first step of the ramp.")
    stop: Weight = Field(alias="to", description="Weight at the last step of the ramp and after.")
    over: _Steps = Field(description="Length of the ramp, in steps of `advance()`.")
    delay: int = Field(0, ge=0, description="Steps before the ramp begins.")

    def share(self, step: int) -> float:
        """Return how much of the ramp is done, in [0, 1]."""
        return min(max((step - self.delay) / self.over, 0.0), 1.0)


class Linear(_Ramp):
    """A straight line from one weight to another."""

    schedule: Literal["linear"]

    def at(self, step: int) -> float:
        """Return the weight."""
        return self.start + (self.stop - self.start) * self.share(step)


class Cosine(_Ramp):
    """Half a cosine wave: slow at both ends (Loshchilov and Hutter 2017, equation 5)."""

    schedule: Literal["cosine"]

    def at(self, step: int) -> float:
        """Return the weight."""
        return self.stop + (self.start - self.stop) * 0.5 * (1 + math.cos(math.pi * self.share(step)))


class Exponential(_Ramp):
    """A constant factor every step; both ends are above 0."""

    schedule: Literal["exponential"]

    @model_validator(mode="after")
    def _above_zero(self) -> Exponential:
        if not (self.start > 0 and self.stop > 0):
            raise ValueError("expected `from` and `to` above 0: an exponential never reaches 0; use linear or cosine")
        return self

    def at(self, step: int) -> float:
        """Return the weight."""
        return self.start * math.pow(self.stop / self.start, self.share(step))


class Stepwise(_Schedule):
    """The weight is multiplied by a factor after every so many steps."""

    schedule: Literal["step"]
    start: Weight = Field(alias="from", description="Weight at the beginning.")
    factor: Weight = Field(description="What the weight is multiplied by.")
    every: _Steps = Field(description="Steps between two changes.")
    least: Weight = Field(0.0, description="The weight never falls below this.")

    def at(self, step: int) -> float:
        """Return the weight; a growing one stays finite."""
        exponent = step // self.every
        if self.factor > 1 and exponent * math.log(self.factor) > 700:
            exponent = int(700 / math.log(self.factor))
        return max(self.start * math.pow(self.factor, exponent), self.least)


class Cyclical(_Schedule):
    """A triangle wave between two weights (Smith 2017, figure 2)."""

    schedule: Literal["cyclical"]
    low: Weight = Field(description="Weight at the beginning of a period.")
    high: Weight = Field(description="Weight in the middle of a period.")
    period: Annotated[int, Field(ge=2, le=10**12)] = Field(description="Steps of a period.")

    def at(self, step: int) -> float:
        """Return the weight."""
        place = (step % self.period) / self.period
        return self.low + (self.high - self.low) * (1 - abs(2 * place - 1))


class Phase(_Schedule):
    """One stretch of a curriculum."""

    until: _Steps | None = Field(None, description="First step after this phase; None: to the end.")
    weight: Weight = Field(description="Weight during the phase.")


class Phases(_Schedule):
    """A curriculum: one constant weight a phase; the last phase goes on for ever."""

    schedule: Literal["phases"]
    phases: tuple[Phase, ...] = Field(min_length=1, max_length=1000, description="In order of time.")

    @model_validator(mode="after")
    def _in_order(self) -> Phases:
        ends = [phase.until for phase in self.phases]
        bounded = [end for end in ends[:-1] if end is not None]
        if len(bounded) < len(ends) - 1 or ends[-1] is not None or bounded != sorted(set(bounded)):
            raise ValueError("expected rising `until` in every phase but the last, which has none")
        return self

    def at(self, step: int) -> float:
        """Return the weight."""
        return next(phase.weight for phase in self.phases if phase.until is None or step < phase.until)


Schedule = Annotated[Linear | Cosine | Exponential | Stepwise | Cyclical | Phases, Field(discriminator="schedule")]


def weight_at(weight: float | Schedule, step: int) -> float:
    """Return a term's weight at a step.

    Args:
        weight: A constant, or a schedule.
        step: How often `advance()` was called, >= 0.
    """
    return float(weight) if isinstance(weight, (int, float)) else weight.at(step)
