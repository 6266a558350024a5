"""Facts that others add: registered by a decorator or an entry point, named `custom.<name>` in policies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, model_validator

from nebula.errors import FactError
from nebula.plugins import Plugins
from nebula.profiling.custom_fact import Combine, CustomFact, CustomKind, Measure, Scalar

if TYPE_CHECKING:
    from torch import Tensor

    from nebula.profiling.model import DataProfile

__all__ = ["GROUP", "CustomFacts", "custom_facts", "measure", "merge_custom", "register_fact", "unregister_fact"]

GROUP = "custom"
"""The group of all facts that nebula does not come with."""

_Function = TypeVar("_Function", bound=Measure)

_facts: dict[str, CustomFact] = {}
_lock = RLock()  # a plugin's module may itself read the vocabulary as it is imported


def register_fact(
    name: str,
    *,
    kind: CustomKind,
    description: str,
    low: float | None = None,
    high: float | None = None,
    unit: str | None = None,
    choices: Iterable[str] = (),
    combine: Combine | None = None,
) -> Callable[[_Function], _Function]:
    """Register the decorated function as a fact; policies name it `custom.<name>` from then on.

    The function is called with the whole target, a tensor with rows first, and the profile as far as it
    is known, once for every profile. It returns the value, or None where it is unknown. `CustomFact`
    tells what each argument means.

    Returns:
        The decorator, which returns the function unchanged.

    Raises:
        ValueError: The name is taken, or something of the declaration cannot be used.

    Example:
        >>> import nebula
        >>> @nebula.register_fact("rises", kind="float", low=0, high=1, description="Share of rows above the one before.")
        ... def rises(target, profile):
        ...     return None if len(target) < 2 else (target[1:] > target[:-1]).float().mean()
        >>> nebula.profile([1.0, 2.0, 3.0, 2.0, 5.0]).custom.rises
        0.75
        >>> from nebula.profiling.custom import unregister_fact
        >>> unregister_fact("rises").kind
        'float'
    """

    def add(function: _Function) -> _Function:
        _add([CustomFact(name, kind, description, function, low, high, unit, tuple(choices), combine)])
        return function

    return add


def unregister_fact(name: str) -> CustomFact:
    """Take a fact out again and return it, e.g. before its function is defined anew in a notebook.

    Raises:
        KeyError: There is none of that name.
    """
    with _lock:
        return _facts.pop(name)


def custom_facts() -> tuple[CustomFact, ...]:
    """Return every registered fact, those of installed plugins included, in order of registration.

    Raises:
        PluginError: A plugin cannot be used.
    """
    if not _PLUGINS.settled:
        with _lock:
            _PLUGINS.load()
    return tuple(_facts.values())


class CustomFacts(BaseModel):
    """Facts that were registered beside nebula's own, by name; one that is not here is unknown.

    A profile keeps the values of facts that are not registered where it is read; those of facts that
    are must be of their type and within their bounds.
    """

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)
    __pydantic_extra__: dict[str, Scalar | None]

    @model_validator(mode="before")
    @classmethod
    def _accept(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {name: _facts[name].accept(value) if name in _facts else value for name, value in values.items()}


def measure(target: Tensor, profile: DataProfile) -> dict[str, Scalar | None]:
    """Return the value of every registered fact, None where it is unknown.

    Raises:
        FactError: A fact's function raised, wrote to the target, or returned what the fact does not admit.
    """
    return {fact.name: _measure_one(fact, target, profile) for fact in custom_facts()}


def merge_custom(left: CustomFacts, right: CustomFacts) -> CustomFacts:
    """Return the facts of two parts together: those that both know and that can be combined; the others are unknown.

    Raises:
        FactError: A fact's `combine` raised, or returned what the fact does not admit.
    """
    return CustomFacts(**{fact.name: _merge_one(fact, left, right) for fact in custom_facts()})


def _merge_one(fact: CustomFact, left: CustomFacts, right: CustomFacts) -> Scalar | None:
    first, second = (part.__pydantic_extra__.get(fact.name) for part in (left, right))
    if fact.combine is None or first is None or second is None:
        return None
    try:
        return fact.accept(fact.combine(first, second))
    except Exception as error:
        raise FactError(f"{GROUP}.{fact.name}", fact.origin, error) from error


def _measure_one(fact: CustomFact, target: Tensor, profile: DataProfile) -> Scalar | None:
    before = _writes(target)
    try:
        value = fact.accept(fact.measure(target, profile))
    except Exception as error:
        raise FactError(f"{GROUP}.{fact.name}", fact.origin, error) from error
    if _writes(target) != before:
        raise FactError(f"{GROUP}.{fact.name}", fact.origin, "that it wrote to the target")
    return value


def _writes(target: Tensor) -> int:
    """Return how often the tensor was written to, as autograd counts it."""
    return 0 if target.is_inference() else target._version  # noqa: SLF001 - autograd's public habit


def _add(new: list[CustomFact]) -> None:
    """Register all facts, or none."""
    with _lock:
        fresh = [fact for fact in new if _facts.get(fact.name) is not fact]
        taken = [fact.name for fact in fresh if fact.name in _facts]
        if taken:
            raise ValueError(f"fact {taken[0]!r} is already registered by {_facts[taken[0]].origin!r}")
        if len({fact.name for fact in fresh}) < len(fresh):
            raise ValueError("expected every fact once, found one twice")
        _facts.update({fact.name: fact for fact in fresh})


def _add_found(found: Any) -> None:
    """Register what an entry point names: facts, or a module that registers them or holds `FACTS`."""
    if isinstance(found, ModuleType):
        found = getattr(found, "FACTS", ())
    facts = [found] if isinstance(found, CustomFact) else list(found) if isinstance(found, (list, tuple)) else None
    if facts is None or not all(isinstance(fact, CustomFact) for fact in facts):
        raise TypeError(f"expected a CustomFact, several, or a module, found {type(found).__name__}")
    _add(facts)


_PLUGINS = Plugins("nebula.facts", _add_found)
