"""A plain torch loop: a yes/no diagnosis, the loss decided on the training rows.

python examples/train_plain_torch.py
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import nebula


def main() -> float:
    """Train, print what was decided, and return the accuracy on rows that were held out."""
    torch.manual_seed(0)
    features, target = load_breast_cancer(return_X_y=True)
    train_x, test_x, train_y, test_y = map(torch.as_tensor, train_test_split(features, target, random_state=0))
    mean, deviation = train_x.mean(0), train_x.std(0)
    train_x, test_x = (((part - mean) / deviation).float() for part in (train_x, test_x))
    loader = DataLoader(TensorDataset(train_x, train_y), batch_size=32, shuffle=True)
    model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1))

    criterion = nebula.Nebula(hints={"metric": "log_loss"}).fit(loader, model)
    criterion.init_output_bias(model)
    print(criterion.decision)

    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(10):
        for inputs, answers in loader:
            optimizer.zero_grad()
            criterion(model(inputs), answers).backward()
            optimizer.step()

    with torch.no_grad():
        probability = criterion.predict(model(test_x)).squeeze(-1)
    accuracy = float(((probability > 0.5) == test_y).float().mean())
    print(f"accuracy on {len(test_y)} held-out rows: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
