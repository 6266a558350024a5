"""The index of losses: by family, and which one when."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from nebula.losses.catalogue import builtin_entries
from nebula.losses.registry import LossEntry
from nebula.reference.choices import choices
from nebula.reference.markdown import NOTICE, page, table

__all__ = ["render_loss_index"]


def render_loss_index() -> str:
    """Return the overview: a table a family, then the default policy's choices."""
    return page(_lines())


def _lines() -> Iterator[str]:
    yield from ("# Losses", "", NOTICE, "")
    yield "What a policy may choose. Each page has the domain, the formula, the parameters, the limits and a plot."
    yield ""
    for family, entries in groupby(builtin_entries(), key=lambda entry: entry.family):
        yield from (f"## {family.capitalize()}", "")
        yield from table(("loss", "target", "prediction", "elicits", "what it is"), map(_row, entries))
        yield ""
    yield from ("## Which loss when", "")
    yield "The choices of the default policy in the order that they are tried; `nebula explain` tells which one fits."
    yield ""
    rows = (
        (f"`{choice.rule}`", ", ".join(map(_link, choice.losses)), choice.serves, choice.because)
        for choice in choices()
    )
    yield from table(("rule", "loss", "serves", "because"), rows)


def _row(entry: LossEntry) -> tuple[str, ...]:
    contracts = entry.contracts
    targets = dict.fromkeys(contract.target_kind.replace("_", " ") for contract in contracts)
    spaces = dict.fromkeys(contract.prediction_space.replace("_", " ") for contract in contracts)
    elicits = dict.fromkeys(contract.proper for contract in contracts if contract.proper)
    return _link(entry.name), ", ".join(targets), ", ".join(spaces), ", ".join(elicits), entry.summary


def _link(loss: str) -> str:
    return f"[{loss}]({loss}.md)"
