"""Losses of a quantity that must keep to a limit: penalties, barriers, multipliers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract
from nebula.losses.params import LossParams, ReducedParams
from nebula.losses.registry import LossEntry

__all__ = ["ENTRIES", "AugmentedLagrangianParams", "BarrierParams", "ConstraintPenaltyParams"]

_Relation = Literal["at_most", "at_least", "equal"]


class ConstraintPenaltyParams(ReducedParams):
    """Parameters of `ConstraintPenaltyLoss`."""

    relation: _Relation = Field("at_most", description="How the quantity shall stand to its limit, the target.")
    power: Literal[1, 2] = Field(2, description="Power of the violation: 1 is an exact penalty, 2 a smooth one.")


class BarrierParams(ReducedParams):
    """Parameters of `BarrierLoss`."""

    scale: float = Field(1.0, gt=0, description="Distance over which the barrier bends, in units of the prediction.")


class AugmentedLagrangianParams(LossParams):
    """Parameters of `AugmentedLagrangianLoss`."""

    constraints: int = Field(1, ge=1, le=100_000, description="Number of constraints, one column each.")
    relation: _Relation = Field(
        "at_most", description="How the mean quantity shall stand to the mean limit, the target."
    )
    stiffness: float = Field(
        1.0, gt=0, description="ρ: factor of the squared violation, and step of `update_multipliers`."
    )


ENTRIES = (
    LossEntry(
        name="ConstraintPenaltyLoss",
        family="constraint",
        summary="A quantity over its limit costs the power of what it is over.",
        formula="max(0, z - y)^power with y the limit; `at_least`: max(0, y - z)^power; `equal`: |z - y|^power",
        reference="Nocedal and Wright 2006, Numerical Optimization, sections 17.1 and 17.2",
        limits=(
            "With power 2 the limit is broken a little at any finite weight; with power 1 it is kept once the weight "
            "is above the constraint's multiplier, with a kink there. For a constraint g <= 0 the target is 0."
        ),
        contracts=(
            Contract(
                prediction_space="raw",
                target_kind="real",
                layout="same",
                target_dtype="float",
                empty="zero",
            ),
        ),
        params=ConstraintPenaltyParams,
        build=torch_module("constraint", "ConstraintPenalty"),
    ),
    LossEntry(
        name="BarrierLoss",
        family="constraint",
        summary="A distance below the safe one costs about its lack, a safe one hardly anything.",
        formula="log(1 + exp((y - z) / scale)), z the distance, y the least safe one",
        reference="Chen and Mangasarian 1996, A class of smoothing functions, section 1 (softplus as a smooth hinge)",
        limits=(
            "Soft: the limit can be broken, and at the limit itself it costs log 2. More distance is always better, so "
            "it needs a task loss beside it."
        ),
        contracts=(
            Contract(
                prediction_space="score",
                target_kind="score",
                layout="same",
                target_dtype="float",
                empty="zero",
            ),
        ),
        params=BarrierParams,
        build=torch_module("constraint", "Barrier"),
        serves=("raw",),
    ),
    LossEntry(
        name="AugmentedLagrangianLoss",
        family="constraint",
        summary="Constraints on means, kept exactly in the limit by multipliers that learn their price.",
        formula=(
            "Σ_c (max(0, λ_c + ρ g_c)² - λ_c²) / (2 ρ), g_c the mean of z - y; `equal`: without the max, which is "
            "λ g + ρ g² / 2"
        ),
        reference="Nocedal and Wright 2006, Numerical Optimization, equations 17.36 and 17.65",
        limits=(
            "Nothing learns the price by itself: call `criterion.loss.update_multipliers(z, y)` once per epoch or so. "
            "The mean over a batch is noisy, and violations that cancel are not seen. The value can be below 0."
        ),
        contracts=(
            Contract(
                prediction_space="score",
                target_kind="score",
                layout="free",
                axes=(("N", "C"), ("N", "C")),
                target_dtype="float",
                reductions=("mean",),
                empty="zero",
                couples_samples=True,
                stateful=True,
            ),
        ),
        params=AugmentedLagrangianParams,
        build=torch_module("constraint", "AugmentedLagrangian"),
        serves=("raw",),
        example={"constraints": 4},
    ),
)
