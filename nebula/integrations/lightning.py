"""PyTorch Lightning: a callback that decides before training and keeps the decision in the checkpoints."""

from __future__ import annotations

from typing import Any

import torch

from nebula.errors import DecisionError, MissingExtraError
from nebula.evidence.budget import Budget
from nebula.integrations.output_layer import see_output, start_at_constant
from nebula.integrations.record import decision_fields, loss_components
from nebula.losses.composite import CompositeCriterion
from nebula.profiling.prediction import PredictionSpec
from nebula.profiling.sources import first_input
from nebula.selector import Nebula

try:
    from pytorch_lightning import Callback, LightningModule, Trainer
except ImportError:
    raise MissingExtraError("pytorch_lightning", "lightning", "training with Lightning") from None

__all__ = ["NebulaCallback"]


class NebulaCallback(Callback):
    """Serves a LightningModule that has a `Nebula` as an attribute and calls it in `training_step`.

    - Before the first step it decides on the training data, once, and starts the output layer at the
      constant predictor. The first optimiser trains a learnable loss, in a parameter group of its own.
    - It gives the decision to every logger as hyperparameters, and logs the parts of a composite loss.
    - It moves a composite's scheduled weights on, once an optimiser step, and tells it when an epoch ends.
    - Checkpoints hold the decision: a resumed run keeps it, and looks at no data.

    Args:
        criterion: Name of the module's attribute.
        data: What to decide on, as for `Nebula.fit`; None: the trainer's own training loader.
        prediction: The raw output, or a `PredictionSpec`; None: the module is run on the first inputs.
        target: Where the target is in a batch, by index or key.
        budget: Bounds on reading the loader.
        init_output_bias: Set the bias of the layer that the output comes from, where it can be found.
    """

    def __init__(
        self,
        criterion: str = "criterion",
        *,
        data: Any = None,
        prediction: torch.Tensor | PredictionSpec | None = None,
        target: int | str | None = None,
        budget: Budget | None = None,
        init_output_bias: bool = True,
    ) -> None:
        super().__init__()
        self.criterion, self.data = criterion, data
        self.prediction, self.target, self.budget = prediction, target, budget
        self.init_output_bias = init_output_bias
        self._seen_step = 0

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Decide unless a checkpoint did, let the optimiser train a learnable loss, and log what is in force."""
        criterion = self._of(pl_module)
        if criterion.decision is None:
            self._decide(trainer, pl_module, criterion)
        criterion.to(pl_module.device)
        if isinstance(criterion.loss_function, CompositeCriterion):
            criterion.loss_function.attach(pl_module)
        _train_loss(trainer, criterion)
        if criterion.decision is not None:
            for logger in trainer.loggers:
                logger.log_hyperparams(decision_fields(criterion.decision))

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count optimiser steps from where the run starts."""
        self._seen_step = trainer.global_step

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_batch: Any) -> None:
        """Log the parts of the loss; move scheduled weights on."""
        inner = self._of(pl_module).loss_function
        if isinstance(inner, CompositeCriterion):
            pl_module.log_dict({f"nebula/{name}": value for name, value in loss_components(inner).items()})
            inner.advance(trainer.global_step - self._seen_step)
        self._seen_step = trainer.global_step

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tell a composite's weighting that an epoch is over."""
        inner = self._of(pl_module).loss_function
        if isinstance(inner, CompositeCriterion):
            inner.end_epoch()

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Write the decisions as JSON under `nebula`, where they can be read without the model."""
        checkpoint["nebula"] = self._of(pl_module).get_extra_state()

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Restore the decisions, unless the module's own state did."""
        criterion = self._of(pl_module)
        if criterion.decision is None and "nebula" in checkpoint:
            criterion.set_extra_state(checkpoint["nebula"])

    def _of(self, pl_module: LightningModule) -> Nebula:
        criterion = getattr(pl_module, self.criterion, None)
        if not isinstance(criterion, Nebula):
            raise DecisionError(
                f"{type(pl_module).__name__}.{self.criterion}: expected a Nebula, found {type(criterion).__name__}: "
                "set it in `__init__`, or name the attribute in `NebulaCallback(criterion=…)`."
            )
        return criterion

    def _decide(self, trainer: Trainer, pl_module: LightningModule, criterion: Nebula) -> None:
        data = self.data
        if data is None:
            trainer.fit_loop.setup_data()
            data = trainer.train_dataloader
        prediction, layer = self.prediction, None
        if prediction is None:
            prediction, layer = see_output(
                lambda: pl_module(trainer.strategy.batch_to_device(first_input(data))), pl_module
            )
        group = trainer.world_size > 1
        criterion.fit(data, prediction=prediction, target=self.target, budget=self.budget, group=group)
        if self.init_output_bias:
            start_at_constant(criterion, layer)


def _train_loss(trainer: Trainer, criterion: Nebula) -> None:
    """Give a learnable loss a parameter group of its own, the last, also where a resumed module listed it already."""
    learnable = list(criterion.parameters())
    if not learnable or not trainer.optimizers:
        return
    if trainer.world_size > 1:
        raise DecisionError(
            f"expected a loss without parameters on {trainer.world_size} processes, whose gradients would not be "
            f"averaged, found {criterion.extra_repr()}: fit the criterion in the module's `__init__` instead."
        )
    optimizer, known = trainer.optimizers[0], {id(parameter) for parameter in learnable}
    for group in optimizer.param_groups:
        group["params"] = [parameter for parameter in group["params"] if id(parameter) not in known]
    optimizer.add_param_group({"params": learnable})
