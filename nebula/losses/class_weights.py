"""Weights of classes from their counts: mean 1 over the classes that occur, 0 for those that do not."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

__all__ = ["balanced_weights", "effective_number_weights", "power_weights"]


def balanced_weights(counts: Sequence[float]) -> tuple[float, ...]:
    """Weigh every class by the inverse of its frequency.

    Args:
        counts: Rows per class, in output order; at least one above 0.

    Returns:
        One weight per class. Up to the scale, scikit-learn's `balanced` (King and Zeng 2001).

    Raises:
        ValueError: A count is negative or not finite, or all are 0.
    """
    return power_weights(counts, power=1.0)


def power_weights(counts: Sequence[float], power: float) -> tuple[float, ...]:
    """Weigh every class by its count to the power of `-power`.

    Args:
        counts: Rows per class, in output order; at least one above 0.
        power: 0 gives equal weights, 0.5 the square-root rule, 1 the inverse frequency.

    Raises:
        ValueError: A count is negative or not finite, or all are 0.
    """
    # relative to the largest count, so that no power overflows
    largest = max(counts, default=0.0)
    return _mean_one(counts, lambda count: (count / largest) ** -power)


def effective_number_weights(counts: Sequence[float], beta: float) -> tuple[float, ...]:
    """Weigh every class by the inverse of its effective number of samples, (1 - beta^n) / (1 - beta).

    Args:
        counts: Rows per class, in output order; at least one above 0.
        beta: In [0, 1): 0 gives equal weights, towards 1 the inverse frequency.

    Raises:
        ValueError: A count is negative or not finite, or all are 0.

    Source: Cui et al. 2019, equations 2 and 4. 1 - beta^n is computed as -expm1(n log beta): by
    subtraction it is 0 in float32 for beta = 1 - 1e-8.
    """
    if beta == 0:
        return power_weights(counts, power=0.0)
    return _mean_one(counts, lambda count: -(1 - beta) / math.expm1(count * math.log(beta)))


def _mean_one(counts: Sequence[float], weigh: Callable[[float], float]) -> tuple[float, ...]:
    if not any(counts) or not all(math.isfinite(count) and count >= 0 for count in counts):
        raise ValueError(
            f"expected counts of classes, finite, not negative and one above 0, found {list(counts)[:8]}: "
            "count the rows of every class, in output order."
        )
    weights = [weigh(count) if count else 0.0 for count in counts]
    present = sum(1 for count in counts if count)
    whole = math.fsum(weights)
    return tuple(weight * present / whole for weight in weights)
