"""MLflow: the decision as tags and parameters, its trace as an artifact, the loss and its parts as metrics."""

from __future__ import annotations

from torch import Tensor

from nebula.decision.model import Decision
from nebula.errors import MissingExtraError
from nebula.integrations.record import decision_fields, loss_components
from nebula.losses.factory import AnyCriterion
from nebula.selector import Nebula

try:
    import mlflow
except ImportError:
    raise MissingExtraError("mlflow", "mlflow", "logging to MLflow") from None

__all__ = ["TRACE_ARTIFACT", "log_decision", "log_loss"]

TRACE_ARTIFACT = "nebula/trace.json"
_TAGS = ("nebula.status", "nebula.digest", "nebula.trace")


def log_decision(decision: Decision) -> None:
    """Log a decision into the active run.

    What distinguishes runs (loss, rule, policy, link, …) becomes parameters, which MLflow compares and
    does not let change; status, digest and the trace's id become tags. The whole trace is the artifact
    `nebula/trace.json`, the explanation `nebula/explanation.txt`.

    Args:
        decision: What was decided.
    """
    fields = decision_fields(decision)
    mlflow.log_params({name: value for name, value in fields.items() if name not in _TAGS})
    mlflow.set_tags({name: value for name, value in fields.items() if name in _TAGS} | {"nebula": str(decision)})
    mlflow.log_text(decision.trace.to_json() + "\n", TRACE_ARTIFACT)
    mlflow.log_text(decision.explain() + "\n", "nebula/explanation.txt")


def log_loss(criterion: Nebula | AnyCriterion, loss: Tensor, *, step: int) -> None:
    """Log the loss of a step, and the value of each of its parts.

    Reading the values waits for the device: call it every so many steps.

    Args:
        criterion: What computed the loss last.
        loss: The total, a scalar.
        step: The step.
    """
    parts = {f"nebula.loss.{name}": float(value) for name, value in loss_components(criterion).items()}
    mlflow.log_metrics({"nebula.loss": float(loss.detach()), **parts}, step=step)
