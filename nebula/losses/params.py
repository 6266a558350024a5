"""Bases of the parameter models of losses."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["LossParams", "ReducedParams"]


class LossParams(BaseModel):
    """Base of every loss's parameters: closed, frozen, validated."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ReducedParams(LossParams):
    """A loss with one value per element or row, and nothing else to set but how they are averaged."""

    reduction: Literal["mean", "sum", "none"] = Field("mean", description="How element losses become one number.")
