"""What the demonstration needs beyond nebula itself, checked before any work starts."""

from __future__ import annotations

from importlib.util import find_spec

from nebula.errors import MissingExtraError

__all__ = ["require_extras"]

_NEEDED = {
    "sklearn": "the demo's data sets and metrics",
    "statsmodels": "the demo's count, proportion and cost data",
    "pandas": "the demo's tables",
    "matplotlib": "the demo's figure",
}


def require_extras() -> None:
    """Check that every package of the `demo` extra can be imported.

    Raises:
        MissingExtraError: One is not installed; the message has the command that installs it.
    """
    for package, purpose in _NEEDED.items():
        if find_spec(package) is None:
            raise MissingExtraError(package, "demo", purpose)
