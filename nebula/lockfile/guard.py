"""The lockfile while a model trains: a decision that is not the pinned one is refused, or told."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Literal

from nebula.decision.model import Decision
from nebula.errors import LockError
from nebula.lockfile.comparison import compare_pins, is_drift
from nebula.lockfile.document import read_lockfile
from nebula.lockfile.model import Pin, pin

__all__ = ["LockGuard", "OnMismatch"]

OnMismatch = Literal["raise", "warn"]
_logger = logging.getLogger("nebula")


class LockGuard:
    """Compares decisions with a lockfile.

    Args:
        path: The lockfile; read at once.
        on_mismatch: `raise` refuses a decision that differs; `warn` logs it and goes on.

    Raises:
        DataError: The lockfile cannot be read.
        ValueError: `on_mismatch` is neither.
    """

    def __init__(self, path: str | os.PathLike[str], on_mismatch: OnMismatch = "raise") -> None:
        if on_mismatch not in ("raise", "warn"):
            raise ValueError(f"on_mismatch: expected 'raise' or 'warn', found {on_mismatch!r}.")
        self.path, self._on_mismatch = Path(path), on_mismatch
        self._pins = read_lockfile(self.path).decisions

    def check(self, decision: Decision, name: str | None) -> None:
        """Compare a decision with the one pinned under a name.

        Of a decision on a part of the data, the data are not compared.

        Args:
            decision: Made a moment ago.
            name: Its name in the lockfile; None means the only one.

        Raises:
            LockError: It differs, or nothing is pinned under that name, and `on_mismatch` is `raise`.
        """
        pinned = self._find(name)
        if pinned is None:
            self._tell(name, *self._lacking(name))
            return
        complete = decision.trace.profile.evidence.complete is not False
        changes = compare_pins(pinned, pin(decision), data=complete)
        if is_drift(changes):
            found = "; ".join(str(change) for change in changes)
            self._tell(
                name, f"expected the pinned decision, found another: {found}", "`nebula lock --update` takes it."
            )

    def _lacking(self, name: str | None) -> tuple[str, str]:
        """Say why no decision can be compared, and what to do."""
        known = ", ".join(f"`{one}`" for one in self._pins)
        if name is not None or not known:
            wanted = "a pinned decision" if name is None else f"a pinned decision of the name `{name}`"
            return f"expected {wanted}, found {known or 'none'}", "Pin it with `nebula lock`."
        return f"expected the name of one of its decisions, {known}, found no `dataset`", "Name it with `dataset=`."

    def _find(self, name: str | None) -> Pin | None:
        if name is None:
            return next(iter(self._pins.values())) if len(self._pins) == 1 else None
        return self._pins.get(name)

    def _tell(self, name: str | None, trouble: str, advice: str) -> None:
        where = f"{self.path}{f': {name}' if name is not None else ''}"
        if self._on_mismatch == "raise":
            raise LockError(f"{where}: {trouble}. {advice}")
        _logger.warning("nebula: %s: %s. %s", where, trouble, advice)
