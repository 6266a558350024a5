"""A second policy that decides beside the first, is heard only when it disagrees, and changes nothing."""

from __future__ import annotations

import logging
from pathlib import Path

from nebula.decision.policy import Policy, load_policy
from nebula.decision.trace import DecisionTrace
from nebula.errors import NebulaError

__all__ = ["compare_shadow", "load_shadow"]

_logger = logging.getLogger("nebula")


def load_shadow(shadow: Policy | str | Path | None) -> Policy | None:
    """Return the policy that decides beside; None, with a warning in the log, when it cannot be used."""
    if shadow is None or isinstance(shadow, Policy):
        return shadow
    try:
        return load_policy(shadow)
    except NebulaError as error:
        _logger.warning("nebula: shadow %s is off, for it cannot be used:\n%s", shadow, error)
        return None


def compare_shadow(trace: DecisionTrace, shadow: Policy) -> bool:
    """Let the shadow decide on the same profile and log one line when loss or rule differ.

    Args:
        trace: The decision in force; it stays as it is.
        shadow: The policy beside it. Whatever goes wrong in it is logged and raises nothing.

    Returns:
        Whether both agree.
    """
    try:
        policy = shadow.current()
        name = f"{policy.name} {policy.version}"
        other = policy.decide(trace.profile).trace
    except NebulaError as error:
        _logger.warning("nebula: shadow disagrees: %s; the shadow decides nothing: %s", _said(trace), error)
        return False
    except Exception:  # whatever goes wrong in a shadow, the decision in force stands
        _logger.warning("nebula: the shadow failed beside %s", _said(trace), exc_info=True)
        return False
    if (_loss(trace), trace.rule_id) == (_loss(other), other.rule_id):
        return True
    _logger.warning("nebula: shadow disagrees: %s; %s would choose %s", _said(trace), name, _chosen(other))
    return False


def _loss(trace: DecisionTrace) -> str | None:
    return trace.spec.loss if trace.spec else None


def _said(trace: DecisionTrace) -> str:
    return f"{trace.policy.name} {trace.policy.version} chose {_chosen(trace)}"


def _chosen(trace: DecisionTrace) -> str:
    rule = f"rule `{trace.rule_id}`" if trace.rule_id else "`otherwise`"
    return f"{_loss(trace) or 'no loss'} by {rule}"
