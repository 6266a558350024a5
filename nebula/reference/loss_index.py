"""The index of losses, by family."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from nebula.losses.catalogue import builtin_entries
from nebula.losses.registry import LossEntry
from nebula.reference.markdown import NOTICE, page, table

__all__ = ["render_loss_index"]


def render_loss_index() -> str:
    """Return the overview: a table a family."""
    return page(_lines())


def _lines() -> Iterator[str]:
    yield from ("# Losses", "", NOTICE, "")
    yield "What a policy may choose. Each page has the domain, the formula, the parameters, the limits and a plot."
    yield ""
    for family, entries in groupby(builtin_entries(), key=lambda entry: entry.family):
        yield from (f"## {family.capitalize()}", "")
        yield from table(("loss", "target", "prediction", "elicits", "what it is"), map(_row, entries))
        yield ""
    yield "Which of them the default policy chooses, and when: [which loss for which data](../which-loss.md)."


def _row(entry: LossEntry) -> tuple[str, ...]:
    contracts = entry.contracts
    targets = dict.fromkeys(contract.target_kind.replace("_", " ") for contract in contracts)
    spaces = dict.fromkeys(contract.prediction_space.replace("_", " ") for contract in contracts)
    elicits = dict.fromkeys(contract.proper for contract in contracts if contract.proper)
    return _link(entry.name), ", ".join(targets), ", ".join(spaces), ", ".join(elicits), entry.summary


def _link(loss: str) -> str:
    return f"[{loss}]({loss}.md)"
