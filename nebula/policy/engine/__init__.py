"""Inference: which rules fire, by durable-rules or by its native twin."""

from __future__ import annotations

import logging
from functools import cache

from nebula.errors import EngineError
from nebula.policy.engine.base import InferenceEngine
from nebula.policy.engine.durable import DurableEngine
from nebula.policy.engine.native import NativeEngine

__all__ = ["DurableEngine", "InferenceEngine", "NativeEngine", "default_engine"]

_log = logging.getLogger(__name__)


@cache
def default_engine() -> InferenceEngine:
    """Return the process's engine: durable-rules where it is installed, else its native twin."""
    try:
        return DurableEngine()
    except EngineError:
        _log.info("durable-rules is not installed: the native engine decides")
        return NativeEngine()
