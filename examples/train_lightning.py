"""PyTorch Lightning: classes of wine; the callback decides, logs and keeps the decision in the checkpoint.

python examples/train_lightning.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytorch_lightning as lightning
import torch
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import nebula
from nebula.integrations.lightning import NebulaCallback


class Classifier(lightning.LightningModule):
    """A module that calls `self.criterion`, as with any loss."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
        self.criterion = nebula.Nebula()

    def forward(self, inputs: Tensor) -> Tensor:
        """Return raw outputs."""
        raw: Tensor = self.network(inputs)
        return raw

    def training_step(self, batch: Any, _number: int) -> Tensor:
        """Return the loss of a batch."""
        inputs, target = batch
        loss: Tensor = self.criterion(self(inputs), target)
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Train everything that can be learned, the loss included."""
        return torch.optim.Adam(self.parameters(), lr=0.02)


def main() -> float:
    """Train, resume from the checkpoint, and return the accuracy on the training rows."""
    lightning.seed_everything(0, verbose=False)
    features, target = load_wine(return_X_y=True)
    inputs = torch.as_tensor(StandardScaler().fit_transform(features)).float()
    loader = DataLoader(TensorDataset(inputs, torch.as_tensor(target)), batch_size=32, shuffle=True)
    with tempfile.TemporaryDirectory() as folder:
        trainer = lightning.Trainer(
            max_epochs=15,
            accelerator="cpu",
            callbacks=[NebulaCallback()],
            default_root_dir=folder,
            logger=lightning.loggers.CSVLogger(folder),
            enable_progress_bar=False,
            enable_model_summary=False,
            log_every_n_steps=5,
        )
        module = Classifier()
        trainer.fit(module, loader)
        trainer.save_checkpoint(Path(folder) / "wine.ckpt")
        restored = Classifier.load_from_checkpoint(Path(folder) / "wine.ckpt", weights_only=True)
    print(restored.criterion.decision)
    with torch.no_grad():
        probability = restored.criterion.predict(restored(inputs))
    accuracy = float((probability.argmax(1) == torch.as_tensor(target)).float().mean())
    print(f"accuracy on the training rows, from the checkpoint: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
