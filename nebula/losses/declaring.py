"""The decorator that makes a torch module a loss that policies can name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from nebula.losses.contract import Contract
from nebula.losses.params import LossParams, ReducedParams
from nebula.losses.registry import LossEntry, register
from nebula.losses.spec import Functional, Link

if TYPE_CHECKING:
    from torch import nn

__all__ = ["register_loss"]

_Module = TypeVar("_Module", bound="nn.Module")


@dataclass(frozen=True)
class _FromParams:
    """Builds a module with its validated parameters as keywords."""

    module: type[nn.Module]

    def __call__(self, params: Any) -> nn.Module:
        return self.module(**params.model_dump())


def register_loss(
    name: str,
    *,
    contracts: Contract | Sequence[Contract],
    summary: str,
    formula: str,
    reference: str,
    limits: str,
    params: type[LossParams] = ReducedParams,
    family: str = "custom",
    native_link: Link = "identity",
    serves: Sequence[Functional] = (),
) -> Callable[[type[_Module]], type[_Module]]:
    """Register the decorated module class as a loss; policies name it from then on.

    The class is built with its parameters as keywords and called with prediction, target, and the
    extra inputs by name. `LossEntry` tells what each argument means.

    Args:
        name: Name in policies.
        contracts: What it is defined for.
        summary: One line.
        formula: Per-element formula.
        reference: Where it is from.
        limits: Where it breaks.
        params: Model of its parameters; the default has `reduction` only.
        family: Heading in tables.
        native_link: Link inside the loss.
        serves: Functionals that the class serves by its method `serve`.

    Returns:
        The decorator, which returns the class unchanged.

    Raises:
        ValueError: The name is taken.

    Example:
        >>> import torch, nebula
        >>> from nebula.losses.contract import Contract
        >>> from nebula.losses.modules.reduction import ElementLoss
        >>> @nebula.register_loss(
        ...     "CubicLoss",
        ...     contracts=Contract(
        ...         prediction_space="raw", target_kind="real", layout="same", target_dtype="float", empty="zero"
        ...     ),
        ...     summary="Mean cubed error.", formula="|y - z|³", reference="none", limits="Outliers rule it.",
        ... )
        ... class Cubic(ElementLoss):
        ...     def elements(self, prediction, target):
        ...         return (prediction - target).abs() ** 3
        >>> from nebula.losses.registry import unregister
        >>> unregister("CubicLoss").family
        'custom'
    """

    def add(module: type[_Module]) -> type[_Module]:
        register(
            LossEntry(
                name=name,
                family=family,
                summary=summary,
                formula=formula,
                reference=reference,
                limits=limits,
                contracts=(contracts,) if isinstance(contracts, Contract) else tuple(contracts),
                params=params,
                build=_FromParams(module),
                native_link=native_link,
                serves=tuple(serves),
            )
        )
        return module

    return add
