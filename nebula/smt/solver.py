"""The SMT solver z3 (de Moura and Bjørner 2008), which the extra `verify` brings."""

from __future__ import annotations

from nebula.errors import MissingExtraError

try:
    import z3
except ModuleNotFoundError:
    raise MissingExtraError("z3", "verify", "a proof about a policy") from None

__all__ = ["z3"]
