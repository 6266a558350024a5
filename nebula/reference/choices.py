"""Which loss when: the rules of the default policy, read backwards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from nebula.policy.files import shipped_policies
from nebula.policy.loader import load
from nebula.policy.model import SelectRule, ServeChoice, Use

__all__ = ["Choice", "choices"]


@dataclass(frozen=True)
class Choice:
    """One rule that chooses a loss.

    Attributes:
        rule: Its id.
        losses: What it chooses; several in a composite.
        because: Its reason.
        serves: What `predict` returns, or empty.
    """

    rule: str
    losses: tuple[str, ...]
    because: str
    serves: str


@cache
def choices() -> tuple[Choice, ...]:
    """Return the choices of the default policy in the order that they are tried."""
    path = next(path for path in shipped_policies() if path.name == "default.yaml")
    return tuple(_choice(rule, rule.use) for rule in load(path).file.select if rule.use is not None)


def _choice(rule: SelectRule, use: Use) -> Choice:
    serve = use.serve
    if isinstance(serve, ServeChoice):
        serve = serve.functional or ("threshold" if serve.threshold is not None else "quantile")
    return Choice(rule.id, tuple(part.loss for part in use.parts()), rule.because, serve or "")
