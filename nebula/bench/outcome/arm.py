"""A choice of loss, link, output bias and serving on one seed's training targets, ready to train."""

from __future__ import annotations

import json
from dataclasses import dataclass

import torch
from torch import Tensor

from nebula.bench.outcome.manifest import Outputs
from nebula.decision.resolve import resolve_use
from nebula.demo.network import OutputUnit, Perceptron, output_unit
from nebula.errors import NebulaError
from nebula.losses.adaptation import entry_of, validated_params
from nebula.losses.factory import AnyCriterion, build_criterion
from nebula.losses.spec import LossSpec
from nebula.policy.model import Use
from nebula.profiling.prediction import PredictionSpec
from nebula.profiling.profiler import profile
from nebula.profiling.vocabulary import facts_of

__all__ = ["Arm", "make_arm", "n_outputs", "resolve"]

MOST_CLASSES = 100
"""A loss over classes is not tried on more distinct values than this."""


@dataclass(frozen=True, eq=False)
class Arm:
    """One seed's choice.

    Attributes:
        spec: Everything that was chosen.
        outputs: Columns of the network's output.
        criterion: The loss, and what it serves.
        each: The same loss with one value a row, when its mean is the plain mean of these; else None.
    """

    spec: LossSpec
    outputs: int
    criterion: AnyCriterion
    each: AnyCriterion | None

    @property
    def key(self) -> str:
        """Canonical text: arms of equal text train and serve alike."""
        entry = entry_of(self.spec.loss)
        chosen = self.spec.model_dump(mode="json", exclude={"modifiers": True, "adapt": {"__all__": {"reason"}}})
        if not self.spec.terms:
            chosen["params"] = validated_params(entry, self.spec.params).model_dump(mode="json")
        if self.spec.output_bias is not None:
            chosen["output_bias"] = [round(value, 9) for value in self.spec.output_bias.values]
        if self.outputs == 1 and self.spec.link == "identity" and self.spec.serve.functional in ("mean", "median"):
            chosen["serve"] = chosen["serve"] | {"functional": "mean"}  # one and the same number
        return json.dumps([self.outputs, chosen], sort_keys=True)

    @property
    def loss_key(self) -> str:
        """Canonical text of what the training loss depends on."""
        given = self.spec.model_dump(mode="json", exclude={"modifiers", "output_bias", "serve"})
        return json.dumps([self.outputs, given], sort_keys=True)

    def start(self, n_features: int, target: Tensor, seed: int) -> Perceptron:
        """Return the untrained network: equal weights for equal seeds, the output bias as it was chosen."""
        network = Perceptron(n_features, self.outputs, _unit(self.spec, target, self.outputs), seed=seed)
        if self.spec.output_bias is not None:
            network.start_at(self.criterion.init_output_bias)
        return network


def n_outputs(outputs: Outputs, target: Tensor) -> int | None:
    """Return the columns of a network; None when the target has too many distinct values for classes."""
    if isinstance(outputs, int):
        return outputs
    distinct = len(torch.unique(target))
    if distinct > MOST_CLASSES:
        return None
    return distinct - (outputs == "thresholds")


def resolve(use: Use, outputs: Outputs, target: Tensor) -> Arm | None:
    """Make a choice concrete on training targets: facts become values, the output bias is computed.

    Args:
        use: The choice, as a policy writes it.
        outputs: Columns of the network.
        target: (m,) training targets.

    Returns:
        The arm; None when the target has too many values, or the loss is not defined on them.
    """
    columns = n_outputs(outputs, target)
    if columns is None:
        return None
    found = profile(target, PredictionSpec(shape=(None, columns)))
    try:
        return make_arm(resolve_use(use, facts_of(found), found), columns)
    except NebulaError:
        return None


def make_arm(spec: LossSpec, outputs: int) -> Arm:
    """Build the criterion of a spec, and its twin with a value a row where there is one."""
    criterion = build_criterion(spec)
    return Arm(spec, outputs, criterion, _twin(spec))


def _twin(spec: LossSpec) -> AnyCriterion | None:
    entry = entry_of(spec.loss)
    contract = entry.contracts_for(spec.params)[0]
    weighted = spec.params.get("weight") is not None  # torch divides the mean by the weights' sum
    if spec.terms or contract.couples_samples or weighted or "none" not in contract.reductions:
        return None
    return build_criterion(spec.model_copy(update={"params": spec.params | {"reduction": "none"}}))


def _unit(spec: LossSpec, target: Tensor, outputs: int) -> OutputUnit:
    """Put an output that stands for the target itself into the target's unit; others have none."""
    contract = entry_of(spec.loss).contracts_for(spec.params)[0]
    if contract.layout in ("same", "levels") and contract.prediction_space in ("raw", "rate"):
        return output_unit(spec.link, target, outputs)
    if contract.layout == "mean_and_variance":
        mean = output_unit(spec.link, target, 1)
        variance = torch.cat((mean.scale, mean.scale.square()))
        return OutputUnit(torch.cat((mean.centre, variance[1:])), variance)
    if contract.layout == "parameters" and contract.parameters == ("location", "raw scale"):
        location = output_unit(spec.link, target, 1)
        return OutputUnit(torch.cat((location.centre, location.scale)), location.scale.expand(2).clone())
    return OutputUnit(torch.zeros(outputs), torch.ones(outputs))
