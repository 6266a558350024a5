"""The parameters of a policy: declared type and range against the policy's value and the caller's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from math import inf
from typing import Any

from nebula.errors import Problem
from nebula.policy.expression.namespace import did_you_mean
from nebula.policy.inheritance import Resolved
from nebula.policy.model import Parameter

__all__ = ["override_parameters"]

Scalar = bool | int | float | str


def override_parameters(resolved: Resolved, overrides: Mapping[str, Any] | None) -> dict[str, Scalar]:
    """Return the parameters with the caller's values; a wrong one becomes a problem.

    A declared type or range holds for the policy's own value and for the caller's.
    """
    file = resolved.file
    written = file.parameters if file is not None else {}
    allowed = {name: _declaration(value) for name, value in written.items()}
    declared: dict[str, Scalar] = {}
    for name, parameter in allowed.items():
        origin = resolved.origins["parameters", name]
        faults = list(_faults(parameter))
        for key, message in faults:
            resolved.problems.append(origin.problem(f"parameter `{name}`: {message}", key, code="NEB-P043"))
        fitted = _fit(parameter.value, parameter)
        if fitted is None and not faults:
            message = f"parameter `{name}`: expected {_expected(parameter)}, found {parameter.value!r}."
            resolved.problems.append(origin.problem(message, "value", code="NEB-P043"))
        declared[name] = parameter.value if fitted is None else fitted
    for name, value in (overrides or {}).items():
        if name not in declared:
            known = f" Known: {', '.join(declared)}." if declared else " The policy has none."
            message = f"unknown parameter `{name}`.{did_you_mean(str(name), declared) or known}"
            resolved.problems.append(Problem(resolved.source.name, 0, 0, message, "NEB-P042"))
            continue
        fitted = _fit(value, allowed[name])
        if fitted is None:
            message = f"parameter `{name}`: expected {_expected(allowed[name])}, found {value!r}."
            resolved.problems.append(resolved.origins["parameters", name].problem(message, code="NEB-P043"))
            continue
        declared[name] = fitted
    return declared


def _declaration(value: Scalar | Parameter) -> Parameter:
    return value if isinstance(value, Parameter) else Parameter(value=value)


def _kind(parameter: Parameter) -> str:
    return parameter.type or type(parameter.value).__name__


def _faults(parameter: Parameter) -> Iterator[tuple[str, str]]:
    """Yield (key, message) of what a declaration contradicts in itself."""
    bounds = [key for key in ("low", "high") if getattr(parameter, key) is not None]
    if bounds and _kind(parameter) not in ("int", "float"):
        yield bounds[0], f"expected a range only of a number, found one of a {_kind(parameter)}."
    elif len(bounds) == 2 and not parameter.low <= parameter.high:  # type: ignore[operator]  # both are set
        yield "high", f"expected at least `low`, which is {parameter.low:g}, found {parameter.high:g}."


def _fit(value: Any, parameter: Parameter) -> Scalar | None:
    """Return the value as the parameter's type, None when it is of another or out of range."""
    kind = _kind(parameter)
    if kind == "float" and type(value) is int:
        with suppress(OverflowError):
            value = float(value)
    if type(value).__name__ != kind or not isinstance(value, bool | int | float | str):
        return None
    if isinstance(value, str | bool):
        return value
    low, high = (-inf if parameter.low is None else parameter.low), (inf if parameter.high is None else parameter.high)
    return value if low <= value <= high and abs(value) != inf else None


def _expected(parameter: Parameter) -> str:
    """Say what a parameter takes: its type, range and unit, or an example."""
    low, high = parameter.low, parameter.high
    kind = _kind(parameter)
    if low is None and high is None:
        like = "" if parameter.type else f" like {parameter.value!r}"
    elif high is None or low is None:
        like = f" of at least {low:g}" if high is None else f" of at most {high:g}"
    else:
        like = f" in [{low:g}, {high:g}]"
    return f"{kind}{like}{f' ({parameter.unit})' if parameter.unit else ''}"
