"""The one line that a decision writes to the program's log."""

from __future__ import annotations

import logging

from nebula.decision.explain import summary
from nebula.decision.trace import DecisionTrace

__all__ = ["log_decision"]

_logger = logging.getLogger("nebula")


def log_decision(trace: DecisionTrace) -> None:
    """Write the one human line; a decision the data cannot carry is a warning."""
    level = logging.WARNING if trace.status == "ambiguous" else logging.INFO
    question = f" {trace.ambiguity.ask}" if trace.ambiguity else ""
    _logger.log(level, "%s%s", summary(trace), question)
