"""A rule's `use` on a profile: references become values, and the loss is made to fit the data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from nebula.errors import DecisionError
from nebula.losses.adaptation import plan_adaptation
from nebula.losses.bias import output_bias
from nebula.losses.catalogue import load_builtin
from nebula.losses.contract import Contract, TargetKind
from nebula.losses.registry import LossEntry, find
from nebula.losses.schedule import Schedule
from nebula.losses.spec import COMPOSITE, AdaptStep, Functional, Link, LossSpec, OutputBias, Serve, Term
from nebula.policy.model import ServeChoice, TermWeight, Use
from nebula.profiling.model import DataProfile

__all__ = ["resolve_use"]

Names = Mapping[str, Any]

_LINKED_BY_THE_MODEL = ("probabilities", "rate")
_DEFAULT_SERVE: dict[TargetKind, Functional] = {
    "class_index": "argmax",
    "class_probabilities": "probability",
    "binary": "probability",
    "multi_hot": "probability",
    "sign": "probability",
    "fraction": "mean",
    "count": "mean",
    "real": "mean",
    "nonnegative": "mean",
    "positive": "mean",
}


def resolve_use(use: Use, names: Names, profile: DataProfile) -> LossSpec:
    """Turn a policy's choice into a complete spec for this data.

    Args:
        use: What the rule names.
        names: Every fact, parameter and derived fact by name.
        profile: The data the loss must run on.

    Returns:
        The spec: references replaced, adapt steps planned, output bias computed.

    Raises:
        DecisionError: A reference is unknown on this data, or a parameter is out of range.
        ContractError: The data contradict the loss's contract.
    """
    load_builtin()
    return _composite(use, names, profile) if use.compose else _single(use, names, profile)


def _composite(use: Use, names: Names, profile: DataProfile) -> LossSpec:
    """Resolve every term by itself; the first one is served and starts the last layer."""
    first, *others = use.parts()
    served = _single(first.model_copy(update={"output_bias": use.output_bias, "serve": use.serve}), names, profile)
    specs = (served, *(_single(other, names, profile) for other in others))
    return LossSpec(
        loss=COMPOSITE,
        params=_params(use, names),
        link=served.link,
        modifiers=use.modifiers,
        output_bias=served.output_bias,
        serve=served.serve,
        terms=tuple(
            Term(name=name, weight=_weight(term.weight, names, name), spec=spec)
            for name, term, spec in zip(_term_names(use), use.compose, specs, strict=True)
        ),
        penalties=use.penalties,
    )


def _term_names(use: Use) -> Iterator[str]:
    """Name every term: as written, or after its loss, numbered from the second of one name on."""
    taken: set[str] = set()
    for term in use.compose:
        wanted = term.name or term.loss.lower()
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted}-{number}", number + 1
        taken.add(name)
        yield name


def _weight(weight: TermWeight, names: Names, term: str) -> float | Schedule:
    value = _value(weight, names, f"{term}.weight")
    if isinstance(value, bool) or (isinstance(value, (int, float)) and not 0 <= value < math.inf):
        raise DecisionError(f"{term}.weight: expected a finite number >= 0, found {value!r}.")
    return float(value) if isinstance(value, (int, float)) else value


def _params(use: Use, names: Names) -> dict[str, Any]:
    return {name: _value(value, names, f"{use.loss}.{name}") for name, value in use.params.items()}


def _single(use: Use, names: Names, profile: DataProfile) -> LossSpec:
    entry = find(use.loss)
    if entry is None:
        raise DecisionError(f"expected a registered loss, found `{use.loss}`.")
    params = _params(use, names)
    try:
        entry.params.model_validate(params)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DecisionError(f"{use.loss}.{where}: {first['msg']}, found {first['input']!r}.") from None
    link = use.link or entry.native_link
    adapt = plan_adaptation(use.loss, params, link, profile)
    return LossSpec(
        loss=use.loss,
        params=params,
        link="identity" if profile.prediction.space in _LINKED_BY_THE_MODEL else link,
        adapt=adapt,
        modifiers=use.modifiers,
        output_bias=_bias(use, link, profile, entry.contracts_for(params)[0]),
        serve=_serve(use, entry, params, adapt, names, profile),
    )


def _bias(use: Use, link: Link, profile: DataProfile, contract: Contract) -> OutputBias | None:
    """Compute the bias, unless the model applies a link of its own that is not known."""
    if use.output_bias is None or profile.prediction.space == "rate":
        return None
    return output_bias(use.output_bias, link, profile, contract)


def _value(value: Any, names: Names, where: str) -> Any:
    if not (isinstance(value, str) and value.startswith("$")):
        return value
    found = names.get(value[1:])
    if found is None:
        raise DecisionError(
            f"{where}: expected a value for `{value}`, which is unknown on this data; test `known()` in the rule."
        )
    return list(found) if isinstance(found, tuple) else found


def _serve(
    use: Use,
    entry: LossEntry,
    params: dict[str, Any],
    adapt: tuple[AdaptStep, ...],
    names: Names,
    profile: DataProfile,
) -> Serve:
    choice = use.serve if isinstance(use.serve, ServeChoice) else ServeChoice(functional=use.serve)
    threshold, quantile = choice.threshold, choice.quantile
    if threshold == "prior":
        threshold = profile.target.positive_fraction
    elif threshold is not None:
        threshold = _value(threshold, names, "serve.threshold")
    if quantile is not None:
        quantile = _value(quantile, names, "serve.quantile")
    usual = "threshold" if threshold is not None else _usual_serve(entry, params)
    return Serve(
        functional=choice.functional or usual,
        threshold=threshold,
        quantile=quantile,
        labels=_own_labels(adapt, profile, entry.contracts_for(params)[0]),
        scale=_scale(adapt),
    )


def _usual_serve(entry: LossEntry, params: dict[str, Any]) -> Functional:
    if entry.serves:
        return entry.serves[0]
    return _DEFAULT_SERVE.get(entry.contracts_for(params)[0].target_kind, "raw")


def _own_labels(adapt: tuple[AdaptStep, ...], profile: DataProfile, contract: Contract) -> tuple[float, ...] | None:
    """The user's label of each class, when training codes them otherwise."""
    for step in adapt:
        if step.step == "remap_labels":
            return tuple(float(label) for label in step.params["values"])
        if step.step == "shift_labels":
            classes = profile.target.n_classes or 0
            if profile.relation.class_axis is not None and profile.prediction.n_outputs:
                between = contract.layout == "thresholds" and all(s.step != "cumulative_logits" for s in adapt)
                classes = profile.prediction.n_outputs + between
            return tuple(float(index - step.params["by"]) for index in range(classes))
    return None


def _scale(adapt: tuple[AdaptStep, ...]) -> float:
    return next((1.0 / step.params["by"] for step in adapt if step.step == "scale_target"), 1.0)
