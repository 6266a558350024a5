"""What a logger keeps of a run: the decision as short fields, and the parts of the last loss."""

from __future__ import annotations

from torch import Tensor

from nebula.decision.explain import serve_words
from nebula.decision.model import Decision
from nebula.losses.composite import CompositeCriterion
from nebula.losses.factory import AnyCriterion
from nebula.selector import Nebula

__all__ = ["decision_fields", "loss_components"]


def decision_fields(decision: Decision) -> dict[str, str]:
    """Return the decision as names and short texts, for tags, parameters and hyperparameters.

    Args:
        decision: From `nebula.select` or `Nebula.decision`.

    Returns:
        `nebula.loss`, `.rule`, `.status`, `.task`, `.link`, `.serve`, `.output_bias`, `.policy`, `.digest`,
        `.trace`; unknown ones are left out.
    """
    trace = decision.trace
    fields: dict[str, str | None] = {
        "loss": trace.spec.loss if trace.spec else None,
        "rule": trace.rule_id or "otherwise",
        "status": trace.status,
        "task": trace.task,
        "link": trace.spec.link if trace.spec else None,
        "serve": serve_words(trace.spec) if trace.spec else None,
        "output_bias": trace.spec.output_bias.kind if trace.spec and trace.spec.output_bias else None,
        "policy": f"{trace.policy.name} {trace.policy.version}",
        "digest": trace.policy.digest,
        "trace": trace.id,
    }
    return {f"nebula.{name}": value for name, value in fields.items() if value is not None}


def loss_components(criterion: Nebula | AnyCriterion) -> dict[str, Tensor]:
    """Return the unweighted value of every term and penalty of the last call, detached.

    Args:
        criterion: A `Nebula`, or a criterion from `nebula.build`.

    Returns:
        Scalars by name; empty for a loss of one term, which is its own only part.
    """
    inner = criterion.loss_function if isinstance(criterion, Nebula) else criterion
    return dict(inner.components) if isinstance(inner, CompositeCriterion) else {}
