"""Which parameters are fitted, within which range, and what they are today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nebula.errors import DataError
from nebula.policy.compiled import CompiledPolicy
from nebula.policy.model import Parameter

__all__ = ["Dimension", "find_space"]


@dataclass(frozen=True)
class Dimension:
    """One parameter.

    Attributes:
        name: As the policy has it.
        low: Least value tried.
        high: Greatest value tried.
        now: The policy's own value.
        whole: Whether it takes whole numbers only.
    """

    name: str
    low: float
    high: float
    now: float
    whole: bool

    def rounded(self, value: float) -> float:
        """Return a value of three digits within the range: what is tried is what can be written."""
        near = float(round(value)) if self.whole else float(f"{value:.3g}")
        return min(max(near, self.low), self.high)

    def distance(self, value: float) -> float:
        """Return how far a value is from today's, in ranges."""
        return abs(value - self.now) / (self.high - self.low)


def find_space(policy: CompiledPolicy, ranges: Mapping[str, tuple[float, float] | None]) -> tuple[Dimension, ...]:
    """Return the dimensions to fit.

    Args:
        policy: The policy.
        ranges: Parameter → range, None for the one that the policy declares; empty: every number
            with a declared range.

    Raises:
        DataError: A parameter is unknown or no number, has no range, or one outside the declared.
    """
    declared = {name: value for name, value in policy.file.parameters.items() if isinstance(value, Parameter)}
    if not ranges:
        ranges = {name: None for name, value in declared.items() if None not in (value.low, value.high)}
        if not ranges:
            raise DataError(
                f"{policy.source}: expected a parameter with `low` and `high`, found none: "
                "declare them, or name one with its range: --parameter NAME=LOW:HIGH."
            )
    return tuple(_dimension(policy, name, given, declared.get(name)) for name, given in ranges.items())


def _dimension(
    policy: CompiledPolicy, name: str, given: tuple[float, float] | None, declared: Parameter | None
) -> Dimension:
    now = policy.parameters.get(name)
    if isinstance(now, bool | str) or now is None:
        numbers: Sequence[str] = [
            n for n, v in policy.parameters.items() if isinstance(v, int | float) and v is not True
        ]
        raise DataError(
            f"{policy.source}: expected a number among its parameters ({', '.join(numbers)}), found {name!r}."
        )
    low, high = (declared.low, declared.high) if declared else (None, None)
    if given is None:
        if low is None or high is None:
            raise DataError(
                f"{policy.source}: expected `low` and `high` of parameter `{name}`: declare them, "
                f"or give a range: --parameter {name}=LOW:HIGH."
            )
        given = low, high
    if not (given[0] < given[1] and (low is None or low <= given[0]) and (high is None or given[1] <= high)):
        allowed = f" within {low if low is not None else '-inf'}:{high if high is not None else 'inf'}"
        raise DataError(
            f"parameter `{name}`: expected a range LOW:HIGH{allowed if declared else ''}, "
            f"found {given[0]:g}:{given[1]:g}."
        )
    return Dimension(name, *given, now=float(now), whole=isinstance(now, int))
