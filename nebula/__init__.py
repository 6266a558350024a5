"""Chooses the loss for a PyTorch training run by rules people can read, and proves why.

    decision = nebula.select(target, nebula.PredictionSpec(shape=(None, 1)))
    criterion = nebula.build(decision)

Importing this package imports neither torch nor pydantic: each public name is loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nebula.checking.report import CheckReport
    from nebula.checking.run import check
    from nebula.decision.model import Decision
    from nebula.decision.policy import Policy, load_policy
    from nebula.decision.trace import DecisionTrace
    from nebula.losses.base import LossFunction
    from nebula.losses.criterion import Criterion
    from nebula.losses.declaring import register_loss
    from nebula.losses.spec import LossSpec
    from nebula.plugins import use_plugins
    from nebula.profiling.custom import register_fact
    from nebula.profiling.hints import Hints
    from nebula.profiling.model import DataProfile
    from nebula.profiling.prediction import PredictionSpec
    from nebula.profiling.profiler import profile
    from nebula.selection import build, select
    from nebula.selector import Nebula

__version__ = "0.1.0"

__all__ = [
    "CheckReport",
    "Criterion",
    "DataProfile",
    "Decision",
    "DecisionTrace",
    "Hints",
    "LossFunction",
    "LossSpec",
    "Nebula",
    "Policy",
    "PredictionSpec",
    "build",
    "check",
    "load_policy",
    "profile",
    "register_fact",
    "register_loss",
    "select",
    "use_plugins",
]

_HOME = {
    "CheckReport": "nebula.checking.report",
    "Criterion": "nebula.losses.criterion",
    "DataProfile": "nebula.profiling.model",
    "Decision": "nebula.decision.model",
    "DecisionTrace": "nebula.decision.trace",
    "Hints": "nebula.profiling.hints",
    "LossFunction": "nebula.losses.base",
    "LossSpec": "nebula.losses.spec",
    "Nebula": "nebula.selector",
    "Policy": "nebula.decision.policy",
    "PredictionSpec": "nebula.profiling.prediction",
    "build": "nebula.selection",
    "check": "nebula.checking.run",
    "load_policy": "nebula.decision.policy",
    "profile": "nebula.profiling.profiler",
    "register_fact": "nebula.profiling.custom",
    "register_loss": "nebula.losses.declaring",
    "select": "nebula.selection",
    "use_plugins": "nebula.plugins",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its home on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'nebula' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names before they are loaded."""
    return sorted([*globals(), *__all__])
