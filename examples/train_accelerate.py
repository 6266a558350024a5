"""Accelerate: several numbers a row; one process or many, one decision.

python examples/train_accelerate.py
accelerate launch --cpu --num_processes 2 examples/train_accelerate.py
"""

from __future__ import annotations

import torch
from accelerate import Accelerator
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import nebula
from nebula.integrations.accelerate import fit_criterion


def main() -> float:
    """Train, print what was decided, and return the accuracy on the training rows."""
    torch.manual_seed(0)
    accelerator = Accelerator(cpu=True)
    levels, digits = map(torch.as_tensor, load_digits(return_X_y=True))
    inputs = levels.float() / 16
    model: nn.Module = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    loader = DataLoader(TensorDataset(inputs, digits), batch_size=64, shuffle=True)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)

    criterion = nebula.Nebula()
    accelerator.register_for_checkpointing(criterion)
    fit_criterion(accelerator, criterion, loader, model)
    accelerator.print(criterion.decision)

    for _ in range(5):
        for batch, answers in loader:
            optimizer.zero_grad()
            accelerator.backward(criterion(model(batch), answers))
            optimizer.step()

    with torch.no_grad():
        probability = criterion.predict(model(inputs))
    accuracy = float((probability.argmax(1) == digits).float().mean())
    accelerator.print(f"accuracy on the training rows: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
