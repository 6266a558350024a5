"""Hugging Face's Trainer: the decided loss as `compute_loss_func`, and the decision in its checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nebula.decision.model import Decision
from nebula.errors import ContractError, DataError, MissingExtraError
from nebula.integrations.problem_type import IGNORED, ProblemTypeReport, check_problem_type
from nebula.losses.adaptation import entry_of, validated_params
from nebula.losses.factory import AnyCriterion, build_criterion
from nebula.profiling.prediction import PredictionSpec
from nebula.selector import Nebula

try:
    from transformers import TrainerCallback
except ImportError:
    raise MissingExtraError("transformers", "transformers", "training with Hugging Face's Trainer") from None

__all__ = [
    "DECISION_FILE",
    "DecisionCallback",
    "ProblemTypeReport",
    "TrainerLoss",
    "check_problem_type",
    "restore_loss",
]

DECISION_FILE = "nebula-trace.json"


class TrainerLoss(nn.Module):
    """The `compute_loss_func` of a Trainer.

    The Trainer counts the labels of all micro-batches that make one optimiser step, `num_items_in_batch`, and
    does not divide by their number. Here every micro-batch contributes its element losses' sum over that
    count, so that the step's gradient is that of the undivided batch, whatever the micro-batches' sizes. With
    class weights it is Σ wᵢ lᵢ / N, and not / Σ wᵢ, as for transformers' own losses.

    Args:
        criterion: A `Nebula`, fitted or not.
    """

    def __init__(self, criterion: Nebula | None = None) -> None:
        super().__init__()
        self.criterion = criterion if criterion is not None else Nebula()
        self._built_for: Decision | None = None
        self._elements: AnyCriterion | None = None
        self._over_rows = False

    def fit(self, dataset: Any, model: Any, *, labels: str = "labels", **options: Any) -> TrainerLoss:
        """Decide on the labels of a data set whose rows are mappings.

        Args:
            dataset: The Trainer's `train_dataset`.
            model: `model.config.num_labels` is the number of outputs; nothing is run.
            labels: Key of the labels.
            **options: Of `Nebula.fit`, e.g. `prediction` for a model that is no sequence classifier.

        Returns:
            This object.

        Raises:
            ContractError: The decided loss has parameters of its own, which the Trainer's optimiser lacks.
        """
        shape = PredictionSpec(shape=(None, int(model.config.num_labels)))
        self.criterion.fit(dataset, target=labels, **{"prediction": shape, **options})
        if any(True for _ in self.criterion.parameters()):
            raise ContractError(
                "TrainerLoss: expected a loss without parameters of its own, which the Trainer would not train, "
                f"found {self.criterion.extra_repr()}: choose another in the policy, or pass the Trainer an optimizer."
            )
        return self

    def forward(self, outputs: Any, labels: Tensor | None, num_items_in_batch: Tensor | int | None = None) -> Tensor:
        """Return the loss of a micro-batch.

        Args:
            outputs: What the model returned: its `logits`, else the first of a tuple, are the raw output.
            labels: The labels; -100 is left out where the decision was told so (`hints.ignore_value`).
            num_items_in_batch: Labels in all micro-batches of the step; None: of this one.

        Raises:
            DataError: There are no labels.
            ContractError: Shapes or values are not what the chosen loss is defined for.
        """
        if labels is None:
            raise DataError("labels: expected a tensor, found none: name them in TrainingArguments(label_names=[…]).")
        logits = outputs["logits"] if isinstance(outputs, dict) else outputs[0]
        if num_items_in_batch is None:
            mean: Tensor = self.criterion(logits, labels)
            return mean
        total = torch.as_tensor(num_items_in_batch, device=logits.device)
        elements = self._element_losses(logits, labels)
        if elements is None:
            loss: Tensor = self.criterion(logits, labels)
            return loss * ((labels != IGNORED).sum() / total)
        # of labels (N, C), a mean over rows counts C of the Trainer's items a row
        return elements.sum() * (labels.numel() / max(self._counted(elements), 1)) / total

    def predict(self, logits: Tensor) -> Tensor:
        """Serve raw outputs, e.g. `Trainer.predict(…).predictions`, as the decision says."""
        return self.criterion.predict(torch.as_tensor(logits))

    def _counted(self, elements: Tensor) -> int:
        """Return how many values the decided loss's own mean would divide by."""
        return elements.shape[0] if self._over_rows else elements.numel()

    def _element_losses(self, logits: Tensor, labels: Tensor) -> Tensor | None:
        """Return every element's loss; None when the rows have no losses of their own."""
        if self.criterion.decision is None:
            self.criterion.determine_loss_function(logits, labels)
        decision = self.criterion.decision
        if decision is not self._built_for:
            self._built_for = decision
            self._elements, self._over_rows = _without_reduction(decision)
        if self._elements is None:
            return None
        elements: Tensor = self._elements.to(logits.device)(logits, labels)
        return elements


class DecisionCallback(TrainerCallback):
    """Writes the decision's trace into every checkpoint, as `nebula-trace.json`.

    Args:
        loss: What was given to the Trainer as `compute_loss_func`.
    """

    def __init__(self, loss: TrainerLoss) -> None:
        self.loss = loss

    def on_save(self, args: Any, state: Any, control: Any, **_others: Any) -> None:
        """Write the file beside the model's weights."""
        decision = self.loss.criterion.decision
        if decision is not None and state.is_world_process_zero:
            path = Path(args.output_dir) / f"checkpoint-{state.global_step}" / DECISION_FILE
            path.write_text(decision.trace.to_json() + "\n", encoding="utf-8")


def restore_loss(checkpoint: str | Path, criterion: Nebula | None = None) -> TrainerLoss:
    """Return the loss of a checkpoint that a `DecisionCallback` wrote to, without looking at data.

    Args:
        checkpoint: The checkpoint's folder.
        criterion: Takes the decision over; None: a new `Nebula`.

    Raises:
        DataError: The folder holds no readable decision.
    """
    path = Path(checkpoint) / DECISION_FILE
    loss = TrainerLoss(criterion)
    try:
        loss.criterion.set_extra_state(json.dumps([[None, path.read_text(encoding="utf-8")]]))
    except (OSError, ValueError) as problem:
        raise DataError(f"{path}: expected a decision that DecisionCallback wrote, found {problem}.") from problem
    return loss


def _without_reduction(decision: Decision | None) -> tuple[AnyCriterion | None, bool]:
    """Build the decided loss with a value an element, None where it has none; say whether its mean is over rows."""
    spec = decision.spec if decision else None
    if spec is None or spec.terms:
        return None, False
    entry = entry_of(spec.loss)
    contract = entry.contracts_for(spec.params)[0]
    if contract.couples_samples or "none" not in contract.reductions:
        return None, False
    over_rows = getattr(validated_params(entry, spec.params), "reduction", "mean") == "batchmean"
    return build_criterion(spec.model_copy(update={"params": {**spec.params, "reduction": "none"}})), over_rows
