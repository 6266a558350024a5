"""`nebula losses`: the losses that a policy can choose."""

from __future__ import annotations

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
    show_table(
        ("loss", "family", "target", "summary"),
        ((entry.name, entry.family, _targets(entry), entry.summary) for entry in entries()),
    )


def _targets(entry: LossEntry) -> str:
    return ", ".join(dict.fromkeys(contract.target_kind for contract in entry.contracts))


def _document(entry: LossEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "family": entry.family,
        "summary": entry.summary,
        "formula": entry.formula,
        "reference": entry.reference,
        "limits": entry.limits,
        "native_link": entry.native_link,
        "contracts": [contract.model_dump(mode="json") for contract in entry.contracts],
        "params": entry.params.model_json_schema(),
    }


def _describe(entry: LossEntry) -> None:
    rows = [
        ("loss", entry.name),
        ("family", entry.family),
        ("summary", entry.summary),
        ("formula", entry.formula),
        ("link", entry.native_link),
        ("limits", entry.limits),
        ("reference", entry.reference),
    ]
    for contract in entry.contracts:
        needs = ", ".join(f"{name}={str(value).lower()}" for name, value in contract.requires_params.items())
        when = f" when {needs}" if needs else ""
        rows.append(("takes", f"{contract.prediction_space} against {contract.target_kind} ({contract.layout}){when}"))
    for name, parameter in entry.params.model_fields.items():
        rows.append(("parameter", f"{name} = {parameter.default}: {parameter.description}"))
    show_table(("", ""), rows)
