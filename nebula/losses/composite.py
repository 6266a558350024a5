"""A composite at work: a criterion per term, their weights over time, penalties on the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nebula.errors import ContractError
from nebula.losses.base import LossFunction
from nebula.losses.criterion import Criterion
from nebula.losses.families.composition import CompositeParams
from nebula.losses.modules.conflict import AGGREGATORS, GradientAggregation
from nebula.losses.modules.multitask import GradNorm, weighting
from nebula.losses.modules.penalty import penalise, penalised
from nebula.losses.output_layer import set_output_bias
from nebula.losses.schedule import weight_at
from nebula.losses.spec import COMPOSITE, LossSpec

__all__ = ["CompositeCriterion"]

_Inputs = Tensor | Mapping[str, Tensor]


class CompositeCriterion(LossFunction):
    """The weighted sum of a spec's terms.

    Every term is a criterion of its own, with its own steps. Prediction and target are tensors that
    all terms read, or mappings from a term's name to its own (several heads). `advance()` moves
    scheduled weights on; the state dict holds the step and what a learned weighting knows.

    Args:
        spec: The composite.
        params: Its validated parameters.
        terms: The criterion of every term, in the spec's order.

    Attributes:
        spec: What was decided.
        terms: The criteria by name.
        components: After a call: the unweighted value of every term, and of every penalty, detached.

    Example:
        >>> import torch
        >>> from nebula.losses.factory import build_criterion
        >>> from nebula.losses.spec import LossSpec, Serve, Term
        >>> def term(name, weight):
        ...     spec = LossSpec(loss=name, serve=Serve(functional="mean"))
        ...     return Term(name=name.lower(), weight=weight, spec=spec)
        >>> both = LossSpec(loss="CompositeLoss", serve=Serve(functional="mean"),
        ...                 terms=(term("MSELoss", 1.0), term("L1Loss", 0.5)))
        >>> criterion = build_criterion(both)
        >>> criterion(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
        tensor(2.5000)
        >>> criterion.components
        {'mseloss': tensor(2.), 'l1loss': tensor(1.)}
    """

    step: Tensor
    weights: Tensor

    def __init__(self, spec: LossSpec, params: CompositeParams, terms: Sequence[Criterion]) -> None:
        super().__init__()
        self.spec = spec
        self.names = [term.name for term in spec.terms]
        self.terms = nn.ModuleDict(dict(zip(self.names, terms, strict=True)))
        aggregates = params.weighting in AGGREGATORS
        self.weighting = GradientAggregation(params.weighting) if aggregates else weighting(params, len(terms))
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        self.register_buffer("weights", self._weights_at(0), persistent=False)
        self.components: dict[str, Tensor] = {}
        self._penalised: tuple[tuple[nn.Parameter, ...], ...] = ()
        self.register_load_state_dict_post_hook(_restore_weights)  # type: ignore[no-untyped-call]

    def forward(
        self, prediction: _Inputs, target: _Inputs, *, sample_weight: Tensor | None = None, **extra: Any
    ) -> Tensor:
        """Return the total.

        Args:
            prediction: The model's raw output, or one by term.
            target: The targets, or one by term.
            sample_weight: What every row counts in every term, (N,).
            **extra: Extra inputs; each term takes those that its contract names.

        Raises:
            ContractError: A term's contract is broken, a mapping lacks a term, an extra input belongs
                to no term, or there are penalties and no model was attached.
        """
        values = self.values(prediction, target, sample_weight=sample_weight, **extra)
        total: Tensor = self.weighting(torch.stack(list(values.values())), self.weights)
        self.components = {name: value.detach() for name, value in values.items()}
        for number, (penalty, parameters) in enumerate(zip(self.spec.penalties, self._attached(), strict=True)):
            size = penalise(parameters, penalty)
            self.components[f"penalty_{number}_{penalty.kind}"] = size.detach()
            total = total + size
        return total

    def values(
        self, prediction: _Inputs, target: _Inputs, *, sample_weight: Tensor | None = None, **extra: Any
    ) -> dict[str, Tensor]:
        """Return every term's unweighted value, connected to the graph: what a gradient aggregator reads."""
        takes = {name: term.extra_inputs for name, term in self._criteria().items()}
        unknown = sorted(extra.keys() - {name for names in takes.values() for name in names})
        if unknown:
            raise ContractError(
                f"{COMPOSITE}: expected extra inputs of its terms, found `{unknown[0]}`, which none takes."
            )
        return {
            name: term(
                _own(prediction, name, "prediction"),
                _own(target, name, "target"),
                sample_weight=sample_weight,
                **{key: value for key, value in extra.items() if key in takes[name]},
            )
            for name, term in self._criteria().items()
        }

    def attach(self, model: nn.Module) -> CompositeCriterion:
        """Let the penalties read this model's parameters, which stay the model's.

        Raises:
            ContractError: A penalty finds nothing to penalise.
        """
        self._penalised = tuple(tuple(penalised(model, penalty).values()) for penalty in self.spec.penalties)
        return self

    def advance(self, steps: int = 1) -> None:
        """Move the scheduled weights on; call it once an optimiser step, or once an epoch."""
        if steps < 0:
            raise ContractError(f"{COMPOSITE}: expected steps >= 0, found {steps}.")
        self.step += steps
        self.weights.copy_(self._weights_at(int(self.step)))

    def end_epoch(self) -> None:
        """Tell the weighting that an epoch is over; `dwa` sets its factors then."""
        self.weighting.end_epoch()

    def balance(self, values: Mapping[str, Tensor], shared: Sequence[Tensor]) -> Tensor:
        """Move the factors of `gradnorm`; see `GradNorm.balance`.

        Args:
            values: What `values()` returned, before `backward`.
            shared: Parameters of the last layer that all terms share.

        Raises:
            ContractError: The weighting is another one.
        """
        if not isinstance(self.weighting, GradNorm):
            raise ContractError(f"{COMPOSITE}: expected weighting gradnorm to balance, found another.")
        return self.weighting.balance(torch.stack([values[name] for name in self.names]), self.weights, shared)

    def backward(self, values: Mapping[str, Tensor], shared: Sequence[Tensor], own: Sequence[Tensor] = ()) -> Tensor:
        """Add aggregated gradients to the parameters; see `GradientAggregation.backward`.

        Penalties are not part of it: they pull in one direction only, so use the optimiser's weight decay.

        Args:
            values: What `values()` returned.
            shared: Parameters that several terms share.
            own: Further parameters, e.g. of the heads.

        Raises:
            ContractError: The weighting aggregates no gradients, or the spec has penalties.
        """
        if not isinstance(self.weighting, GradientAggregation) or self.spec.penalties:
            raise ContractError(
                f"{COMPOSITE}: expected one of the weightings {', '.join(AGGREGATORS)} and no penalties to aggregate "
                "gradients, found another: call `backward` of the loss itself."
            )
        stacked = torch.stack([values[name] for name in self.names])
        return self.weighting.backward(stacked, self.weights, shared, own)

    def predict(self, raw: Tensor) -> Tensor:
        """Serve the first term's raw output as `spec.serve` says."""
        first = self._criteria()[self.names[0]]
        return first.predict(raw)

    def init_output_bias(self, layer: nn.Module) -> nn.Module:
        """Set the model's last layer to start at the constant predictor; see `Criterion.init_output_bias`."""
        return set_output_bias(layer, self.spec.output_bias)

    def _criteria(self) -> dict[str, Criterion]:
        return dict(zip(self.names, self.terms.values(), strict=True))  # type: ignore[arg-type]  # made of criteria

    def _attached(self) -> tuple[tuple[nn.Parameter, ...], ...]:
        if self.spec.penalties and not self._penalised:
            raise ContractError(
                f"{COMPOSITE}: expected a model for the penalties, found none: call `criterion.attach(model)` first."
            )
        return self._penalised

    def _weights_at(self, step: int) -> Tensor:
        return torch.tensor([weight_at(term.weight, step) for term in self.spec.terms])

    def extra_repr(self) -> str:
        """Name the terms."""
        return " + ".join(self.names)


def _own(inputs: _Inputs, name: str, what: str) -> Tensor:
    if isinstance(inputs, Tensor):
        return inputs
    if name not in inputs:
        raise ContractError(
            f"{COMPOSITE}: expected a {what} for the term `{name}`, found those of {', '.join(inputs) or 'none'}."
        )
    return inputs[name]


def _restore_weights(module: nn.Module, _keys: Any) -> None:
    if isinstance(module, CompositeCriterion):
        module.advance(0)
