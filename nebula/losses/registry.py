"""The registry of losses: the only names that a policy can choose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from nebula.losses.contract import Contract
from nebula.losses.params import LossParams
from nebula.losses.spec import Functional, Link

if TYPE_CHECKING:
    from torch import nn

__all__ = ["LossEntry", "LossParams", "changes", "entries", "find", "nearest", "register", "unregister"]


@dataclass(frozen=True)
class LossEntry:
    """One loss: what it is, when it holds, how it is built.

    Attributes:
        name: Canonical name: torch's class name, or the field's standard term.
        family: Module that declares it, e.g. `regression`.
        summary: One line.
        formula: Per-element formula, y the target, z the raw prediction.
        reference: Paper or documentation the formula is from.
        limits: What it does not do, or where it breaks.
        contracts: Alternative sets of clauses; the first whose target fits is used.
        params: Model of its parameters.
        build: Makes the torch module from validated parameters; imports torch when called.
        native_link: The link inside the loss when it reads raw outputs, e.g. `sigmoid`.
        serves: Functionals that the built module computes from the raw output itself, by
            `serve(functional, raw, level)`, the first being the default; empty: the link's quantity is served.
        composed: It is built from the terms of a spec, not from parameters alone.
        example: Parameters that pages and checks show it with, where the defaults do not say enough.
    """

    name: str
    family: str
    summary: str
    formula: str
    reference: str
    limits: str
    contracts: tuple[Contract, ...]
    params: type[LossParams]
    build: Callable[[Any], nn.Module] = field(compare=False)
    native_link: Link = "identity"
    serves: tuple[Functional, ...] = ()
    composed: bool = False
    example: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def contracts_for(self, params: dict[str, Any]) -> tuple[Contract, ...]:
        """Return the contracts that hold under these parameters (defaults filled in)."""
        values = self.params.model_validate(params).model_dump()
        return tuple(c for c in self.contracts if all(values.get(k) == v for k, v in c.requires_params.items()))


_entries: dict[str, LossEntry] = {}
_changes = 0


def register(entry: LossEntry) -> LossEntry:
    """Add a loss.

    Raises:
        ValueError: The name is taken, or is no identifier.
    """
    if not entry.name.isidentifier():
        raise ValueError(f"loss {entry.name!r}: expected a name of letters, digits and underscores")
    if entry.name in _entries:
        raise ValueError(f"loss {entry.name!r} is already registered by {_entries[entry.name].family!r}")
    _entries[entry.name] = entry
    _count_change()
    return entry


def unregister(name: str) -> LossEntry:
    """Take a loss out again and return it, e.g. before its class is defined anew in a notebook.

    Raises:
        KeyError: There is none of that name.
    """
    entry = _entries.pop(name)
    _count_change()
    return entry


def changes() -> int:
    """Return how many times a loss was added or taken out so far."""
    return _changes


def _count_change() -> None:
    global _changes
    _changes += 1


def entries() -> Iterator[LossEntry]:
    """Yield every registered loss in order of registration."""
    yield from tuple(_entries.values())


def find(name: str) -> LossEntry | None:
    """Return the loss of that name, or None."""
    return _entries.get(name)


def nearest(name: str) -> str | None:
    """Return the registered name most like this one, or None when nothing is near."""
    near = get_close_matches(name, _entries, n=1)
    return near[0] if near else None
