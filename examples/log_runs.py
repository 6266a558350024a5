"""TensorBoard and MLflow: the same run in both, with the decision, its trace and the loss.

python examples/log_runs.py --folder runs
tensorboard --logdir runs/tensorboard
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # a folder keeps the runs: no server, no database

import mlflow
import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.tensorboard import SummaryWriter

import nebula
from nebula.integrations import mlflow as nebula_mlflow
from nebula.integrations import tensorboard as nebula_tensorboard


def train(folder: Path) -> float:
    """Train and log into the folder; return the last loss."""
    torch.manual_seed(0)
    features, target = map(torch.as_tensor, load_diabetes(return_X_y=True))
    features = (features / features.std(0)).float()
    model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))
    criterion = nebula.Nebula().fit((features, target), model)
    criterion.init_output_bias(model)
    assert criterion.decision is not None
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    mlflow.set_tracking_uri((folder / "mlflow").resolve().as_uri())
    with SummaryWriter(str(folder / "tensorboard")) as writer, mlflow.start_run():
        nebula_tensorboard.write_decision(writer, criterion.decision)
        nebula_mlflow.log_decision(criterion.decision)
        for step in range(100):
            optimizer.zero_grad()
            loss = criterion(model(features), target)
            loss.backward()
            optimizer.step()
            if step % 20 == 0:
                nebula_tensorboard.write_loss(writer, criterion, loss, step=step)
                nebula_mlflow.log_loss(criterion, loss, step=step)
    print(criterion.decision)
    print(f"trace: {len(list(folder.rglob('*trace.json')))} files, one for each logger")
    return float(loss.detach())


def main(arguments: Sequence[str] | None = None) -> float:
    """Read where to log, and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where to keep the runs; without it they are thrown away")
    folder: Path | None = parser.parse_args(arguments).folder
    if folder is not None:
        return train(folder)
    with tempfile.TemporaryDirectory() as passing:
        return train(Path(passing))


if __name__ == "__main__":
    main()
