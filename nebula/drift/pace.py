"""How many batches are kept before they are looked at together."""

from __future__ import annotations

from torch import Tensor

__all__ = ["Pace"]

_FIRST = 64
_VALUES = 2**20
_BYTES = 2**26


class Pace:
    """Looks come soon at first, and ever more rarely while nothing is found.

    The number of batches between two looks doubles with every look up to `every`; a finding brings it
    back to the start. So a look comes at the latest when as many batches have passed since the last one
    as had passed before it, and 64 more.

    What is kept is bounded by its values, and by the storage that lives for it alone: a target can be a
    column of a batch that is a thousand times larger. Batches that are views of one tensor, as the parts
    of a data set in memory are, cost no storage of their own.

    Args:
        every: Most batches between two looks.
        soon: Look after 1, 2, 4, … batches at first; otherwise after 64, 128, 256, …
    """

    def __init__(self, every: int, *, soon: bool = False) -> None:
        self._every, self._start = every, min(_FIRST, every)
        self._stride = 1 if soon else self._start
        self._shared: bool | None = None  # unknown until two batches were kept side by side

    def limit_from(self, first: Tensor) -> int:
        """Return how many batches are kept, the first of them being this one, and the rest taken to be like it."""
        most = min(self._stride, _VALUES // max(first.numel(), 1))
        if not self._shared:
            fewest = 2 if self._shared is None else 1
            most = min(most, max(fewest, _BYTES // max(_bytes_behind(first), 1)))
        return max(1, most)

    def look(self, first: Tensor, last: Tensor) -> None:
        """Go on after a look.

        Args:
            first: The first batch kept since the look before.
            last: The last one, while the first is still there; the same where there was only one.
        """
        self._stride = min(2 * self._stride, self._every)
        if first is not last:
            self._shared = _address(first) == _address(last) != 0

    def restart(self) -> None:
        """Look soon again: something was found."""
        self._stride = self._start


def _bytes_behind(target: Tensor) -> int:
    """Return the size of the storage that a reference to the target keeps; 0 where it cannot be told."""
    try:
        return target.untyped_storage().nbytes()
    except RuntimeError:  # sparse, or inside a transform
        return 0


def _address(target: Tensor) -> int:
    try:
        return target.untyped_storage().data_ptr()
    except RuntimeError:
        return 0
