"""The declared steps that let a loss run on the data at hand, or the reason why none can."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from nebula.errors import ContractError
from nebula.losses.alignment import (
    align_class_axis,
    align_outputs,
    align_same,
    align_thresholds,
    align_time_and_event,
    column_count,
)
from nebula.losses.catalogue import load_builtin
from nebula.losses.coding import code_class_index, code_values
from nebula.losses.contract import Contract
from nebula.losses.draft import Draft
from nebula.losses.params import LossParams
from nebula.losses.registry import LossEntry, find, nearest
from nebula.losses.space import adapt_space
from nebula.losses.spec import AdaptStep, Link
from nebula.profiling.model import DataProfile

__all__ = ["contract_for", "draw_plan", "entry_of", "plan_adaptation", "validated_params"]


def plan_adaptation(loss: str, params: dict[str, Any], link: Link, profile: DataProfile) -> tuple[AdaptStep, ...]:
    """Plan the steps that let the loss run on what the user has.

    Args:
        loss: Registered name.
        params: Its parameters; left-out ones take their defaults.
        link: How the raw output becomes the quantity.
        profile: The data, and the prediction as far as it is known.

    Returns:
        Steps on the prediction, then steps on the target, each in the order applied.

    Raises:
        ContractError: The loss is unknown, a parameter is out of range, or the data contradict the
            loss's contract and no step can mend it; every broken clause is named.
    """
    draft = draw_plan(loss, params, link, profile)
    if draft.violations:
        raise ContractError(" ".join(draft.violations))
    return (*draft.on_prediction, *draft.on_target)


def draw_plan(loss: str, params: dict[str, Any], link: Link | None, profile: DataProfile) -> Draft:
    """Go through every clause of the contract; the draft holds the steps and the broken clauses.

    Args:
        loss: Registered name.
        params: Its parameters.
        link: The link; None takes the loss's own.
        profile: The data.

    Raises:
        ContractError: The loss is unknown or a parameter is out of range.
    """
    entry = entry_of(loss)
    link = link or entry.native_link
    checked = validated_params(entry, params)
    contract = contract_for(entry, params, profile)
    draft = Draft(loss, contract, checked.model_dump(), profile)
    outputs = _align(draft, link, checked)
    _check_axes(draft)
    adapt_space(draft, link)
    _check_weights(draft, outputs)
    return draft


def _align(draft: Draft, link: Link, params: LossParams) -> int | None:
    """Plan shapes and values by the contract's layout; return the size of the class axis, if there is one."""
    layout = draft.contract.layout
    if layout == "free":
        return None
    if layout in ("class_axis", "thresholds"):
        outputs = align_class_axis(draft) if layout == "class_axis" else align_thresholds(draft)
        if not draft.violations:
            code_class_index(draft, params, outputs)
        return outputs
    _align_values(draft)
    code_values(draft, link)
    return column_count(draft)


def _align_values(draft: Draft) -> None:
    match draft.contract.layout:
        case "mean_and_variance":
            align_outputs(draft, 2, "a mean and a variance")
        case "parameters":
            align_outputs(draft, len(draft.contract.parameters), ", ".join(draft.contract.parameters))
        case "levels":
            _align_levels(draft)
        case "time_and_event":
            align_time_and_event(draft)
        case _:
            align_same(draft)


def _align_levels(draft: Draft) -> None:
    levels = draft.params["levels"]
    if len(levels) == 1:
        align_same(draft)
    else:
        align_outputs(draft, len(levels), "one per quantile level")


def entry_of(loss: str) -> LossEntry:
    """Return the entry of a registered loss.

    Raises:
        ContractError: The name is unknown; the message names the nearest.
    """
    load_builtin()
    entry = find(loss)
    if entry is None:
        near = nearest(loss)
        hint = f"did you mean `{near}`?" if near else "see `nebula losses` for the names."
        raise ContractError(f"loss: expected a registered name, found `{loss}`: {hint}")
    return entry


def validated_params(entry: LossEntry, params: dict[str, Any]) -> LossParams:
    """Check a loss's parameters and fill in the defaults.

    Raises:
        ContractError: A parameter is unknown or out of range.
    """
    try:
        return entry.params.model_validate(params)
    except ValidationError as error:
        found = "; ".join(
            f"{entry.name}.{'.'.join(map(str, item['loc'])) or 'params'}: {item['msg']}, found {item['input']!r}"
            for item in error.errors()
        )
        raise ContractError(f"{found}. Parameters: {', '.join(entry.params.model_fields)}.") from None


def contract_for(entry: LossEntry, params: dict[str, Any], profile: DataProfile) -> Contract:
    """Return the contract of a loss that these data are held to.

    Args:
        entry: The loss.
        params: Its parameters; left-out ones take their defaults.
        profile: The data.

    Returns:
        The first contract whose kind of target this is; the first of all when none is.
    """
    contracts = entry.contracts_for(params)
    distribution = profile.target.is_simplex is True and profile.target.is_one_hot is not True
    kinds = [contract for contract in contracts if (contract.target_kind == "class_probabilities") == distribution]
    return (kinds or list(contracts))[0]


def _check_axes(draft: Draft) -> None:
    tail, least = draft.profile.prediction.shape_tail, draft.contract.min_axes
    if tail is not None and len(tail) + 1 < least:
        draft.refuse(
            f"predictions of at least {least} axes",
            f"{len(tail) + 1}",
            "a set lies along the last axes; set `over: batch`, or choose a loss for one answer per row",
        )


def _check_weights(draft: Draft, outputs: int | None) -> None:
    columns = draft.contract.layout == "same" and draft.contract.target_kind == "binary"
    for name in ("weight", "pos_weight", "class_counts"):
        weights = draft.params.get(name)
        if weights is None or outputs is None or len(weights) == outputs or (columns and len(weights) == 1):
            continue
        draft.refuse(f"{outputs} numbers in `{name}`, one per output", f"{len(weights)}", "give one number per output")
