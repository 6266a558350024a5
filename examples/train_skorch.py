"""skorch: a network in scikit-learn's pipeline; the search chooses the step size, nebula the loss.

python examples/train_skorch.py
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from nebula.integrations.skorch import NebulaRegressor


class Network(nn.Module):
    """One hidden layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return raw outputs."""
        raw: Tensor = self.layers(inputs)
        return raw


def main() -> float:
    """Search, print what was decided, and return the mean absolute error on rows that were held out."""
    torch.manual_seed(0)
    features, target = load_diabetes(return_X_y=True)
    parts = train_test_split(features.astype(np.float32), target.astype(np.float32), random_state=0)
    train_x, test_x, train_y, test_y = parts
    net = NebulaRegressor(
        Network, criterion__hints={"metric": "mae"}, optimizer=torch.optim.Adam, max_epochs=30, verbose=0
    )
    search = GridSearchCV(
        make_pipeline(StandardScaler(), net),
        {"nebularegressor__lr": [0.01, 0.1]},
        scoring="neg_mean_absolute_error",
        cv=3,
        error_score="raise",
    )
    search.fit(train_x, train_y)
    print(search.best_estimator_[-1].criterion_.decision)
    error = float(np.abs(search.predict(test_x) - test_y).mean())
    print(f"mean absolute error on {len(test_y)} held-out rows: {error:.1f}, of the median: ", end="")
    print(f"{np.abs(np.median(train_y) - test_y).mean():.1f}")
    return error


if __name__ == "__main__":
    main()
