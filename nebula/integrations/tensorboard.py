"""TensorBoard: the decision as text, its trace as a file beside the events, the loss and its parts as scalars."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from nebula.decision.model import Decision
from nebula.errors import MissingExtraError
from nebula.integrations.record import decision_fields, loss_components
from nebula.losses.factory import AnyCriterion
from nebula.selector import Nebula

try:
    from torch.utils.tensorboard import SummaryWriter
except ImportError:
    raise MissingExtraError("tensorboard", "tensorboard", "writing for TensorBoard") from None

__all__ = ["TRACE_FILE", "write_decision", "write_loss"]

TRACE_FILE = "nebula-trace.json"


def write_decision(writer: SummaryWriter, decision: Decision, *, step: int = 0) -> Path:
    """Write a decision into a run.

    Args:
        writer: The run's writer.
        decision: What was decided.
        step: The step that it belongs to.

    Returns:
        The file with the whole trace, `nebula-trace.json` in the run's folder; `nebula explain` reads it.
    """
    fields = decision_fields(decision)
    writer.add_text("nebula/decision", str(decision), step)
    writer.add_text("nebula/fields", "\n".join(["| | |", "|---|---|", *(f"| {k} | {v} |" for k, v in fields.items())]))
    writer.add_text("nebula/explanation", "\n".join(f"    {line}" for line in decision.explain().splitlines()), step)
    path = Path(writer.log_dir) / TRACE_FILE
    path.write_text(decision.trace.to_json() + "\n", encoding="utf-8")
    return path


def write_loss(writer: SummaryWriter, criterion: Nebula | AnyCriterion, loss: Tensor, *, step: int) -> None:
    """Write the loss of a step, and the value of each of its parts.

    Reading the values waits for the device: call it every so many steps.

    Args:
        writer: The run's writer.
        criterion: What computed the loss last.
        loss: The total, a scalar.
        step: The step.
    """
    writer.add_scalar("nebula/loss", loss.detach(), step)
    for name, value in loss_components(criterion).items():
        writer.add_scalar(f"nebula/loss/{name}", value, step)
