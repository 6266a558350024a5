"""Sets of numbers between two ends: what a fact, or arithmetic on facts, can be."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

__all__ = ["Interval", "combine", "satisfying", "verdict"]

Number = int | float


@dataclass(frozen=True)
class Interval:
    """Every number from `low` to `high`.

    Attributes:
        low: Lower end; `-inf` when there is none.
        high: Upper end; `inf` when there is none.
        low_open: The lower end itself does not belong.
        high_open: The upper end itself does not belong.
    """

    low: Number = -math.inf
    high: Number = math.inf
    low_open: bool = False
    high_open: bool = False

    @property
    def empty(self) -> bool:
        """No number lies inside."""
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    @property
    def point(self) -> Number | None:
        """The only number inside, or None."""
        return self.low if self.low == self.high and not self.empty else None

    def __contains__(self, value: Number) -> bool:
        """The number lies inside."""
        above = value > self.low or (value == self.low and not self.low_open)
        below = value < self.high or (value == self.high and not self.high_open)
        return above and below

    def meet(self, other: Interval) -> Interval:
        """Return what lies in both."""
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        return Interval(low, high, low_open, not closed)

    def whole(self) -> Interval:
        """Return the smallest interval that holds the same whole numbers."""
        if self.empty:
            return self
        low, high = self.low, self.high
        if math.isfinite(low):
            low = math.floor(low) + 1 if self.low_open else math.ceil(low)
        if math.isfinite(high):
            high = math.ceil(high) - 1 if self.high_open else math.floor(high)
        return replace(self, low=low, high=high, low_open=False, high_open=False)

    def __str__(self) -> str:
        """Return e.g. `[0, 1]` or `[0, ∞)`."""
        left = "(-∞" if self.low == -math.inf else f"{'(' if self.low_open else '['}{self.low:g}"
        right = "∞)" if self.high == math.inf else f"{self.high:g}{')' if self.high_open else ']'}"
        return f"{left}, {right}"


_EVERYTHING = Interval()
_ARITHMETIC: dict[str, Callable[[Number, Number], Number]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


def combine(op: str, left: Interval, right: Interval) -> Interval:
    """Return an interval that holds every result of `left op right`.

    The ends are computed with the arithmetic that evaluation uses; rounding keeps the order of
    numbers, so no result can round to outside.

    Args:
        op: One of `+ - * /`.
        left: Where the left side lies.
        right: Where the right side lies.
    """
    if op == "/" and 0 in replace(right, low_open=False, high_open=False):
        return _EVERYTHING
    try:
        ends = [_ARITHMETIC[op](a, b) for a in (left.low, left.high) for b in (right.low, right.high)]
    except OverflowError:
        return _EVERYTHING
    if any(end != end for end in ends):  # 0 * inf, inf - inf
        return _EVERYTHING
    return Interval(min(ends), max(ends))


def verdict(op: str, left: Interval, right: Interval) -> bool | None:
    """Say whether `left op right` always (True) or never (False) holds for numbers inside; None if it may.

    Args:
        op: One of `== != < <= > >=`.
        left: Where the left side lies.
        right: Where the right side lies.
    """
    apart = left.high_open or right.low_open
    crossed = left.low_open or right.high_open
    match op:
        case "!=":
            same = verdict("==", left, right)
            return None if same is None else not same
        case "==":
            if left.meet(right).empty:
                return False
            return True if left.point is not None and left.point == right.point else None
        case ">" | ">=":
            return verdict("<" if op == ">" else "<=", right, left)
        case "<":
            below = left.high < right.low or (apart and left.high == right.low)
            return True if below else False if left.low >= right.high else None
        case _:
            above = left.low > right.high or (crossed and left.low == right.high)
            return True if left.high <= right.low else False if above else None


def satisfying(op: str, constant: Number) -> Interval:
    """Return the numbers x for which `x op constant` holds; everything for `!=`."""
    match op:
        case "<" | "<=":
            return Interval(high=constant, high_open=op == "<")
        case ">" | ">=":
            return Interval(low=constant, low_open=op == ">")
        case "==":
            return Interval(constant, constant)
        case _:
            return _EVERYTHING
