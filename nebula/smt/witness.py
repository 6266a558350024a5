"""A solver's model as a profile that a person can read and the real engine can judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nebula.policy.expression.words import words_of
from nebula.profiling.model import DataProfile
from nebula.profiling.vocabulary import FactValue, facts_of, vocabulary
from nebula.smt.solver import z3
from nebula.smt.values import FactTable

__all__ = ["essential_facts", "read_profile"]

_LISTED = 64
_OTHER_AXIS = 7


def read_profile(model: Any, facts: FactTable) -> DataProfile:
    """Return the partial profile of a model: the facts that it knows.

    Lists, which the solver does not see into, and shapes are filled in so that they agree with the rest.

    Args:
        model: What z3 found.
        facts: The variables it speaks of.
    """
    seen: dict[str, Any] = {}
    for name, known in facts.known.items():
        if z3.is_true(model.eval(known, model_completion=True)):
            seen[name] = _value(name, model, facts)
    seen |= _lists(seen) | _shapes(seen)
    groups: dict[str, dict[str, Any]] = {}
    for name, value in seen.items():
        group, _, field = name.partition(".")
        groups.setdefault(group, {})[field] = value
    return DataProfile.model_validate(groups)


def essential_facts(profile: DataProfile, still: Callable[[Mapping[str, FactValue]], bool]) -> dict[str, FactValue]:
    """Return the facts of a witness without which it would be none.

    Args:
        profile: The witness.
        still: Says whether facts show the same.

    Returns:
        A subset from which no single fact can be left out.
    """
    kept: dict[str, FactValue] = {name: value for name, value in facts_of(profile).items() if value is not None}
    for name in sorted(kept, key=_told_last):
        fewer = {other: value for other, value in kept.items() if other != name}
        if still(fewer):
            kept = fewer
    return kept


def _told_last(name: str) -> bool:
    """Leave out what follows from the layout before what the values say."""
    return name.startswith(("hints.", "target.")) and not vocabulary()[name].structural


def _value(name: str, model: Any, facts: FactTable) -> Any:
    fact = vocabulary()[name]
    if fact.kind == "list":
        return ()
    value = model.eval(facts.value[name], model_completion=True)
    if fact.kind == "bool":
        return z3.is_true(value)
    if fact.kind == "int":
        return value.as_long()
    if fact.kind == "str":
        return _text(value, model, facts)
    rational = value if z3.is_rational_value(value) else value.approx(20)
    return rational.numerator_as_long() / rational.denominator_as_long()


def _text(code: Any, model: Any, facts: FactTable) -> str:
    """Return the constant of a code, or a text that has the words the model wants and is no constant."""
    constant = facts.string(code.as_long())
    if constant is not None:
        return constant
    wanted = [w for w, has in facts.words.items() if z3.is_true(model.eval(has(code), model_completion=True))]
    words = sorted({word for text in wanted for word in words_of(text)})
    return "_".join([*words, str(code.as_long())])


def _lists(seen: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    classes = seen.get("target.n_classes") or 1
    columns = seen.get("target.n_columns") or 1
    sizes = {"target.class_weight": classes, "target.class_counts": classes}
    sizes["target.pos_weight"] = columns if seen.get("target.is_multi_hot") else 1
    for name, value in seen.items():
        if value == () and vocabulary()[name].kind == "list":
            found[name] = (1,) * sizes.get(name, columns)
    labels = _labels(seen, classes)
    return found | ({"target.unique_values": labels} if labels else {})


def _labels(seen: Mapping[str, Any], classes: int) -> tuple[float, ...] | None:
    """List the values of a target of few labels; two values are listed whether whole or not."""
    low, high = seen.get("target.label_min"), seen.get("target.label_max")
    if low is None or high is None or not 1 <= classes <= _LISTED or "target.n_classes" not in seen:
        return None
    labels = {*(low + step for step in range(classes - 1)), high}
    if seen.get("target.void_value") is not None and seen.get("target.n_unique") == classes + 1:
        labels.add(seen["target.void_value"])
    return tuple(sorted(float(label) for label in labels))


def _shapes(seen: Mapping[str, Any]) -> dict[str, Any]:
    """Choose sizes of the axes that fit the facts about layout."""
    ndim, columns = seen.get("target.ndim"), seen.get("target.n_columns")
    if ndim is None or columns is None:
        return {}
    tail = () if ndim <= 1 else (columns, *(_OTHER_AXIS for _ in range(ndim - 2)))
    found: dict[str, Any] = {"target.shape_tail": tail}
    outputs, axis, axes = (
        seen.get("prediction.n_outputs"),
        seen.get("relation.class_axis"),
        seen.get("prediction.ndim"),
    )
    if seen.get("relation.shapes_equal"):
        found["prediction.shape_tail"] = tail if axes != ndim + 1 else (*tail, 1)
    elif outputs is not None and axis is not None and axis >= 1:
        bare = tail[:-1] if tail[-1:] == (1,) else tail
        found["prediction.shape_tail"] = (*bare[: axis - 1], outputs, *bare[axis - 1 :])
    elif outputs is not None and axes is not None:
        found["prediction.shape_tail"] = () if axes <= 1 else (outputs, *(_OTHER_AXIS + 1 for _ in range(axes - 2)))
    return found
