"""Which nebula a stored value was computed by: no other one may use it."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from pathlib import Path

from nebula.decision.record import library_versions
from nebula.decision.trace import TRACE_VERSION
from nebula.profiling.model import VOCABULARY_VERSION

__all__ = ["current_generation"]

_FORMAT = "1"
_DECIDING = ("profiling", "losses", "policy", "decision")


@cache
def current_generation() -> str:
    """Return 16 hexadecimal digits over everything but the data that facts and decisions depend on.

    These are the format of the records, the vocabulary, the versions of nebula and of the libraries
    that can change an outcome, and nebula's own code: in a checkout, the version stays while the code changes.
    """
    versions = [f"{name} {version}" for name, version in sorted(library_versions().items())]
    state = blake2b("|".join((_FORMAT, TRACE_VERSION, VOCABULARY_VERSION, *versions)).encode(), digest_size=8)
    package = Path(__file__).parents[1]
    for room in _DECIDING:
        for file in sorted((package / room).rglob("*.py")):
            state.update(f"|{file.relative_to(package).as_posix()}|".encode())
            state.update(file.read_bytes())
    return state.hexdigest()
