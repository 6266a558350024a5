"""`nebula losses`: the losses that a policy can choose."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nebula.cli.loss_names import known_loss
from nebula.cli.options import Json
from nebula.cli.output import show_json, show_table

if TYPE_CHECKING:
    from nebula.losses.registry import LossEntry

__all__ = ["losses"]

Name = Annotated[str | None, typer.Argument(metavar="NAME", help="One loss, in full.", show_default=False)]


def losses(name: Name = None, json: Json = False) -> None:
    """List the losses that a policy can choose, or describe one."""
    if name is not None:
        entry = known_loss(name)
        if json:
            show_json(_document(entry))
        else:
            _describe(entry)
        return
    from nebula.losses.catalogue import load_builtin
    from nebula.losses.registry import entries

    load_builtin()
    if json:
        show_json([_document(entry) for entry in entries()])
        return
    by_family = sorted(entries(), key=_family_order(entries()))
    show_table(("loss", "family", "target", "elicits", "summary"), map(_row, by_family))


def _family_order(entries: Iterable[LossEntry]) -> Callable[[LossEntry], int]:
    """Keep families together, in the order of their first loss."""
    order = {family: place for place, family in enumerate(dict.fromkeys(entry.family for entry in entries))}
    return lambda entry: order[entry.family]


def _row(entry: LossEntry) -> tuple[str, ...]:
    targets = dict.fromkeys(contract.target_kind for contract in entry.contracts)
    elicits = dict.fromkeys(contract.proper for contract in entry.contracts if contract.proper)
    return entry.name, entry.family, ", ".join(targets), ", ".join(elicits), entry.summary


def _document(entry: LossEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "family": entry.family,
        "summary": entry.summary,
        "formula": entry.formula,
        "reference": entry.reference,
        "limits": entry.limits,
        "native_link": entry.native_link,
        "serves": list(entry.serves),
        "composed": entry.composed,
        "contracts": [{**contract.model_dump(mode="json"), "shapes": contract.shapes} for contract in entry.contracts],
        "params": entry.params.model_json_schema(),
    }


def _describe(entry: LossEntry) -> None:
    from nebula.losses.axes import write_axes

    rows = [
        ("loss", entry.name),
        ("family", entry.family),
        ("summary", entry.summary),
        ("formula", entry.formula),
        ("link", entry.native_link),
        ("serves", ", ".join(entry.serves) or "what the link makes of the output"),
        ("limits", entry.limits),
        ("reference", entry.reference),
    ]
    for contract in entry.contracts:
        needs = ", ".join(f"{name}={str(value).lower()}" for name, value in contract.requires_params.items())
        when = f" when {needs}" if needs else ""
        taken = f"{contract.prediction_space} {write_axes(contract.shapes[0])}"
        read = f"{contract.target_kind} {write_axes(contract.shapes[1])} in {contract.target_interval}"
        rows.append(("takes", f"{taken} against {read}{when}"))
        rows += [
            ("extra input", f"{given.name} {write_axes(given.axes)}: {given.description}")
            for given in contract.extra_inputs
        ]
    for name, parameter in entry.params.model_fields.items():
        rows.append(("parameter", f"{name} = {parameter.default}: {parameter.description}"))
    show_table(("", ""), rows)
