"""What the files of a source say: facts that need not be read again while the files stay as they are."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict

from nebula.profiling.histogram import Bar
from nebula.profiling.model import FeatureFacts, TargetFacts

__all__ = ["SourceCache", "SourceFacts"]


class SourceFacts(BaseModel):
    """The facts of a target in files and of what lies beside it, whatever the prediction.

    Attributes:
        target: Facts of the target.
        features: Facts of the columns beside it.
        fingerprint: Hash of the target's content, if it was asked for.
        class_names: Label of every integer code, when the target held labels.
        histogram: The target's values as a few bars.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: TargetFacts
    features: FeatureFacts
    fingerprint: str | None
    class_names: tuple[str, ...] | None = None
    histogram: tuple[Bar, ...] = ()


class SourceCache(Protocol):
    """A map from the cheap identity of files, and what was asked of them, to what they say."""

    def get(self, key: str) -> SourceFacts | None:
        """Return what is kept under this key, or None."""

    def put(self, key: str, value: SourceFacts) -> None:
        """Keep facts under a key."""
