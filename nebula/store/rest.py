"""A store in trouble is left alone for a while: the run goes on in memory, and is told once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

__all__ = ["Rest"]

_logger = logging.getLogger("nebula")
_SECONDS = 30.0


class Rest:
    """Whether a store is to be tried now.

    Args:
        location: The store, as messages name it.
        seconds: How long it rests after a failure.
        clock: Seconds that never run backwards.
    """

    def __init__(
        self, location: str, *, seconds: float = _SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._location, self._seconds, self._clock = location, seconds, clock
        self._until = -1.0
        self._told: set[str] = set()

    @property
    def is_on(self) -> bool:
        """The store failed a moment ago."""
        return self._clock() < self._until

    def begin(self, trouble: str, advice: str) -> None:
        """Leave the store alone from now on, and say so unless this trouble was told before.

        Args:
            trouble: What was found, e.g. `a disk that is full`.
            advice: What to do about it.
        """
        self._until = self._clock() + self._seconds
        self.tell(trouble, f"going on in memory, and trying again in {self._seconds:.0f} s. {advice}")

    def tell(self, trouble: str, rest: str) -> None:
        """Log a warning, once for each trouble."""
        if trouble not in self._told:
            self._told.add(trouble)
            _logger.warning(
                "nebula: cache %s: expected a store that can be used, found %s: %s", self._location, trouble, rest
            )
