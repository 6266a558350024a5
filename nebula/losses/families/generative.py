"""Losses of models that make samples or rate them: energies and critics."""

from __future__ import annotations

from pydantic import Field

from nebula.losses.building import torch_module
from nebula.losses.contract import Contract, Interval
from nebula.losses.params import ReducedParams
from nebula.losses.registry import LossEntry

__all__ = ["ENTRIES", "EnergyNLLParams", "WassersteinCriticParams"]


class EnergyNLLParams(ReducedParams):
    """Parameters of `EnergyNLLLoss`."""

    ignore_index: int = Field(-100, description="The label that counts for nothing.")


class WassersteinCriticParams(ReducedParams):
    """Parameters of `WassersteinCriticLoss`."""


ENTRIES = (
    LossEntry(
        name="EnergyNLLLoss",
        family="generative",
        summary="Likelihood of energies over a finite set of answers: the right one low, the others high.",
        formula="E_y + log Σ_k exp(-E_k)",
        reference="LeCun et al. 2006, A Tutorial on Energy-Based Learning, equation 23, at β = 1",
        limits=(
            "All answers must have their energy: a sampled set is another loss. It is CrossEntropyLoss of -E. The "
            "level of a row's energies is free."
        ),
        contracts=(
            Contract(
                prediction_space="energy",
                target_kind="class_index",
                layout="class_axis",
                target_dtype="long",
                target_interval=Interval(low=0),
                integer_valued=True,
                min_outputs=2,
                supports_ignore_index=True,
                empty="zero",
                cost="NC",
            ),
        ),
        params=EnergyNLLParams,
        build=torch_module("generative", "EnergyNLL"),
        serves=("probability", "argmax"),
    ),
    LossEntry(
        name="WassersteinCriticLoss",
        family="generative",
        summary="The critic's part of a Wasserstein GAN: high scores for real samples, low ones for made ones.",
        formula="y - z, z the score of a real sample, y that of a made one; the mean is -(mean z - mean y)",
        reference="Arjovsky, Chintala and Bottou 2017, Wasserstein GAN, algorithm 1",
        limits=(
            "Without a bound on the critic's slope it falls without end: add `gradient_penalty`. The generator "
            "minimises -critic(made).mean(), which is no loss of a prediction and a target. Its value tells a distance "
            "only where the critic is trained close to its optimum. Both batches have one size."
        ),
        contracts=(
            Contract(
                prediction_space="score",
                target_kind="score",
                layout="same",
                target_dtype="float",
                empty="zero",
                bounded_below=False,
            ),
        ),
        params=WassersteinCriticParams,
        build=torch_module("generative", "WassersteinCritic"),
        serves=("raw",),
    ),
)
