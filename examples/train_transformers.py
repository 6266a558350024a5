"""Hugging Face's Trainer: a small BERT reads digits four pixels at a time; nothing is downloaded.

python examples/train_transformers.py
"""

from __future__ import annotations

import tempfile
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch.utils.data import Dataset
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed

from nebula.integrations.transformers import DecisionCallback, TrainerLoss, check_problem_type, restore_loss


class Digits(Dataset[dict[str, torch.Tensor]]):
    """Rows of 16 grey levels, 0 to 16, each the mean of four pixels, with the digit that they show."""

    def __init__(self) -> None:
        levels, digits = load_digits(return_X_y=True)
        coarse = torch.as_tensor(levels).reshape(-1, 4, 2, 4, 2).mean(dim=(2, 4))
        self.levels, self.digits = coarse.round().long().flatten(1), torch.as_tensor(digits)

    def __len__(self) -> int:
        return len(self.digits)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self.levels[index], "labels": self.digits[index]}


def main() -> float:
    """Check the config, train with accumulated gradients, and return the accuracy on the training rows."""
    set_seed(0)
    sizes: dict[str, Any] = {"hidden_size": 64, "num_attention_heads": 2, "intermediate_size": 64}
    kept: dict[str, Any] = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = BertConfig(vocab_size=17, num_hidden_layers=1, max_position_embeddings=16, num_labels=10, **sizes, **kept)
    model = BertForSequenceClassification(config)
    data = Digits()
    print(check_problem_type(config, data.digits))

    loss = TrainerLoss().fit(data, model)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=32,
            gradient_accumulation_steps=2,
            num_train_epochs=14,
            learning_rate=3e-3,
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
            logging_strategy="no",
        )
        callbacks = [DecisionCallback(loss)]
        trainer = Trainer(model, arguments, train_dataset=data, compute_loss_func=loss, callbacks=callbacks)
        trainer.train()
        restored = restore_loss(f"{folder}/checkpoint-{trainer.state.global_step}")
        logits = torch.as_tensor(trainer.predict(data).predictions)
    probability = restored.predict(logits)
    accuracy = float((probability.argmax(1) == data.digits).float().mean())
    print(f"accuracy on the training rows: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
