"""Hugging Face's own Trainer: the gradient of a step does not depend on how it is cut into micro-batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel, Trainer, TrainingArguments

from nebula.errors import DataError
from nebula.integrations.transformers import DECISION_FILE, DecisionCallback, TrainerLoss, restore_loss
from tests.integrations.networks import undecided

CLASSES = 3


class Linear(PreTrainedModel):
    """The smallest sequence classifier."""

    config_class = PretrainedConfig

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config)
        self.head = nn.Linear(4, config.num_labels)
        self.post_init()

    def forward(self, inputs: torch.Tensor, labels: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
        return {"logits": self.head(inputs)}


def rows(number: int = 24) -> list[dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(number, 4, generator=generator)
    labels = torch.randint(0, CLASSES, (number,), generator=generator)
    return [{"inputs": a, "labels": b} for a, b in zip(inputs, labels, strict=True)]


class Rows(torch.utils.data.Dataset[Any]):
    def __init__(self) -> None:
        self.rows = rows()

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Any:
        return self.rows[index]


def trained(folder: Path, size: int, accumulate: int, **options: Any) -> tuple[Linear, TrainerLoss]:
    torch.manual_seed(0)
    model = Linear(PretrainedConfig(num_labels=CLASSES))
    loss = TrainerLoss(undecided(**options)).fit(Rows(), model)
    arguments = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=size,
        gradient_accumulation_steps=accumulate,
        num_train_epochs=2,
        learning_rate=0.1,
        optim="sgd",
        max_grad_norm=0.0,
        lr_scheduler_type="constant",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        logging_strategy="no",
        save_strategy="epoch",
        remove_unused_columns=False,
    )
    Trainer(model, arguments, train_dataset=Rows(), compute_loss_func=loss, callbacks=[DecisionCallback(loss)]).train()
    return model, loss


@pytest.mark.parametrize("options", [{}, {"hints": {"weights": "balanced"}}], ids=["plain", "class weights"])
def test_accumulated_steps_train_as_whole_batches_do(tmp_path: Path, options: dict[str, Any]) -> None:
    whole, _ = trained(tmp_path / "whole", 12, 1, **options)
    parts, _ = trained(tmp_path / "parts", 4, 3, **options)
    torch.testing.assert_close(parts.head.weight, whole.head.weight, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cuts", [(24,), (1, 23), (7, 8, 9), (24, 0)])
def test_parts_of_any_size_give_the_whole_gradient(cuts: tuple[int, ...]) -> None:
    model = Linear(PretrainedConfig(num_labels=CLASSES))
    inputs = torch.stack([row["inputs"] for row in rows()])
    labels = torch.stack([row["labels"] for row in rows()])
    labels[::5] = -100
    loss = TrainerLoss(undecided(hints={"ignore_value": -100}))
    loss.criterion.fit(labels, prediction=model(inputs)["logits"].detach())
    counted = (labels != -100).sum()
    for part, answers in zip(inputs.split(cuts), labels.split(cuts), strict=True):
        loss({"logits": model.head(part)}, answers, num_items_in_batch=counted).backward()
    accumulated = model.head.weight.grad.clone()
    model.zero_grad()
    nn.functional.cross_entropy(model.head(inputs), labels).backward()
    torch.testing.assert_close(accumulated, model.head.weight.grad)


def test_a_loss_of_one_value_a_row_counts_its_columns() -> None:
    generator = torch.Generator().manual_seed(0)
    shares = torch.softmax(torch.randn(30, CLASSES, generator=generator), -1)
    logits = torch.randn(30, CLASSES, generator=generator)
    loss = TrainerLoss(undecided())
    loss.criterion.fit(shares, prediction=logits)
    assert loss.criterion.decision is not None
    value = sum(loss((a,), b, shares.numel()) for a, b in zip(logits.split(7), shares.split(7), strict=True))
    torch.testing.assert_close(value, loss((logits,), shares))


def test_a_checkpoint_restores_the_decision(tmp_path: Path) -> None:
    _, loss = trained(tmp_path, 12, 1)
    (folder, *_) = sorted(tmp_path.glob("checkpoint-*"))
    again = restore_loss(folder)
    assert again.criterion.decision is not None
    assert loss.criterion.decision is not None
    assert again.criterion.decision.trace == loss.criterion.decision.trace
    assert again.predict(torch.eye(3)).shape == (3, 3)
    (folder / DECISION_FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match="expected a decision that DecisionCallback wrote"):
        restore_loss(folder)


def test_missing_labels_are_told() -> None:
    with pytest.raises(DataError, match="labels: expected a tensor, found none"):
        TrainerLoss(undecided())({"logits": torch.zeros(2, 3)}, None)
