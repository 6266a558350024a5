"""Which loss is checked, whatever form it comes in."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from nebula.checking.traits import TRAITS, UNKNOWN, Traits, traits_of
from nebula.errors import DataError
from nebula.losses.adaptation import entry_of, validated_params
from nebula.losses.contract import Contract
from nebula.losses.criterion import Criterion
from nebula.losses.registry import find

__all__ = ["FUNCTIONS", "Subject", "inputs_of", "recognise"]

FUNCTIONS: Mapping[str, str] = {
    "l1_loss": "L1Loss",
    "mse_loss": "MSELoss",
    "smooth_l1_loss": "SmoothL1Loss",
    "huber_loss": "HuberLoss",
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "multi_margin_loss": "MultiMarginLoss",
    "kl_div": "KLDivLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "multilabel_soft_margin_loss": "MultiLabelSoftMarginLoss",
    "multilabel_margin_loss": "MultiLabelMarginLoss",
    "soft_margin_loss": "SoftMarginLoss",
    "hinge_embedding_loss": "HingeEmbeddingLoss",
    "poisson_nll_loss": "PoissonNLLLoss",
    "gaussian_nll_loss": "GaussianNLLLoss",
    "ctc_loss": "CTCLoss",
    "cosine_embedding_loss": "CosineEmbeddingLoss",
    "margin_ranking_loss": "MarginRankingLoss",
    "triplet_margin_loss": "TripletMarginLoss",
}
"""Functions of `torch.nn.functional` with the class each belongs to."""

_NAME_OF = {getattr(functional, function): (function, name) for function, name in FUNCTIONS.items()}
_LEGACY = frozenset(("size_average", "reduce"))


@dataclass(frozen=True)
class Subject:
    """A loss that was recognised.

    Attributes:
        name: Class name in `torch.nn`, registered name, or the callable's own.
        traits: How it reads its arguments.
        run: The loss on the CPU, a copy; called with the tensors in the traits' order.
        options: Its parameters, defaults included.
        function: Name in `torch.nn.functional`, empty for a module.
        criterion: The decided criterion around the loss, whose steps run first.
        contract: Its clauses, of a registered loss; its extra inputs are passed by name.
    """

    name: str
    traits: Traits
    run: Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    function: str = ""
    criterion: Criterion | None = None
    contract: Contract | None = None

    def call(self, tensors: Mapping[str, Any]) -> Any:
        """Return the loss of the tensors of one call, in order."""
        if self.contract is None:
            return self.run(*tensors.values())
        named = {extra.name for extra in self.contract.extra_inputs}
        given = [value for name, value in tensors.items() if name not in named]
        return self.run(*given, **{name: value for name, value in tensors.items() if name in named})

    def option(self, name: str, default: Any = None) -> Any:
        """Return a parameter."""
        return self.options.get(name, default)

    @property
    def reduction(self) -> str:
        """How it reduces; `mean` when it does not say."""
        return str(self.options.get("reduction", "mean"))

    def describe(self) -> str:
        """Return the loss as it is written in code, defaults left out."""
        changed = ", ".join(f"{key}={_shown(value)}" for key, value in self._changed(self.name).items())
        return f"{self.name}({changed})"

    def rewritten(self, name: str | None = None, **changed: Any) -> str:
        """Return the line of code that makes this loss anew.

        Args:
            name: Class in `torch.nn` to use instead; parameters that it has too are kept.
            changed: Parameters to change, as values; None takes the default.
        """
        target = name or self.name
        kept: dict[str, Any] = {**self._changed(target), **changed}
        words = [f"{key}={self._argument(key, value, key in changed)}" for key, value in kept.items()]
        if not self.function:
            return f"loss = nn.{target}({', '.join(words)})"
        function = next(function for function, known in FUNCTIONS.items() if known == target)
        return f"loss = functools.partial({', '.join((f'F.{function}', *words))})" if words else f"loss = F.{function}"

    def _argument(self, key: str, value: Any, new: bool) -> str:
        if isinstance(value, Tensor) and not new:
            return f'loss.keywords["{key}"]' if self.function else f"loss.{key}"
        return repr(value)

    def _changed(self, name: str) -> dict[str, Any]:
        defaults = _defaults(getattr(nn, name, None))
        known = {key: value for key, value in self.options.items() if key in defaults and key not in _LEGACY}
        return {key: value for key, value in known.items() if _differs(value, defaults[key])}


def inputs_of(loss: Any) -> frozenset[str]:
    """Return the names of the extra inputs of a registered loss, given by name or decided."""
    name = loss.spec.loss if isinstance(loss, Criterion) else loss
    if not isinstance(name, str) or (name == loss and (name in TRAITS or name in FUNCTIONS)):
        return frozenset()
    entry = find(name)
    contracts = () if entry is None else entry.contracts
    return frozenset(extra.name for contract in contracts for extra in contract.extra_inputs)


def recognise(loss: Any, options: Mapping[str, Any]) -> Subject:
    """Return the subject of a module, a function, a partial of one, or a name.

    Args:
        loss: What the user calls.
        options: Parameters: of a loss by name, or keywords of a functional loss.

    Raises:
        DataError: It is no loss, or a `Nebula` that has not decided yet.
        ContractError: A registered loss does not take these parameters.
    """
    if isinstance(loss, str):
        return _by_name(loss, dict(options))
    if isinstance(loss, type):
        raise DataError(f"loss: expected an instance, found the class `{loss.__name__}`: write `{loss.__name__}()`.")
    if isinstance(loss, nn.Module):
        if options:
            raise DataError(f"loss: expected tensors beside a module, found {_listed(options)}: set them on the loss.")
        return _module(loss)
    if isinstance(loss, functools.partial):
        if loss.args:
            raise DataError("loss: expected a partial with keywords only, found positional ones: name them.")
        return _function(loss.func, {**loss.keywords, **options})
    if callable(loss):
        return _function(loss, dict(options))
    raise DataError(f"loss: expected a loss module, a function or a name, found {type(loss).__name__}.")


def _by_name(name: str, params: dict[str, Any]) -> Subject:
    if name in FUNCTIONS:
        return _function(getattr(functional, name), params)
    if name in TRAITS:
        try:
            return _module(getattr(nn, name)(**params))
        except (TypeError, ValueError, RuntimeError) as error:
            raise DataError(f"loss: `{name}` does not take {_listed(params)}: {error}") from None
    entry = entry_of(name)
    module = entry.build(validated_params(entry, params))
    return replace(_module(module, name), contract=entry.contracts_for(params)[0])


def _module(loss: nn.Module, name: str = "") -> Subject:
    if isinstance(loss, Criterion):
        inner = _module(loss.loss, loss.spec.loss)
        contract = entry_of(loss.spec.loss).contracts_for(loss.spec.params)[0]
        traits = traits_of(contract) if contract.extra_inputs else inner.traits
        return replace(inner, traits=traits, criterion=_copied(loss), contract=contract)
    if hasattr(type(loss), "loss_function"):
        decided = loss.loss_function
        if not isinstance(decided, Criterion):
            raise DataError("loss: expected a `Nebula` that has decided, found one that has not: call `fit` first.")
        return _module(decided)
    known = _torch_name(loss) or name
    traits = TRAITS.get(known) or _registered_traits(known)
    options = {key: getattr(loss, key) for key in _options(loss)}
    return Subject(known or type(loss).__name__, traits, _copied(loss), options)


def _options(loss: nn.Module) -> list[str]:
    own = set(_defaults(type(loss))) | {key for base in type(loss).__mro__ for key in _defaults(base)}
    return sorted(key for key in own if hasattr(loss, key) and key not in _LEGACY)


def _torch_name(loss: nn.Module) -> str:
    """Return the class in `torch.nn` whose meaning the module keeps, else an empty string."""
    kind = type(loss)
    for base in kind.__mro__:
        if base.__module__ == "torch.nn.modules.loss" and base.__name__ in TRAITS:
            kept = kind.forward is base.forward  # type: ignore[attr-defined]
            return base.__name__ if kept or kind.__module__.startswith("nebula.losses.") else ""
    return ""


def _registered_traits(name: str) -> Traits:
    entry = find(name)
    return traits_of(entry.contracts[0]) if entry is not None and len(entry.contracts) == 1 else UNKNOWN


def _function(function: Callable[..., Any], options: dict[str, Any]) -> Subject:
    known = _NAME_OF.get(function)
    if known is None:
        name = str(getattr(function, "__name__", type(function).__name__))
        return Subject(name, UNKNOWN, functools.partial(function, **options), options)
    try:
        signature = inspect.signature(function)
        signature.bind_partial(**options)
    except TypeError as error:
        raise DataError(f"loss: `{known[0]}` does not take {_listed(options)}: {error}") from None
    moved = {key: value.detach().cpu() if isinstance(value, Tensor) else value for key, value in options.items()}
    return Subject(
        known[1], TRAITS[known[1]], functools.partial(function, **moved), {**_defaults(function), **moved}, known[0]
    )


def _copied(module: nn.Module) -> Any:
    try:
        return copy.deepcopy(module).cpu()
    except Exception as error:
        raise DataError(f"loss: expected a module that can be copied, found {type(module).__name__}: {error}") from None


def _defaults(thing: Any) -> dict[str, Any]:
    if thing is None or thing is object:
        return {}
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _differs(value: Any, default: Any) -> bool:
    if isinstance(value, Tensor) or isinstance(default, Tensor):
        return value is not default
    return bool(value != default)


def _shown(value: Any) -> str:
    return f"<{value.numel()} numbers>" if isinstance(value, Tensor) else repr(value)


def _listed(options: Mapping[str, Any]) -> str:
    return ", ".join(f"`{key}`" for key in options) or "no parameters"
