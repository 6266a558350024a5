"""What is checked: a loss under one of its contracts, with the parameters that this contract asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from nebula.conformance.sample import Sample, draw
from nebula.losses.adaptation import validated_params
from nebula.losses.contract import Contract
from nebula.losses.criterion import Criterion
from nebula.losses.registry import LossEntry
from nebula.losses.spec import Functional, LossSpec, Serve

__all__ = ["Subject", "subjects_of"]

_MEDIAN = 0.5


@dataclass(frozen=True)
class Subject:
    """A loss under one contract.

    Attributes:
        entry: The loss; it need not be registered.
        contract: One of its contracts.
        params: Parameters under which that contract holds; left-out ones take their defaults.
    """

    entry: LossEntry
    contract: Contract
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Name of the loss, and what tells this contract from its others."""
        if len(self.entry.contracts) == 1:
            return self.entry.name
        needs = [f"{name}={value}" for name, value in self.contract.requires_params.items()]
        return "-".join([self.entry.name, *(needs or [self.contract.target_kind])])

    def spec(self, functional: Functional | None = None, **params: Any) -> LossSpec:
        """Return a spec of this loss with further parameters.

        Args:
            functional: What it serves; None takes the loss's first, or the mean.
            **params: Parameters set beside the subject's own.
        """
        first: Functional = self.entry.serves[0] if self.entry.serves else "mean"
        serve = Serve(functional=functional or first, quantile=_MEDIAN, threshold=_MEDIAN)
        return LossSpec(loss=self.entry.name, params={**self.params, **params}, serve=serve)

    def criterion(self, **params: Any) -> Criterion:
        """Build the criterion with further parameters."""
        return self.build(self.spec(**params))

    def build(self, spec: LossSpec) -> Criterion:
        """Build the criterion of a spec of this loss."""
        return Criterion(spec, self.entry, validated_params(self.entry, spec.params))

    def sample(
        self, seed: int = 0, dtype: torch.dtype = torch.float64, *, rows: int | None = None, dense: bool = False
    ) -> Sample:
        """Draw valid inputs; see `draw`."""
        values = validated_params(self.entry, self.params).model_dump()
        return draw(self.contract, values, seed=seed, dtype=dtype, rows=rows, dense=dense)


def subjects_of(entry: LossEntry) -> tuple[Subject, ...]:
    """Return one subject a contract; none for a loss that is made of other losses."""
    if entry.composed:
        return ()
    return tuple(
        Subject(entry, contract, {**entry.example, **contract.requires_params}) for contract in entry.contracts
    )
