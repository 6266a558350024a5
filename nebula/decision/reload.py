"""A policy that follows its files: a sound edit takes effect, a broken one is told and changes nothing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

from nebula.decision.model import Decision
from nebula.decision.policy import Policy
from nebula.errors import PolicyError
from nebula.policy.files import find_policy
from nebula.policy.inheritance import resolve
from nebula.policy.loader import load
from nebula.profiling.model import DataProfile

__all__ = ["ReloadingPolicy"]

_logger = logging.getLogger("nebula")
_MISSING = b""


class ReloadingPolicy(Policy):
    """A policy read again when the content of its files changes, those that it extends included.

    What was decided stays decided; the next decision is made by the policy that is then in force.
    Each decision is made by one policy from beginning to end. Safe between threads.

    Args:
        source: A path, or the name of a shipped policy.
        parameters: Values that replace the policy's named thresholds.
        every: Least seconds between two looks at the files; 0 looks before every decision.
        clock: Seconds that never run backwards.

    Raises:
        PolicyError: The policy cannot be used to begin with.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        parameters: dict[str, Any] | None = None,
        every: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not every >= 0:
            raise ValueError(f"every: expected at least 0 seconds, found {every!r}.")
        self._source, self._parameters, self._every, self._clock = source, parameters, every, clock
        self._lock = threading.Lock()
        self._told = ""
        self._files = _files(source)
        self._content = _contents(self._files)
        self._looked = clock()
        super().__init__(load(source, parameters=parameters))

    def current(self) -> Policy:
        """Return the policy in force after a look at the files, if one is due."""
        if self._clock() - self._looked >= self._every and self._lock.acquire(blocking=False):
            try:  # while another thread reads, the old policy serves
                self._refresh()
            finally:
                self._lock.release()
        return Policy(self.compiled)

    def decide(self, profile: DataProfile) -> Decision:
        """Choose the loss by the policy in force; see `Policy.decide`."""
        return self.current().decide(profile)

    def refresh(self) -> bool:
        """Look at the files now.

        Returns:
            Whether another policy is in force than before.
        """
        with self._lock:
            return self._refresh()

    def _refresh(self) -> bool:
        self._looked = self._clock()
        content = _contents(self._files)
        if content == self._content and not self._told:
            return False
        try:
            files = _files(self._source)
            content = _contents(files)  # before they are read for good: what changes meanwhile is seen next time
            compiled = load(self._source, parameters=self._parameters)
        except PolicyError as error:
            if str(error) != self._told:
                self._told = str(error)
                _logger.warning("nebula: %s was edited and cannot be used, %s stays in force:\n%s", *self._names(error))
            return False
        self._files, self._content, self._told = files, content, ""
        if compiled.digest == self.digest:
            return False
        _logger.info("nebula: %s was read again: %s %s", self._source, compiled.file.name, compiled.file.version)
        self.compiled = compiled
        return True

    def _names(self, error: PolicyError) -> tuple[str, str, str]:
        return str(self._source), f"{self.name} {self.version}", str(error)

    def __getstate__(self) -> dict[str, object]:
        """Copy all but the lock, so that a loss that holds this policy can be copied."""
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, object]) -> None:
        """Restore with a lock of its own."""
        self.__dict__.update(state)
        self._lock = threading.Lock()


def _files(source: str | Path) -> tuple[str, ...]:
    """Return all files that a policy is read from."""
    return resolve(find_policy(source)).files


def _contents(files: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(_content(Path(file)) for file in files)


def _content(path: Path) -> bytes:
    try:
        return blake2b(path.read_bytes(), digest_size=16).digest()
    except OSError:
        return _MISSING
