"""The clauses of a loss's contract as conditions on facts under which no step can save the loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from nebula.losses.catalogue import load_builtin
from nebula.losses.contract import Contract, Interval
from nebula.losses.registry import LossEntry, find
from nebula.policy.model import Use

__all__ = ["Breach", "breaches"]

_DISTRIBUTION = "(target.is_simplex and not target.is_one_hot)"
_OTHER = "(not target.is_simplex or target.is_one_hot)"
_PERCENTAGES = (
    "(target.min >= 0 and target.max > 1 and target.max <= 100 and (hints.task == 'proportion' or "
    "(target.n_unique > 2 and (not target.is_integer_valued or target.max > 10 or known(target.name)))))"
)


class Breach(NamedTuple):
    """One way in which data break a contract.

    Attributes:
        clause: The clause, in words.
        about: `values` of the target, or the `layout` of target and prediction.
        when: Condition on facts; where it is true, the loss refuses.
    """

    clause: str
    about: Literal["values", "layout"]
    when: str


def breaches(use: Use) -> tuple[Breach, ...]:
    """Return every way in which data can break the contract of a rule's choice.

    Parameters that refer to facts count as left out. What a declared step mends (a trailing axis,
    two labels, percentages, labels from 1) is no breach.

    Args:
        use: What a checked rule names.
    """
    load_builtin()
    return tuple(breach for part in use.parts() for breach in _of_part(part))


def _of_part(use: Use) -> tuple[Breach, ...]:
    entry = find(use.loss)
    if entry is None:
        return ()
    contracts = _contracts(entry, use)
    found: list[Breach] = []
    for contract in contracts:
        guard = _applies(contract, contracts)
        found += [
            breach._replace(when=f"{guard} and ({breach.when})" if guard else breach.when)
            for breach in _of_contract(contract, use.link or entry.native_link)
        ]
    return tuple(found)


def _contracts(entry: LossEntry, use: Use) -> tuple[Contract, ...]:
    fixed: dict[str, Any] = {
        name: value
        for name, value in use.params.items()
        if name in {key for contract in entry.contracts for key in contract.requires_params}
    }
    return tuple(
        contract
        for contract in entry.contracts
        if all(
            fixed.get(key, entry.params.model_fields[key].default) == value
            for key, value in contract.requires_params.items()
        )
    )


def _applies(contract: Contract, contracts: tuple[Contract, ...]) -> str | None:
    """Rows that are distributions take the contract for them, if there is one, and others another."""
    kinds = {other.target_kind == "class_probabilities" for other in contracts}
    if len(kinds) == 1:
        return None
    return _DISTRIBUTION if contract.target_kind == "class_probabilities" else _OTHER


def _of_contract(contract: Contract, link: str) -> Iterator[Breach]:
    if contract.min_axes > 1:
        yield Breach(f"at least {contract.min_axes} axes", "layout", f"prediction.ndim < {contract.min_axes}")
    match contract.layout:
        case "class_axis":
            yield from _class_axis(contract)
        case "thresholds":
            yield from _thresholds(contract)
        case "free":
            return
        case "time_and_event":
            yield Breach("two columns, time and event", "layout", "target.n_columns != 2")
            yield from _values(contract, link)
        case "parameters":
            outputs = len(contract.parameters)
            yield Breach(
                f"{outputs} outputs per value",
                "layout",
                f"prediction.ndim <= 2 and prediction.n_outputs != {outputs}",
            )
            yield from _values(contract, link)
        case "levels":
            yield from _values(contract, link)
        case "mean_and_variance":
            yield Breach(
                "two outputs per value, a mean and a variance",
                "layout",
                "prediction.ndim <= 2 and prediction.n_outputs != 2",
            )
            yield from _values(contract, link)
        case _:
            yield Breach("predictions and targets of one shape", "layout", "not relation.shapes_equal")
            if contract.min_outputs > 1:
                yield Breach(
                    f"at least {contract.min_outputs} outputs",
                    "layout",
                    f"prediction.n_outputs < {contract.min_outputs} and relation.shapes_equal",
                )
            yield from _values(contract, link)


def _class_axis(contract: Contract) -> Iterator[Breach]:
    yield Breach(
        "an axis of classes that the labels do not have",
        "layout",
        "known(prediction.ndim) and not known(relation.class_axis) "
        "and (not target.is_one_hot or not relation.shapes_equal)",
    )
    yield Breach(
        f"at least {contract.min_outputs} outputs",
        "layout",
        f"known(relation.class_axis) and prediction.n_outputs < {contract.min_outputs}",
    )
    yield Breach(
        "labels that fit the outputs, one to one or by value",
        "layout",
        "known(relation.class_axis) and target.is_integer_valued and not known(target.void_value) "
        "and not relation.labels_fit and not relation.labels_fit_shifted and not relation.n_classes_agree",
    )
    if contract.integer_valued:
        yield Breach("labels, not fractions", "values", "not target.is_integer_valued and target.n_unique > 2")


def _thresholds(contract: Contract) -> Iterator[Breach]:
    yield Breach(
        "an axis of thresholds that the levels do not have",
        "layout",
        "known(prediction.ndim) and not known(relation.class_axis)",
    )
    per_level = "(target.n_classes == prediction.n_outputs or relation.labels_fit or relation.labels_fit_shifted)"
    between = (
        "(target.n_classes == prediction.n_outputs + 1 or (target.min >= 0 and target.max <= prediction.n_outputs) "
        "or (target.min == 1 and target.max == prediction.n_outputs + 1))"
    )
    fits = f"({per_level} or {between})" if contract.prediction_space == "logits" else between
    alone = " or (known(relation.class_axis) and target.n_classes == prediction.n_outputs)"
    judged = "known(relation.class_axis) and target.is_integer_valued and not known(target.void_value)"
    yield Breach(
        "one level more than thresholds",
        "layout",
        f"({judged} and not {fits}){'' if contract.prediction_space == 'logits' else alone}",
    )
    if contract.integer_valued:
        yield Breach("levels, not fractions", "values", "not target.is_integer_valued and target.n_unique > 2")


def _values(contract: Contract, link: str) -> Iterator[Breach]:
    bounded = contract.prediction_space == "raw" and link == "sigmoid"
    interval = Interval(low=0, high=1) if bounded else contract.target_interval
    outside = " or ".join(
        text
        for text, bound in (
            (f"target.min {'<=' if interval.low_open else '<'} {interval.low}", interval.low),
            (f"target.max {'>=' if interval.high_open else '>'} {interval.high}", interval.high),
        )
        if bound is not None
    )
    shares = contract.target_kind == "class_probabilities"
    if contract.target_kind == "sign":
        yield Breach(
            "two labels",
            "values",
            "target.n_unique > 2 or (target.n_unique == 1 and target.min != -1 and target.min != 1)",
        )
    elif outside:
        recoded = f" and not {_PERCENTAGES} and target.n_unique > 2"
        if interval.low_open or interval.high_open:
            recoded = f" and not ({_PERCENTAGES} and target.min > 0 and target.max < 100)"
        mendable = (interval.low, interval.high) == (0, 1) and not shares
        yield Breach(f"targets in {interval}", "values", f"({outside}){recoded if mendable else ''}")
    if contract.integer_valued:
        yield Breach("whole targets", "values", "not target.is_integer_valued")
    if shares and interval.low is not None:
        yield Breach("rows of probabilities that sum to 1", "values", f"not target.is_simplex and not ({outside})")
    yield Breach("targets without void values", "values", "known(hints.ignore_value)")
